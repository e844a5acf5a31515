"""A residual MLP over the fields of a record: classes, bits, reals and counts together."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from intarsia._types import Clock, clock
from intarsia.denoisers._embedding import SiteEmbedding
from intarsia.denoisers._mlp import Trunk
from intarsia.processes import Gaussian


class RecordMLP(nn.Module):
    """Predictions for every field of a record from all of its fields, a dict with the same names.

    Args:
        classes: class counts of the sites of each class field; its predictions are flat logits.
        numbers: how many sites each field of bits, reals or counts has; its predictions are a number a site.
        width, blocks, dropout, cond_width: see `ResidualMLP`.
    """

    time_free = False

    def __init__(
        self,
        classes: Mapping[str, Sequence[int]],
        numbers: Mapping[str, int],
        *,
        width: int = 384,
        blocks: int = 4,
        dropout: float = 0.1,
        cond_width: int = 0,
    ) -> None:
        super().__init__()
        self.sites = {name: len(counts) for name, counts in classes.items()} | dict(numbers)
        inlet = _Inlet(classes, numbers, width)
        self.trunk = Trunk(inlet, sum(self.sites.values()), width, blocks, dropout, False, cond_width)
        outputs = {name: sum(counts) for name, counts in classes.items()} | dict(numbers)
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in outputs.items()})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)  # pyright: ignore[reportArgumentType]
            nn.init.zeros_(head.bias)  # pyright: ignore[reportArgumentType]

    def start_at(self, field: str, output: Tensor) -> None:
        """Begin training from these predictions of a field (outputs,), such as log-marginals."""
        with torch.no_grad():
            self.heads[field].bias.copy_(output)  # pyright: ignore[reportCallIssue]

    def forward(self, xt: dict[str, Tensor], t: Clock, cond: Tensor | None = None) -> dict[str, Tensor]:
        """Predictions for states (batch, sites) of every field, at a time per row, per site or per field."""
        features = self.trunk(xt, self._times(xt, t), cond)
        return {name: head(features) for name, head in self.heads.items()}

    def _times(self, xt: dict[str, Tensor], t: Clock) -> Tensor:
        if isinstance(t, Tensor) and t.ndim == 1:
            return t
        parts = {name: clock(t, name) for name in self.sites}
        wide = [(u if u.ndim > 1 else u[:, None]).expand(xt[name].shape) for name, u in parts.items()]
        return torch.cat(wide, 1)


class _Inlet(nn.Module):
    def __init__(self, classes: Mapping[str, Sequence[int]], numbers: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.classes = nn.ModuleDict({name: SiteEmbedding(counts, width) for name, counts in classes.items()})
        self.numbers = nn.ModuleDict({name: nn.Linear(sites, width) for name, sites in numbers.items()})

    def forward(self, xt: dict[str, Tensor]) -> Tensor:
        """The sum of all fields' vectors, (batch, width). Numbers are squashed, so that no noise level is too large."""
        parts = [embed(xt[name]) for name, embed in self.classes.items()]
        for name, linear in self.numbers.items():
            weight: Any = linear.weight
            parts.append(linear(torch.asinh(xt[name].to(weight.dtype))))
        return torch.stack(parts).sum(0)


def mean_from_velocity(process: Gaussian, velocity: Tensor, xt: Tensor, t: Tensor) -> Tensor:
    """E[x0 | xt] = x / (1 + σ²) - σ / √(1 + σ²) · v, for a network that says v.

    Here x = xt / signal and σ = noise / signal. v has about unit variance at every time for data of unit variance
    (Karras et al. 2022, eq. 7 and 8; the velocity of Salimans & Ho 2022 where noise preserves the variance). A mean
    at small noise has not: it is nearly xt, and a network would have to copy that.
    """
    signal, noise = process.coefficients(t, xt)
    sigma = noise / signal
    spread = 1.0 + sigma.square()
    return xt / (signal * spread) - sigma / spread.sqrt() * velocity
