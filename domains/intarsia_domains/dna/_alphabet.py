"""Letters of DNA and RNA as small integers: four bases, a padding code, and the IUPAC codes of sets of bases.

Codes are uint8: A, C, G, T (or U) are 0 to 3, so the complement of a base is 3 minus it; 4 is padding behind the end of
a sequence; 5 to 15 are sets of two, three or four bases (NC-IUB 1984), which are partial evidence, never data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._sequence_error import SequenceError

Codes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

BASES, PAD, N = 4, 4, 15
_MEMBERS = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"}
_MEMBERS |= {"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"}
_LETTERS = "ACGT-" + "".join(_MEMBERS)
_GAPS = "-.~"
_BAD, _GAP = 255, 254


def _sets() -> Bools:
    sets = np.zeros((16, 4), dtype=bool)
    sets[range(4), range(4)] = True
    for code, members in enumerate(_MEMBERS.values(), start=PAD + 1):
        sets[code, ["ACGT".index(base) for base in members]] = True
    return sets


SETS: Bools = _sets()
"""Which of A, C, G, T each code stands for, (16, 4); padding stands for none."""


def _complements() -> Codes:
    code_of = {members.tobytes(): code for code, members in enumerate(SETS)}
    return np.array([code_of[members[::-1].tobytes()] for members in SETS], dtype=np.uint8)


COMPLEMENT: Codes = _complements()
"""The code of the complementary set of each code, (16,); padding is its own."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Text to codes and back.

    Args:
        name: what messages call it.
        last: the letter of code 3, T or U.
    """

    name: str
    last: str

    @property
    def letters(self) -> str:
        """The four bases by code."""
        return "ACG" + self.last

    def encode(self, text: str, name: str = "sequence") -> Codes:
        """Codes of one text, (length,); upper and lower case are the same, and T and U too.

        Raises:
            SequenceError: a gap or another letter (its place is named), or both T and U in one text.
        """
        return self.encode_many([text], [name])[0]

    def encode_many(self, texts: Sequence[str], names: Sequence[str]) -> tuple[Codes, NDArray[np.int64]]:
        """Codes of many texts one behind the other, (sum of lengths,), and their lengths.

        Raises:
            SequenceError: as `encode`; the first offender is named.
        """
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        raw = np.frombuffer("".join(texts).encode("latin-1", "replace"), dtype=np.uint8)
        codes = _TABLE[raw]
        wrong = np.flatnonzero(codes >= _GAP)
        if wrong.size:
            raise _refusal(int(wrong[0]), texts, names, lengths, self)
        _refuse_mixture(raw, texts, names, lengths)
        return codes, lengths

    def decode(self, codes: Codes, lengths: NDArray[np.int64] | None = None) -> list[str]:
        """Texts of padded codes (rows, length); by default each ends before its first padding."""
        codes = np.asarray(codes, dtype=np.uint8)
        if codes.ndim != 2 or (codes.size and codes.max() > N):
            raise ValueError(f"codes are (rows, length) with entries 0 to {N}, got {codes.dtype} of {codes.shape}")
        padded = codes == PAD
        ends = np.where(padded.any(1), padded.argmax(1), codes.shape[1]) if lengths is None else lengths
        table = np.frombuffer(_LETTERS.replace("T", self.last, 1).encode(), dtype=np.uint8)
        text, width = table[codes].tobytes().decode(), codes.shape[1]
        return [text[row * width : row * width + int(length)] for row, length in enumerate(ends)]


DNA, RNA = Alphabet("DNA", "T"), Alphabet("RNA", "U")


def detect(texts: Sequence[str], names: Sequence[str]) -> Alphabet:
    """RNA where some text has a U, DNA otherwise.

    Raises:
        SequenceError: one text has T and another has U.
    """
    upper = [text.upper() for text in texts]
    with_u = next((row for row, text in enumerate(upper) if "U" in text), None)
    with_t = next((row for row, text in enumerate(upper) if "T" in text), None)
    if with_u is None or any("T" in text and "U" in text for text in upper):
        return DNA  # one text that has both is refused with its place, when it is read
    if with_t is not None:
        raise SequenceError(
            f"mixed alphabets: {names[with_t]!r} has T and {names[with_u]!r} has U; say which one is meant with "
            "`alphabet=DNA` or `alphabet=RNA`, or keep DNA and RNA apart"
        )
    return RNA


def reverse_complement(codes: Codes) -> Codes:
    """The other strand of codes (..., length) without padding, sets of bases included."""
    return COMPLEMENT[np.asarray(codes, dtype=np.uint8)][..., ::-1]


def _lookup() -> Codes:
    table = np.full(256, _BAD, dtype=np.uint8)
    for code, letter in enumerate(_LETTERS):
        if code != PAD:
            table[[ord(letter), ord(letter.lower())]] = code
    table[[ord("U"), ord("u")]] = 3
    table[[ord(gap) for gap in _GAPS]] = _GAP
    return table


_TABLE = _lookup()


def _place(at: int, lengths: NDArray[np.int64]) -> tuple[int, int]:
    """Text and offset in it of the letter `at` of all texts together."""
    ends = np.cumsum(lengths)
    row = int(np.searchsorted(ends, at, side="right"))
    return row, at - int(ends[row] - lengths[row])


def _refusal(
    at: int, texts: Sequence[str], names: Sequence[str], lengths: NDArray[np.int64], alphabet: Alphabet
) -> SequenceError:
    row, offset = _place(at, lengths)
    letter = texts[row][offset]
    if letter in _GAPS:
        return SequenceError(
            f"{names[row]!r} has a gap {letter!r} at position {offset + 1}; take gaps out, or write N for a base"
        )
    return SequenceError(
        f"{names[row]!r} has {letter!r} at position {offset + 1}, which is no letter of {alphabet.name}; "
        f"use {alphabet.letters} or the IUPAC codes {''.join(_MEMBERS)}"
    )


def _refuse_mixture(raw: Codes, texts: Sequence[str], names: Sequence[str], lengths: NDArray[np.int64]) -> None:
    """Refuse a text that has both T and U."""
    upper = raw & 0xDF  # the bit that tells lower from upper case
    t, u = np.flatnonzero(upper == ord("T")), np.flatnonzero(upper == ord("U"))
    if not (t.size and u.size):
        return
    owner = np.repeat(np.arange(len(texts)), lengths)
    both = np.intersect1d(owner[t], owner[u])
    if both.size:
        row = int(both[0])
        at = int(u[owner[u] == row][0])
        raise SequenceError(
            f"{names[row]!r} has both T and U (U at position {_place(at, lengths)[1] + 1}); write it as DNA or as RNA"
        )
