"""Lists of solved 9 x 9 puzzles: reading them, and keeping the held-out tenth of all solution grids apart."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._canonical import fingerprints, is_solution
from ._lessons import Examples

HELD_OUT = 0.1
"""Share of all solution grids, up to symmetry, that no training sees."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A list in two parts that share no solution grid, not even up to symmetry."""

    train: Examples
    test: Examples


def read_examples(path: str | Path) -> Examples:
    """Solved 9 x 9 puzzles of a CSV file, which may be gzipped, with columns `puzzle` and `solution`.

    Raises:
        ValueError: a column is missing, or a line holds no puzzle with its solution; the line is named.
        OSError: the file cannot be read.
    """
    data = Path(path).read_bytes()
    text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text))
    missing = {"puzzle", "solution"} - set(rows.fieldnames or ())
    if missing:
        raise ValueError(f"{path} has no column {' and no column '.join(sorted(missing))}")
    lines = [(row["puzzle"] or "", row["solution"] or "") for row in rows]
    for number, (puzzle, solution) in enumerate(lines, start=1):
        if len(puzzle) != 81 or len(solution) != 81 or not (puzzle.replace(".", "0") + solution).isdecimal():
            raise ValueError(f"puzzle {number} of {path} is not 81 cells with a solution of 81 digits")
    if not lines:
        raise ValueError(f"{path} holds no puzzle")
    given, states = (_digits([line[k] for line in lines]) for k in (0, 1))
    wrong = np.flatnonzero(~is_solution(states.astype(np.int64) + 1))
    if wrong.size:
        raise ValueError(f"the solution of puzzle {wrong[0] + 1} of {path} breaks the rules")
    return Examples(given, states)


def marked(states: np.ndarray) -> np.ndarray:
    """Fingerprints of full 9 x 9 grids, indices of values (n, 81): equal where grids are the same up to symmetry."""
    return np.array(fingerprints(states.astype(np.int64) + 1), dtype=np.uint64)


def split(examples: Examples, marks: np.ndarray, foreign: np.ndarray | Sequence[int] = ()) -> Parts:
    """Training and held-out part of a list.

    Args:
        examples: the list.
        marks: what `marked` gives for their solutions.
        foreign: fingerprints of test-only lists, left out of training as well.
    """
    out = marks < np.uint64(HELD_OUT * 2.0**64)
    return Parts(examples.take(~out & ~np.isin(marks, np.asarray(foreign, dtype=np.uint64))), examples.take(out))


def pieces(examples: Examples, size: int) -> Iterator[Examples]:
    """The list, some at a time."""
    return (examples.take(np.arange(i, min(i + size, len(examples)))) for i in range(0, len(examples), size))


def _digits(texts: Sequence[str]) -> np.ndarray:
    """Indices of values, -1 for blank, (n, 81)."""
    codes = np.frombuffer("".join(texts).replace(".", "0").encode("ascii"), dtype=np.uint8)
    return (codes.reshape(-1, 81).astype(np.int8) - 49).astype(np.int8)
