"""What every designed sequence must keep: parts that are compiled into the sampler, see `compile_constraints`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from intarsia_domains.dna._alphabet import DNA, SETS, Bools, reverse_complement
from intarsia_domains.dna._sequence_error import SequenceError


class AbstractConstraint(ABC):
    """One requirement on a sequence, said in the terms that the compiler knows; methods have neutral defaults."""

    @abstractmethod
    def __str__(self) -> str:
        """What messages call it."""

    def lengths(self) -> tuple[int, int | None]:
        """Fewest and most letters (None: any number)."""
        return 0, None

    def sites(self, length: int) -> Bools | None:
        """Which bases each of the first `length` sites may have, (length, 4)."""
        return None

    def banned(self) -> list[Bools]:
        """Patterns (m, 4) that must not occur anywhere."""
        return []

    def wanted(self) -> list[Bools]:
        """Patterns (m, 4) of which at least one must occur; none if nothing must."""
        return []

    def gc(self, length: int) -> tuple[int, int]:
        """Fewest and most letters C and G in a sequence of `length`."""
        return 0, length

    def refusal(self, length: int) -> str | None:
        """Why no sequence of at most `length` letters keeps it, as the end of a sentence; None if some may."""
        low = self.lengths()[0]
        return f"needs {low} letters, and a sequence has at most {length}" if low > length else None


@dataclass(frozen=True, slots=True)
class Keep(AbstractConstraint):
    """The letters from site `at` on match `pattern`: fixed flanks, IUPAC patterns, a motif at a given place.

    Args:
        pattern: bases and IUPAC codes; N leaves a site free.
        at: 0-based site of its first letter.
    """

    pattern: str
    at: int = 0

    def __post_init__(self) -> None:
        _pattern(self.pattern)
        if self.at < 0:
            raise SequenceError(f"the pattern {self.pattern} starts at site {self.at}; sites count from 0")

    def lengths(self) -> tuple[int, int | None]:
        return self.at + len(self.pattern), None

    def sites(self, length: int) -> Bools | None:
        free = np.ones((length, 4), dtype=bool)
        free[self.at : self.at + len(self.pattern)] = _pattern(self.pattern)[: max(length - self.at, 0)]
        return free

    def __str__(self) -> str:
        return f"the pattern {self.pattern} at site {self.at}"


@dataclass(frozen=True, slots=True)
class Require(AbstractConstraint):
    """The motif occurs somewhere.

    Args:
        motif: bases and IUPAC codes.
        both_strands: whether its reverse complement will do as well.
    """

    motif: str
    both_strands: bool = False

    def __post_init__(self) -> None:
        _pattern(self.motif)

    def lengths(self) -> tuple[int, int | None]:
        return len(self.motif), None

    def wanted(self) -> list[Bools]:
        return _strands(self.motif, self.both_strands)

    def __str__(self) -> str:
        return f"the required motif {self.motif}"


@dataclass(frozen=True, slots=True)
class Avoid(AbstractConstraint):
    """The motif occurs nowhere: restriction sites, start codons, ….

    Args:
        motif: bases and IUPAC codes.
        both_strands: whether its reverse complement is forbidden too.
    """

    motif: str
    both_strands: bool = True

    def __post_init__(self) -> None:
        _pattern(self.motif)

    def banned(self) -> list[Bools]:
        return _strands(self.motif, self.both_strands)

    def __str__(self) -> str:
        return f"the forbidden motif {self.motif}"


@dataclass(frozen=True, slots=True)
class MaxRun(AbstractConstraint):
    """No base stands more than `most` times in a row.

    Args:
        most: from 1.
    """

    most: int

    def __post_init__(self) -> None:
        if self.most < 1:
            raise SequenceError(f"a run has at least 1 letter, got a maximum of {self.most}")

    def banned(self) -> list[Bools]:
        return [_pattern(base * (self.most + 1)) for base in DNA.letters]

    def __str__(self) -> str:
        return f"runs of at most {self.most}"


@dataclass(frozen=True, slots=True)
class GCWindow(AbstractConstraint):
    """The share of C and G lies in a window, ends included.

    Args:
        low: least share, 0 to 1.
        high: largest share, from `low` to 1.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= 1.0:
            raise SequenceError(f"a GC window has 0 <= low <= high <= 1, got {self.low:g} to {self.high:g}")

    def gc(self, length: int) -> tuple[int, int]:
        # shares such as 0.55 x 100 must not be lost to rounding
        return int(np.ceil(self.low * length - 1e-9)), int(np.floor(self.high * length + 1e-9))

    def refusal(self, length: int) -> str | None:
        return None

    def __str__(self) -> str:
        return f"a GC share of {100 * self.low:g} to {100 * self.high:g} %"


@dataclass(frozen=True, slots=True)
class Length(AbstractConstraint):
    """The sequence has `low` to `high` letters; one number for an exact length.

    Args:
        low: fewest letters, from 1.
        high: most letters; by default `low`.
    """

    low: int
    high: int | None = None

    def __post_init__(self) -> None:
        if self.low < 1 or (self.high is not None and self.high < self.low):
            raise SequenceError(f"a length has 1 <= low <= high, got {self.low} to {self.high}")

    def lengths(self) -> tuple[int, int | None]:
        return self.low, self.low if self.high is None else self.high

    def __str__(self) -> str:
        low, high = self.lengths()
        return f"a length of {low}" if low == high else f"a length of {low} to {high}"


def _pattern(motif: str) -> Bools:
    """Which bases each letter of a motif stands for, (m, 4)."""
    if not motif:
        raise SequenceError("a motif has at least one letter, got an empty text")
    return SETS[DNA.encode(motif, motif)]


def _strands(motif: str, both: bool) -> list[Bools]:
    forward = _pattern(motif)
    other = SETS[reverse_complement(DNA.encode(motif, motif))]
    return [forward] if not both or np.array_equal(forward, other) else [forward, other]
