"""Processes with another reverse kernel: where guidance is no change of the posterior, it stands here."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.classes import AbstractClasses
from intarsia.errors import RequirementError
from intarsia.guidance._law import Law, draw, normalized
from intarsia.guidance._mix import AbstractMix
from intarsia.guidance._ratios import AbstractRatios
from intarsia.processes import AbstractFinite


class AbstractGuided(AbstractFinite):
    """The noise of `process` with a reverse kernel that is not its own.

    This is the whole hook that guidance needs: samplers call `reverse` or `rates`, enumeration `reverse_law`. It has
    no `loss`, because no q belongs to the kernel; samplers that draw from the posterior (first-hitting ones) refuse
    it, since a posterior alone does not tell the kernel.
    """

    process: AbstractFinite

    @property
    def classes(self) -> AbstractClasses:
        return self.process.classes

    @property
    def has_mask(self) -> bool:
        return self.process.has_mask

    @property
    def time_free(self) -> bool:
        return self.process.time_free

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        return self.process.prediction(points, weights)

    def prediction_at(self, points: Tensor, weights: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return self.process.prediction_at(points, weights, xt, t)

    def prior_law(self) -> tuple[Tensor, float]:
        return self.process.prior_law()

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        return self.process.prior(shape, rng)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.process.corrupt(x0, t, rng)

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        return self.process.log_q(xt, x0, t)

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.process.bridge(x0, xt, s, t, rng)

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return draw(self.classes, self.reverse_law(pred, xt, s, t), xt, rng)

    @property
    def has_leave_one_out(self) -> bool:
        return False

    def leave_one_out(self, pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        raise RequirementError(f"the prediction is not the posterior of the guided kernel; use that of {self.process}")

    @property
    def has_rates(self) -> bool:
        return self.process.has_rates

    @abstractmethod
    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> Law:
        """Guided jump rates at `t`; see the base class, and refused where `process` has none."""

    def loss(self, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor, s: Tensor | None = None) -> Tensor:
        raise RequirementError(f"a guided kernel belongs to no noise, so it has no loss; use that of {self.process}")

    def prior_kl(self, x0: Tensor) -> Tensor:
        return self.process.prior_kl(x0)

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return self.loss(pred, x0, xt, xt)


@dataclass(frozen=True)
class Mixed(AbstractGuided):
    """p(xs | xt) ∝ the kernels of several predictions, mixed site by site.

    With `Powers((g, 1 - g))` that is UDLM's D-CFG (Schiff et al. 2024, arXiv 2412.10193) on the kernel, and
    R_c^g R^(1-g) on the rates (Nisonoff et al. 2024, arXiv 2406.01572, predictor-free). `pred` holds one prediction
    per weight, stacked on axis 1.

    For absorbing noise the kernel's mask takes part too, so that the times of unmasking change with g;
    `ClassifierFree` and `Compose` keep them and mix the posteriors instead.
    """

    process: AbstractFinite
    mix: AbstractMix

    def _parts(self, pred: Tensor) -> tuple[Tensor, ...]:
        if pred.ndim < 3 or pred.shape[1] != len(self.mix.weights):
            raise RequirementError(
                f"expected {len(self.mix.weights)} predictions stacked on axis 1, got {tuple(pred.shape)}; "
                "call the guidance that this process belongs to"
            )
        return pred.unbind(1)

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """The same prediction for every weight, stacked on axis 1."""
        return torch.stack([self.process.prediction(points, weights)] * len(self.mix.weights), 1)

    def prediction_at(self, points: Tensor, weights: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return torch.stack([self.process.prediction_at(points, weights, xt, t)] * len(self.mix.weights), 1)

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Law:
        laws = [self.process.reverse_law(part, xt, s, t) for part in self._parts(pred)]
        mixed = self.mix.logs([law[0] for law in laws]), self.mix.logs([law[1] for law in laws])
        return normalized(self.classes, mixed)

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> Law:
        rates = [self.process.rates(part, xt, t) for part in self._parts(pred)]
        entries, mask = (self.mix.logs([rate[k].log() for rate in rates]).exp() for k in (0, 1))
        return entries, mask


@dataclass(frozen=True)
class Tilted(AbstractGuided):
    """p(xs | xt) ∝ process's kernel · (p(c | xs) / p(c | xt))^strength, each site with the others as in xt.

    D-CBG of Schiff et al. (2024, arXiv 2412.10193). The predictor is asked at s, so that for one site and strength 1
    the kernel is exactly p(xs | xt, c) at every step size. `rates` multiplies the rates at t instead, R^g(x, y) =
    R(x, y) (p(c | y) / p(c | x))^g (Nisonoff et al. 2024, arXiv 2406.01572); with many steps the kernel follows the
    same law.
    """

    process: AbstractFinite
    ratios: AbstractRatios
    strength: float = 1.0

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Law:
        entries, mask = self.process.reverse_law(pred, xt, s, t)
        gain, gain_mask = self.ratios.log_gain(self.process, xt, s, self.strength)
        return normalized(self.classes, (entries + gain, mask + gain_mask))

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> Law:
        entries, mask = self.process.rates(pred, xt, t)
        gain, gain_mask = self.ratios.log_gain(self.process, xt, t, self.strength)
        return entries * gain.exp(), mask * gain_mask.exp()
