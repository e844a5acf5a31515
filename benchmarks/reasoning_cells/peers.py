"""Solvers of others, called as their documentation does; they do not say whether a solution is the only one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from reasoning_cells.answers import Answer, Solver

MODULES = {"python-sat": "pysat", "OR-tools": "ortools", "py-sudoku": "sudoku"}
"""What is imported, by the name of the system."""


def installed(names: Sequence[str]) -> list[str]:
    """Those that can be run here."""
    return [name for name in names if importlib.util.find_spec(MODULES[name]) is not None]


def versions() -> dict[str, str]:
    """Of what is installed."""
    from importlib.metadata import version

    return {name: version(name.lower().replace("or-tools", "ortools")) for name in installed(list(MODULES))}


def cadical() -> Solver:
    """One incremental solver over the extended encoding; clues are assumptions."""
    from pysat.solvers import Solver as Sat

    from intarsia_domains.reasoning import sudoku
    from intarsia_domains.reasoning._to_cnf import CnfEncoding

    encoding = sudoku(9).derived(CnfEncoding)
    sat = Sat(name="cadical153", bootstrap_with=encoding.clauses)

    def one(puzzle: str) -> Answer:
        given = [encoding.atom(i, int(c) - 1) for i, c in enumerate(puzzle) if c not in ".0"]
        if not sat.solve(assumptions=given):
            return Answer(None, "UNSAT")
        return Answer("".join(str(k + 1) for k in encoding.decode(sat.get_model() or [])))

    return lambda puzzles: [one(puzzle) for puzzle in puzzles]


def cp_sat() -> Solver:
    """A model with 27 AllDifferent for each puzzle, one worker."""
    return lambda puzzles: [_cp_sat(puzzle) for puzzle in puzzles]


def _cp_sat(puzzle: str) -> Answer:
    from ortools.sat.python import cp_model

    model, solver = cp_model.CpModel(), cp_model.CpSolver()
    solver.parameters.num_workers = 1
    cells = [
        model.new_constant(int(symbol)) if symbol not in ".0" else model.new_int_var(1, 9, f"{i}")
        for i, symbol in enumerate(puzzle)
    ]
    for unit in _units():
        model.add_all_different([cells[i] for i in unit])
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(None, "UNSAT")
    return Answer("".join(str(solver.value(cell)) for cell in cells))


@lru_cache(maxsize=1)
def _units() -> list[list[int]]:
    rows = [[9 * i + j for j in range(9)] for i in range(9)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    boxes = [[rows[i + a][j + b] for a in range(3) for b in range(3)] for i in (0, 3, 6) for j in (0, 3, 6)]
    return [*rows, *columns, *boxes]


def py_sudoku() -> Solver:
    """py-sudoku's solver."""
    from sudoku import Sudoku

    def one(puzzle: str) -> Answer:
        cells = [int(symbol) if symbol not in ".0" else None for symbol in puzzle]
        solved = Sudoku(3, 3, board=[cells[9 * i : 9 * i + 9] for i in range(9)]).solve()
        rows: list[Any] = solved.board
        full = all(cell for row in rows for cell in row)
        return Answer("".join(str(cell) for row in rows for cell in row)) if full else Answer(None, "UNSAT")

    return lambda puzzles: [one(puzzle) for puzzle in puzzles]


def py_sudoku_puzzles(count: int, clues: int, seed: int) -> list[str]:
    """py-sudoku's generator, told the share of blank cells."""
    from sudoku import Sudoku

    made = [Sudoku(3, 3, seed=seed + k).difficulty(1 - clues / 81).board for k in range(count)]
    return ["".join(str(cell or ".") for row in board for cell in row) for board in made]


BOARDS: dict[str, Callable[[], Solver]] = {"python-sat": cadical, "OR-tools": cp_sat, "py-sudoku": py_sudoku}


def sat_formulas(problems: Sequence[Any]) -> list[bool]:
    """python-sat on formulas: whether each is satisfiable."""
    from pysat.solvers import Solver as Sat

    found: list[bool] = []
    for problem in problems:
        with Sat(name="cadical153", bootstrap_with=[list(c.literals) for c in problem.constraints]) as sat:
            found.append(bool(sat.solve()))
    return found


def cp_formulas(problems: Sequence[Any]) -> list[bool]:
    """OR-tools on formulas."""
    from ortools.sat.python import cp_model

    found: list[bool] = []
    for problem in problems:
        model, solver = cp_model.CpModel(), cp_model.CpSolver()
        solver.parameters.num_workers = 1
        bits = [model.new_bool_var(str(name)) for name in problem.variables]
        for c in problem.constraints:
            model.add_bool_or([bits[abs(k) - 1] if k > 0 else bits[abs(k) - 1].negated() for k in c.literals])
        found.append(solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE))
    return found


FORMULAS: dict[str, Callable[[Sequence[Any]], list[bool]]] = {"python-sat": sat_formulas, "OR-tools": cp_formulas}
