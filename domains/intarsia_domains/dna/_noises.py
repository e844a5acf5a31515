"""The noises that one network serves: absorbing, multinomial, marginal, Wright-Fisher on the simplex, analog bits.

A noise is a process of the engine, and how letters are its states, what a noised site tells of its letter, and what
the process wants to be told of a law of letters. Everything else (network, split, budget, guidance) is common.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.diffusion import Diffusion
from intarsia.objectives import AbstractObjective, AnyOrderObjective, NelboObjective, low_discrepancy
from intarsia.processes import AbstractProcess, Discrete, Gaussian, Jacobi
from intarsia.processes._gaussian import VariancePreserving
from intarsia.samplers import AbstractSampler, Ancestral, FirstHitting, PerStep, RandomOrder, Unmask
from intarsia.schedules import Polynomial
from intarsia_domains.dna._alphabet import BASES

_NEVER = -1e4
"""Log-likelihood that stands for none, and is finite."""


class AbstractNoise(ABC):
    """A frozen dataclass of plain values."""

    name: ClassVar[str]
    """Stands for it in saved models."""
    steps: int
    """Calls of the network a sequence, at most."""

    @abstractmethod
    def process(self, law: Sequence[float]) -> AbstractProcess[Tensor]:
        """The noise, for data whose letters have these shares."""

    def ending(self, process: Any) -> Any:
        """The process whose last step, to t = 0, ends at the letters that are predicted; most do."""
        return process

    @property
    def objective(self) -> AbstractObjective:
        """What training minimizes: by default the nelbo."""
        return NelboObjective()

    def sampler(self, length: int) -> AbstractSampler:
        """How sequences of so many sites are drawn."""
        return Ancestral(self.steps)

    def shape(self, rows: int, length: int) -> tuple[int, ...]:
        """Of states."""
        return rows, length

    def encode(self, codes: Tensor) -> Tensor:
        """States of letters 0 to 3, (rows, length)."""
        return codes

    def decode(self, state: Tensor) -> Tensor:
        """log-weights of the letters of each site in a state at t = 0, (rows, length, 4)."""
        return torch.where(_hot(state), 0.0, _NEVER)

    def holds(self, mask: Tensor) -> Tensor:
        """A mask of sites (rows, length) as one of entries of a state."""
        return mask

    @abstractmethod
    def log_likelihood(self, process: Any, xt: Tensor, t: Tensor) -> Tensor:
        """log q(xt | letter) of every site, up to a constant a site, (rows, length, 4)."""

    def prediction(self, log_posterior: Tensor) -> Tensor:
        """What the process wants to be told, from log p(letter | xt), (rows, length, 4)."""
        return log_posterior

    def nelbo(
        self, process: Any, denoiser: Any, x0: Tensor, cond: Tensor, samples: int, rng: torch.Generator
    ) -> Tensor:
        """Bound of -log p(x0), nats per row, float64, estimated from `samples` draws of time and noise."""
        return Diffusion(process, denoiser).nelbo(x0, cond, samples=samples, rng=rng).total


@dataclass(frozen=True, slots=True)
class Absorbing(AbstractNoise):
    """Masks that are lifted one by one, or several a call where a sequence has more sites than `steps`.

    Args:
        steps: calls a sequence; at as many as there are sites, sampling is exact.
    """

    name: ClassVar[str] = "absorbing"

    steps: int = 128

    def process(self, law: Sequence[float]) -> Discrete:
        return Discrete.absorbing(BASES)

    @property
    def objective(self) -> AbstractObjective:
        return AnyOrderObjective()

    def sampler(self, length: int) -> AbstractSampler:
        if length <= self.steps:
            return FirstHitting()
        return Unmask(RandomOrder(), PerStep(-(-length // self.steps)))

    def log_likelihood(self, process: Any, xt: Tensor, t: Tensor) -> Tensor:
        return torch.where((xt == BASES)[..., None] | _hot(xt), 0.0, _NEVER)


SLOW_START = Polynomial(2.0)
"""alpha(t) = 1 - t². The bound is the same under every schedule, but its draws vary less: little noise leaves few
letters wrong, at a cost that grows as the noise falls, and under 1 - t the second moment of that has no bound."""


class AbstractRedrawing(AbstractNoise):
    """Noise under which letters become other letters."""

    def log_likelihood(self, process: Any, xt: Tensor, t: Tensor) -> Tensor:
        return process.log_likelihood(xt, t).float().clamp(min=_NEVER)


@dataclass(frozen=True, slots=True)
class Multinomial(AbstractRedrawing):
    """Letters are redrawn uniformly (Hoogeboom et al. 2021; UDLM, Schiff et al. 2024)."""

    name: ClassVar[str] = "multinomial"

    steps: int = 128

    def process(self, law: Sequence[float]) -> Discrete:
        return Discrete.uniform(BASES, SLOW_START)


@dataclass(frozen=True, slots=True)
class Marginal(AbstractRedrawing):
    """Letters are redrawn from their shares in the data (DiGress, Vignac et al. 2023)."""

    name: ClassVar[str] = "marginal"

    steps: int = 128

    def process(self, law: Sequence[float]) -> Discrete:
        return Discrete.marginal(tuple(float(share) for share in law), SLOW_START)


@dataclass(frozen=True, slots=True)
class FewTimes(AbstractObjective):
    """The nelbo at few times a batch, for noise whose draws cost most by the number of different times.

    Each row's time is uniform all the same.

    Args:
        times: different ones.
    """

    times: int = 16

    def __call__(
        self, process: Any, denoiser: Any, x0: Any, cond: object = None, rng: torch.Generator | None = None
    ) -> Tensor:
        t = low_discrepancy(min(self.times, len(x0)), x0.device, rng)
        t = t[torch.arange(len(x0), device=x0.device) % len(t)]
        return NelboObjective().at(process, denoiser, x0, t, cond, rng)


@dataclass(frozen=True, slots=True)
class Simplex(AbstractNoise):
    """Letters drift over the simplex (`Jacobi`; Dirichlet diffusion score model, Avdeyev et al. 2023), exactly."""

    name: ClassVar[str] = "simplex"

    steps: int = 128

    def process(self, law: Sequence[float]) -> Jacobi:
        return Jacobi(BASES)

    @property
    def objective(self) -> AbstractObjective:
        return FewTimes()

    def shape(self, rows: int, length: int) -> tuple[int, ...]:
        return rows, length, BASES

    def encode(self, codes: Tensor) -> Tensor:
        return _hot(codes).float()

    def decode(self, state: Tensor) -> Tensor:
        return state.log().clamp(min=_NEVER)

    def holds(self, mask: Tensor) -> Tensor:
        return mask[..., None].expand(*mask.shape, BASES)

    def log_likelihood(self, process: Any, xt: Tensor, t: Tensor) -> Tensor:
        time = per_site(t.amin(-1) if t.ndim == 3 else t, xt[..., 0])
        # as many copies of the batch as corners: one call costs less than four
        corners = torch.eye(BASES, dtype=xt.dtype, device=xt.device).repeat_interleave(len(xt), 0)
        corners = corners[:, None].expand(-1, xt.shape[1], -1)
        log_q = process.log_q(xt.repeat(BASES, 1, 1), corners, t.repeat(BASES, *[1] * (t.ndim - 1)))
        log_q = log_q.sum(-1).view(BASES, *xt.shape[:-1]).movedim(0, -1)
        clean = torch.where(_hot(xt.argmax(-1)), 0.0, _NEVER)
        return torch.where((time <= 0.0)[..., None], clean, log_q.float().clamp(min=_NEVER))

    def nelbo(
        self, process: Any, denoiser: Any, x0: Tensor, cond: Tensor, samples: int, rng: torch.Generator
    ) -> Tensor:
        with torch.no_grad():
            parts = [FewTimes()(process, denoiser, x0, cond, rng).double() for _ in range(samples)]
            return process.prior_kl(x0).double().sum((1, 2)) + torch.stack(parts).mean(0)


class EndingGaussian(Gaussian):
    """Gaussian noise whose steps to t = 0 end at the prediction, without the little noise that is left there."""

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return torch.where(per_site(s, xt) > 0.0, super().reverse(pred, xt, s, t, rng), pred.to(xt.dtype))


@dataclass(frozen=True, slots=True)
class AnalogBits(AbstractNoise):
    """Letters as two numbers -1 or 1 under Gaussian noise (Chen et al. 2023); complements have opposite signs."""

    # sums and no matrix products, which half precision would blur

    name: ClassVar[str] = "analog-bits"

    steps: int = 128

    def process(self, law: Sequence[float]) -> Gaussian:
        # at these ends no bit is in doubt and none is left, so that no time is spent beyond
        return Gaussian(VariancePreserving(6.0, -10.0))

    def ending(self, process: Any) -> Any:
        return EndingGaussian(process.level)

    def shape(self, rows: int, length: int) -> tuple[int, ...]:
        return rows, length, 2

    def encode(self, codes: Tensor) -> Tensor:
        return _bits(codes.device)[codes]

    def decode(self, state: Tensor) -> Tensor:
        return (state[..., None, :] * _bits(state.device)).sum(-1)

    def holds(self, mask: Tensor) -> Tensor:
        return mask[..., None].expand(*mask.shape, 2)

    def log_likelihood(self, process: Any, xt: Tensor, t: Tensor) -> Tensor:
        signal, noise = process.coefficients(t, xt)
        # (xt - a b)² = … - 2 a b xt, as all b² are 1
        told = (((signal / noise.square()) * xt)[..., None, :] * _bits(xt.device)).sum(-1)
        return (told - told.amax(-1, keepdim=True)).float().clamp(min=_NEVER)

    def prediction(self, log_posterior: Tensor) -> Tensor:
        return (log_posterior.softmax(-1)[..., None] * _bits(log_posterior.device)).sum(-2)

    def nelbo(
        self, process: Any, denoiser: Any, x0: Tensor, cond: Tensor, samples: int, rng: torch.Generator
    ) -> Tensor:
        # letters, not densities: the last term is a probability (Kingma et al. 2021, eq. 12)
        parts = Diffusion(process, denoiser).nelbo(x0, cond, samples=samples, rng=rng)
        start = torch.zeros(len(x0), dtype=torch.float64, device=x0.device)
        logp = denoiser.posterior(process.corrupt(x0, start, rng), start, cond).double().log_softmax(-1)
        letters = self.decode(x0).argmax(-1)
        last = -logp.gather(-1, letters[..., None])[..., 0].sum(-1)
        return parts.prior + parts.diffusion + last


def _hot(codes: Tensor) -> Tensor:
    return codes[..., None] == torch.arange(BASES, device=codes.device)


def _bits(device: torch.device) -> Tensor:
    """A, C, G, T, so that the complement has the opposite sign of both."""
    return torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], device=device)
