"""Images of items, cut into parts that share weights."""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia_domains.permutations._encoders_items import Encoded, Items, Parts, cut

if TYPE_CHECKING:
    from intarsia_domains.permutations._encoders import ImageEncoder


class ImageReader(nn.Module):
    """Strided convolutions over every part, then symbols or features."""

    def __init__(self, channels: int, size: tuple[int, ...], encoder: "ImageEncoder") -> None:
        super().__init__()
        self.encoder = encoder
        layers: list[nn.Module] = []
        height, width = size[0], size[1]
        for number, after in enumerate(encoder.channels):
            kernel = 5 if number == 0 and min(size) >= 16 else 3
            stride = 2 if min(height, width) >= 4 else 1  # pooling would cost more than the convolutions
            layers += [nn.Conv2d(channels, after, kernel, stride, kernel // 2), nn.GroupNorm(1, after), nn.ReLU()]
            height, width = -(-height // stride), -(-width // stride)
            channels = after
        self.convolutions: Any = nn.Sequential(*layers)
        self.convolutions.to(memory_format=torch.channels_last)  # a third faster on CPUs
        hidden = channels * height * width
        self.out = nn.Linear(hidden, encoder.codes or encoder.real)

    def forward(self, items: Items) -> Encoded:
        """Read images (rows, n, channels, height, width) or `Parts`."""
        if isinstance(items, Parts):
            bank = self._read(items.bank)
            return Encoded(bank[items.index].flatten(2))
        parts = cut(items, self.encoder.parts)
        return Encoded(self._read(parts.flatten(0, 2)).view(*parts.shape[:2], -1))

    def _read(self, images: Tensor) -> Tensor:
        looks = 1 if self.training or not self.encoder.distorts else self.encoder.looks
        found = self._once(images)
        if looks > 1:
            rng = torch.Generator(images.device).manual_seed(0)
            found = sum((self._once(distort(images, self.encoder, rng)) for _ in range(looks - 1)), found) / looks
        return found

    def _once(self, images: Tensor) -> Tensor:
        h = self.convolutions(images.contiguous(memory_format=torch.channels_last))
        h = self.out(h.flatten(1)).float()
        return h.softmax(1) if self.encoder.codes else h


BENDS = 4
"""Points along each side of the grid whose displacements bend an image."""


def distort(images: Tensor, encoder: "ImageEncoder", rng: torch.Generator | None) -> Tensor:
    """Images (m, channels, height, width), each shifted, turned, zoomed, slanted and bent at random."""
    u = 2.0 * torch.rand((5, len(images)), generator=rng, device=images.device) - 1.0
    angle, zoom = u[0] * math.radians(encoder.turn), 1.0 + u[1] * encoder.zoom
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    move, slant = 2.0 * encoder.shift * u[2:4], encoder.shear * u[4]
    across = torch.stack([cos, slant * cos - sin, move[0]], 1)
    down = torch.stack([sin, slant * sin + cos, move[1]], 1)
    places = functional.affine_grid(torch.stack([across, down], 1), list(images.shape), align_corners=False)
    if encoder.bend:
        bends = torch.rand((len(images), 2, BENDS, BENDS), generator=rng, device=images.device) * 2.0 - 1.0
        bends = functional.interpolate(bends, size=images.shape[2:], mode="bicubic", align_corners=True)
        places = places + 2.0 * encoder.bend * bends.permute(0, 2, 3, 1)
    return functional.grid_sample(images, places, align_corners=False)
