"""Part `hour`: the masking noise of part `text` for an hour on two cores, one text on each."""

from __future__ import annotations

import argparse

from engine_cells import text, texts
from engine_cells.cell import Cell

run = text.run


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """One training for each text."""
    return [[Cell("hour", name, "absorbing-any-order") for name in texts.FILES]]
