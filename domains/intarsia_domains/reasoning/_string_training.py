"""Training of a network that writes answers, and the curve of what it can do on problems set aside."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from intarsia.objectives import AbstractObjective, AnyOrderObjective
from intarsia.training import Budget, Settings, Trained, Watch, train

from ._string_network import QuestionTransformer
from ._string_solving import PROCESS, Attempts, draw_answers, judge
from ._strings import AbstractStrings, Strings

SETTINGS = Settings(
    batch_size=256, learning_rate=2e-3, weight_decay=0.01, warmup=100, hold=0.5, ema=0.995, evaluations=10,
    patience=0, max_epochs=10**9,
)  # fmt: skip
_ASIDE, _SCORED = 1_000, 100


def learn_strings(
    network: QuestionTransformer,
    strings: AbstractStrings,
    lessons: Strings,
    budget: Budget,
    objective: AbstractObjective,
    seed: int,
    watch: Watch,
) -> tuple[Trained, list[dict[str, float]]]:
    """Train in place; also the curve, a point for every evaluation."""
    order = np.random.default_rng(seed).permutation(len(lessons))
    size = min(_ASIDE, max(1, len(lessons) // 10))
    aside, own = lessons.take(order[:size]), lessons.take(order[size:])
    device = next(network.parameters()).device
    questions, answers = (torch.from_numpy(part).to(device) for part in (own.questions, own.answers))
    curve: list[dict[str, float]] = []
    step = 0

    def loss(model: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        nonlocal step
        step += 1
        return objective(PROCESS, model, answers[rows], questions[rows], rng)

    def held_out(model: nn.Module) -> float:
        nats, exact = score(strings, model, aside)
        curve.append({"step": step, "lessons": step * SETTINGS.batch_size, "nats": nats, "right": exact})
        return nats

    trained = train(network, loss, len(own), held_out, budget, SETTINGS, seed=seed, watch=watch)
    return trained, curve


@torch.no_grad()
def score(strings: AbstractStrings, model: Any, aside: Strings) -> tuple[float, float]:
    """Nats of an answer (a bound), and the share of greedy answers without rules that are right."""
    device = next(model.parameters()).device
    rng = torch.Generator(device).manual_seed(0)
    x0, cond = (torch.from_numpy(part).to(device) for part in (aside.answers, aside.questions))
    nats = AnyOrderObjective()(PROCESS, model, x0, cond, rng).mean()
    few = aside.take(np.arange(min(_SCORED, len(aside))))
    drawn = draw_answers(strings, model, few.questions, Attempts(narrow=False), rng, greedy=True)
    problems = [strings.problem(strings.question(question)) for question in few.questions]
    right = [judge(strings, p, strings.read(answer)).valid for p, answer in zip(problems, drawn, strict=True)]
    return float(nats), float(np.mean(right))
