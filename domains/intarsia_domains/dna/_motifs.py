"""Motifs as letter probabilities, out of MEME and JASPAR files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import SETS
from intarsia_domains.dna._fasta import open_text
from intarsia_domains.dna._sequence_error import SequenceError


@dataclass(frozen=True, eq=False)
class Motif:
    """A position weight matrix.

    Args:
        name: identifier, such as MA0139.2.
        title: what people call it, such as CTCF.
        probs: of A, C, G, T at every place, (width, 4).
    """

    name: str
    title: str
    probs: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Number of places."""
        return len(self.probs)

    def consensus(self, share: float = 0.8) -> str:
        """IUPAC code of the fewest bases a place that hold `share` of its probability."""
        order = np.argsort(-self.probs, axis=1, kind="stable")
        held = np.take_along_axis(self.probs, order, 1).cumsum(1)
        few = (held < share - 1e-9).sum(1) + 1
        sets = np.zeros((self.width, 4), dtype=bool)
        for place, count in enumerate(few):
            sets[place, order[place, :count]] = True
        codes = [int(np.flatnonzero((place == SETS).all(1))[0]) for place in sets]
        return "".join("ACGT-RYSWKMBDHVN"[code] for code in codes)

    def information(self) -> NDArray[np.float64]:
        """Bits a place against uniform bases, (width,)."""
        p = np.where(self.probs > 0, self.probs, 1.0)
        return 2.0 + (p * np.log2(p)).sum(1)

    def reverse_complement(self) -> "Motif":
        """The motif on the other strand."""
        return Motif(self.name, self.title, self.probs[::-1, ::-1])


def read_motifs(path: str | Path) -> list[Motif]:
    """Read a MEME file (version 4) or a JASPAR file of counts, gzipped or not.

    Raises:
        SequenceError: it is neither, or a matrix is damaged; the line is named.
    """
    with open_text(path) as text:
        lines = [(number, line.strip()) for number, line in enumerate(text, start=1) if line.strip()]
    if lines and lines[0][1].startswith("MEME version"):
        motifs = list(_meme(lines, path))
    elif lines and lines[0][1].startswith(">"):
        motifs = list(_jaspar(lines, path))
    else:
        raise SequenceError(f"{path} begins neither with 'MEME version' nor with '>' and a motif's name")
    if not motifs:
        raise SequenceError(f"{path} holds no motif")
    return motifs


def _meme(lines: list[tuple[int, str]], path: str | Path) -> Iterator[Motif]:
    names, rows, left = list[str](), list[list[float]](), -1
    for number, line in lines:
        if line.startswith("MOTIF"):
            if left > 0:
                raise SequenceError(f"{path}, line {number}: {names[0]} misses {left} rows of its matrix")
            names, left = line.split()[1:3], -1
            if not names:
                raise SequenceError(f"{path}, line {number}: a motif has no name")
        elif line.startswith("letter-probability matrix") and names:
            words = line.replace("=", "= ").split()
            left, rows = int(words[words.index("w=") + 1]) if "w=" in words else -2, []
        elif (left > 0 or left == -2) and names:
            rows.append(_numbers(line, number, path, 4))
            left -= 1 if left > 0 else 0
            if left == 0:
                yield Motif(names[0], names[-1], _probs(rows))
    if left > 0:
        raise SequenceError(f"{path} ends within the matrix of {names[0]}, which misses {left} rows")


def _jaspar(lines: list[tuple[int, str]], path: str | Path) -> Iterator[Motif]:
    at = 0
    while at < len(lines):
        number, header = lines[at]
        words = header[1:].split()
        block = lines[at + 1 : at + 5]
        if not header.startswith(">") or not words or len(block) < 4:
            raise SequenceError(f"{path}, line {number}: a JASPAR motif is '>' and a name, and a line for each of ACGT")
        counts = [_numbers(line.lstrip("ACGTacgt").strip("[] \t"), place, path) for place, line in block]
        if len({len(row) for row in counts}) != 1 or not counts[0]:
            raise SequenceError(f"{path}, line {number}: the four lines of {words[0]} differ in length")
        if min(map(sum, zip(*counts, strict=True))) <= 0:
            raise SequenceError(f"{path}, line {number}: a place of {words[0]} has no counts")
        yield Motif(words[0], words[-1], _probs(np.array(counts).T.tolist()))
        at += 5


def _numbers(line: str, number: int, path: str | Path, count: int | None = None) -> list[float]:
    try:
        row = [float(word) for word in line.replace("[", " ").replace("]", " ").split()]
    except ValueError:
        row = []
    if not row or (count is not None and len(row) != count) or min(row) < 0 or (count is not None and sum(row) <= 0):
        raise SequenceError(f"{path}, line {number}: expected numbers from 0, got {line[:40]!r}")
    return row


def _probs(rows: list[list[float]]) -> NDArray[np.float64]:
    array = np.array(rows)
    return array / array.sum(1, keepdims=True)
