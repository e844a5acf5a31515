"""Data frames as the arrays that the metrics take: one coding for all tables of an evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Kind = Literal["category", "number", "datetime"]
Floats = NDArray[np.float64]
LEAST_ROWS = 10


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Real and generated rows, coded alike.

    Attributes:
        names: column names as text.
        kinds: kind of each column.
        categorical: which columns hold codes.
        labels: per column, the label of each code; empty for numbers.
        train: [rows, columns], NaN where a value is missing; datetimes in nanoseconds since 1970.
        holdout: the same for rows that were kept back.
        synthetic: the same for generated rows.
    """

    names: list[str]
    kinds: list[Kind]
    categorical: NDArray[np.bool_]
    labels: list[list[str]]
    train: Floats
    holdout: Floats
    synthetic: Floats


def encode_tables(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, kinds: Mapping[str, Kind]
) -> Tables:
    """Check three frames against the declared columns and code them alike.

    Raises:
        ValueError: missing, extra or repeated columns, fewer than ten rows, an unknown kind, or a value that
            does not fit the kind of its column.
    """
    if not kinds:
        raise ValueError("`kinds` is empty. Name the kind of every column: category, number or datetime.")
    for name, kind in kinds.items():
        if kind not in ("category", "number", "datetime"):
            raise ValueError(f"column {name!r} has kind {kind!r}. Use category, number or datetime.")
    frames = {"train": train, "holdout": holdout, "synthetic": synthetic}
    for which, frame in frames.items():
        _check(which, frame, list(kinds))
    arrays = {which: np.empty((len(frame), len(kinds))) for which, frame in frames.items()}
    labels: list[list[str]] = []
    for place, (name, kind) in enumerate(kinds.items()):
        columns: dict[str, Any] = {which: frame[name] for which, frame in frames.items()}
        if kind == "category":
            codes, names = _codes(columns, name)
            labels.append(names)
        else:
            codes = {which: _measured(column, kind, which, name) for which, column in columns.items()}
            labels.append([])
        for which, values in codes.items():
            arrays[which][:, place] = values
    return Tables(
        names=[str(name) for name in kinds],
        kinds=list(kinds.values()),
        categorical=np.array([kind == "category" for kind in kinds.values()]),
        labels=labels,
        **arrays,
    )


def independent_columns(table: Floats, rows: int, rng: np.random.Generator) -> Floats:
    """The product of marginals: each column drawn from the table on its own, with replacement."""
    picks = rng.integers(0, len(table), size=(rows, table.shape[1]))
    return np.take_along_axis(table, picks, axis=0)


def _check(which: str, frame: pd.DataFrame, expected: list[str]) -> None:
    repeated = list(frame.columns[frame.columns.duplicated()].unique())
    missing = [name for name in expected if name not in frame.columns]
    extra = [name for name in frame.columns if name not in expected]
    if repeated or missing or extra:
        found = {"repeated": repeated, "missing": missing, "extra": extra}
        said = "; ".join(f"{word} {', '.join(map(repr, names))}" for word, names in found.items() if names)
        raise ValueError(
            f"the columns of the {which} table are not those in `kinds`: {said}. All three tables need the "
            "same columns, each once."
        )
    if len(frame) < LEAST_ROWS:
        raise ValueError(
            f"the {which} table has {len(frame)} rows; an evaluation needs at least {LEAST_ROWS} in each table."
        )


def _codes(columns: Mapping[str, pd.Series], name: str) -> tuple[dict[str, Floats], list[str]]:
    """Codes in the order of the labels, NaN for missing values."""
    values = np.concatenate([column.to_numpy(dtype=object) for column in columns.values()])
    try:
        codes, found = pd.factorize(values)
    except TypeError as error:
        raise ValueError(f"column {name!r} is a category, but holds values without a hash: {error}.") from error
    labels: list[Any] = list(found)
    try:
        order = sorted(range(len(labels)), key=labels.__getitem__)
    except TypeError:  # labels of several kinds
        order = sorted(range(len(labels)), key=lambda code: (type(labels[code]).__name__, str(labels[code])))
    rank = np.full(len(labels) + 1, np.nan)  # the last entry answers code -1, a missing value
    rank[order] = np.arange(len(labels))
    ends = np.cumsum([len(column) for column in columns.values()])[:-1]
    parts = np.split(rank[codes], ends)
    return dict(zip(columns, parts, strict=True)), [str(labels[code]) for code in order]


def _measured(column: pd.Series, kind: Kind, which: str, name: str) -> Floats:
    """A column of numbers or times as float64."""
    try:
        if kind == "datetime":
            return _nanoseconds(column)
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        numbers: Any = pd.to_numeric(column)
        return numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(
            f"column {name!r} of the {which} table is declared a {kind}, but holds something else: {error}. "
            "Convert it, or declare it a category."
        ) from error


def _nanoseconds(column: pd.Series) -> Floats:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    times = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    return np.where(np.isnat(times), np.nan, times.astype(np.int64).astype(np.float64))
