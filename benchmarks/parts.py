"""A benchmark of several parts, each a module with `cells(options)`, in waves that need the ones before, and `run`."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import resumable
from resumable import AbstractCell


@dataclass(frozen=True, order=True)
class Cell(AbstractCell):
    """One measurement: the part of the benchmark, what it is about, and what is measured."""

    part: str
    case: str
    system: str


class Part(Protocol):
    """What a module of a part has."""

    def cells(self, options: argparse.Namespace) -> list[list[Cell]]:
        """Its cells, in waves."""
        ...

    def run(self, cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
        """What a cell measures; called in a process of its own."""
        ...


@dataclass(frozen=True)
class Benchmark:
    """Parts that share a command line and a page.

    Args:
        script: the file that is run.
        parts: modules by name.
        write_page: writes the page from all finished cells, and returns it.
        budgets: CPU seconds by part, where `--budget` does not say; 0 for the others.
        timed: parts that measure seconds: their cells run one at a time, whatever `--jobs` says.
        passed_on: further options that the cells want.
    """

    script: str
    parts: Mapping[str, Part]
    write_page: Callable[[argparse.Namespace], str]
    budgets: Mapping[str, float]
    timed: Sequence[str] = ()
    passed_on: Sequence[str] = ()

    def main(self, options: argparse.Namespace) -> int:
        """Be one cell, show what there is, or run what is asked for; the exit code."""
        if options.one:
            cell = Cell.of(options.one)
            resumable.run_one(cell, options, lambda: self.parts[cell.part].run(cell, options))
            return 0
        if options.table:
            print(self.write_page(options))
            return 0
        names = options.parts or list(self.parts)
        if unknown := [x for x in names if x not in self.parts]:
            raise SystemExit(f"there is no part {unknown[0]!r}; there are {', '.join(self.parts)}")
        asked = {name: self.waves(name, options) for name in names}
        chosen = [cell for found in asked.values() for wave in found for cell in wave]
        if not chosen:
            raise SystemExit(f"no cell has {' '.join(options.only)}; see --list")
        if options.list:
            resumable.show(chosen, options.cells)
            return 0
        failed = sum(self._run(name, waves, options) for name, waves in asked.items())
        self.write_page(options)
        return resumable.finished(self.script, options, failed, len(chosen))

    def waves(self, name: str, options: argparse.Namespace) -> list[list[Cell]]:
        """The cells of a part that were asked for; a wave needs the ones before it."""
        found = self.parts[name].cells(options)
        every = [cell for wave in found for cell in wave]
        chosen = set(resumable.select(every, options.only)) if _asked(every, options) else set()
        return [[cell for cell in wave if cell in chosen] for wave in found]

    def _run(self, name: str, waves: list[list[Cell]], options: argparse.Namespace) -> int:
        """Run the missing cells of a part; how many ended in an error."""
        own = copy.copy(options)
        own.budget = self.budgets.get(name, 0.0) if options.budget is None else options.budget
        own.jobs = 1 if name in self.timed else options.jobs
        return sum(resumable.run_all(wave, self.script, own, pass_on=self.passed_on) for wave in waves)


def _asked(cells: list[Cell], options: argparse.Namespace) -> bool:
    """Whether any cell of this part was asked for; with several parts `--only` may name cells of one."""
    try:
        return bool(resumable.select(cells, options.only))
    except SystemExit as said:
        if "no cell has" in str(said):
            return False
        raise
