"""Projection onto a constraint: classes that the rest of the state rules out are not drawn."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.guidance._law import is_masked
from intarsia.processes import AbstractFinite, AbstractProcess, Xor


class Project:
    """The posterior with classes at 0 that `allowed` forbids in this state.

    The law nearest in KL that the constraint allows (as in Cardei et al. 2025, arXiv 2503.09790, where constraints are
    soft), so a change of the posterior for every noise of classes. It keeps each site's law given that it is allowed,
    one step at a time, which is **not** the model's law given that the whole state is: that would look ahead.
    `FeynmanKac` weighs particles for that. Where nothing is allowed at a site that is undecided, the state is a dead
    end for the constraint; the site then keeps its law, and `dead_ends` counts it, so that rows can be drawn again.

    Args:
        process: noise whose denoiser predicts class logits.
        denoiser: predicts them.
        allowed: `(xt) -> bools` over the entries of the logits, (batch, *sites, classes) or flat (batch, sum of
            classes); xt holds noised values and masks.

    Raises:
        RequirementError: predictions are not class logits.
    """

    process: AbstractFinite

    def __init__(self, process: AbstractProcess[Any], denoiser: Denoiser, allowed: Callable[[Tensor], Tensor]) -> None:
        if not isinstance(process, AbstractFinite) or isinstance(process, Xor):
            raise RequirementError(f"`Project` needs predictions that are class logits, got {process}")
        self.process = process
        self.time_free = bool(getattr(denoiser, "time_free", False))
        self.dead_ends = 0
        self._denoiser, self._allowed = denoiser, allowed

    def __call__(self, xt: Tensor, t: Tensor, cond: Any = None) -> Tensor:
        """Logits with the forbidden classes at -inf."""
        classes = self.process.classes
        logits = self._denoiser(xt, t, cond)
        kept = torch.where(self._allowed(xt), logits, -torch.inf)
        dead = classes.logsumexp(kept) == -torch.inf
        undecided = dead & is_masked(classes, xt) if self.process.has_mask else dead
        self.dead_ends += int(undecided.sum())
        return torch.where(classes.spread(dead), logits, kept)
