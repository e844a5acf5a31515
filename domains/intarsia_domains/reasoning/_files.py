"""Files of puzzles and of solutions, in order."""

import csv
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COLUMNS = ("puzzle", "quizzes")
_HEADER = ("puzzle", "status", "unique", "solution", "nodes")


def read_puzzles(source: str | Path) -> list[str]:
    """Puzzles as text, in order.

    Args:
        source: a `.csv` with a column `puzzle` (or `quizzes`), or any other text with one puzzle per line, where
            what follows a blank, a tab or `#` is a comment; both may be gzipped. `-` is standard input.

    Raises:
        ValueError: the file is empty, damaged, or a CSV without such a column.
        OSError: it cannot be read.
    """
    name, text = text_of_file(source)
    if name.removesuffix(".gz").lower().endswith(".csv"):
        rows = csv.DictReader(io.StringIO(text))
        column = next((column for column in _COLUMNS if column in (rows.fieldnames or ())), None)
        if column is None:
            raise ValueError(f"{name} has no column `puzzle`; it has {', '.join(rows.fieldnames or ()) or 'none'}")
        puzzles = [row[column] or "" for row in rows]
    else:
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        puzzles = [line.split()[0] for line in lines if line and not line.startswith("//")]
    if not puzzles:
        raise ValueError(f"{name} holds no puzzle; write one per line")
    return puzzles


def write_puzzles(puzzles: Sequence[str], path: str | Path, solutions: Sequence[str] | None = None) -> None:
    """A file that `read_puzzles` reads: CSV where the name ends so, else one per line; whole or not at all."""
    from intarsia._atomic import write_atomically

    write_atomically(Path(path), puzzle_text(puzzles, str(path).endswith(".csv"), solutions).encode())


def puzzle_text(puzzles: Sequence[str], as_csv: bool, solutions: Sequence[str] | None = None) -> str:
    """Puzzles as lines, or as CSV with their solutions."""
    if not as_csv:
        return "".join(f"{puzzle}\n" for puzzle in puzzles)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["puzzle"] if solutions is None else ["puzzle", "solution"])
    writer.writerows([puzzle] for puzzle in puzzles) if solutions is None else writer.writerows(
        zip(puzzles, solutions, strict=True)
    )
    return out.getvalue()


def read_countdown(source: str | Path) -> list[tuple[list[int], int]]:
    """Numbers and targets of a JSONL file with lines like `{"input": "15,44,79,50"}`; the last number is the target.

    Raises:
        ValueError: a line is no such object; it is named by its number.
    """
    name, text = text_of_file(source)
    problems: list[tuple[list[int], int]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            *numbers, target = (int(word) for word in json.loads(line)["input"].split(","))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f'line {number} of {name} is not like {{"input": "15,44,79,50"}}') from None
        problems.append((numbers, target))
    return problems


@dataclass(frozen=True, slots=True)
class Solved:
    """One line of a file of solutions."""

    puzzle: str
    status: str
    unique: str
    solution: str
    nodes: str


class SolutionFile:
    """A CSV of solutions that can be continued.

    Lines go to a file beside it whose name ends in `.part`, which becomes the file when all are there. Whoever begins
    again with the same puzzles goes on after the last whole line.

    Args:
        path: the file.
        puzzles: all of them, in order.

    Raises:
        ValueError: the file or its part holds solutions of other puzzles.
    """

    def __init__(self, path: str | Path, puzzles: Sequence[str]) -> None:
        self.path = Path(path)
        self.part = self.path.with_name(self.path.name + ".part")
        self._puzzles = puzzles
        present = self.part if self.part.exists() else self.path
        lines = _whole_lines(present)
        self.done = max(0, len(lines) - 1)
        if lines and lines[0] != list(_HEADER):
            raise ValueError(f"{present} is no file of solutions; choose another name")
        for number, (line, puzzle) in enumerate(zip(lines[1:], puzzles, strict=False), start=1):
            if line[0] != puzzle:
                raise ValueError(f"line {number} of {present} solves another puzzle; choose another name")
        if self.done > len(puzzles):
            raise ValueError(f"{present} has {self.done} solutions for {len(puzzles)} puzzles; choose another name")
        if self.done < len(puzzles) or not self.path.exists():
            self.part.write_text(_csv([_HEADER, *lines[1:]]), encoding="utf-8")

    def append(self, solved: Sequence[Solved]) -> None:
        """Write lines that follow; the last one completes the file."""
        rows = [[line.puzzle, line.status, line.unique, line.solution, line.nodes] for line in solved]
        with self.part.open("a", encoding="utf-8") as file:
            file.write(_csv(rows))
            file.flush()
            os.fsync(file.fileno())
        self.done += len(rows)

    def close(self) -> None:
        """Move the file into place if it is whole."""
        if self.done == len(self._puzzles) and self.part.exists():
            self.part.replace(self.path)


def pieces(puzzles: Sequence[str], done: int, size: int) -> Iterator[Sequence[str]]:
    """The puzzles that are left, some at a time."""
    for start in range(done, len(puzzles), size):
        yield puzzles[start : start + size]


def solved_text(solved: Sequence[Solved]) -> str:
    """A file of solutions as text."""
    return _csv([_HEADER, *([s.puzzle, s.status, s.unique, s.solution, s.nodes] for s in solved)])


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _whole_lines(path: Path) -> list[list[str]]:
    """The rows of a file, without a last line that was cut off."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))


def text_of_file(source: str | Path) -> tuple[str, str]:
    """What messages call a file, and its text, which may be gzipped; `-` is standard input."""
    name = "standard input" if str(source) == "-" else str(source)
    data = sys.stdin.buffer.read() if str(source) == "-" else Path(source).read_bytes()
    try:
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        return name, data.decode("utf-8-sig")
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name} is a damaged gzip file ({error}); fetch or compress it again") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not text ({error.reason} at byte {error.start})") from error
