"""Samplers say what they cannot do before they begin."""

from typing import Any

import torch

from intarsia.errors import RequirementError
from intarsia.processes import AbstractProcess, Discrete, Gaussian, Product, Xor
from intarsia.samplers import AbstractSampler
from intarsia.testing._ensure import ensure, ensure_raises
from intarsia.testing._examples import example_states


def check_refusal(sampler: AbstractSampler, process: AbstractProcess[Any]) -> None:
    """Both `check` and `sample` raise RequirementError, and the denoiser is never called."""
    calls = 0

    def denoiser(xt: Any, t: Any, cond: Any) -> Any:
        nonlocal calls
        calls += 1
        return xt

    rng = torch.Generator().manual_seed(0)
    x1 = example_states(process, 4, rng)
    ensure_raises(RequirementError, lambda: sampler.check(process), f"`check` of {sampler} on {process}")
    ensure_raises(
        RequirementError,
        lambda: sampler.sample(process, denoiser, x1, rng=rng),
        f"`sample` of {sampler} on {process}",
    )
    ensure(calls == 0, f"{sampler} called the denoiser {calls} times before it refused {process}")


def refused(sampler: AbstractSampler) -> list[AbstractProcess[Any]]:
    """Which of one process of each kind the sampler says it cannot do."""
    kinds: list[AbstractProcess[Any]] = [
        Discrete.absorbing(3),
        Discrete.uniform(3),
        Xor(2),
        Gaussian(),
        Product({"a": Discrete.absorbing(2), "b": Gaussian()}),
    ]
    out: list[AbstractProcess[Any]] = []
    for process in kinds:
        try:
            sampler.check(process)
        except RequirementError:
            out.append(process)
    return out
