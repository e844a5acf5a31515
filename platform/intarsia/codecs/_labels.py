"""Labels as classes."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from intarsia.codecs._base import AbstractCodec, Codes
from intarsia.codecs._reading import reading, require


class Labels(AbstractCodec):
    """A label's class: its place among the different labels, which are sorted.

    Labels are an array (rows,) of text (fixed width, or objects that are `str`), integers, booleans or finite floats.
    One class a label is what categorical noise works on and a one-hot vector holds; see `AbstractLabelBits` for bits.
    """

    values_: NDArray[Any]

    @classmethod
    def of(cls, values: NDArray[Any]) -> Self:
        """Classes of these labels in this order; raises ValueError if two are equal or there are none."""
        return cls()._set(_plain(values))

    def _set(self, values: NDArray[Any]) -> Self:
        self.values_ = values
        self._sorter = np.argsort(values, kind="stable")
        ordered = values[self._sorter]
        different = len(values) > 0 and bool((ordered[1:] != ordered[:-1]).all())
        require(different, f"the {len(values)} labels must be different, and at least one")
        return self

    @property
    def num_classes(self) -> tuple[int, ...]:
        """Different labels."""
        return (len(self.values_),)

    def fit(self, values: NDArray[Any]) -> Self:
        """Learn the labels; raises ValueError if there are none or some are not finite, TypeError for other types."""
        return self._set(np.unique(_plain(values)))

    def encode(self, values: NDArray[Any]) -> Codes:
        """Classes (rows, 1); raises ValueError for a label that `fit` did not see."""
        values = _plain(values)
        text = values.dtype.kind in "UO", self.values_.dtype.kind in "UO"
        require(text[0] == text[1], f"labels are {self.values_.dtype}, got {values.dtype}")
        place = np.searchsorted(self.values_, values, sorter=self._sorter)
        codes = self._sorter[np.minimum(place, len(self.values_) - 1)]
        unseen = self.values_[codes] != values
        if unseen.any():
            raise ValueError(f"{values[int(np.argmax(unseen))]!r} is none of the {len(self.values_)} labels seen")
        return codes.astype(np.int64)[:, None]

    def decode(self, codes: Codes, rng: np.random.Generator) -> NDArray[Any]:
        """Labels (rows,) of classes (rows, 1)."""
        return self.values_[codes[:, 0]]

    def to_json(self) -> dict[str, Any]:
        """Labels in the order of their classes."""
        return {"dtype": self.values_.dtype.str, "values": self.values_.tolist()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if the labels are malformed."""
        with reading(cls):
            require(isinstance(data["dtype"], str), f"{data['dtype']!r} is no dtype")
            values = np.array(data["values"], dtype=data["dtype"])
            # text that is cut off and numbers that are rounded would come back different
            require(values.tolist() == data["values"], f"the labels are no {values.dtype}")
            return cls.of(values)


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Labels of a type that can be sorted, compared and written down."""
    kind = values.dtype.kind
    if values.ndim != 1 or kind not in "biufUO" or (kind == "O" and not all(isinstance(v, str) for v in values)):
        raise TypeError(f"labels are an array (rows,) of text, numbers or booleans, got {values.dtype} {values.shape}")
    if kind == "f" and not np.isfinite(values).all():
        raise ValueError("labels must be finite; give missing ones a label of their own")
    return values
