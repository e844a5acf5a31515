"""What cells cost in CPU seconds: measured by each, and expected of those that are not there yet."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parts import Cell
from permutation_systems._ballot_data import SYNTHETIC
from permutation_systems._classical import classical
from permutation_systems._collapse import LAW
from permutation_systems._tours import CASES, HEADS, LABELS, SEEN

START = 2.0
"""Seconds until everything is imported."""

ENOUGH = {"agh": 10.0, "dots": 12.0, "puzzle": 12.0}
"""Seconds after which a ranking model of these elections does not get better; it stops there, if not before."""

KICK, SEARCH = {20: 0.0001, 50: 0.0011}, {20: 0.0002, 50: 0.0025}
"""Seconds of a kick and of a first search, per instance."""

RIVAL = {"ortools": 0.25, "elkai": 0.02, "iterated-search": 0.11}
"""Seconds per instance; the other rivals need milliseconds."""

DECODING = {20: 0.5, 50: 2.0}
"""Seconds per instance of all decoders of a model of tours, with 2-opt and local search after each."""


@dataclass(frozen=True)
class Timed:
    """A part whose cells say what they cost in all, `cpu_s_of_cell`."""

    part: Any

    def cells(self, options: argparse.Namespace) -> list[list[Cell]]:
        """Those of the part."""
        return self.part.cells(options)

    def run(self, cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
        """What the part measures, and CPU seconds of this process."""
        return self.part.run(cell, options) | {"cpu_s_of_cell": time.process_time()}


def expected(cell: Cell, options: argparse.Namespace, budget: float) -> float:
    """CPU seconds that a cell is expected to take on a core of an AMD EPYC; within a factor of two."""
    return START + COSTS[cell.part](cell, options, budget)


def _rankings(cell: Cell, options: argparse.Namespace, budget: float) -> float:
    fits = 1 if cell.case == SYNTHETIC else options.splits
    if cell.system in classical(4):
        mixed = int(cell.system.split()[2]) if cell.system.startswith("mixture") else 0
        return fits * (6.0 if cell.case == SYNTHETIC else 0.08) * mixed + 0.1 * fits
    scoring = 60.0 if cell.case == SYNTHETIC and "riffle" in cell.system else 5.0
    return fits * (min(budget, ENOUGH.get(cell.case.split("-")[0], budget)) + scoring)


def _collapse(cell: Cell, options: argparse.Namespace, budget: float) -> float:
    return budget + (60.0 if cell.case == LAW else 5.0)


def _sorting(cell: Cell, options: argparse.Namespace, budget: float) -> float:
    return budget + (10.0 if cell.system == "labels" else 30.0)


def _jigsaws(cell: Cell, options: argparse.Namespace, budget: float) -> float:
    return budget + 20.0


def _tours(cell: Cell, options: argparse.Namespace, budget: float) -> float:
    n = CASES[cell.case]
    tested = min(options.instances, 1000 if n == 20 else 640)
    if cell.system == "labels":
        rows, kicks = LABELS[n]
        return (min(rows, round(SEEN * budget)) + tested) * (SEARCH[n] + kicks * KICK[n])
    return budget + tested * DECODING[n] if cell.system in HEADS else tested * RIVAL.get(cell.system, 0.005)


COSTS: dict[str, Callable[[Cell, argparse.Namespace, float], float]] = {
    "rankings": _rankings,
    "collapse": _collapse,
    "sorting": _sorting,
    "jigsaws": _jigsaws,
    "tours": _tours,
}
