"""Sites that may change, as evidence about all the others."""

from typing import Any, cast

import torch
from torch import Tensor

from intarsia.evidence import Evidence


def outside(x0: Any, region: Any) -> Evidence | None:
    """Evidence that holds every site outside `region`; None where all may change.

    Args:
        x0: states (batch, *sites), or a dict of them.
        region: bools that broadcast to it, or a dict of them; fields of a record that it leaves out are held.

    Raises:
        TypeError: one is a record and the other is not.
    """
    if region is None:
        return None
    if isinstance(x0, dict) != isinstance(region, dict):
        raise TypeError("`region` must be bools for a state that is one tensor, and a dict of bools for a record")
    if isinstance(x0, dict):
        states, chosen = cast(dict[str, Tensor], x0), cast(dict[str, Tensor], region)
        return Evidence(
            states,
            {k: ~chosen[k].expand(x.shape) if k in chosen else torch.ones_like(x, dtype=torch.bool)
             for k, x in states.items()},
        )  # fmt: skip
    return Evidence(x0, ~region.expand(x0.shape))


def check_level(level: float, steps: int) -> None:
    """Refuse a noise level outside (0, 1], or no steps."""
    if not 0.0 < level <= 1.0:
        raise ValueError(f"the noise level must lie in (0, 1], got {level}")
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1, got {steps}")
