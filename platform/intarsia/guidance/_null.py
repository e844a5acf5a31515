"""A learned vector that stands for no condition."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class NullCondition(nn.Module):
    """A denoiser of embedded conditions that also learns to do without (Ho & Salimans 2022, alg. 1; Tang et al. 2022).

    While training, the embedding of a row is replaced by a learned null vector with probability `drop`, so one network
    learns the conditional and the unconditional posterior; a condition of None is the null for every row.

    Dropping draws from torch's global generator, as dropout does; `train` seeds that and restores it.

    Args:
        denoiser: `(xt, t, vectors) -> pred` with vectors (batch, width), for example a `ResidualMLP` of that
            `cond_width`.
        embed: condition (batch, …) → vectors (batch, width), for example `nn.Embedding(labels, width)`.
        width: length of the vectors.
        drop: share of rows that train without their condition.

    Raises:
        ValueError: `drop` is no probability below 1.
    """

    def __init__(self, denoiser: nn.Module, embed: nn.Module, width: int, drop: float = 0.1) -> None:
        super().__init__()
        if not 0.0 <= drop < 1.0:
            raise ValueError(f"`drop` must be a probability below 1, got {drop}")
        self.denoiser, self.embed, self.drop = denoiser, embed, drop
        self.null = nn.Parameter(torch.zeros(width))
        self.time_free = bool(getattr(denoiser, "time_free", False))

    def vectors(self, rows: int, cond: Any) -> Tensor:
        """The embedding of `cond`, or the null, for every row, (rows, width)."""
        null = self.null.expand(rows, -1)
        if cond is None:
            return null
        vectors = self.embed(cond)
        if not self.training or self.drop == 0.0:
            return vectors
        dropped = torch.rand((rows, 1), device=vectors.device) < self.drop
        return torch.where(dropped, null.to(vectors.dtype), vectors)

    def forward(self, xt: Any, t: Any, cond: Any = None) -> Any:
        """The prediction of `denoiser`."""
        return self.denoiser(xt, t, self.vectors(xt.shape[0], cond))

    @property
    def site_logits(self) -> Callable[[Any, Any, Any, int], Any]:
        """The head of `denoiser` for one site; there is none where it has none."""
        head: Callable[[Any, Any, Any, int], Any] = self.denoiser.site_logits  # pyright: ignore[reportAssignmentType]
        return lambda xt, t, cond, site: head(xt, t, self.vectors(xt.shape[0], cond), site)
