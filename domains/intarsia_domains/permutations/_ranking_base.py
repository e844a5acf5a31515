"""What a model of rankings of one data set can do, whatever its noise."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from intarsia_domains.permutations._ranking_choice import Ballots
from intarsia_domains.permutations._ranking_events import Event


@dataclass(frozen=True, eq=False, slots=True)
class Scores:
    """Log-likelihoods, each (rows,), nats, float64.

    Args:
        nats: log p of a row, exact or an estimate that is too low by about `gap` in expectation.
        standard_error: of `nats`; 0 where they are exact.
        gap: estimated by half the relative variance of the estimate of p, which is how far the expectation of its
            logarithm lies below (the delta method); 0 where `nats` are exact. Of the probability of paths that the
            noise cannot take, which a bound leaves out and a trained model hardly takes, it knows nothing.
    """

    nats: Tensor
    standard_error: Tensor
    gap: Tensor

    @classmethod
    def exact(cls, nats: Tensor) -> "Scores":
        """Without error."""
        return cls(nats.double(), torch.zeros_like(nats.double()), torch.zeros_like(nats.double()))

    @classmethod
    def of_weights(cls, log_weights: Tensor) -> "Scores":
        """The logarithm of the mean of unbiased estimates of p, (rows, draws)."""
        draws = log_weights.shape[1]
        mean = log_weights.logsumexp(1) - torch.tensor(float(draws)).log()
        share = (log_weights - mean.clamp(min=-1e300)[:, None]).exp()
        variance = share.var(1) / draws if draws > 1 else torch.full_like(mean, torch.inf)
        return cls(mean, variance.sqrt(), variance / 2)

    def rows(self, chosen: Tensor) -> "Scores":
        """Those of some rows, on the CPU."""
        return Scores(*(values.cpu()[chosen] for values in (self.nats, self.standard_error, self.gap)))


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """Permutations that are in their events.

    Args:
        x: one a row, (rows, n).
        log_probability: of each row's event under the model, (rows,); an estimate unless `exact`.
        exact: whether `x` and `log_probability` follow the model's law exactly.
    """

    x: Tensor
    log_probability: Tensor
    exact: bool


class AbstractRankingLaw(ABC):
    """A law over permutations of n items that is trained and drawn from.

    Args:
        n: items.
        network: what is trained and saved.
    """

    def __init__(self, n: int, network: nn.Module) -> None:
        self.n = n
        self.network = network

    @property
    def device(self) -> torch.device:
        """Where the network is, and so ballots, events and generators have to be."""
        return next(self.network.parameters()).device

    @property
    @abstractmethod
    def about(self) -> str:
        """What the model is, in a few words."""

    @property
    def exhaustive(self) -> bool:
        """Whether one training step sees all rows at once, so that rows are best merged and never drawn."""
        return False

    @abstractmethod
    def loss(self, ballots: Ballots, rng: torch.Generator) -> Tensor:
        """Nats per row, (rows,); a bound in expectation, or exact."""

    @abstractmethod
    def sample(self, rows: int, rng: torch.Generator) -> Tensor:
        """Draw permutations (rows, n)."""

    @abstractmethod
    def score(self, ballots: Ballots, draws: int, rng: torch.Generator) -> Scores:
        """log p of what the rows tell."""

    @abstractmethod
    def draw_given(self, event: Event, rng: torch.Generator, particles: int) -> Drawn:
        """Draw one permutation a row of the event.

        Raises:
            ValueError: no particle of some row met its event.
        """

    def log_law(self) -> Tensor | None:
        """log p of all permutations in lexicographic order, (n!,), where they can be listed; None elsewhere."""
        return None

    @abstractmethod
    def forget(self) -> None:
        """Drop what was kept of the weights; called when they change."""


def missed(rows: Tensor, particles: int) -> ValueError:
    """The error where particles died out in some `rows` (rows,)."""
    row = int(rows.nonzero()[0])
    return ValueError(
        f"row {row}: none of {particles} particles met the event, so it is too improbable under this model; use more "
        "`particles`, or ask for less"
    )


def by_rejection(law: AbstractRankingLaw, event: Event, rng: torch.Generator, particles: int) -> Drawn:
    """The first of `particles` draws of the model that is in the row's event; the share of those in it estimates p."""
    rows = len(event)
    x = law.sample(rows * particles, rng)
    inside = event.repeated(particles).holds(x).view(rows, particles)
    if not bool(inside.any(1).all()):
        raise missed(~inside.any(1), particles)
    first = torch.arange(rows, device=x.device), inside.long().argmax(1)
    return Drawn(x.view(rows, particles, -1)[first], inside.double().mean(1).log(), False)


def eval_mode(network: nn.Module) -> Any:
    """No gradients and no dropout."""
    network.eval()
    return torch.no_grad()
