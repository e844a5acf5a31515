"""Drawing answers and keeping those that the checker accepts."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from intarsia.diffusion import Diffusion
from intarsia.guidance import Temperature
from intarsia.processes import Discrete
from intarsia.samplers import AbstractOrder, AbstractPace, EntropyBounded, Unmask

from ._problem import Problem
from ._solution import Solution, Status
from ._strings import SYMBOLS, AbstractStrings

PROCESS = Discrete.absorbing(len(SYMBOLS))
_BATCH = 256
_GREEDY = 0.01


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often and how answers are drawn; a problem is drawn for until an answer passes the checker.

    Args:
        draws: the first takes the likeliest characters, the others draw.
        order: in which characters are decided; None asks the strings for the order in which people write.
        pace: how many at a call of the network.
        temperature: of all draws but the first; below 1 sharpens.
        narrow: rule out what contradicts the half-written answer. Without it the network is on its own, as in the
            published figures.
    """

    draws: int = 8
    order: AbstractOrder | None = None
    pace: AbstractPace = EntropyBounded(0.01)
    temperature: float = 1.0
    narrow: bool = True

    def __post_init__(self) -> None:
        if self.draws < 1 or not self.temperature > 0:
            raise ValueError(f"draws must be at least 1 and temperature positive, got {self}")


class Narrowed:
    """A denoiser whose logits of contradicting characters are -inf; where all are, they stay as they were."""

    time_free = True

    def __init__(self, strings: AbstractStrings, denoiser: Any) -> None:
        self._strings, self._denoiser = strings, denoiser

    def __call__(self, xt: Tensor, t: Any, cond: Tensor) -> Tensor:
        logits = self._denoiser(xt, t, cond)
        open_ = self._strings.narrow(xt, cond)
        return torch.where(open_ | ~open_.any(-1, keepdim=True), logits, -torch.inf)


def know_nothing(xt: Tensor, t: Any, cond: Any) -> Tensor:
    """Equal logits: the floor that says what rules and luck solve without a network."""
    return torch.zeros(*xt.shape, len(SYMBOLS), device=xt.device)


@torch.no_grad()
def draw_answers(
    strings: AbstractStrings,
    denoiser: Any,
    questions: np.ndarray,
    attempts: Attempts,
    rng: torch.Generator,
    *,
    greedy: bool = False,
) -> np.ndarray:
    """One answer for every question (n, question sites), unchecked, as classes (n, answer sites)."""
    narrowed = Narrowed(strings, denoiser) if attempts.narrow else denoiser
    tempered = Temperature(PROCESS, narrowed, _GREEDY if greedy else attempts.temperature)
    sampler = Unmask(strings.order() if attempts.order is None else attempts.order, attempts.pace)
    drawn = [np.zeros((0, strings.answer_sites), dtype=np.int64)]
    for start in range(0, len(questions), _BATCH):
        cond = torch.from_numpy(questions[start : start + _BATCH]).to(rng.device)
        shape = (len(cond), strings.answer_sites)
        drawn.append(Diffusion(PROCESS, tempered).sample(shape, sampler, cond=cond, rng=rng).cpu().numpy())
    return np.concatenate(drawn)


def solve_strings(
    strings: AbstractStrings,
    denoiser: Any,
    questions: Sequence[Any],
    attempts: Attempts,
    rng: torch.Generator,
    *,
    seconds: float | None = None,
) -> list[Solution]:
    """Answers to questions, in order: SAT where one of the draws passed the exact checker, else UNKNOWN.

    Args:
        strings: how problems are written.
        denoiser: `(xt, t, question) -> logits`.
        questions: as `strings` takes them.
        attempts: how answers are drawn.
        rng: of the draws.
        seconds: for each question; no draw is begun later. None has no limit.
    """
    start = time.monotonic()
    asked = strings.ask(questions)
    problems = [strings.problem(question) for question in questions]
    note = "the budget allows no draw"
    answers = [Solution(Status.UNKNOWN, solver="model", nodes=0, note=note) for _ in problems]
    for number in range(1, attempts.draws + 1):
        open_ = [row for row, answer in enumerate(answers) if not answer.valid]
        if not open_ or (seconds is not None and time.monotonic() - start >= seconds * len(problems)):
            break
        drawn = draw_answers(strings, denoiser, asked[open_], attempts, rng, greedy=number == 1)
        for row, answer in zip(open_, drawn, strict=True):
            answers[row] = replace(judge(strings, problems[row], strings.read(answer)), nodes=number)
    spent = (time.monotonic() - start) / max(len(problems), 1)
    return [replace(answer, seconds=spent) for answer in answers]


def judge(strings: AbstractStrings, problem: Problem, answer: str) -> Solution:
    """SAT if an answer says what solves the problem, else UNKNOWN with the reason."""
    try:
        values = strings.values(problem, answer)
    except ValueError as error:
        return Solution(Status.UNKNOWN, solver="model", note=f"the checker rejected {answer!r}: {error}")
    return Solution.verified(problem, problem.state(values), solver="model")
