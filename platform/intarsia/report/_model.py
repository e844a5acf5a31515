"""The parts of a report: metrics, tables and figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Cell = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A number, and what to compare it with.

    Attributes:
        name: short name, shown as a heading.
        value: in `unit`; NaN where it could not be computed (say why in `note`).
        floors: what others score on the same test. The first is the best that can be expected (real data
            against real data), the next ones are trivial.
        better: which way is good: lower, higher, or near `target`.
        target: the ideal value; needed when `better` is "target".
        unit: "%" or "" or a word; percentages are differences in points.
        note: how it was computed, with row counts and caps.
        tolerance: how far beyond the first floor (or the target) still counts as equal, in `unit`; a
            statistical error, usually.
        verdict: a sentence instead of the one that follows from the numbers.
        alarm: whether it is shown as bad whatever its floors are.
        headline: whether it is one of the few shown as cards.

    Raises:
        ValueError: `better` and `target` do not fit together, or the tolerance is negative.
    """

    name: str
    value: float
    floors: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    better: Literal["higher", "lower", "target"]
    target: float | None = None
    unit: str = ""
    note: str = ""
    tolerance: float = 0.0
    verdict: str | None = None
    alarm: bool = False
    headline: bool = False

    def __post_init__(self) -> None:
        if self.better not in ("higher", "lower", "target"):
            raise ValueError(f'`better` is "higher", "lower" or "target", got {self.better!r}.')
        if (self.better == "target") != (self.target is not None):
            raise ValueError(f"`target` goes with better='target', got {self.better!r} and {self.target}.")
        if not self.tolerance >= 0:
            raise ValueError(f"`tolerance` is a distance, got {self.tolerance}. Give a number from 0.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows of cells under named columns.

    Raises:
        ValueError: a row has another number of cells than there are columns.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {number} of table {self.title!r} has {len(row)} cells for {len(self.columns)} columns."
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One plotly picture, or several small ones that flow into a grid.

    Attributes:
        title: heading of the figure.
        panels: plotly figures as dicts with `data` and `layout`. They are data, not markup: a tag in a label is
            shown as it is written, except in hover and text templates. Colors and fonts that are left out
            follow the page, in light and dark.
        note: how to read it.
        width: least width of a panel in pixels; decides how many stand side by side.
    """

    title: str
    panels: Sequence[Mapping[str, object]]
    note: str = ""
    width: int = 260


def number(value: float, unit: str = "", digits: int | None = None) -> str:
    """A number as people read it: about three digits (or so many decimals) and the unit, a dash for NaN."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if digits is None:
        digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 or unit == "%" else 3
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = f"{value:.1e}" if 0 < size < 10.0 ** -(digits + 1) else text.lstrip("-")
    return f"{text} %" if unit == "%" else f"{text} {unit}".rstrip()


def texts(table: Table) -> list[list[str]]:
    """The cells of a table as text, the numbers of a column with equally many decimals."""
    decimals: list[int | None] = []
    for cells in zip(*table.rows, strict=True):
        sizes = [abs(cell) for cell in cells if isinstance(cell, float) and math.isfinite(cell)]
        decimals.append(None if not sizes else 0 if max(sizes) >= 1000 else 2 if max(sizes) >= 1 else 3)
    return [[_text(cell, digits) for cell, digits in zip(row, decimals, strict=True)] for row in table.rows]


def _text(cell: Cell, digits: int | None) -> str:
    if isinstance(cell, float):
        return number(cell, digits=digits)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return "" if cell is None else str(cell)
