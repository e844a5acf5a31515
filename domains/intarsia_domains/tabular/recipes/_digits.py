"""The default recipe: absorbing noise, coarse digits before fine ones, a time-free residual MLP.

docs/adr/0008 says what was tried and measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.denoisers import ResidualMLP
from intarsia.guidance import Forbid
from intarsia.likelihood import chain_log_prob, group_log_prob
from intarsia.objectives import AnyOrderObjective
from intarsia.processes import Discrete
from intarsia.samplers import Stratified
from intarsia.schedules import Linear
from intarsia.training import Settings
from intarsia_domains.tabular._codec import TableCodec
from intarsia_domains.tabular.recipes._base import AbstractRecipe, AbstractTableModel, State


@dataclass(frozen=True, slots=True)
class AbsorbingDigits(AbstractRecipe):
    """Every column is discrete: a class, or two digits of a number's rank; absorbing noise; any order of columns.

    Args:
        width, blocks, dropout: of the residual MLP.
        jitter: standard deviation of the noise on the ranks of continuous values in training, as a share of all
            ranks. It keeps small tables from being learned by heart.
        settings: of the training loop.
    """

    name: ClassVar[str] = "absorbing-digits"
    about: ClassVar[str] = "Absorbing diffusion"
    loss_is: ClassVar[str] = "bound"

    width: int = 384
    blocks: int = 4
    dropout: float = 0.2
    jitter: float = 0.002
    settings: Settings = Settings()

    @classmethod
    def for_rows(cls, rows: int) -> "AbsorbingDigits":
        """The default for a table of so many rows: a small one affords a wider network, and needs more dropout."""
        if rows < 12_500:
            return cls(width=512, dropout=0.35)
        return cls(width=512) if rows < 25_000 else cls()

    def build(self, codec: TableCodec, learned: pd.DataFrame | Mapping[str, Any]) -> "DigitsModel":
        network = ResidualMLP(
            codec.num_classes,
            width=self.width,
            blocks=self.blocks,
            dropout=self.dropout,
            time_free=True,
            groups=codec.groups(),
            positions=torch.from_numpy(codec.positions()),
        )
        return DigitsModel(codec, network, Jitter(codec, self.jitter))


class DigitsModel(AbstractTableModel):
    """Classes of the columns' own codecs under absorbing noise."""

    network: ResidualMLP

    def __init__(self, codec: TableCodec, network: ResidualMLP, jitter: "Jitter") -> None:
        super().__init__(codec, network)
        self.process = Discrete.absorbing(codec.num_classes, codec.schedule() or Linear())
        self.jitter = jitter

    def encode(self, frame: pd.DataFrame) -> Tensor:
        return torch.from_numpy(self.codec.encode(frame))

    def known(self, cells: NDArray[np.bool_]) -> Tensor:
        return torch.from_numpy(self.codec.known(cells))

    def decode(self, state: State, rng: np.random.Generator) -> pd.DataFrame:
        return self.codec.decode(_one(state).cpu().numpy(), rng)

    def start(self, state: State) -> None:
        self.network.start_at(_log_marginals(_one(state).cpu(), self.codec.num_classes))

    def loss(self, network: Any, x0: State, rng: torch.Generator, *, training: bool) -> Tensor:
        x0 = self.jitter(_one(x0), rng) if training else _one(x0)
        return AnyOrderObjective()(self.process, network, x0, None, rng)

    def draw(self, state: State, known: State, rng: torch.Generator, *, missing: bool) -> Tensor:
        denoiser: Any = self.network
        forbidden = torch.from_numpy(self.codec.missing_entries()).to(_one(state).device)
        if not missing and bool(forbidden.any()):
            denoiser = Forbid(denoiser, forbidden, self.process.classes.slices())  # type: ignore[attr-defined]
        x = torch.where(_one(known), _one(state), self.process.mask_id(_one(state).device))
        return Stratified().sample(self.process, denoiser, x, rng=rng)

    def log_prob(self, state: State, known: State, orders: int, rng: torch.Generator) -> Tensor:
        return chain_log_prob(self.process, self.network, _one(state), known=_one(known), orders=orders, rng=rng)

    def cell_log_prob(self, state: State, known: State, rng: torch.Generator) -> Tensor:
        x = torch.where(_one(known), _one(state), self.process.mask_id(_one(state).device))
        return group_log_prob(self.process, self.network, x, self.codec.groups())

    def to_json(self) -> dict[str, Any]:
        return {}


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

    def _on(self, device: torch.device) -> None:
        self.pairs, self.bins, self.fine = (x.to(device) for x in (self.pairs, self.bins, self.fine))

    def __call__(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Classes (batch, sites) with continuous cells moved; special values and missing ones stay."""
        if not len(self.pairs) or self.deviation <= 0:
            return x
        self._on(x.device)
        coarse, fine = x[:, self.pairs[:, 0]], x[:, self.pairs[:, 1]]
        rank = coarse * self.fine + fine
        noise = torch.randn(rank.shape, generator=rng, device=x.device) * (self.deviation * self.bins)
        moved = (rank + noise).round().long()
        moved = torch.where(moved < 0, -moved - 1, moved)
        moved = torch.where(moved >= self.bins, 2 * self.bins - 1 - moved, moved).clamp(min=0)
        plain = coarse < -(-self.bins // self.fine)
        x = x.clone()
        x[:, self.pairs[:, 0]] = torch.where(plain, moved // self.fine, coarse)
        x[:, self.pairs[:, 1]] = torch.where(plain, moved % self.fine, fine)
        return x


def _one(state: State) -> Tensor:
    return cast(Tensor, state)


def _log_marginals(codes: Tensor, num_classes: tuple[int, ...]) -> Tensor:
    laws = [
        torch.from_numpy(np.log((np.bincount(column, minlength=k) + 0.5) / (len(column) + 0.5 * k)))
        for column, k in zip(codes.T.numpy(), num_classes, strict=True)
    ]
    return torch.cat(laws).float()
