"""What a model solves, beside what needs no model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from intarsia.report import Metric, Report

from ._arrays import domains
from ._check import check
from ._ladder import Ladder
from ._problem import Problem
from ._propagate import Propagator, decided

if TYPE_CHECKING:
    from ._model import ReasoningModel


def evaluate(model: "ReasoningModel", train: Sequence[Problem], holdout: Sequence[Problem]) -> Report:
    """Shares solved of held-out problems; the floors are the training problems and propagation alone."""
    alone = propagated(holdout)
    once = Ladder(model.ladder.iterations, model.ladder.every, restarts=0, mends=0)
    metrics: list[Metric] = []
    for name, ladder in (("Solved in one pass", once), ("Solved on the ladder", model.ladder)):
        value, known = (_share(model, problems, ladder) for problems in (holdout, train))
        metrics.append(
            Metric(
                name=name,
                value=value,
                floors={"training problems": known, "propagation alone": alone},
                better="higher",
                unit="%",
                note=f"{len(holdout):,} problems, every answer verified",
                headline=True,
            )
        )
    return Report(title=f"Solving {holdout[0].title}", metrics=metrics)


def propagated(problems: Sequence[Problem]) -> float:
    """The share of problems that propagation alone solves, in per cent: without it no share means anything."""
    solved = [
        check(p, decided(Propagator(p.structure)(domains([p]))).numpy(), np.array(p.state(p.given))).valid[0]
        for p in problems
    ]
    return 100.0 * float(np.mean(solved)) if solved else float("nan")


def _share(model: "ReasoningModel", problems: Sequence[Problem], ladder: Ladder) -> float:
    answers = model.solve(list(problems), ladder=ladder)
    return 100.0 * float(np.mean([answer.valid for answer in answers])) if answers else float("nan")
