"""Many sequences as one padded array of codes, with their names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia_domains.dna._alphabet import BASES, COMPLEMENT, DNA, PAD, SETS, Alphabet, Bools, Codes, detect
from intarsia_domains.dna._sequence_error import SequenceError


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of equal or different lengths.

    Args:
        names: one each, (rows,).
        codes: uint8 (rows, longest): 0 to 3 are bases, 4 is padding behind the end, 5 to 15 are sets of bases.
        lengths: letters of each, (rows,).
        alphabet: how they are written.

    Raises:
        SequenceError: parts that do not fit, or a sequence without letters.

    >>> Sequences.of(["ACGTN", "gga"]).texts()
    ['ACGTN', 'GGA']
    """

    names: tuple[str, ...]
    codes: Codes
    lengths: NDArray[np.int64]
    alphabet: Alphabet = DNA

    def __post_init__(self) -> None:
        rows = len(self.names)
        if self.codes.ndim != 2 or len(self.codes) != rows or self.lengths.shape != (rows,):
            raise SequenceError(
                f"{rows} names need codes (rows, length) and as many lengths, got {self.codes.shape} and "
                f"{self.lengths.shape}"
            )
        empty = np.flatnonzero(self.lengths == 0)
        if empty.size:
            raise SequenceError(f"{self.names[int(empty[0])]!r} is an empty sequence; leave it out")

    @classmethod
    def of(
        cls, texts: Sequence[str], names: Sequence[str] | None = None, alphabet: Alphabet | None = None
    ) -> "Sequences":
        """Read texts; the alphabet is detected where it is not given.

        Args:
            texts: bases and IUPAC codes in upper or lower case; blanks at the ends are ignored.
            names: one each; by default "sequence 1", "sequence 2", ….
            alphabet: DNA or RNA. Then T and U are the same letter, and only one text with both is refused.

        Raises:
            SequenceError: no sequence, an empty one, another letter, a gap, or mixed alphabets; the sequence and the
                position, counted from 1, are named.
        """
        if isinstance(texts, str):
            raise SequenceError("`texts` must be a list of sequences, got one text; put it into a list")
        names = [f"sequence {row}" for row in range(1, len(texts) + 1)] if names is None else list(names)
        if not len(texts) or len(names) != len(texts):
            raise SequenceError(
                f"got {len(texts)} sequences and {len(names)} names; give at least one, and one name each"
            )
        other = next((row for row, text in enumerate(texts) if not isinstance(text, str)), None)
        if other is not None:
            raise SequenceError(f"{names[other]!r} must be a text, got {type(texts[other]).__name__}: {texts[other]!r}")
        stripped = [text.strip() for text in texts]
        alphabet = detect(stripped, names) if alphabet is None else alphabet
        flat, lengths = alphabet.encode_many(stripped, names)
        codes = np.full((len(texts), int(lengths.max())), PAD, dtype=np.uint8)
        codes[np.arange(codes.shape[1]) < lengths[:, None]] = flat
        return cls(tuple(names), codes, lengths, alphabet)

    @classmethod
    def from_codes(cls, codes: ArrayLike, names: Sequence[str] | None = None, alphabet: Alphabet = DNA) -> "Sequences":
        """Take an array of codes (rows, length), padded with 4 behind the end of short rows.

        Raises:
            SequenceError: codes out of range, or padding inside of a sequence.
        """
        array = np.asarray(codes)
        if array.ndim != 2 or not len(array) or (array.size and (array.min() < 0 or array.max() >= len(SETS))):
            raise SequenceError(f"codes are (rows, length), at least one row, 0 to {len(SETS) - 1}, got {array.shape}")
        array = array.astype(np.uint8)
        lengths = (array != PAD).sum(1)
        names = [f"sequence {row}" for row in range(1, len(array) + 1)] if names is None else list(names)
        inside = np.flatnonzero(((array == PAD) & (np.arange(array.shape[1]) < lengths[:, None])).any(1))
        if inside.size:
            raise SequenceError(f"{names[int(inside[0])]!r} has padding before its end; move it behind the last base")
        return cls(tuple(names), array, lengths, alphabet)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, rows: ArrayLike | slice) -> "Sequences":
        """Some rows, by numbers, bools or a slice; as wide as the longest of them."""
        chosen = np.atleast_1d(np.arange(len(self))[rows])  # pyright: ignore[reportArgumentType, reportCallIssue]
        names, lengths = tuple(self.names[row] for row in chosen), self.lengths[chosen]
        width = int(lengths.max()) if len(lengths) else self.codes.shape[1]
        return Sequences(names, self.codes[chosen, :width], lengths, self.alphabet)

    def equals(self, other: object) -> bool:
        """Whether names, letters and alphabet are the same."""
        if not isinstance(other, Sequences) or (self.names, self.alphabet) != (other.names, other.alphabet):
            return False
        return self.codes.shape == other.codes.shape and bool((self.codes == other.codes).all())

    def texts(self) -> list[str]:
        """The sequences as text, upper case."""
        return self.alphabet.decode(self.codes, self.lengths)

    def is_known(self) -> Bools:
        """Rows of bases alone, without sets of bases, (rows,)."""
        return np.asarray((self.codes <= PAD).all(1))

    def known(self) -> "Sequences":
        """The rows of bases alone: what a model can be trained on.

        Raises:
            SequenceError: there is none.
        """
        if not self.is_known().any():
            raise SequenceError(f"each of {len(self)} sequences has letters other than {self.alphabet.letters}")
        return self[self.is_known()]

    def allowed(self) -> Bools:
        """Which bases each site may have, (rows, longest, 4): partial evidence. None behind the end."""
        return SETS[self.codes]

    def reverse_complement(self) -> "Sequences":
        """The other strands, padded behind their ends."""
        # reverse the letters in front of the padding only
        place = self.lengths[:, None] - 1 - np.arange(self.codes.shape[1])
        codes = np.take_along_axis(COMPLEMENT[self.codes], np.where(place >= 0, place, 0), 1)
        return Sequences(self.names, np.where(place >= 0, codes, PAD).astype(np.uint8), self.lengths, self.alphabet)

    def gc(self) -> NDArray[np.float64]:
        """Share of G and C among the known bases of each row, (rows,); NaN where none is known."""
        known = (self.codes < BASES).sum(1)
        strong = ((self.codes == 1) | (self.codes == 2)).sum(1)
        return np.where(known > 0, strong / np.maximum(known, 1), np.nan)
