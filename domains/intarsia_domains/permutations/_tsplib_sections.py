"""The parts of a TSPLIB file: `KEY : VALUE` lines, and sections of numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sections:
    """A file taken apart.

    Attributes:
        file: how messages call it.
        facts: values by key.
        sections: numbered lines by the name of their section.
    """

    file: str
    facts: dict[str, str]
    sections: dict[str, list[tuple[int, str]]]

    @classmethod
    def of(cls, file: str, lines: list[str], kind: str) -> "Sections":
        """Take the lines apart; raises ValueError for another TYPE than `kind`, or a line that is neither."""
        found = cls(file, {}, {})
        into: list[tuple[int, str]] | None = None
        for number, line in enumerate(lines, start=1):
            text = line.strip()
            key, colon, value = text.partition(":")
            if not text:
                continue
            if text == "EOF":
                break
            if key.strip().endswith("_SECTION"):
                into = found.sections.setdefault(key.strip(), [])
            elif colon:
                into, found.facts[key.strip().upper()] = None, value.strip()
            elif into is None:
                raise ValueError(f"{file}, line {number}: a line is `KEY : VALUE` or in a section, got {text[:60]!r}")
            else:
                into.append((number, text))
        told = found.facts.get("TYPE", kind).split() or [kind]
        if told[0] != kind:
            raise ValueError(f"{file}: this is of type {told[0]}, not {kind}; only symmetric {kind} files are read")
        return found

    @property
    def dimension(self) -> int:
        """How many cities; raises ValueError where the file does not say, or fewer than three."""
        told = self.facts.get("DIMENSION", "")
        if not told.isdecimal() or int(told) < 3:
            raise ValueError(f"{self.file}: DIMENSION is the number of cities, at least 3, got {told!r}")
        return int(told)

    def lines(self, section: str) -> list[tuple[int, str]]:
        """Numbered lines of a section; raises ValueError where there is none."""
        if section not in self.sections:
            raise ValueError(f"{self.file}: there is no {section}")
        return self.sections[section]


def numbered_points(file: Sections, section: str, n: int) -> NDArray[np.float64]:
    """Coordinates (n, 2) by the numbers of their lines, from 1."""
    points = np.full((n, 2), np.nan)
    for number, text in file.lines(section):
        words = text.split()
        where = f"{file.file}, line {number}"
        if len(words) != 3 or not words[0].isdecimal() or not 1 <= int(words[0]) <= n:
            raise ValueError(f"{where}: a city is `number x y` with a number from 1 to {n}, got {text[:60]!r}")
        city = int(words[0]) - 1
        if not np.isnan(points[city, 0]):
            raise ValueError(f"{where}: city {city + 1} is listed twice")
        points[city] = [_real(word, f"{where}: city {city + 1}") for word in words[1:]]
    if np.isnan(points).any():
        raise ValueError(f"{file.file}: city {int(np.isnan(points[:, 0]).argmax()) + 1} has no line in {section}")
    return points


def whole_numbers(file: Sections, section: str) -> NDArray[np.int64]:
    """All numbers of a section, whatever its lines are."""
    found: list[int] = []
    for number, text in file.lines(section):
        try:
            found.extend(int(word) for word in text.split())
        except ValueError:
            raise ValueError(f"{file.file}, line {number}: expected whole numbers, got {text[:60]!r}") from None
    return np.array(found, dtype=np.int64)


def triangle(file: Sections, n: int) -> NDArray[np.int64]:
    """Explicit weights as a full matrix, (n, n). By columns a triangle is the other one by rows."""
    form = file.facts.get("EDGE_WEIGHT_FORMAT", "")
    values = whole_numbers(file, "EDGE_WEIGHT_SECTION")
    places = {
        "FULL_MATRIX": np.indices((n, n)).reshape(2, -1),
        **dict.fromkeys(("UPPER_ROW", "LOWER_COL"), np.triu_indices(n, 1)),
        **dict.fromkeys(("LOWER_ROW", "UPPER_COL"), np.tril_indices(n, -1)),
        **dict.fromkeys(("UPPER_DIAG_ROW", "LOWER_DIAG_COL"), np.triu_indices(n)),
        **dict.fromkeys(("LOWER_DIAG_ROW", "UPPER_DIAG_COL"), np.tril_indices(n)),
    }
    if form not in places:
        raise ValueError(f"{file.file}: EDGE_WEIGHT_FORMAT is one of {', '.join(places)}, got {form!r}")
    rows, columns = places[form]
    if len(values) != len(rows):
        raise ValueError(f"{file.file}: {form} of {n} cities has {len(rows)} weights, got {len(values)}")
    weights = np.zeros((n, n), np.int64)
    if form != "FULL_MATRIX":
        weights[columns, rows] = values
    weights[rows, columns] = values
    return weights


def _real(word: str, where: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ValueError(f"{where}: a coordinate is a finite number, got {word!r}")
    return value
