"""Boards from pictures: the constraints correct what is misread."""

from typing import Any, get_args

import numpy as np
import torch

from ._engines import BudgetSpentError, Clock
from ._exact import check_seconds
from ._likeliest import likeliest
from ._proposer import Proposer
from ._reading import Reading
from ._reading_search import proper_readings
from ._soft_draws import soft_draws
from ._solution import Solution, Status
from ._solve import Mode
from ._sudoku import Layout, search_boards

_READINGS, _WINDOW = 128, 7.0
"""How many readings are summed, and how many nats below the likeliest one."""


def solve_pictures(
    reading: Reading,
    *,
    mode: Mode = "exact",
    model: Proposer | None = None,
    unique: bool = True,
    budget: float | None = None,
    draws: int = 16,
    seed: int = 0,
) -> Solution:
    """The likeliest board that obeys the constraints, all pictures weighed together.

    With `unique` the pictures are known to show a puzzle with one solution. That says much: where a clue of a puzzle
    with few clues is misread, the board mostly has another solution, or many, so that the constraints alone correct
    nothing. Exact and hybrid mode then go through the readings that are such puzzles from the likeliest down, and take
    the board of the largest sum of p(symbols | pictures). Without, or for other problems than boards of all-different
    units, they find the board of the largest log p(pictures | board), in hybrid mode from the likeliest draw on.
    Neural mode draws boards from the model's posterior times the evidence of the pictures, and takes the likeliest
    that the checker accepts. `reading.observed` is the problem without weighing together,
    `reading.corrections(solution)` what was misread.

    Args:
        reading: of `read_board`.
        mode: `exact`, `hybrid` or `neural`.
        model: predicts values of neural and hybrid draws; without one these follow evidence and propagation.
        unique: whether the board that is shown is a puzzle with one solution.
        budget: seconds; None has no limit.
        draws: boards that are drawn side by side.
        seed: of the draws.

    Returns:
        SAT and verified, UNSAT where no board obeys the constraints, UNKNOWN where none was found. `confidence` is the
        board's share of the probability of the boards compared: no less than its true one, and near it for puzzles.

    Raises:
        ValueError: the mode does not exist, the budget is negative, or there is to be no draw.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"there is no mode {mode!r}; there are {', '.join(get_args(Mode))}")
    if draws < 1:
        raise ValueError(f"`draws` must be at least 1, got {draws}")
    clock = Clock(check_seconds(budget))
    layout = reading.problem.derived(Layout.of) if unique else None
    try:
        clock.left()
        if mode != "neural" and layout is not None:
            return _proper(reading, layout, clock)
        found = np.zeros((0, len(reading.problem)), dtype=np.int64)
        if mode != "exact":
            rng = torch.Generator().manual_seed(seed)
            found = soft_draws(reading.problem, reading.weights, draws, rng, model)
        if mode == "neural":
            return _neural(reading, found if layout is None else _determined(reading, found, layout), draws, clock)
        return _exact(reading, found, clock)
    except BudgetSpentError:
        return Solution(Status.UNKNOWN, seconds=clock.spent(), note=f"the budget of {budget:g} s is spent")


def _proper(reading: Reading, layout: Layout, clock: Clock) -> Solution:
    """The board of the largest share of the likeliest readings, which are summed as far as they matter."""
    shares: dict[bytes, float] = {}
    total = best = 0.0
    decided = True
    try:
        for number, read in enumerate(proper_readings(reading, layout, clock)):
            best = read.score if number == 0 else best
            if read.score < best - _WINDOW or number == _READINGS:
                break
            share = float(np.exp(read.score - best))
            total += share
            key = read.state.tobytes()
            shares[key] = shares.get(key, 0.0) + share
    except BudgetSpentError:
        decided = False
        if not shares:
            raise
    known: dict[str, Any] = {"seconds": clock.spent(), "solver": "best-first search"}
    if not shares:
        return Solution(Status.UNSAT, note="no reading of the pictures is a puzzle with one solution", **known)
    key = max(shares, key=lambda board: shares[board])
    state = np.frombuffer(key, dtype=np.int64)
    note = "" if decided else "the budget was spent before all likely readings were weighed"
    known |= {"confidence": shares[key] / total if decided else None, "unique": True, "note": note}
    return Solution.verified(reading.problem, state, **known)


def _determined(reading: Reading, found: np.ndarray, layout: Layout) -> np.ndarray:
    """Boards that the symbols which show them best determine, or all where there is none."""
    if not len(found):
        return found
    cells = np.arange(found.shape[1])
    shown = reading.symbols[cells, found] > reading.symbols[:, -1]
    searched = search_boards(np.where(shown, found + 1, 0), layout)
    kept = found[(searched.counts == 1) & searched.complete]
    return kept if len(kept) else found


def _neural(reading: Reading, found: np.ndarray, draws: int, clock: Clock) -> Solution:
    if not len(found):
        note = f"none of {draws} draws obeys every constraint"
        return Solution(Status.UNKNOWN, solver="draws", seconds=clock.spent(), note=note)
    shares = torch.from_numpy(reading.score(found)).softmax(0)
    known: dict[str, Any] = {"confidence": float(shares[0]), "seconds": clock.spent(), "solver": "draws"}
    return Solution.verified(reading.problem, found[0], **known)


def _exact(reading: Reading, found: np.ndarray, clock: Clock) -> Solution:
    hint = found[0].tolist() if len(found) else None
    left = clock.left()
    best = likeliest(reading.problem, reading.weights, seconds=None if left == float("inf") else left, hint=hint)
    known: dict[str, Any] = {"seconds": clock.spent(), "solver": "OR-tools CP-SAT"}
    if not len(best.states):
        return Solution(Status.UNSAT, note="no board obeys every constraint", **known)
    only = len(best.states) == 1 if best.complete or len(best.states) > 1 else None
    note = "" if best.proven else "it is the best board so far; the budget was spent before it was proven"
    confidence = best.confidence if best.proven else None
    return Solution.verified(reading.problem, best.states[0], confidence=confidence, unique=only, note=note, **known)
