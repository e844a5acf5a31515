"""Part `calibration`: is the confidence of one pass to be believed, on held-out puzzles of 17 clues?"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch

from intarsia_domains.reasoning import Ladder, check
from intarsia_domains.reasoning._arrays import domains, given_state
from intarsia_domains.reasoning._calibration import calibrated, calibration_error, scaled
from intarsia_domains.reasoning._stack import as_problems
from parts import Cell
from reasoning_cells.data import boards
from reasoning_cells.models import has_weights, sudoku_model

PART = "calibration"
LISTS = ("clues17", "magictour")


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """The model, where there is one."""
    return [[Cell(PART, case, "one pass") for case in LISTS]] if has_weights(options) else [[]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Fit temperature, shift and threshold on one half of the puzzles, and judge them on the other."""
    listed, model = boards(cell.case, options, unseen=True), sudoku_model(options)
    problems = as_problems(listed.puzzles)
    ladder = Ladder(model.ladder.iterations, model.ladder.iterations or 1, restarts=0, mends=0)
    climb = model._climb(problems[0].structure, domains(problems), ladder, None)
    given = np.array([given_state(problem) for problem in problems])
    right = check(problems[0].structure, climb.states.numpy(), given).valid
    half = np.arange(len(problems)) % 2 == 0
    fitted = calibrated(climb.logit[torch.from_numpy(half)], torch.from_numpy(right[half]))
    sure = scaled(climb.logit[torch.from_numpy(~half)], fitted.temperature, fitted.shift)
    kept = sure >= fitted.threshold
    ece = calibration_error(sure, right[~half])
    return {
        "fitted_on": int(half.sum()),
        "judged_on": int((~half).sum()),
        "solved": 100 * float(right[~half].mean()),
        "ece": ece,
        "ece_fitted": fitted.ece,
        "temperature": fitted.temperature,
        "shift": fitted.shift,
        "threshold": fitted.threshold if np.isfinite(fitted.threshold) else None,
        "coverage": 100 * float(kept.mean()),
        "coverage_of_right": 100 * float(kept[right[~half]].mean()) if right[~half].any() else None,
        "precision": 100 * float(right[~half][kept].mean()) if kept.any() else None,
        "brief": f"ECE {ece:.3f}, {100 * kept.mean():.1f} % at the threshold",
    }
