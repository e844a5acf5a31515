"""The contract of a code that writes labels as words of bits."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from intarsia.codecs._base import Codes
from intarsia.codecs._bits import AbstractBitCodec, to_tensor
from intarsia.codecs._labels import Labels
from intarsia.codecs._reading import reading, require


class AbstractLabelBits(AbstractBitCodec):
    """Labels ↔ words of bits, by way of an index 0 … K - 1 over the labels. Any word stands for one of them.

    A subclass says in which order labels are numbered and how the numbers are written. One label needs no bits.
    """

    labels_: Labels
    counts_: NDArray[np.int64]
    """How often each index was seen."""

    @abstractmethod
    def read(self, bits: Tensor) -> Tensor:
        """Indices (*) of any words (*, width)."""

    @abstractmethod
    def write(self, indices: Tensor) -> Tensor:
        """Canonical words (*, width) of indices (*)."""

    @abstractmethod
    def _order(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sorted labels in the order of their indices."""

    @abstractmethod
    def _lay_out(self) -> None:
        """Build what `read` and `write` need from `counts_`."""

    @classmethod
    def of(cls, counts: ArrayLike) -> Self:
        """The code of the classes 0 … len(counts) - 1, of which class k was seen counts[k] ≥ 1 times."""
        counts = np.asarray(counts, dtype=np.int64)
        return cls()._learn(np.arange(len(counts)), counts)

    def fit(self, values: NDArray[Any]) -> Self:
        """Learn the labels; see `Labels.fit`."""
        labels = Labels().fit(values)
        return self._learn(labels.values_, np.bincount(labels.encode(values)[:, 0]).astype(np.int64))

    def _learn(self, values: NDArray[Any], counts: NDArray[np.int64]) -> Self:
        order = self._order(counts)
        return self._set(Labels.of(values[order]), counts[order])

    def _set(self, labels: Labels, counts: NDArray[np.int64]) -> Self:
        require(counts.shape == labels.num_classes and bool((counts > 0).all()), "every label needs a count from 1 on")
        self.labels_, self.counts_ = labels, counts
        self._lay_out()
        return self

    def encode(self, values: NDArray[Any]) -> Codes:
        """Words (rows, width); raises ValueError for a label that `fit` did not see."""
        return self.write(to_tensor(self.labels_.encode(values)[:, 0])).numpy()

    def decode(self, codes: Codes, rng: np.random.Generator) -> NDArray[Any]:
        """Labels (rows,) of any words (rows, width)."""
        return self.labels_.decode(self.read(to_tensor(codes)).numpy()[:, None], rng)

    def canonical(self, bits: Tensor) -> Tensor:
        return self.write(self.read(bits)).to(bits.dtype)

    def to_json(self) -> dict[str, Any]:
        """Labels and counts in the order of their indices."""
        return {"labels": self.labels_.to_json(), "counts": self.counts_.tolist()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if labels or counts are malformed."""
        with reading(cls):
            return cls()._set(Labels.from_json(data["labels"]), np.array(data["counts"], dtype=np.int64))


def frequent_first(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers 0 … len(counts) - 1 by falling count, equal counts in their own order."""
    return np.argsort(-counts, kind="stable")
