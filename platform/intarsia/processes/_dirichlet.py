"""Draws from Dirichlet laws with a generator of their own."""

import torch
from torch import Tensor


def flat_dirichlet(shape: tuple[int, ...], rng: torch.Generator | None, device: torch.device) -> Tensor:
    """Points uniform on the simplex of the last axis, float64."""
    waits = -torch.log1p(-torch.rand(shape, dtype=torch.float64, generator=rng, device=device))
    waits = waits.clamp(min=1e-300)
    return waits / waits.sum(-1, keepdim=True)


def dirichlet(concentration: Tensor, rng: torch.Generator | None) -> Tensor:
    """Points (…, classes) from Dirichlet laws with parameters of at least 1, float64."""
    sizes = _gamma(concentration.double(), rng)
    return sizes / sizes.sum(-1, keepdim=True)


def _gamma(shape: Tensor, rng: torch.Generator | None) -> Tensor:
    """Gamma(shape ≥ 1, 1) by rejection from a normal cubed (Marsaglia & Tsang 2000); 19 of 20 are kept at once."""
    todo = torch.arange(shape.numel(), device=shape.device)
    center = shape.flatten() - 1.0 / 3.0
    out = torch.empty_like(center)
    while len(todo):
        d = center[todo]
        normal = torch.randn(d.shape, dtype=d.dtype, generator=rng, device=d.device)
        log_u = torch.rand(d.shape, dtype=d.dtype, generator=rng, device=d.device).log()
        cube = (1.0 + normal / (9.0 * d).sqrt()) ** 3
        fits = cube > 0
        cube = torch.where(fits, cube, 1.0)
        refused = ~fits | (log_u > 0.5 * normal.square() + d * (1.0 - cube + cube.log()))
        out[todo[~refused]] = (d * cube)[~refused]
        todo = todo[refused]
    return out.view(shape.shape)
