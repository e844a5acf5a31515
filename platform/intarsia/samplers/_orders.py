"""Orders of unmasking: which sites are drawn next, judged by what the network predicts of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.classes import AbstractClasses


class AbstractOrder(ABC):
    """A score per site. One site a call in any such order is the chain rule, so it changes no exact model's law."""

    @property
    def keeps_law(self) -> bool:
        """Whether values are drawn from the prediction itself."""
        return True

    @abstractmethod
    def score(self, classes: AbstractClasses, pred: Tensor, rng: torch.Generator | None) -> Tensor:
        """Scores (batch, *sites) from class logits; the highest goes first."""

    def drawn_from(self, classes: AbstractClasses, pred: Tensor) -> Tensor:
        """Class logits that values are drawn from."""
        return pred


@dataclass(frozen=True, slots=True)
class RandomOrder(AbstractOrder):
    """Every order is as likely, as in `FirstHitting` (Zheng et al. 2024, arXiv 2409.02908)."""

    def score(self, classes: AbstractClasses, pred: Tensor, rng: torch.Generator | None) -> Tensor:
        best = classes.top(pred, 1)[..., 0]
        return torch.rand(best.shape, dtype=torch.float64, generator=rng, device=pred.device)


@dataclass(frozen=True, slots=True)
class Confidence(AbstractOrder):
    """The site whose likeliest class is likeliest (Chang et al. 2022, MaskGIT, without its noise)."""

    def score(self, classes: AbstractClasses, pred: Tensor, rng: torch.Generator | None) -> Tensor:
        return classes.top(classes.log_softmax(pred.double()), 1)[..., 0]


@dataclass(frozen=True, slots=True)
class Margin(AbstractOrder):
    """The site with the largest gap between its two likeliest classes (Kim et al. 2025, arXiv 2502.06768)."""

    def score(self, classes: AbstractClasses, pred: Tensor, rng: torch.Generator | None) -> Tensor:
        best = classes.top(classes.log_softmax(pred.double()), 2).exp()
        return best[..., 0] - best[..., 1]


@dataclass(frozen=True, slots=True)
class LeastEntropy(AbstractOrder):
    """The site whose class is least open, in nats (Ben-Hamu et al. 2025, arXiv 2505.24857)."""

    def score(self, classes: AbstractClasses, pred: Tensor, rng: torch.Generator | None) -> Tensor:
        return -entropy(classes, pred)


@dataclass(frozen=True, slots=True)
class Purity(AbstractOrder):
    """Sites at random in proportion to their purity max p(x0 | xt) (Tang et al. 2022, improved VQ-Diffusion, sec. 4.2).

    Args:
        sharpen: values are drawn from p^(1 + sharpen · purity); 0 draws from p, more follows another law.
    """

    sharpen: float = 0.0

    def __post_init__(self) -> None:
        if self.sharpen < 0:
            raise ValueError(f"`sharpen` must not be negative, got {self.sharpen}")

    @property
    def keeps_law(self) -> bool:
        return self.sharpen == 0.0

    def score(self, classes: AbstractClasses, pred: Tensor, rng: torch.Generator | None) -> Tensor:
        purity = classes.top(classes.log_softmax(pred.double()), 1)[..., 0]
        return purity + gumbel(purity.shape, rng, pred.device)

    def drawn_from(self, classes: AbstractClasses, pred: Tensor) -> Tensor:
        logp = classes.log_softmax(pred.double())
        return logp * classes.spread(1.0 + self.sharpen * classes.top(logp, 1)[..., 0].exp())


def entropy(classes: AbstractClasses, pred: Tensor) -> Tensor:
    """Entropy of every site in nats, (batch, *sites)."""
    logp = classes.log_softmax(pred.double())
    return -classes.sum(torch.where(logp > -torch.inf, logp.exp() * logp, 0.0))


def gumbel(shape: torch.Size, rng: torch.Generator | None, device: torch.device) -> Tensor:
    """Standard Gumbel noise in float64: the largest of log w + noise is each with probability in proportion to w."""
    u = torch.rand(shape, dtype=torch.float64, generator=rng, device=device)
    return -(-u.clamp(min=1e-300).log()).log()


def ranks(score: Tensor) -> Tensor:
    """The place of every site in its row, from 0 for the highest score; equal scores in order of the sites."""
    flat = score.flatten(1)
    return flat.argsort(dim=1, descending=True, stable=True).argsort(1).view_as(score)
