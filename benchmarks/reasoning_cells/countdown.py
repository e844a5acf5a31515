"""Part `countdown`: MGDM's tests of three, four and five numbers; the targets of a test are left out of training."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from intarsia.samplers import Confidence
from intarsia_domains.reasoning import Attempts, CountdownStrings, countdown, solve_all
from intarsia_domains.reasoning._string_report import solved
from intarsia_domains.reasoning._string_solving import know_nothing
from parts import Cell
from reasoning_cells.data import questions
from reasoning_cells.strings import about, drawn, fitted

PART = "countdown"
CASES = {"cd3": 3, "cd4": 4, "cd5": 5}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """A network, a complete engine and luck for each test."""
    return [[Cell(PART, case, system) for case in CASES for system in ("exact", "luck", "diffusion")]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """One system on one test."""
    asked = questions(cell.case, options)
    if cell.system == "exact":
        return _exact(asked)
    targets = tuple(sorted({target for _, target in asked}))
    strings = CountdownStrings(CASES[cell.case], excluded=targets)
    draws = options.restarts + 1
    rules = {f"with rules, {n} draws": Attempts(n) for n in (1, draws)}
    if cell.system == "luck":
        rows = {name: drawn(strings, know_nothing, asked, attempts) for name, attempts in rules.items()}
        return {"questions": len(asked), "ways": rows, "brief": _brief(rows)}
    model = fitted(strings, options)
    alone = {f"network alone, {n} draws": Attempts(n, Confidence(), narrow=False) for n in (1, draws)}
    rows = {name: drawn(strings, model.network_, asked, way) for name, way in {**alone, **rules}.items()}
    return {"questions": len(asked), "ways": rows, "excluded": targets, **about(model), "brief": _brief(rows)}


def _exact(asked: Sequence[Any]) -> dict[str, Any]:
    start = time.perf_counter()
    answers = solve_all([countdown(numbers, target) for numbers, target in asked])
    seconds = time.perf_counter() - start
    row = {"solved": solved(answers), "calls": 0, "per_s": len(asked) / max(seconds, 1e-9)}
    return {"questions": len(asked), "ways": {"exact": row}, "brief": _brief({"exact": row})}


def _brief(rows: dict[str, dict[str, float]]) -> str:
    return ", ".join(f"{name} {row['solved']:.1f} %" for name, row in rows.items())
