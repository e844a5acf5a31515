"""A table as one integer tensor: the columns' sites side by side."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from intarsia.codecs import Codes
from intarsia.schedules import Staged
from intarsia_domains.tabular._table_error import TableError
from intarsia_domains.tabular.columns import (
    KINDS,
    AbstractColumn,
    CategoryColumn,
    IdentifierColumn,
    NumberColumn,
    column_from_json,
    detect,
)
from intarsia_domains.tabular.columns._values import values_from_json, values_to_json


class TableCodec:
    """Rows of a frame ↔ classes (rows, sites). Columns with one class only have no site; they are decoded as they are.

    Args:
        columns: fitted columns, in order.
    """

    def __init__(self, columns: list[AbstractColumn]) -> None:
        self.columns = columns
        counts = [k for column in columns for k in column.num_classes]
        self._kept = np.array([k > 1 for k in counts], dtype=bool)
        self.num_classes = tuple(k for k in counts if k > 1)
        ends = np.cumsum([0, *(len(column.num_classes) for column in columns)])
        self._parts = list(itertools.starmap(slice, itertools.pairwise(map(int, ends))))
        new = np.cumsum(self._kept) - 1
        self.sites: dict[Any, list[int]] = {
            column.name: [int(new[i]) for i in range(part.start, part.stop) if self._kept[i]]
            for column, part in zip(columns, self._parts, strict=True)
        }

    @classmethod
    def fit(cls, frame: pd.DataFrame, kinds: Mapping[Any, str], rare: int, clip: int) -> "TableCodec":
        """Learn every column's code.

        Raises:
            TableError: there are no rows or columns, `kinds` names an unknown column or kind.
            ValueError, TypeError: a column cannot be modelled; the message names it.
        """
        if frame.shape[0] == 0 or frame.shape[1] == 0:
            raise TableError(f"the table is empty: {frame.shape[0]} rows and {frame.shape[1]} columns")
        odd = [
            name for name in frame.columns if not isinstance(name, str | int | float | bool | np.integer | np.floating)
        ]
        if odd:
            raise TableError(f"the column name {odd[0]!r} is neither text nor a number; rename it")
        unknown = [name for name in kinds if name not in frame.columns]
        if unknown:
            raise TableError(f"`kinds` names {unknown[0]!r}, but the columns are {', '.join(map(repr, frame.columns))}")
        return cls([_fit(frame[name], kinds.get(name), rare, clip) for name in frame.columns])

    @property
    def names(self) -> list[Any]:
        """Column names, in order."""
        return [column.name for column in self.columns]

    def column(self, name: Any) -> AbstractColumn:
        """A column by name; raises TableError for an unknown one."""
        for column in self.columns:
            if column.name == name:
                return column
        raise TableError(f"there is no column {name!r}; the columns are {', '.join(map(repr, self.names))}")

    def schedule(self) -> Staged | None:
        """Coarse digits are generated before all fine ones; None where there are no fine digits."""
        stages = tuple(i for column in self.columns for i, k in enumerate(column.num_classes) if k > 1)
        return Staged(stages) if stages and max(stages) > 0 and 0 in stages else None

    def groups(self) -> list[list[int]]:
        """The sites of each column that has any."""
        return [sites for sites in self.sites.values() if sites]

    def positions(self) -> NDArray[np.float64]:
        """See `SiteEmbedding`: the joint states of each group, concatenated."""
        parts: list[NDArray[np.float64]] = [np.zeros(0)]
        for column in self.columns:
            sites = self.sites[column.name]
            if len(sites) == len(column.num_classes) > 0:
                parts.append(column.positions())
            elif sites:  # a digit with one value has no site
                parts.append(np.full(int(np.prod([self.num_classes[site] + 1 for site in sites])), np.nan))
        return np.concatenate(parts)

    def check(self, frame: pd.DataFrame) -> None:
        """Raise TableError if a column is absent, or there is one too many."""
        absent = [name for name in self.names if name not in frame.columns]
        extra = [name for name in frame.columns if name not in self.names]
        if absent or extra:
            what = f"lacks the column {absent[0]!r}" if absent else f"has an unknown column {extra[0]!r}"
            raise TableError(f"the table {what}; the model has {', '.join(map(repr, self.names))}")

    def encode(self, frame: pd.DataFrame) -> Codes:
        """Classes (rows, sites), 0 in columns that `frame` lacks; raises ValueError for unknown values."""
        codes = np.zeros((len(frame), len(self._kept)), dtype=np.int64)
        for column, part in zip(self.columns, self._parts, strict=True):
            if column.name in frame.columns:
                codes[:, part] = column.encode(frame[column.name])
        return codes[:, self._kept]

    def known(self, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Masks of sites (rows, sites) from masks of cells (rows, columns)."""
        counts = [len(column.num_classes) for column in self.columns]
        return np.repeat(cells, counts, 1)[:, self._kept]

    def decode(self, codes: Codes, rng: np.random.Generator) -> pd.DataFrame:
        """A frame of classes (rows, sites)."""
        full = np.zeros((len(codes), len(self._kept)), dtype=np.int64)
        full[:, self._kept] = codes
        series = [column.decode(full[:, part], rng) for column, part in zip(self.columns, self._parts, strict=True)]
        frame = pd.concat(series, axis=1) if len(codes) else pd.DataFrame({s.name: s for s in series})
        frame.columns = pd.Index(self.names)
        return frame

    def missing_entries(self) -> NDArray[np.bool_]:
        """Entries of the flat logits that stand for a missing value."""
        entries = np.zeros(sum(self.num_classes), dtype=bool)
        starts = np.cumsum((0, *self.num_classes))
        for column in self.columns:
            sites = self.sites[column.name]
            if column.missing_class is not None and sites and column.num_classes[0] > 1:
                entries[starts[sites[0]] + column.missing_class] = True
        return entries

    def to_json(self) -> dict[str, Any]:
        """Every column, in order."""
        return {
            "columns": [{"name": values_to_json([c.name])[0], **c.to_json()} for c in self.columns],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TableCodec":
        """Rebuild a fitted codec."""
        return cls([column_from_json(column, values_from_json([column["name"]])[0]) for column in data["columns"]])


def _fit(series: pd.Series, kind: str | None, rare: int, clip: int) -> AbstractColumn:
    name = series.name
    if kind == "text":
        raise TableError(f"column {name!r} is declared as free text, which is not modelled; drop it")
    if kind is not None and kind not in KINDS:
        raise TableError(f"{kind!r} is no kind for column {name!r}; kinds are {', '.join(KINDS)}")
    kind = detect(series) if kind is None else kind
    try:
        return _column(series, kind, rare, clip)
    except OverflowError:  # numbers past 64 bits: their text is all that can be kept
        return CategoryColumn(name, "category", rare).fit(series)


def _column(series: pd.Series, kind: str, rare: int, clip: int) -> AbstractColumn:
    if kind == "identifier":
        return IdentifierColumn(series.name).fit(series)
    present = series.notna().any()
    if kind in ("integer", "decimal", "datetime") and present:
        numeric = pd.api.types.is_numeric_dtype(series.dtype) or not pd.api.types.is_object_dtype(series.dtype)
        if not numeric and detect(series) not in ("decimal", "integer", "datetime"):
            raise TableError(f"column {series.name!r} is declared {kind!r} but holds {series.dtype} values; convert it")
        return NumberColumn(series.name, kind, clip=clip).fit(series)
    return CategoryColumn(series.name, kind if present and kind in ("ordered", "boolean") else "category", rare).fit(
        series
    )
