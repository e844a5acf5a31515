"""Nested sampling: whole samples from the first step on, refined as long as there is time."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, cast

import torch
from torch import Tensor

from intarsia._types import Denoiser, State, batch_size, device_of
from intarsia.evidence import Evidence, hold, restrict, times
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers._ancestral import Ancestral
from intarsia.samplers._base import AbstractSampler, Claim, uniform_grid
from intarsia.samplers._until import until


@dataclass(frozen=True, slots=True)
class Estimate(Generic[State]):
    """A whole sample, and the network calls that it and those before it took."""

    nfe: int
    sample: State


@dataclass(frozen=True, slots=True)
class Nested(AbstractSampler):
    """xs ~ q(xs | xt, x0), where an inner sampler draws all of x0 from p(x0 | xt) together.

    Elata et al. 2023, arXiv 2305.19066, for every noise.
    The error that `Ancestral` makes by drawing the sites of x0 apart becomes that of the inner sampler: with an exact
    one every x0 is a draw from the model, at any number of outer steps. With an inner one of few calls x0 starts as a
    sketch and improves, since less is left to draw each time. The sample is the last x0, so there is one at any time.

    Args:
        steps: outer steps, each a run of the inner sampler.
        inner: draws x0 from xt. With absorbing noise what is unmasked is evidence for it, and it may be any sampler;
            otherwise it must start in the middle of the noise, as those do that take any process.
        seconds: no outer step begins after this time; None for all of them. Then the same seed may stop elsewhere.
    """

    steps: int = 10
    inner: AbstractSampler = Ancestral(4)
    seconds: float | None = None

    def __post_init__(self) -> None:
        uniform_grid(self.steps)
        if self.seconds is not None and not self.seconds > 0.0:
            raise ValueError(f"`seconds` must be positive or None, got {self.seconds}")

    @property
    def claim(self) -> Claim:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of the inner sampler."""
        return self.inner.claim

    def check(self, process: AbstractProcess[Any]) -> None:
        self.inner.check(process if _is_absorbing(process) else until(process, 1.0))

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        estimates = self._stream(process, denoiser, x1, given, cond, rng)
        return deque(estimates, maxlen=1).pop().sample

    def stream(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        *,
        given: Evidence | None = None,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Iterator[Estimate[State]]:
        """The x0 of every outer step, as soon as it is drawn; arguments are those of `sample`."""
        self.check(process)
        process, given = restrict(process, given)
        return self._stream(process, denoiser, hold(x1, given), given, cond, rng)

    def _stream(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> Iterator[Estimate[State]]:
        counted = _Counted(denoiser)
        x, began = x1, time.monotonic()
        grid = uniform_grid(self.steps).to(device_of(x1))
        for s, t in zip(grid[1:], grid[:-1], strict=True):
            if self.seconds is not None and counted.nfe and time.monotonic() - began >= self.seconds:
                return
            with torch.no_grad():
                x0 = self._inner(process, counted, x, float(t), given, cond, rng)
                there, here = (times(u.expand(batch_size(x)), x, given) for u in (s, t))
                x = hold(process.bridge(x0, x, there, here, rng), given)
            yield Estimate(counted.nfe, x0)

    def _inner(
        self,
        process: AbstractProcess[State],
        denoiser: "_Counted",
        x: State,
        t: float,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        if isinstance(process, Discrete) and _is_absorbing(process):
            holed = cast(Tensor, x)
            known = Evidence(holed, holed != process.mask_id(holed.device))
            return cast(State, self.inner.sample(process, denoiser, holed, given=known, cond=cond, rng=rng))
        part = until(process, t)

        def slowed(xt: Any, u: Any, c: Any) -> Any:
            return denoiser(xt, part.clock(u), c)

        return self.inner.sample(part, slowed, x, given=given, cond=cond, rng=rng)


class _Counted:
    """A denoiser that counts its calls, and is otherwise the one it wraps."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser = denoiser
        self.time_free = bool(getattr(denoiser, "time_free", False))
        self.nfe = 0

    def __call__(self, xt: Any, t: Any, cond: Any) -> Any:
        self.nfe += 1
        return self.denoiser(xt, t, cond)


def _is_absorbing(process: AbstractProcess[Any]) -> bool:
    return isinstance(process, Discrete) and process.time_free
