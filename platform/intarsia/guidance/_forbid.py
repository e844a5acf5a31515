"""Classes that are ruled out at single sites: a change of the posterior, so a plain wrapper of the denoiser."""

from typing import Any

import torch
from torch import Tensor


class Forbid:
    """A denoiser with some classes ruled out at every site (projection onto a constraint on single sites).

    That is p(x0 | xt) given that x0 is allowed, the nearest law in KL (Cardei et al. 2025, arXiv 2503.09790).

    Args:
        denoiser: a network of class logits.
        entries: bools over the entries of its logits, true where a class must not be drawn.
        slices: the entries of each site, for networks that score one site at a time.

    Raises:
        ValueError: every class of some site would be ruled out.
    """

    def __init__(self, denoiser: Any, entries: Tensor, slices: list[slice]) -> None:
        if any(bool(entries[part].all()) for part in slices):
            raise ValueError("every class of some site is forbidden, so nothing can be drawn there")
        self.denoiser = denoiser
        self.time_free = bool(getattr(denoiser, "time_free", False))
        self.penalty = torch.where(entries, -torch.inf, 0.0)
        self.slices = slices

    def __call__(self, xt: Tensor, t: Tensor, cond: Any = None) -> Tensor:
        """Logits with the forbidden classes at -inf."""
        return self.denoiser(xt, t, cond) + self.penalty

    def site_logits(self, xt: Tensor, t: Tensor, cond: Any, site: int) -> Tensor:
        """Logits of one site with the forbidden classes at -inf."""
        head = getattr(self.denoiser, "site_logits", None)
        part = self.slices[site]
        logits = self.denoiser(xt, t, cond)[:, part] if head is None else head(xt, t, cond, site)
        return logits + self.penalty[part]
