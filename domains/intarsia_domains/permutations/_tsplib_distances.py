"""Distances between cities with the rounding that TSPLIB prescribes (Reinelt 1995)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class AbstractDistances(ABC):
    """Whole-numbered symmetric distances between numbered cities; 0 from a city to itself."""

    keyword: ClassVar[str]
    """EDGE_WEIGHT_TYPE of the file."""

    @property
    @abstractmethod
    def n(self) -> int:
        """How many cities."""

    @abstractmethod
    def between(self, a: Integers, b: Integers) -> Integers:
        """Distances between cities `a` and `b`, numbered from 0, of one shape or broadcast."""

    def matrix(self) -> Integers:
        """All distances, (n, n)."""
        every = np.arange(self.n)
        return self.between(every[:, None], every[None])

    def length(self, tour: ArrayLike) -> Integers:
        """Length of closed tours (…, n), (…)."""
        stops = np.asarray(tour)
        return self.between(stops, np.roll(stops, -1, -1)).sum(-1)


@dataclass(frozen=True, eq=False, slots=True)
class AbstractPlane(AbstractDistances):
    """Distances that follow from coordinates (n, 2)."""

    points: Floats

    @property
    def n(self) -> int:
        return len(self.points)

    def between(self, a: Integers, b: Integers) -> Integers:
        return self.measure(self.points[a], self.points[b]).astype(np.int64) * (a != b)

    @abstractmethod
    def measure(self, p: Floats, q: Floats) -> Floats:
        """Rounded distances between points (…, 2) that are not the same city."""


class Euclidean(AbstractPlane):
    """Rounded to the nearest, halves up."""

    keyword = "EUC_2D"
    __slots__ = ()

    def measure(self, p: Floats, q: Floats) -> Floats:
        return np.floor(np.sqrt(((p - q) ** 2).sum(-1)) + 0.5)


class Ceiling(AbstractPlane):
    """Euclidean, rounded up."""

    keyword = "CEIL_2D"
    __slots__ = ()

    def measure(self, p: Floats, q: Floats) -> Floats:
        return np.ceil(np.sqrt(((p - q) ** 2).sum(-1)))


class PseudoEuclidean(AbstractPlane):
    """Euclidean over √10, rounded up; what is rounded is compared with what was not, as TSPLIB writes it."""

    keyword = "ATT"
    __slots__ = ()

    def measure(self, p: Floats, q: Floats) -> Floats:
        exact = np.sqrt(((p - q) ** 2).sum(-1) / 10)
        near = np.floor(exact + 0.5)
        return np.where(near < exact, near + 1, near)


class Geographical(AbstractPlane):
    """Kilometres on a sphere between latitudes and longitudes written as degrees.minutes.

    Degrees are cut off, not rounded as the text of TSPLIB has it: that is what its published optima are made of.
    """

    keyword = "GEO"
    __slots__ = ()

    def measure(self, p: Floats, q: Floats) -> Floats:
        latitude, longitude = np.moveaxis(_radians(p), -1, 0)
        latitude_, longitude_ = np.moveaxis(_radians(q), -1, 0)
        east = np.cos(longitude - longitude_)
        cosine = ((1 + east) * np.cos(latitude - latitude_) - (1 - east) * np.cos(latitude + latitude_)) / 2
        return np.floor(6378.388 * np.arccos(np.clip(cosine, -1, 1)) + 1)


@dataclass(frozen=True, eq=False, slots=True)
class Explicit(AbstractDistances):
    """Distances written down, (n, n).

    Raises:
        ValueError: the matrix is not square or not symmetric.
    """

    keyword = "EXPLICIT"

    weights: Integers

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or self.weights.shape[0] != self.weights.shape[1]:
            raise ValueError(f"distances are a square matrix, got shape {self.weights.shape}")
        if (self.weights != self.weights.T).any():
            a, b = (int(k) + 1 for k in np.argwhere(self.weights != self.weights.T)[0])
            raise ValueError(
                f"distances are symmetric, and from city {a} to {b} it is {self.weights[a - 1, b - 1]} but "
                f"{self.weights[b - 1, a - 1]} back"
            )

    @property
    def n(self) -> int:
        return len(self.weights)

    def between(self, a: Integers, b: Integers) -> Integers:
        return self.weights[a, b] * (a != b)


def _radians(points: Floats) -> Floats:
    degrees = np.trunc(points)
    return 3.141592 * (degrees + 5 * (points - degrees) / 3) / 180
