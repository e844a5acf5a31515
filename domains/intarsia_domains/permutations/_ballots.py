"""Labels of any shape turned into item numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Read = tuple[tuple[str, ...], NDArray[np.int64], NDArray[Any]]


def read_ballots(raw: Any, items: tuple[str, ...] | None) -> Read:
    """Items, orders padded with -1 (rows, ranks), and counts (rows,) or (0,); see `Rankings.of`.

    Raises:
        ValueError: a label that is not among `items`, more ranks than items, or no ballots and no `items` either.
        TypeError: something that holds no ballots.
    """
    cells, counts = _cells(raw)
    texts = [[_text(cell) for cell in row] for row in cells]
    for row, labels in enumerate(texts):
        while labels and labels[-1] is None:
            labels.pop()
        if None in labels:
            rank = labels.index(None) + 1
            raise ValueError(f"row {row}: rank {rank} is empty although a later one is not; close the gap")
        if not labels:
            raise ValueError(f"row {row}: nobody is ranked; leave out empty ballots")
    if items is None and not texts:
        raise ValueError("there are no rankings: give at least one ballot, or the `items` that there are")
    if items is None:
        items = _sorted({label for labels in texts for label in labels if label is not None})
    number = {name: k for k, name in enumerate(items)}
    orders = np.full((len(texts), max((len(labels) for labels in texts), default=0)), -1, np.int64)
    for row, labels in enumerate(texts):
        try:
            orders[row, : len(labels)] = [number[str(label)] for label in labels]
        except KeyError as error:
            raise ValueError(_unknown(row, str(error.args[0]), items)) from None
        if len(set(labels)) < len(labels):
            twice = next(label for k, label in enumerate(labels) if label in labels[:k])
            raise ValueError(f"row {row}: the item {twice!r} is ranked twice")
    return items, orders, counts


def _cells(raw: Any) -> tuple[list[Sequence[Any]], NDArray[Any]]:
    if hasattr(raw, "to_pandas"):
        raw = raw.to_pandas()
    counts = np.zeros(0)
    if hasattr(raw, "columns") and hasattr(raw, "to_numpy"):
        if "count" in raw.columns:
            counts = raw["count"].to_numpy(dtype=float, na_value=np.nan)
            raw = raw.drop(columns="count")
        return raw.astype(object).to_numpy().tolist(), counts
    if hasattr(raw, "ndim") and hasattr(raw, "tolist"):
        if raw.ndim != 2:
            raise TypeError(f"an array of rankings has a row a ballot and a column a rank, got {raw.ndim} axes")
        return raw.tolist(), counts
    if isinstance(raw, str | bytes | dict) or not hasattr(raw, "__iter__"):
        raise TypeError(f"rankings are lists of labels, an array or a data frame, got {type(raw).__name__}")
    rows = list(raw)
    for row, labels in enumerate(rows):
        if isinstance(labels, str | bytes) or not hasattr(labels, "__iter__"):
            raise TypeError(f"row {row}: a ballot is a list of labels, got {labels!r}; write [{labels!r}]")
    return [list(labels) for labels in rows], counts


def _text(cell: Any) -> str | None:
    """A label as text, None where there is nobody; 3.0 is "3", as a gap in a column of whole numbers makes floats."""
    if cell is None or cell is False or cell is True:
        return None if cell is None else str(cell)
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, int | np.integer):
        return None if cell == -1 else str(cell)
    if isinstance(cell, float | np.floating):
        whole = float(cell)
        if np.isnan(whole) or whole == -1:
            return None
        return str(int(whole)) if whole.is_integer() else str(whole)
    text = str(cell)
    return None if text in ("<NA>", "NaT") else text


def _sorted(labels: set[str]) -> tuple[str, ...]:
    """By size where all are whole numbers, else by letters."""
    if all(label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def _unknown(row: int, label: str, items: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(label, items, 1)
    asks = (
        f"; did you mean {near[0]!r}?"
        if near
        else f"; there are {', '.join(map(repr, items[:8]))}"
        + (f" and {len(items) - 8} more" if len(items) > 8 else "")
    )
    return f"row {row}: there is no item {label!r}{asks}"
