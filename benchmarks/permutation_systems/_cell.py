"""What names a cell of the permutation benchmark."""

from __future__ import annotations

from dataclasses import dataclass

from resumable import AbstractCell


@dataclass(frozen=True, order=True)
class Cell(AbstractCell):
    """One measurement: the part of the benchmark, the data, and the system."""

    part: str
    case: str
    system: str
