"""From problems to a trained network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from intarsia.training import Budget, Trained, Watch

from ._arrays import given_state
from ._check import check
from ._denoiser import FactorGraphDenoiser
from ._factor_graph import FactorGraph, batches
from ._ladder import Climber, Ladder
from ._lessons import Examples, Mix, Teacher, given_domains
from ._noises import AbstractNoise, Masks
from ._problem import Problem
from ._solve import solve_all
from ._stack import stack
from ._training import Curriculum, fit_denoiser

_HELD_OUT = 0.1
_MOST = 256
_ONCE = Ladder(iterations=32, restarts=0, mends=0)


def learn(
    network: FactorGraphDenoiser,
    problems: Sequence[Problem],
    solutions: Any,
    budget: Budget,
    curriculum: Curriculum,
    noise: AbstractNoise,
    seed: int,
    watch: Watch,
) -> tuple[Trained, list[Problem]]:
    """Train in place; also the problems that were set aside.

    Raises:
        ValueError: the noise cannot hide the problems, a problem has no solution, or a given solution breaks a
            constraint; it is named by its number.
    """
    noise.check(problems[0])
    states = _solved(problems) if solutions is None else _checked(problems, solutions)
    graph, possible = stack([problem.structure for problem in problems])
    base = possible[0]
    given = np.array([given_state(problem) for problem in problems])
    own = graph.at_least if len(graph.at_least) > 1 else None
    examples = Examples(given, states, own)
    order = np.random.default_rng(seed).permutation(len(problems))
    aside = order[: min(_MOST, round(_HELD_OUT * len(problems)))]
    rest = order[len(aside) :]
    shared = graph.rows(torch.zeros(1, dtype=torch.int64))
    mix = Mix(most=max(1, min(Mix().most, len(problems[0]) // 4)))
    teacher = Teacher(shared, base, {"problems": (examples.take(rest), 1.0)}, mix, noise=noise)
    held_out = Unsolved(shared, base, examples.take(aside if len(aside) else order[:_MOST]), noise)
    trained, _ = fit_denoiser(network, teacher, budget, held_out, curriculum=curriculum, seed=seed, watch=watch)
    return trained, [problems[row] for row in aside]


class Unsolved:
    """The share of problems that one pass does not solve."""

    def __init__(self, graph: FactorGraph, base: Tensor, examples: Examples, noise: AbstractNoise = Masks()) -> None:
        self.graph, self.base, self.examples, self.noise = graph, base, examples, noise

    def __call__(self, model: nn.Module) -> float:
        assert isinstance(model, FactorGraphDenoiser)
        device = next(model.parameters()).device
        rng = torch.Generator(device).manual_seed(0)
        solved: list[Tensor] = []
        for rows in batches(len(self.examples), 128):
            part = self.examples.take(np.arange(rows.start, rows.stop))
            graph = self.graph if part.at_least is None else self.graph.with_sets(part.at_least)
            domains = given_domains(self.base, part.given).to(device)
            climber = Climber(model, graph.to(device), domains, noise=self.noise, rng=rng)
            solved.append(climber.climb(_ONCE).solved)
        return 1.0 - float(torch.cat(solved).float().mean())


def _solved(problems: Sequence[Problem]) -> np.ndarray:
    answers = solve_all(problems, mode="hybrid")
    for number, answer in enumerate(answers, start=1):
        if answer.values is None:
            raise ValueError(f"problem {number} has no known solution to learn from ({answer.status}: {answer.note})")
    return np.array([p.state(a.values or {}) for p, a in zip(problems, answers, strict=True)])


def _checked(problems: Sequence[Problem], solutions: Any) -> np.ndarray:
    states = np.asarray(solutions, dtype=np.int64)
    if states.shape != (len(problems), len(problems[0])):
        raise ValueError(f"solutions must be ({len(problems)}, {len(problems[0])}), got {states.shape}")
    for number, (problem, state) in enumerate(zip(problems, states, strict=True), start=1):
        found = check(problem, state)
        if not found.valid[0]:
            why = (found.complaints() or ["it is not complete or contradicts what is given"])[0]
            raise ValueError(f"solution {number} is wrong: {why}")
    return states
