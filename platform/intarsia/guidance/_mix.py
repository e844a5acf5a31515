"""Ways to make one law of several: a geometric mean (and), an arithmetic mean (or)."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.processes import IMPOSSIBLE


class AbstractMix(ABC):
    """One law made of as many as there are `weights`."""

    weights: tuple[float, ...]

    @abstractmethod
    def logs(self, logs: Sequence[Tensor]) -> Tensor:
        """Mix log-probabilities elementwise; the result need not be normalized."""

    @abstractmethod
    def means(self, means: Sequence[Tensor]) -> Tensor:
        """The mean that Gaussian kernels of one variance and these means are mixed into."""


@dataclass(frozen=True, slots=True)
class Powers(AbstractMix):
    """Π p_k^w_k: what all laws agree on. A negative power takes a law away.

    Logs of probability 0 are clamped at `IMPOSSIBLE` first, so that a power of 0 times infinity cannot arise.
    """

    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.weights or not all(map(math.isfinite, self.weights)):
            raise ValueError(f"`weights` must be one finite power a law, got {self.weights}")

    def logs(self, logs: Sequence[Tensor]) -> Tensor:
        stack = torch.stack(list(logs))
        weights = torch.tensor(self.weights, dtype=stack.dtype, device=stack.device)
        mixed = torch.einsum("k,k...->...", weights, stack.clamp(min=IMPOSSIBLE))
        return torch.where((stack == -torch.inf).all(0), -torch.inf, mixed)

    def means(self, means: Sequence[Tensor]) -> Tensor:
        """Σ w_k m_k: kernels N(m_k, v) have a product N(Σ w_k m_k, v) where the powers sum to 1."""
        if not math.isclose(sum(self.weights), 1.0, abs_tol=1e-9):
            raise RequirementError(
                f"powers of Gaussian kernels must sum to 1, got {self.weights}: any other sum changes their variance"
            )
        return sum((w * mean for w, mean in zip(self.weights, means, strict=True)), torch.zeros_like(means[0]))


@dataclass(frozen=True, slots=True)
class Shares(AbstractMix):
    """Σ w_k p_k with shares that sum to 1: what any of the laws allows."""

    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if any(w < 0 for w in self.weights) or not math.isclose(sum(self.weights), 1.0, abs_tol=1e-9):
            raise ValueError(f"`weights` must be shares that sum to 1, got {self.weights}")

    def logs(self, logs: Sequence[Tensor]) -> Tensor:
        shares = zip(self.weights, logs, strict=True)
        return torch.stack([log + math.log(w) for w, log in shares if w > 0]).logsumexp(0)

    def means(self, means: Sequence[Tensor]) -> Tensor:
        """Σ w_k m_k, the mean of the mixture; its kernel keeps the variance of one of them."""
        return sum((w * mean for w, mean in zip(self.weights, means, strict=True)), torch.zeros_like(means[0]))
