"""The card of a data set: what it is, where it comes from, and under which terms."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What to know before using a table.

    Attributes:
        name: what `load` calls it.
        rows: how many.
        columns: how many.
        task: what `target` asks for; of a ranking, a row is an order, best first; a density is of the target.
        target: the column that is usually predicted; of a ranking, its first.
        origin: who collected it, and the package whose copy is read.
        licence: terms as that package states them.
        note: peculiarities that a user should know.
    """

    name: str
    rows: int
    columns: int
    task: Literal["regression", "classification", "ranking", "density"]
    target: str
    origin: str
    licence: str
    note: str
