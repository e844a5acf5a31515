"""Stick-breaking coordinates of the simplex, and scores in them (Avdeyev et al. 2023)."""

import torch
from torch import Tensor


def sticks(x: Tensor) -> Tensor:
    """v_j = x_j / Σ_{i ≥ j} x_i of points (…, K), as (…, K - 1); 0 where nothing is left to break."""
    left = x.flip(-1).cumsum(-1).flip(-1)[..., :-1]
    return torch.where(left > 0, x[..., :-1] / torch.where(left > 0, left, 1.0), 0.0)


def points(v: Tensor) -> Tensor:
    """x_j = v_j Π_{i < j} (1 - v_i) of sticks (…, K - 1), as (…, K); the inverse of `sticks`."""
    one = torch.ones_like(v[..., :1])
    return torch.cat([v, one], -1) * torch.cat([one, (1.0 - v).cumprod(-1)], -1)


def stick_score(score: Tensor, v: Tensor) -> Tensor:
    """∂ log p / ∂v from ∂ log p / ∂x (…, K): (dx/dv)ᵀ score + ∂ log |det dx/dv| / ∂v.

    log |det dx/dv| = Σ_j (K - 1 - j) log(1 - v_j), j counted from 1 (the published code has its sign reversed, and
    subtracts it).
    """
    x = points(v)
    weighted = x * score
    after = weighted.flip(-1).cumsum(-1).flip(-1)[..., 1:]
    before = torch.cat([torch.ones_like(v[..., :1]), (1.0 - v).cumprod(-1)[..., :-1]], -1)
    breaks = torch.arange(v.shape[-1] - 1, -1, -1, dtype=v.dtype, device=v.device)
    return before * score[..., :-1] - (after + breaks) / (1.0 - v)
