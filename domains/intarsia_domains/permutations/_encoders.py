"""Encoders: what a network reads of each item of a set, and of pairs of items."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia_domains.permutations._encoders_images import ImageReader, distort
from intarsia_domains.permutations._encoders_items import Encoded, Items, Parts, cut


class AbstractEncoder(ABC):
    """How items are read: a frozen description that builds the module. Items are a tensor (rows, n, …) or `Parts`."""

    features: int
    """Numbers that the module gives for each item."""

    @property
    def pairs(self) -> int:
        """Numbers that the module gives for each pair of items."""
        return 0

    @property
    def compares(self) -> bool:
        """Whether pairs of items are compared by their features alone, as sorting does."""
        return True

    @abstractmethod
    def check(self, items: Tensor) -> None:
        """Raise ValueError for items that cannot be read, naming row and item."""

    def shape(self, items: Items) -> tuple[int, ...]:
        """The shape of what the module reads at once, one item; also when it comes in `Parts`."""
        if isinstance(items, Parts):
            raise TypeError(f"{type(self).__name__} reads an array (rows, n, …), not `Parts`")
        return tuple(items.shape[2:])

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> nn.Module:
        """A module `items -> Encoded` for items whose `shape` is this."""

    def augment(self, items: Items, rng: torch.Generator | None) -> Items:
        """Items that look different and have the same order, for training."""
        return items

    def view(self, items: Items, number: int) -> Items:
        """One of several looks at items, for repeated starts of a decoder; 0 is as they are."""
        return items


def _check_shape(items: Tensor, ndim: int, what: str) -> None:
    if items.ndim != ndim:
        raise ValueError(f"this encoder reads items {what}, got an array of shape {tuple(items.shape)}")


@dataclass(frozen=True)
class VectorEncoder(AbstractEncoder):
    """Reads vectors (rows, n, values) with a small MLP; values should be of order one.

    Args:
        features: numbers per item that come out.
        width: of the hidden layer.
    """

    features: int = 64
    width: int = 128

    def check(self, items: Tensor) -> None:
        _check_shape(items, 3, "(rows, n, values)")

    def build(self, shape: tuple[int, ...]) -> nn.Module:
        return _VectorReader(shape[0], self.width, self.features)


class _VectorReader(nn.Module):
    def __init__(self, values: int, width: int, features: int) -> None:
        super().__init__()
        self.lift = nn.Linear(values, width)
        self.mix, self.out = nn.Linear(width, width), nn.Linear(width, features)
        self.plain = nn.Linear(values, features)

    def forward(self, items: Tensor) -> Encoded:
        h = functional.gelu(self.lift(items))
        return Encoded(self.plain(items) + self.out(functional.gelu(self.mix(h))))


@dataclass(frozen=True)
class ImageEncoder(AbstractEncoder):
    """Reads images (rows, n, channels, height, width) with a small convolutional network.

    An item is cut into a grid of parts of one size that are read with the same weights, so a number of several
    digits is read digit by digit, and what one digit teaches serves at all places. With `codes` every part is
    named by a softmax over so many symbols; a clear image gives nearly one symbol, so comparisons are exact where
    a real-valued score would have to be precise.

    Args:
        parts: rows and columns of the grid.
        codes: symbols of a part; 0 gives real features instead.
        real: real features of a part, where there are no codes.
        channels: of the convolutions; each halves the image.
        shift: largest random shift while training, as a share of the part's size.
        turn: largest random rotation while training, in degrees.
        zoom: largest random change of size while training, as a share.
        shear: largest random slant while training, as a share.
        bend: largest random displacement of a coarse grid of points while training, as a share of the part's size;
            what lies between follows smoothly (elastic distortion; Simard et al. 2003).
        looks: distorted pictures of a part whose symbols or features are averaged after training, the part itself
            among them. Reading takes so many times as long.
    """

    parts: tuple[int, int] = (1, 1)
    codes: int = 0
    real: int = 64
    channels: tuple[int, ...] = (16, 32, 64)
    shift: float = 0.0
    turn: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    bend: float = 0.0
    looks: int = 1

    def __post_init__(self) -> None:
        if self.looks < 1:
            raise ValueError(f"an image is looked at least once, got looks={self.looks}")
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "channels", tuple(self.channels))

    @property
    def features(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Numbers of all parts together."""
        return self.parts[0] * self.parts[1] * (self.codes or self.real)

    def check(self, items: Tensor) -> None:
        _check_shape(items, 5, "(rows, n, channels, height, width)")
        if items.shape[3] % self.parts[0] or items.shape[4] % self.parts[1]:
            raise ValueError(
                f"images of {items.shape[3]} x {items.shape[4]} pixels cannot be cut into {self.parts[0]} x "
                f"{self.parts[1]} equal parts"
            )

    def shape(self, items: Items) -> tuple[int, ...]:
        """Of one part."""
        if isinstance(items, Parts):
            return tuple(items.bank.shape[1:])
        return (items.shape[2], items.shape[3] // self.parts[0], items.shape[4] // self.parts[1])

    def build(self, shape: tuple[int, ...]) -> nn.Module:
        return ImageReader(shape[0], shape[1:], self)

    @property
    def distorts(self) -> bool:
        """Whether pictures are distorted at all."""
        return any((self.shift, self.turn, self.zoom, self.shear, self.bend))

    def augment(self, items: Items, rng: torch.Generator | None) -> Items:
        if not self.distorts:
            return items
        if isinstance(items, Tensor):
            parts = cut(items, self.parts)
            items = Parts(parts.flatten(0, 2), torch.arange(parts[..., 0, 0, 0].numel()).view(parts.shape[:3]))
        return Parts(distort(items.bank, self, rng), items.index)


@dataclass(frozen=True)
class PointEncoder(AbstractEncoder):
    """Reads points of the plane (rows, n, 2): waves of the coordinates, and distances as features of pairs.

    Every row is moved and scaled into the unit square. While training, it is mirrored and turned at random into one
    of the eight symmetric pictures of the square; these are also the views of repeated starts.

    Args:
        waves: frequencies of each coordinate.
    """

    waves: int = 16

    @property
    def features(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Two coordinates, and sine and cosine of each at every frequency."""
        return 2 + 4 * self.waves

    @property
    def pairs(self) -> int:
        return 9

    @property
    def compares(self) -> bool:
        return False

    def check(self, items: Tensor) -> None:
        _check_shape(items, 3, "(rows, n, 2), points of the plane,")
        if items.shape[2] != 2:
            raise ValueError(f"points have two coordinates, got {items.shape[2]}")

    def build(self, shape: tuple[int, ...]) -> nn.Module:
        return _PointReader(self.waves)

    def augment(self, items: Items, rng: torch.Generator | None) -> Items:
        if not isinstance(items, Tensor):
            return items
        return _symmetric(items, torch.randint(8, (len(items),), generator=rng, device=items.device))

    def view(self, items: Items, number: int) -> Items:
        return _symmetric(items, torch.tensor([number % 8])) if isinstance(items, Tensor) else items


def _symmetric(points: Tensor, number: Tensor) -> Tensor:
    """Points (rows, n, 2) in one of the eight symmetric pictures of the square, `number` (rows,) or (1,)."""
    flip = (number[:, None] >> torch.arange(3, device=number.device) & 1).bool().to(points.device)
    turned = torch.where(flip[:, :1, None], points.flip(-1), points)
    return torch.where(flip[:, None, 1:], -turned, turned)


class _PointReader(nn.Module):
    def __init__(self, waves: int) -> None:
        super().__init__()
        self.register_buffer("waves", math.pi * torch.logspace(-1.0, 4.0, waves, base=2.0), persistent=False)

    def forward(self, items: Tensor) -> Encoded:
        low, high = items.amin(1, keepdim=True), items.amax(1, keepdim=True)
        extent = (high - low).amax(2, keepdim=True).clamp(min=1e-12)
        points = (items - (low + high) / 2) / extent
        phase = (points[..., None] * self.get_buffer("waves")).flatten(2)
        return Encoded(torch.cat([2.0 * points, phase.sin(), phase.cos()], 2), _pair_features(points))


def _pair_features(points: Tensor) -> Tensor:
    """Distances in typical distances between neighbours, kernels of them, who is whose nearest, and the direction.

    The last two are the unit vector from the item of the row to that of the column. (rows, n, n, 9).
    """
    n = points.shape[1]
    difference = points[:, :, None] - points[:, None]
    plain = difference.square().sum(-1).clamp(min=1e-18).sqrt()
    distance = plain * math.sqrt(n)
    rank = distance.argsort(2).argsort(2).to(distance)  # 0 is the point itself
    near = 1.0 / (1.0 + rank)
    kernels = [(-((distance / scale) ** 2)).exp() for scale in (0.5, 1.0, 2.0)]
    scalars = [distance / 4.0, (distance + 0.1).log(), *kernels, near, near.transpose(1, 2)]
    return torch.cat([torch.stack(scalars, 3), -difference / plain[..., None]], 3)
