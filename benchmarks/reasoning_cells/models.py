"""The Sudoku model under test, and what it is asked, with its network calls counted."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from intarsia_domains.reasoning import Ladder, Proposal, ReasoningModel, Solution
from intarsia_domains.reasoning._calibration import scaled
from intarsia_domains.reasoning._factor_graph import batches
from intarsia_domains.reasoning._ladder import Climb
from intarsia_domains.reasoning._model import BATCH, SHIPPED
from intarsia_domains.reasoning._problem import Problem
from intarsia_domains.reasoning._stack import stack


def has_weights(options: argparse.Namespace) -> bool:
    """Whether there is a Sudoku model: the one of `--weights`, or the one that ships."""
    return bool(options.weights) or SHIPPED.is_dir()


def sudoku_model(options: argparse.Namespace) -> ReasoningModel:
    """That model; raises FileNotFoundError where there is none."""
    return ReasoningModel.load(Path(options.weights)) if options.weights else ReasoningModel.shipped()


@dataclass
class Counted:
    """A model as a proposer that keeps every climb.

    A network call is one iteration of the block on one board.
    """

    model: ReasoningModel
    ladder: Ladder
    climbs: list[Climb] = field(default_factory=list)

    def propose(self, problem: Problem, possible: np.ndarray, seconds: float | None) -> Proposal:
        """See `Proposer`."""
        climb = self._climb(problem, possible, self.ladder)
        confidence = scaled(climb.logit, self.model.temperature_, self.model.shift_)
        return Proposal(climb.states.cpu().numpy(), confidence)

    def marginals(self, problem: Problem, possible: np.ndarray) -> np.ndarray:
        """See `Proposer`."""
        once = Ladder(iterations=min(32, self.ladder.iterations), restarts=0, mends=0)
        return self._climb(problem, possible, once).marginals.cpu().numpy()

    def calls(self) -> int:
        """Network calls so far."""
        return sum(int(climb.iterations.sum()) for climb in self.climbs)

    def passes(self) -> np.ndarray:
        """The pass that solved each problem, from 0; -1 for none, (n,)."""
        found = [np.where(c.solved.cpu(), (c.iterations.cpu() - 1) // self.ladder.iterations, -1) for c in self.climbs]
        return np.concatenate(found) if found else np.zeros(0, dtype=int)

    def _climb(self, problem: Problem, possible: np.ndarray, ladder: Ladder) -> Climb:
        climb = self.model._climb(problem, possible, ladder, None)
        self.climbs.append(climb)
        return climb


def climb_formulas(
    model: ReasoningModel, problems: Sequence[Problem], ladder: Ladder
) -> tuple[list[Solution], Counted]:
    """Formulas of one size on a ladder, in batches, each answer checked."""
    counted, answers = Counted(model, ladder), list[Solution]()
    with torch.no_grad():
        for rows in batches(len(problems), BATCH):
            part = problems[rows]
            climb = model._ascend(*stack(part), ladder, None, None)
            counted.climbs.append(climb)
            answers += [Solution.verified(p, s) for p, s in zip(part, climb.states.cpu().numpy(), strict=True)]
    return answers, counted


def within(passes: np.ndarray, valid: Sequence[bool], restarts: int) -> dict[str, float]:
    """Shares solved in one pass and within 1, 2, 4, … restarts, in per cent."""
    looks = [0, *(2**k for k in range(restarts.bit_length()) if 2**k < restarts), *([restarts] if restarts else [])]
    good = np.asarray(valid)
    return {str(k): 100.0 * float((good & (passes >= 0) & (passes <= k)).mean()) for k in looks}
