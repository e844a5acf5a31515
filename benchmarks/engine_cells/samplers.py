"""The samplers that are compared: to add one, add a line to `SAMPLERS`; `absent` says which the engine has besides."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from intarsia import samplers as engine
from intarsia.errors import RequirementError
from intarsia.samplers import AbstractSampler

STEPS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Entry:
    """How a sampler is made from a number that says how much it may do, and the numbers that are tried.

    It is measured with every noise that it does not refuse, or those of `noises`.
    """

    make: Callable[[Any], AbstractSampler]
    tried: tuple[Any, ...] = STEPS
    noises: tuple[str, ...] | None = None


SITES = (16, 8, 4, 2, 1)
"""Sites drawn at a call."""

SAMPLERS: dict[str, Entry] = {
    "ancestral": Entry(lambda n: engine.Ancestral(n)),
    "tau-leaping": Entry(lambda n: engine.TauLeaping(n)),
    "theta-trapezoidal": Entry(lambda n: engine.ThetaTrapezoidal(n), STEPS[:-1]),
    "theta-trapezoidal-third": Entry(lambda n: engine.ThetaTrapezoidal(n, theta=1 / 3), STEPS[:-1]),
    "first-hitting": Entry(lambda _: engine.FirstHitting(), (None,)),
    "stratified": Entry(lambda _: engine.Stratified(), (None,)),
    "unmask-random": Entry(lambda k: engine.Unmask(engine.RandomOrder(), engine.PerStep(k)), SITES),
    "unmask-confidence": Entry(lambda k: engine.Unmask(engine.Confidence(), engine.PerStep(k)), SITES),
    "unmask-margin": Entry(lambda k: engine.Unmask(engine.Margin(), engine.PerStep(k)), SITES),
    "unmask-least-entropy": Entry(lambda k: engine.Unmask(engine.LeastEntropy(), engine.PerStep(k)), SITES),
    "unmask-purity": Entry(lambda k: engine.Unmask(engine.Purity(), engine.PerStep(k)), SITES),
    "unmask-purity-sharpened": Entry(lambda k: engine.Unmask(engine.Purity(1.0), engine.PerStep(k)), SITES),
    "unmask-entropy-bounded": Entry(
        lambda g: engine.Unmask(engine.LeastEntropy(), engine.EntropyBounded(g)), (8.0, 4.0, 2.0, 1.0, 0.3, 0.1, 0.0)
    ),
    "planner": Entry(lambda n: engine.Planner(n)),
    "remask-capped": Entry(lambda n: engine.Remask(n, engine.Cap(0.1))),
    "remask-rescaled": Entry(lambda n: engine.Remask(n, engine.Rescale(0.1))),
    "remask-least-confident": Entry(lambda n: engine.Remask(n, engine.LeastConfident())),
    "remask-loop": Entry(lambda n: engine.Remask(n, engine.Loop(engine.Cap(0.1))), STEPS[2:]),
    "psi-0.95": Entry(lambda n: engine.Psi(n)),
    "psi-0.8": Entry(lambda n: engine.Psi(n, kappa=0.8)),
    "gibbs": Entry(lambda n: engine.Gibbs(n), STEPS[:-1]),
    "gibbs-informed": Entry(lambda n: engine.Gibbs(n, sites=2, temperature=1.0), STEPS[:-1]),
    "nested": Entry(lambda n: engine.Nested(n), STEPS[:-2]),
    "ddim": Entry(lambda n: engine.DDIM(n)),
    "ddim-eta-1": Entry(lambda n: engine.DDIM(n, eta=1.0)),
    "heun": Entry(lambda n: engine.Heun(n), STEPS[:-1]),
    "heun-churned": Entry(lambda n: engine.Heun(n, churn=10.0), STEPS[:-1]),
    "heun-remask": Entry(lambda n: engine.HeunRemask(n), STEPS[:-1]),
}


def takes(name: str, process: Any, noise: str) -> bool:
    """Whether a sampler is defined for a process."""
    entry = SAMPLERS[name]
    if entry.noises is not None and noise not in entry.noises:
        return False
    try:
        entry.make(entry.tried[-1]).check(process)
    except RequirementError:
        return False
    return True


def absent() -> list[str]:
    """Samplers of the engine that no line of `SAMPLERS` makes."""
    made = {type(entry.make(entry.tried[-1])) for entry in SAMPLERS.values()}
    exported = {x for x in vars(engine).values() if inspect.isclass(x) and issubclass(x, AbstractSampler)}
    return sorted(x.__name__ for x in exported - made if not inspect.isabstract(x))
