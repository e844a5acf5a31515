"""The law of lengths: sequences of one length have that one; others what was seen, smoothed between the ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._sequence_error import SequenceError

Floats = NDArray[np.float64]
_SMOOTH = 0.5


@dataclass(frozen=True)
class Lengths:
    """p(length), a part of p(sequence) = p(length) p(letters | length). It does not depend on conditions.

    Args:
        shortest: letters of the shortest training sequence.
        counts: training sequences of that length and of those that follow, to the longest.
    """

    shortest: int
    counts: tuple[int, ...]

    @classmethod
    def fit(cls, lengths: NDArray[np.int64]) -> "Lengths":
        """Count lengths (rows,)."""
        low = int(lengths.min())
        return cls(low, tuple(int(count) for count in np.bincount(lengths - low)))

    @property
    def longest(self) -> int:
        """Letters of the longest training sequence."""
        return self.shortest + len(self.counts) - 1

    @property
    def law(self) -> Floats:
        """Probabilities of `shortest` to `longest`; half a sequence is added to each (Jeffreys' prior)."""
        counts = np.array(self.counts) + (_SMOOTH if len(self.counts) > 1 else 0.0)
        return counts / counts.sum()

    def draw(self, rows: int, rng: np.random.Generator, among: Sequence[int] | None = None) -> NDArray[np.int64]:
        """Lengths of new sequences, (rows,), by their law, `among` some of them."""
        values, law = np.arange(self.shortest, self.longest + 1), self.law
        if among is not None:
            law = np.where(np.isin(values, among), law, 0.0)
        return rng.choice(values, size=rows, p=law / law.sum())

    def log_prob(self, lengths: NDArray[np.int64], names: Sequence[str]) -> Floats:
        """Nats, (rows,).

        Raises:
            SequenceError: a length that the model does not have.
        """
        self.check(lengths, names)
        return np.log(self.law[lengths - self.shortest])

    def check(self, lengths: NDArray[np.int64], names: Sequence[str]) -> None:
        """Refuse lengths that the model does not have; the first such sequence is named."""
        wrong = np.flatnonzero((lengths < self.shortest) | (lengths > self.longest))
        if wrong.size:
            row = int(wrong[0])
            raise SequenceError(f"{names[row]!r} has {lengths[row]} letters, and the model has {self.about()}")

    def about(self) -> str:
        """The range in words."""
        one = self.shortest == self.longest
        return f"sequences of {self.shortest} letters" if one else f"{self.shortest} to {self.longest} letters"
