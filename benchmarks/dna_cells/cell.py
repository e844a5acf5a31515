"""What names a cell."""

from __future__ import annotations

from dataclasses import dataclass

from resumable import AbstractCell


@dataclass(frozen=True, order=True)
class Cell(AbstractCell):
    """One training: the data, the system, and the seed of split, training and samples."""

    task: str
    system: str
    seed: int
