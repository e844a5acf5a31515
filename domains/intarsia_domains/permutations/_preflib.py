"""PrefLib files: strict or tied orders, complete or not (.soc, .soi, .toc, .toi; Mattei & Walsh 2013)."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intarsia._atomic import write_atomically
from intarsia_domains.permutations._lines import read_lines
from intarsia_domains.permutations._rankings import Rankings, Unranked
from intarsia_domains.permutations._ties import AbstractTies, Groups, RefuseTies
from intarsia_domains.tabular._bytes import Source

PREFLIB = (".soc", ".soi", ".toc", ".toi")
_HEADER = re.compile(r"#\s*([A-Z ]+?)\s*(\d*)\s*:(.*)")
_GROUP = re.compile(r"\s*(?:\{([\d\s,]+)\}|(\d+))\s*(,|$)")


def read_preflib(source: Source, ties: AbstractTies = RefuseTies(), unranked: Unranked = Unranked.BELOW) -> Rankings:
    """Read the ballots of a PrefLib file.

    Args:
        source: a path, an open file, or `-` for standard input; also compressed by gzip.
        ties: what to do with `{1,2}`.
        unranked: what it means to be left out; the format does not say.

    Raises:
        ValueError: something that is no such file, with the line; fewer voters than its header promises; or no ballots
            where it does not promise that there are none.
    """
    name, lines = read_lines(source)
    content = _Content(name, ties.start())
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            content.header(line)
        elif line.strip():
            content.ballot(line, f"{name}, line {number}")
    return content.rankings(unranked)


def write_preflib(rankings: Rankings, path: str | Path, title: str = "") -> Path:
    """Write .soc or .soi; the suffix must say which, and .toc and .toi are written without ties.

    Equal rows are merged and sorted by falling count, as PrefLib wants them. The file appears whole or not at all.

    Raises:
        ValueError: another suffix; or a suffix of complete orders for rankings that are not complete.
    """
    path = Path(path)
    if path.suffix not in PREFLIB:
        raise ValueError(f"PrefLib files end in {', '.join(PREFLIB)}, got {path.name!r}; change the suffix")
    if path.suffix.endswith("c") and not rankings.is_complete:
        raise ValueError(
            f"{path.suffix} is for complete orders and row {int(np.argmin(rankings.lengths))} ranks "
            f"{rankings.lengths.min()} of {rankings.n} items; write {path.suffix[:-1]}i"
        )
    merged = rankings.merge()
    head = {
        "FILE NAME": path.name,
        "TITLE": " ".join(title.split()),
        "DATA TYPE": path.suffix[1:],
        "NUMBER ALTERNATIVES": merged.n,
        "NUMBER VOTERS": merged.ballots,
        "NUMBER UNIQUE ORDERS": len(merged),
        **{f"ALTERNATIVE NAME {k}": " ".join(item.split()) for k, item in enumerate(merged.items, start=1)},
    }
    lines = [f"# {key}: {value}" for key, value in head.items()]
    for count, order in zip(merged.counts.tolist(), (merged.orders + 1).tolist(), strict=True):
        lines.append(f"{count}: {','.join(str(k) for k in order if k)}")
    write_atomically(path, ("\n".join(lines) + "\n").encode())
    return path


@dataclass(slots=True)
class _Content:
    """What has been read so far."""

    file: str
    ties: AbstractTies
    facts: dict[str, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    orders: list[NDArray[np.int64]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def header(self, line: str) -> None:
        found = _HEADER.match(line)
        if not found:
            return
        key, number, value = found[1], found[2], found[3].strip()
        if key == "ALTERNATIVE NAME" and number:
            self.names[int(number)] = value or number
        else:
            self.facts[key] = value

    def ballot(self, line: str, where: str) -> None:
        n = self.n
        number, colon, rest = line.partition(":")
        if not colon or not number.strip().isdecimal():
            raise ValueError(f"{where}: a ballot is written `count: 3,1,2`, got {line.strip()[:60]!r}")
        count = int(number)
        if not count:
            raise ValueError(f"{where}: the count is 0; leave the line out")
        groups = _groups(rest, where)
        items = [item for group in groups for item in group]
        for place, item in enumerate(items):
            if item in items[:place]:
                raise ValueError(f"{where}: alternative {item + 1} is ranked twice")
            if not 0 <= item < n:
                raise ValueError(f"{where}: there is no alternative {item + 1} among {n}")
        if self.facts.get("DATA TYPE", "").endswith("oc") and len(items) < n:
            raise ValueError(f"{where}: {len(items)} of {n} alternatives in a file of complete orders")
        if len(groups) == len(items):
            return self.add(np.array([items]), count)
        orders = self.ties.orders(groups, count, where)
        for order in orders:
            self.add(order[None], count // len(orders))

    def add(self, order: NDArray[np.int64], count: int) -> None:
        self.orders.append(order[0])
        self.counts.append(count)

    @property
    def n(self) -> int:
        told = self.facts.get("NUMBER ALTERNATIVES", "")
        if not told.isdecimal():
            raise ValueError(
                f"{self.file}: no line `# NUMBER ALTERNATIVES: n` before the ballots, so this is no PrefLib file of "
                "today's format"
            )
        return int(told)

    def rankings(self, unranked: Unranked) -> Rankings:
        told = self.facts.get("NUMBER VOTERS", "")
        if not self.orders and not (told.isdecimal() and int(told) == 0):
            raise ValueError(f"{self.file}: no ballots; a ballot is written `count: 3,1,2`")
        if told.isdecimal() and int(told) != sum(self.counts):
            raise ValueError(
                f"{self.file}: the header promises {told} voters and the lines have {sum(self.counts)}; "
                "the file is cut short or altered, fetch it again"
            )
        items = tuple(self.names.get(k, str(k)) for k in range(1, self.n + 1))
        orders = np.full((len(self.orders), self.n), -1, np.int64)
        for row, order in enumerate(self.orders):
            orders[row, : len(order)] = order
        return Rankings(items, orders, np.array(self.counts), unranked)


def _groups(text: str, where: str) -> Groups:
    """`3,{1,2}` as item numbers from 0, in groups that share a rank."""
    groups: Groups = []
    place, ended = 0, False
    while not ended:
        found = _GROUP.match(text, place)
        if not found:
            raise ValueError(f"{where}: an order is written `3,1,2` or `3,{{1,2}}`, got {text.strip()[:60]!r}")
        members = (found[1] or found[2]).split(",")
        if not all(member.strip().isdecimal() for member in members):
            raise ValueError(f"{where}: alternatives are numbers between commas, got {{{found[1]}}}")
        groups.append([int(member) - 1 for member in members])
        place, ended = found.end(), not found[3]
    return groups
