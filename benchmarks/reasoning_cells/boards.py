"""Part `sudoku`: lists of boards in every mode, beside what needs no model and the solvers of others."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from intarsia_domains.reasoning import Ladder, Propagator, arrays, search_boards, singles, solve_all
from intarsia_domains.reasoning._arrays import domains
from intarsia_domains.reasoning._board import format_board
from intarsia_domains.reasoning._propagate import NakedSingles, decided
from intarsia_domains.reasoning._stack import as_problems
from intarsia_domains.reasoning._sudoku import boards_of
from parts import Cell
from reasoning_cells import peers
from reasoning_cells.answers import PIECE, Answer, Solver, spare, tally, timed
from reasoning_cells.data import GENERATED, LISTS, boards
from reasoning_cells.models import Counted, has_weights, sudoku_model, within

PART = "sudoku"
FLOORS = ("naked singles", "naked and hidden singles")
OURS = ("hybrid", "exact", "first solution")
NEURAL = ("hybrid with model", "neural", "neural with dives")
SLOW = {"exact": 1_000, "OR-tools": 200, "py-sudoku": 20, "neural with dives": 1_000}
"""Caps of systems that need much longer than others."""
PIECES = {"exact": 16, "OR-tools": 8, "py-sudoku": 1, "neural with dives": 16, "hybrid with model": 32}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """Every list with every system; small boards are for networks, which never saw any."""
    neural = NEURAL if has_weights(options) else ()
    nine = [
        Cell(PART, case, x) for case in LISTS for x in (*FLOORS, *OURS, *neural, *peers.installed(list(peers.BOARDS)))
    ]
    small = [
        Cell(PART, case, x) for case in GENERATED for x in (FLOORS[1], "hybrid", *(x for x in neural if x == "neural"))
    ]
    return [[*nine, *small]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """One system on one list."""
    options = argparse.Namespace(**vars(options))
    options.puzzles = spare(options, SLOW[cell.system]) if cell.system in SLOW else options.puzzles
    counted = _counted(cell.system, options)
    listed = boards(cell.case, options, unseen=counted is not None)
    solver, piece = _solver(cell.system, counted), PIECES.get(cell.system, PIECE)
    warm = (lambda: None) if counted is None else counted.climbs.clear
    answers, cost = timed(solver, listed, options.budget, piece, warm)
    found = {**tally(answers, listed), **cost}
    if counted is not None:
        found["calls"] = counted.calls() / len(answers)
    if counted is not None and cell.system == "neural":
        found["within"] = within(counted.passes(), [a.solution is not None for a in answers], options.restarts)
    if cell.system == "hybrid with model":
        alone = search_boards(boards_of(listed.puzzles[: len(answers)])).nodes
        found["nodes_alone"], found["nodes_alone_median"] = float(alone.mean()), float(np.median(alone))
    return found | {"brief": f"{found['right']:,} of {found['puzzles']:,}, {found['per_s']:,.0f}/s"}


def _counted(system: str, options: argparse.Namespace) -> Counted | None:
    if system not in NEURAL:
        return None
    mends, dives = (2, 2) if system.endswith("dives") else (0, 0)
    return Counted(sudoku_model(options), Ladder(restarts=options.restarts, mends=mends, dives=dives))


def _solver(system: str, counted: Counted | None) -> Solver:
    if system in peers.BOARDS:
        return peers.BOARDS[system]()
    if system in FLOORS:
        return FLOOR[system]
    if system == "first solution":
        return _first
    mode: Any = system.split()[0]
    return partial(_modes, mode=mode, counted=counted)


def _modes(puzzles: list[str], *, mode: Any, counted: Counted | None) -> list[Answer]:
    answers = solve_all(as_problems(puzzles), mode=mode, model=counted)
    return [
        Answer(None if a.values is None else format_board(list(a.values.values())), str(a.status), a.unique, a.nodes)
        for a in answers
    ]


def _first(puzzles: list[str]) -> list[Answer]:
    """The search without the proof that there is no second solution, as most solvers are timed."""
    found = search_boards(boards_of(puzzles), limit=1)
    return [Answer(format_board(g), "SAT", None, int(n)) for g, n in zip(found.grids[:, 0], found.nodes, strict=True)]


def _naked(puzzles: list[str]) -> list[Answer]:
    problems = as_problems(puzzles)
    rule = NakedSingles(problems[0].derived(arrays))
    states = decided(Propagator(problems[0].structure, [rule])(domains(problems))).numpy()
    return [_full(state + 1) for state in states]


def _hidden(puzzles: list[str]) -> list[Answer]:
    return [_full(board) for board in singles(boards_of(puzzles))]


def _full(board: np.ndarray) -> Answer:
    return Answer(format_board(board)) if (board > 0).all() else Answer(None, "UNKNOWN")


FLOOR: dict[str, Callable[[list[str]], list[Answer]]] = dict(zip(FLOORS, (_naked, _hidden), strict=True))
