"""A denoiser of one's own: a convolution over the sites of a ring, trained on a law that can be written down."""

import pytest
import torch
from torch import Tensor, nn

from intarsia import Discrete, NelboObjective
from intarsia.processes import AbstractFinite
from intarsia.testing import all_states, check_denoiser

SITES, CLASSES = 4, 2


class RingConvolution(nn.Module):
    """Class logits (batch, sites, classes) of absorbing noise from what is unmasked up to `layers` sites away.

    Args:
        num_classes: of every site; the mask is one past the last.
        width: channels.
        layers: convolutions over three neighbours, closed to a ring.
    """

    time_free = True  # under absorbing noise the posterior does not depend on t

    def __init__(self, num_classes: int, width: int = 32, layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(num_classes + 1, width)
        convolutions = [nn.Conv1d(width, width, 3, padding=1, padding_mode="circular") for _ in range(layers)]
        self.hidden = nn.Sequential(*[layer for each in convolutions for layer in (each, nn.GELU())])
        self.head = nn.Conv1d(width, num_classes, 1)

    def forward(self, xt: Tensor, t: Tensor, cond: object = None) -> Tensor:
        """Logits of the posterior over x0."""
        return self.head(self.hidden(self.embed(xt).mT)).mT


def ising(coupling: float = 0.5) -> tuple[Tensor, Tensor]:
    """All states of a ring of spins and their probabilities, ∝ exp(coupling · Σ_i σ_i σ_{i+1})."""
    support = all_states([CLASSES] * SITES)
    spins = 2.0 * support - 1
    return support, (coupling * (spins * spins.roll(1, 1)).sum(1)).softmax(0)


def fit(process: AbstractFinite, denoiser: nn.Module, law: tuple[Tensor, Tensor], rng: torch.Generator) -> None:
    """Minimize the nelbo of draws from the law."""
    support, probs = law
    optimizer = torch.optim.Adam(denoiser.parameters(), 3e-3)
    objective = NelboObjective()
    for _ in range(400):
        x0 = support[probs.multinomial(256, replacement=True, generator=rng)]
        optimizer.zero_grad()
        objective(process, denoiser, x0, rng=rng).mean().backward()
        optimizer.step()


@pytest.fixture
def denoiser() -> RingConvolution:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return RingConvolution(CLASSES)


def test_it_learns(denoiser: RingConvolution) -> None:
    process, rng = Discrete.absorbing(CLASSES), torch.Generator().manual_seed(0)
    support, probs = ising()
    fit(process, denoiser, (support, probs), rng)
    check_denoiser(process, denoiser.eval(), support, probs.log())
