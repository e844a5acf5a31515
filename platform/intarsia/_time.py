"""Times per row or per site, made to broadcast against a state."""

import torch
from torch import Tensor


def per_site(t: Tensor, x: Tensor) -> Tensor:
    """View times (batch,) or (batch, *sites) so that they broadcast against `x` (batch, *sites).

    Raises:
        ValueError: the times do not belong to the rows, or to the sites, of `x`.
    """
    if t.ndim == 0 or t.shape[0] not in (1, x.shape[0]) or (t.ndim > 1 and t.ndim != x.ndim):
        raise ValueError(
            f"times of shape {tuple(t.shape)} fit no state of shape {tuple(x.shape)}; "
            "give one time per row (batch,) or one per site (batch, *sites)"
        )
    return t.reshape(t.shape + (1,) * (x.ndim - t.ndim))


def sum_sites(values: Tensor | dict[str, Tensor]) -> Tensor:
    """Sum a per-site quantity (batch, *sites) over the sites of each row, and over the fields of a record, (batch,)."""
    if isinstance(values, dict):
        return torch.stack([sum_sites(field) for field in values.values()]).sum(0)
    return values.flatten(1).sum(1) if values.ndim > 1 else values
