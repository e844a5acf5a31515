"""Predictor guidance: rates and kernels multiplied by what a predictor of the condition says of each change."""

from typing import Any

from torch import Tensor

from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.guidance._heads import is_absorbing
from intarsia.guidance._kernel import Tilted
from intarsia.guidance._ratios import AbstractRatios
from intarsia.processes import AbstractFinite, AbstractProcess


class Predictor:
    """R^g(x, y) = R(x, y) (p(c | y, t) / p(c | x, t))^g (Nisonoff et al. 2024, arXiv 2406.01572).

    For absorbing noise the posterior of a masked site is multiplied by the ratio and normalized, so each site is
    unmasked when it would have been and `process` is the one that was given; first-hitting sampling with g = 1 and
    perfect parts is then the conditional law, exactly. Nisonoff's rates are not normalized, so that for g ≠ 1 they
    also choose which site is next: sample from `Tilted(process, ratios, g)` for those. Other noise needs a `Tilted`
    kernel anyway, and `process` is that.

    **g ≠ 1 does not give the law that is tilted by p(c | x0)^g**; particles do (`FeynmanKac`).

    Args:
        process: noise with finitely many states a site.
        denoiser: predicts the posterior without the condition.
        ratios: `EnumeratedRatios` (exact) or `FirstOrderRatios` (one backward pass), around log p(c | xt, t) of
            noised states.
        strength: g.

    Raises:
        RequirementError: states are not finite.
    """

    process: AbstractFinite

    def __init__(
        self, process: AbstractProcess[Any], denoiser: Denoiser, ratios: AbstractRatios, strength: float = 1.0
    ) -> None:
        if not isinstance(process, AbstractFinite):
            raise RequirementError(f"`Predictor` needs noise with finitely many states, got {process}")
        self._absorbing = is_absorbing(process)
        self.process = process if self._absorbing else Tilted(process, ratios, strength)
        self.time_free = bool(getattr(denoiser, "time_free", False)) and (ratios.time_free or not self._absorbing)
        self._denoiser, self._ratios, self._strength = denoiser, ratios, strength

    def __call__(self, xt: Tensor, t: Tensor, cond: Any = None) -> Tensor:
        """The prediction that `process` takes."""
        pred = self._denoiser(xt, t, cond)
        if not self._absorbing:
            return pred
        gain, _ = self._ratios.log_gain(self.process, xt, t, self._strength)
        return self.process.classes.log_softmax(pred.double()) + gain
