"""Self-conditioning: a denoiser that is shown its previous estimate, in training and in sampling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from intarsia._types import Clock, Denoiser, batch_size, device_of
from intarsia.objectives._base import AbstractObjective
from intarsia.processes import AbstractProcess

Reviser: TypeAlias = Callable[[Any, Any, Any, Any], Any]
"""`(xt, t, cond, estimate) -> pred`, where `estimate` is an earlier prediction, or None where there is none."""


@dataclass(frozen=True, slots=True)
class SelfConditioned(AbstractObjective):
    """Another objective for a denoiser `(xt, t, cond, estimate)` (Chen et al. 2023, Analog Bits, arXiv 2208.04202).

    With probability `share` (one draw a batch) the denoiser is called twice, and the loss is that of the second call,
    which sees the first one's prediction without its gradient; otherwise it sees None. With None alone it is a
    denoiser like any other, for the likelihood too; `Recall` feeds the estimates in sampling.
    """

    inner: AbstractObjective
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"`share` must lie between 0 and 1, got {self.share}")

    def __call__(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        reviser = cast(Reviser, denoiser)
        twice = bool(torch.rand(1, generator=rng, device=device_of(x0)) < self.share)

        def informed(xt: Any, t: Any, cond: Any) -> Any:
            with torch.no_grad():
                estimate = reviser(xt, t, cond, None) if twice else None
            return reviser(xt, t, cond, estimate)

        return self.inner(process, informed, x0, cond, rng)


class Recall:
    """A denoiser for samplers: each call is shown the prediction of the call before.

    The sampler of analog bits (Chen et al. 2022, arXiv 2208.04202).

    For sampling only: a likelihood must not remember states. A call of other size, or later in time than the last
    one by more than `rise`, begins a new run; so does `forget`.

    Args:
        denoiser: takes `(xt, t, cond, estimate)`.
        rise: how far time may rise within a run, as churn and correctors let it.
    """

    time_free = False

    def __init__(self, denoiser: Reviser, rise: float = 0.1) -> None:
        self.denoiser = denoiser
        self.rise = rise
        self._estimate: Any = None
        self._last = (-1, 0.0)

    def forget(self) -> None:
        """Begin a new run."""
        self._estimate = None

    def __call__(self, xt: Any, t: Clock, cond: Any) -> Any:
        """The prediction, given the one before."""
        rows, now = batch_size(xt), _latest(t)
        if rows != self._last[0] or now > self._last[1] + self.rise:
            self.forget()
        pred = self.denoiser(xt, t, cond, self._estimate)
        self._estimate, self._last = _detached(pred), (rows, now)
        return pred


def _latest(t: Clock) -> float:
    times = cast(Mapping[str, Tensor], t).values() if isinstance(t, Mapping) else [cast(Tensor, t)]
    return max(float(time.max()) for time in times)


def _detached(pred: Any) -> Any:
    if isinstance(pred, dict):
        return {name: value.detach() for name, value in cast(dict[str, Tensor], pred).items()}
    return pred.detach()
