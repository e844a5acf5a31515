"""The cells of the tabular benchmarks: one system on one table with one seed. What is general stands in `resumable`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import resumable
from resumable import CELLS as CELLS
from resumable import RESULTS as RESULTS
from resumable import ROOT as ROOT
from resumable import AbstractCell
from resumable import clean as clean
from resumable import environment as environment
from resumable import header as header
from resumable import read as read
from resumable import read_all as read_all
from resumable import run_one as run_one
from resumable import select as select
from resumable import show as show
from resumable import threads as threads
from resumable import write as write


@dataclass(frozen=True, order=True)
class Cell(AbstractCell):
    """One run of one system on one table."""

    table: str
    system: str
    seed: int


def parser(description: str, *, budget: float, seeds: str) -> argparse.ArgumentParser:
    """Options that every benchmark of tables has."""
    data = ROOT.parent / "shared" / "data" / "tabular"
    words = f"CPU seconds of a fit (default {budget:g})"
    options = resumable.parser(description, Cell, budget=budget, data=data, budget_help=words)
    options.add_argument("--seeds", default=seeds, help=f"seeds, separated by commas (default {seeds})")
    return options


def run_all(cells: Sequence[Cell], script: str, options: argparse.Namespace) -> int:
    """Run what is not there yet, each in a process of its own; return how many ended in an error."""
    return resumable.run_all(cells, script, options, brief=brief)


def brief(cell: dict[str, Any]) -> str:
    """One line about a finished cell."""
    return f"done, fit {cell.get('fit_cpu_s', 0):.0f} CPU s, {cell.get('schedule') or 'no schedule'}"


def main(
    options: argparse.Namespace,
    cells: Sequence[Cell],
    run_cell: Callable[[Cell, argparse.Namespace], dict[str, Any]],
    write_tables: Callable[[argparse.Namespace], str],
    script: str,
    work: Callable[[list[Cell], argparse.Namespace], int] | None = None,
) -> int:
    """`resumable.main`, with a line about the fit of each cell."""
    return resumable.main(options, cells, run_cell, write_tables, script, work=work, brief=brief)
