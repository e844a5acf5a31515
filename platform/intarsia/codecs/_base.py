"""The contract of a codec: raw values to states of sites, and back."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Reals = NDArray[np.float64]
States = TypeVar("States", Codes, Reals)


class AbstractCoding(ABC, Generic[States]):
    """Raw values ↔ states (rows, sites): what codecs of classes and of reals have in common.

    Law: `decode(encode(x))` is x up to a declared tolerance, and every state decodes to a valid value. What is
    learned goes to JSON and comes back equal; randomness is passed in, never kept.
    """

    @abstractmethod
    def fit(self, values: Any) -> Self:
        """Learn the code of `values`."""

    @abstractmethod
    def encode(self, values: Any) -> States:
        """States (rows, sites) of values like those seen by `fit`."""

    @abstractmethod
    def decode(self, codes: States, rng: np.random.Generator) -> Any:
        """Values of any states (rows, sites); where a state stands for several values, `rng` chooses."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What was learned, as plain JSON."""

    @classmethod
    @abstractmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The codec that `to_json` describes."""


class AbstractCodec(AbstractCoding[Codes]):
    """Raw values ↔ classes (rows, sites), int64."""

    @property
    @abstractmethod
    def num_classes(self) -> tuple[int, ...]:
        """Classes of every site; no site where there is only one value."""


class AbstractRealCodec(AbstractCoding[Reals]):
    """Raw values ↔ real numbers (rows, sites), float64, for Gaussian noise. Every finite number is a state."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Numbers of a row."""


class AbstractCountCodec(AbstractCoding[Codes]):
    """Raw values ↔ counts (rows, sites), int64 from 0 on, for `Death` noise. Every count is a state."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Counts of a row."""
