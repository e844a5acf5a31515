"""What guidance must know of a denoiser's head."""

from typing import Any

from torch import Tensor

from intarsia._types import Denoiser
from intarsia.classes import Ragged
from intarsia.processes import AbstractProcess, Discrete


def is_absorbing(process: AbstractProcess[Any]) -> bool:
    """Whether a site is either clean or masked, so that a change of the posterior leaves the kernel's times alone."""
    return isinstance(process, Discrete) and process.time_free


def site_logits(process: AbstractProcess[Any], denoiser: Denoiser, xt: Tensor, t: Tensor, cond: Any, site: int) -> Any:
    """Class logits of one site of a state (batch, sites), by the denoiser's head for that where it has one."""
    head = getattr(denoiser, "site_logits", None)
    if head is not None:
        return head(xt, t, cond, site)
    logits = denoiser(xt, t, cond)
    classes = process.classes if isinstance(process, Discrete) else None
    return logits[:, classes.slices()[site]] if isinstance(classes, Ragged) else logits[:, site]
