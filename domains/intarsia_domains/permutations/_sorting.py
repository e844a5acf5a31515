"""Sorting numbers that are written as images of digits."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from intarsia_domains.permutations._encoders_items import Parts


@dataclass(frozen=True, eq=False)
class DigitSorting:
    """Sets of numbers, each several images of digits side by side, all different; the order is from small to large.

    Calling it makes training sets for `Arranger.fit`. Every batch uses a small bank of images, so that an image is
    read once and serves many numbers.

    Args:
        images: digits (m, height, width), values from 0 to 1.
        labels: which digit each is, (m,).
        n: numbers of a set.
        digits: of a number.
        bank: images of a batch; 0 for all.
        close: share of sets whose numbers have few different digits at some leading places, so that the later places
            decide. For training only: in random sets the last digits hardly ever matter, and are learned late.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    n: int = 9
    digits: int = 4
    bank: int = 256
    close: float = 0.0

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels) or self.images.ndim != 3:
            raise ValueError(
                f"expected images (m, height, width) and a label for each, got {self.images.shape} and "
                f"{self.labels.shape}"
            )
        if not set(range(10)) <= set(self.labels.tolist()):
            raise ValueError("the images must show each of the digits 0 to 9")
        if not 2 <= self.n <= 10**self.digits // 2:
            raise ValueError(f"{self.n} different numbers of {self.digits} digits are too few or too many for a set")

    def __call__(self, rows: int, rng: np.random.Generator) -> tuple[Parts, NDArray[np.int64]]:
        """Make `rows` sets: items as parts of the bank, and their order."""
        bank = self._drawn_bank(rng)
        shown = self._drawn_numbers(rows, rng)
        values = (shown * 10 ** np.arange(self.digits)[::-1]).sum(-1)
        count = np.bincount(self.labels[bank], minlength=10)
        index = (count.cumsum() - count)[shown] + (rng.random(shown.shape) * count[shown]).astype(np.int64)
        pictures = torch.from_numpy(self.images[bank, None].astype(np.float32))
        return Parts(pictures, torch.from_numpy(index)), values.argsort(1)

    def _drawn_bank(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Images by digit; every digit is there."""
        every = len(self.images)
        bank = np.arange(every)
        if 0 < self.bank < every:
            bank = rng.choice(every, self.bank, replace=False)
            for _ in range(1000):
                if len(np.unique(self.labels[bank])) == 10:
                    break
                bank = rng.choice(every, self.bank, replace=False)
            else:
                raise ValueError(f"a bank of {self.bank} images does not show all ten digits; enlarge `bank`")
        return bank[self.labels[bank].argsort(kind="stable")]

    def _drawn_numbers(self, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """The digits of different numbers, uniform over those that a set may have, (rows, n, digits)."""
        leading = np.where(rng.random(rows) < self.close, rng.integers(1, max(self.digits, 2), rows), 0)
        # so many digits at a leading place that there are twice as many numbers as are wanted
        free = 10.0 ** (self.digits - leading)
        few = np.ceil((2 * self.n / free) ** (1 / np.maximum(leading, 1))).clip(1, 10)
        allowed = rng.random((rows, self.digits, 10)).argsort(2)  # the first `few` of these
        size = np.where(np.arange(self.digits) < leading[:, None], few[:, None], 10.0)
        found = np.empty((rows, self.n, self.digits), np.int64)
        missing = np.arange(rows)
        while len(missing):
            many = rng.random((len(missing), 4 * self.n, self.digits)) * size[missing, None]
            shown = np.take_along_axis(allowed[missing].swapaxes(1, 2), many.astype(np.int64), 1)
            first, enough = _first_different((shown * 10 ** np.arange(self.digits)).sum(2), self.n)
            found[missing[enough]] = np.take_along_axis(shown, first[:, :, None], 1)[enough]
            missing = missing[~enough]
        return found

    def numbers(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers that images (…, digits) of the whole collection show."""
        return (self.labels[index] * 10 ** np.arange(self.digits)[::-1]).sum(-1)


def _first_different(values: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where the first `n` different values of each row are, (rows, n), and whether there are so many."""
    order = values.argsort(1, kind="stable")
    rising = np.take_along_axis(values, order, 1)
    repeated = np.zeros(values.shape, bool)
    np.put_along_axis(repeated, order[:, 1:], rising[:, 1:] == rising[:, :-1], 1)
    return repeated.argsort(1, kind="stable")[:, :n], (~repeated).sum(1) >= n
