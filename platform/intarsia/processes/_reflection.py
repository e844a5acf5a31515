"""Gaussian noise folded into the unit interval: its density and score, at every noise level."""

import math

import torch
from torch import Tensor

_SWITCH = 0.5
"""Noise levels below it sum images, those above it cosines; both are right to 1e-15 there."""
_IMAGES = 3
_COSINES = 8


def fold(x: Tensor) -> Tensor:
    """Reflect numbers at 0 and 1 until they lie between."""
    y = torch.remainder(x, 2.0)
    return torch.where(y > 1.0, 2.0 - y, y)


def images(x: Tensor, reach: int) -> Tensor:
    """The numbers x + 2k and -x + 2k for |k| ≤ reach, which all fold to x, (…, 4 reach + 2)."""
    shift = 2.0 * torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    return torch.cat([x[..., None] + shift, -x[..., None] + shift], -1)


def folded_normal(x: Tensor, center: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Log density at x of a normal law around `center`, folded, and its derivative in x (Lou & Ermon 2023).

    Little noise: the sum over images of the center. Much noise: 1 + 2 Σ exp(-(nπ noise)²/2) cos(nπ center) cos(nπ x),
    the eigenfunctions of the heat equation.
    """
    shape = (x + center + noise).shape
    x, center, noise = x.expand(shape), center.expand(shape), noise.expand(shape)
    little = noise < _SWITCH
    near = _by_images(x, center, torch.where(little, noise, _SWITCH))
    far = _by_cosines(x, center, torch.where(little, _SWITCH, noise))
    return torch.where(little, near[0], far[0]), torch.where(little, near[1], far[1])


def _by_images(x: Tensor, center: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    unit = (images(center, _IMAGES) - x[..., None]) / noise[..., None]
    logits = -0.5 * unit.square()
    slope = (logits.softmax(-1) * unit).sum(-1) / noise
    return logits.logsumexp(-1) - noise.log() - 0.5 * math.log(2.0 * math.pi), slope


def _by_cosines(x: Tensor, center: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    wave = math.pi * torch.arange(1, _COSINES + 1, dtype=x.dtype, device=x.device)
    size = 2.0 * (-0.5 * (noise[..., None] * wave).square()).exp() * (center[..., None] * wave).cos()
    density = 1.0 + (size * (x[..., None] * wave).cos()).sum(-1)
    return density.log(), -(size * wave * (x[..., None] * wave).sin()).sum(-1) / density
