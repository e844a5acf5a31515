"""The contract of a codec: raw values to classes of sites, and back."""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]


class AbstractCodec(ABC):
    """Raw values ↔ classes (rows, sites).

    Law: `decode(encode(x))` is x up to a declared tolerance, and every state decodes to a valid value. What is
    learned goes to JSON and comes back equal; randomness is passed in, never kept.
    """

    @property
    @abstractmethod
    def num_classes(self) -> tuple[int, ...]:
        """Classes of every site."""

    @abstractmethod
    def fit(self, values: Any) -> Self:
        """Learn the code of `values`."""

    @abstractmethod
    def encode(self, values: Any) -> Codes:
        """Classes (rows, sites) of values like those seen by `fit`."""

    @abstractmethod
    def decode(self, codes: Codes, rng: np.random.Generator) -> Any:
        """Values of any classes (rows, sites); where a class stands for several values, `rng` chooses."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What was learned, as plain JSON."""

    @classmethod
    @abstractmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The codec that `to_json` describes."""
