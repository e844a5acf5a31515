"""The survival of classes that are the argmax of Gaussian noise: Duo's bridge from reals to uniform noise."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from intarsia.schedules._base import AbstractSchedule
from intarsia.schedules._plain import Cosine

_REACH = 10.0
_NODES = 801


def argmax_survival(signal: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """alpha of argmax(a x0 + √(1 - a²) ε), and its derivative by a, at signals `signal` from 0 to 1, elementwise.

    The argmax of a noised one-hot is uniform noise with the survival alpha = T(a) = K/(K-1) (∫ φ(z - r) Φ(z)^(K-1) dz
    - 1/K), r = a / √(1 - a²) (Sahoo et al. 2025, The Diffusion Duality, arXiv 2506.10892, the diffusion transformation
    operator; for two classes erf(r/2)). Right to 1e-13: the trapezoidal rule on an integrand that is smooth and falls
    as φ. Takes 801 numbers for every element.

    Args:
        signal: a, any shape.
        num_classes: K, at least 2.
    """
    a = signal.double()
    noise = ((1.0 - a) * (1.0 + a)).clamp(min=0.0).sqrt()
    some = noise > 0
    r = torch.where(some, a / torch.where(some, noise, 1.0), 40.0)[..., None].clamp(max=40.0)
    z, weight = _nodes(a.device)
    others = _log_cdf(z + r) * (num_classes - 1)
    scale = num_classes / (num_classes - 1)
    # 1 - Φ^(K-1) instead of Φ^(K-1), so that alpha is exactly 1 where nothing is noised
    alpha = 1.0 + scale * (weight * torch.expm1(others)).sum(-1)
    by_r = num_classes * (weight * _normal(z + r) * (others * (num_classes - 2) / (num_classes - 1)).exp()).sum(-1)
    slope = torch.where(some, by_r / torch.where(some, noise, 1.0).pow(3), 0.0)
    return torch.where(a > 0, alpha.clamp(0.0, 1.0), 0.0).to(signal.dtype), slope.to(signal.dtype)


def _log_cdf(z: Tensor) -> Tensor:
    return torch.special.log_ndtr(z)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _normal(z: Tensor) -> Tensor:
    return (-0.5 * z.square()).exp() / math.sqrt(2.0 * math.pi)


@lru_cache(maxsize=4)
def _nodes(device: torch.device) -> tuple[Tensor, Tensor]:
    """Deviations of the right class's noise, and the weights of the rule for an expectation over it."""
    z = torch.linspace(-_REACH, _REACH, _NODES, dtype=torch.float64, device=device)
    weight = _normal(z)
    return z, weight / weight.sum()


@dataclass(frozen=True, slots=True)
class Argmax(AbstractSchedule):
    """alpha(t) of the argmax of Gaussian noise whose signal a(t) is a schedule (arXiv 2506.10892): `argmax_survival`.

    `Discrete.uniform(K, Argmax(K))` is then the noise of Duo: its states may be drawn as the argmax of Gaussian ones,
    w = a(t) onehot(x0) + √(1 - a(t)²) ε, so a network can be shown softmax(w / τ) while τ falls (Duo's curriculum),
    with this process's loss.

    Args:
        num_classes: of every site.
        signal: a(t), from 1 to 0.
    """

    num_classes: int
    signal: AbstractSchedule = Cosine()

    def __post_init__(self) -> None:
        if self.num_classes < 2:
            raise ValueError(f"`num_classes` must be at least 2, got {self.num_classes}")

    def alpha(self, t: Tensor) -> Tensor:
        return argmax_survival(self.signal.alpha(t), self.num_classes)[0]

    def dalpha(self, t: Tensor) -> Tensor:
        return argmax_survival(self.signal.alpha(t), self.num_classes)[1] * self.signal.dalpha(t)

    def inverse(self, alpha: Tensor) -> Tensor:
        low, high = torch.zeros_like(alpha), torch.ones_like(alpha)
        for _ in range(50):  # bisection
            middle = (low + high) / 2
            less = argmax_survival(middle, self.num_classes)[0] < alpha
            low, high = torch.where(less, middle, low), torch.where(less, high, middle)
        return self.signal.inverse((low + high) / 2)
