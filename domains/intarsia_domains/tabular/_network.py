"""The default recipe: absorbing noise, coarse digits before fine ones, a time-free residual MLP.

docs/adr/0008 says what was tried and measured.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from intarsia.denoisers import ResidualMLP
from intarsia.diffusion import Diffusion
from intarsia.objectives import AnyOrderObjective
from intarsia.processes import Discrete
from intarsia.schedules import Linear
from intarsia.training import Budget, Settings, Trained, Watch, train
from intarsia_domains.tabular._codec import TableCodec


@dataclass(frozen=True, slots=True)
class Recipe:
    """Sizes of the network and how it is trained.

    Args:
        width, blocks, dropout: of the residual MLP.
        jitter: standard deviation of the noise on the ranks of continuous values in training, as a share of all
            ranks. It keeps small tables from being learned by heart.
        settings: of the training loop.
    """

    width: int = 384
    blocks: int = 4
    dropout: float = 0.2
    jitter: float = 0.002
    settings: Settings = Settings()


def recipe_for(rows: int) -> Recipe:
    """The default recipe for a table of so many rows: a small one affords the wider network in the same budget."""
    return Recipe(width=512) if rows < 25_000 else Recipe()


def build(codec: TableCodec, recipe: Recipe) -> Diffusion[Tensor]:
    """An untrained model of a table."""
    process = Discrete.absorbing(codec.num_classes, codec.schedule() or Linear())
    denoiser = ResidualMLP(
        codec.num_classes,
        width=recipe.width,
        blocks=recipe.blocks,
        dropout=recipe.dropout,
        time_free=True,
        groups=codec.groups(),
        positions=torch.from_numpy(codec.positions()),
    )
    return Diffusion(process, denoiser)


class Jitter:
    """Moves the ranks of continuous values by a little noise, reflected at the ends of the range."""

    def __init__(self, codec: TableCodec, deviation: float) -> None:
        pairs: list[list[int]] = []
        bins: list[int] = []
        fine: list[int] = []
        for column in codec.columns:
            digits = getattr(column, "digits_", None)
            if digits is not None and len(codec.sites[column.name]) == 2:
                pairs.append(codec.sites[column.name])
                bins.append(len(digits.knots_))
                fine.append(digits.fine)
        self.pairs = torch.tensor(pairs).view(-1, 2)
        self.bins, self.fine = torch.tensor(bins), torch.tensor(fine)
        self.deviation = deviation

    def __call__(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Classes (batch, sites) with continuous cells moved; special values and missing ones stay."""
        if not len(self.pairs) or self.deviation <= 0:
            return x
        coarse, fine = x[:, self.pairs[:, 0]], x[:, self.pairs[:, 1]]
        rank = coarse * self.fine + fine
        noise = torch.randn(rank.shape, generator=rng) * (self.deviation * self.bins)
        moved = (rank + noise).round().long()
        moved = torch.where(moved < 0, -moved - 1, moved)
        moved = torch.where(moved >= self.bins, 2 * self.bins - 1 - moved, moved).clamp(min=0)
        plain = coarse < -(-self.bins // self.fine)
        x = x.clone()
        x[:, self.pairs[:, 0]] = torch.where(plain, moved // self.fine, coarse)
        x[:, self.pairs[:, 1]] = torch.where(plain, moved % self.fine, fine)
        return x


def fit_network(
    codec: TableCodec,
    codes: Tensor,
    recipe: Recipe,
    budget: Budget,
    seed: int,
    watch: Watch | None,
) -> tuple[Diffusion[Tensor], Trained]:
    """Train on encoded rows, holding some out to see when to stop."""
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    model = build(codec, recipe)
    torch.set_rng_state(state)
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(codes), generator=rng)
    kept_out = min(len(codes) // 10, 2000)
    training = codes[order[kept_out:]]
    watched = codes[order[:kept_out]] if kept_out else training
    denoiser = model.denoiser
    assert isinstance(denoiser, ResidualMLP)
    denoiser.start_at(_log_marginals(training, codec.num_classes))
    objective, jitter = AnyOrderObjective(), Jitter(codec, recipe.jitter)

    def loss(network: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        return objective(model.process, network, jitter(training[rows], rng), None, rng)

    def held_out(network: nn.Module) -> float:
        rng = torch.Generator().manual_seed(seed)
        parts = [objective(model.process, network, watched, None, rng).mean() for _ in range(4)]
        return float(torch.stack(parts).mean())

    trained = train(denoiser, loss, len(training), held_out, budget, recipe.settings, seed=seed, watch=watch)
    return model, trained


def _log_marginals(codes: Tensor, num_classes: tuple[int, ...]) -> Tensor:
    laws = [
        torch.from_numpy(np.log((np.bincount(column, minlength=k) + 0.5) / (len(column) + 0.5 * k)))
        for column, k in zip(codes.T.numpy(), num_classes, strict=True)
    ]
    return torch.cat(laws).float()
