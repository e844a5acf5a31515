"""Guidance on the law of letters: classifier-free where kernels have no product, and the slope of an oracle."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.guidance import Compose, Powers
from intarsia.processes import AbstractFinite
from intarsia_domains.dna._denoiser import without_conditions

TorchOracle = Callable[[Tensor], Tensor]
"""Activity or log-probability of one-hot letters or laws of them (rows, length, 4), differentiable, (rows,)."""


class Unconditioned:
    """A denoiser that is told no condition, but still lengths and allowed letters."""

    def __init__(self, denoiser: Any) -> None:
        self.noise, self.time_free = denoiser.noise, denoiser.time_free
        self._denoiser = denoiser

    def posterior(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        """log p(letter | xt)."""
        return self._denoiser.posterior(xt, t, without_conditions(cond))

    def __call__(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        return self.noise.prediction(self.posterior(xt, t, cond))


class MixedPosterior:
    """p(letter | xt, cond)^g p(letter | xt)^(1-g): classifier-free guidance (Tang et al. 2022) on the posterior.

    For absorbing noise it is the product of kernels. Elsewhere the two differ, and this is what serves where kernels
    have no product in closed form (the simplex) or are drawn jointly (hard constraints).
    """

    def __init__(self, denoiser: Any, strength: float) -> None:
        self.noise, self.time_free = denoiser.noise, denoiser.time_free
        self._with, self._free, self._mix = denoiser, Unconditioned(denoiser), Powers((strength, 1.0 - strength))

    def posterior(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        """log p(letter | xt)."""
        both = [part.posterior(xt, t, cond).double().log_softmax(-1) for part in (self._with, self._free)]
        return self._mix.logs(both)

    def __call__(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        return self.noise.prediction(self.posterior(xt, t, cond))


class Slope:
    """p(letter | xt) exp(strength · d oracle(E x0) / d letter): the oracle of clean sequences, to first order.

    The oracle is asked about the expected letters, as plug-in guidance does (Chung et al. 2023 for means; TDS's twist,
    Wu et al. 2023), so it need not know noise. A heuristic: it leans towards the oracle, by no stated law; particles
    (`reward`) make up for that.

    Args:
        denoiser: what is guided.
        oracle: of laws of letters.
        strength: factor on the oracle's nats.
    """

    def __init__(self, denoiser: Any, oracle: TorchOracle, strength: float) -> None:
        self.noise, self.time_free = denoiser.noise, denoiser.time_free
        self._denoiser, self._oracle, self._strength = denoiser, oracle, strength

    def posterior(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        """log p(letter | xt)."""
        logp = self._denoiser.posterior(xt, t, cond).log_softmax(-1)
        with torch.enable_grad():
            law = logp.detach().exp().requires_grad_()
            (slope,) = torch.autograd.grad(self._oracle(law).sum(), law)
        gain = self._strength * (slope - (law * slope).sum(-1, keepdim=True))
        return logp + gain.clamp(-20.0, 20.0)

    def __call__(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        return self.noise.prediction(self.posterior(xt, t, cond))


def classifier_free(process: Any, denoiser: Any, strength: float, *, joint: bool) -> tuple[Any, Denoiser]:
    """The process and the denoiser to sample from, with conditions at `strength` (1: as they are).

    Args:
        process: the noise.
        denoiser: is told conditions.
        strength: 0 ignores conditions, more than 1 exaggerates them.
        joint: whether letters will be drawn jointly, which takes a law of letters and no mixture of kernels.
    """
    if strength == 1.0:
        return process, denoiser
    if strength == 0.0:
        return process, Unconditioned(denoiser)
    if denoiser.time_free or joint or not isinstance(process, AbstractFinite):
        return process, MixedPosterior(denoiser, strength)
    mixed = Compose(process, [denoiser, Unconditioned(denoiser)], Powers((strength, 1.0 - strength)))
    return mixed.process, mixed
