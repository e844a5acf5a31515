"""What is known about a ranking, in the user's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from intarsia_domains.permutations._ranking_events import Event, Windows


@dataclass(frozen=True, slots=True)
class Given:
    """An event: the first items, the set of the first items, pairs, items at ranks. All that is told holds at once.

    Args:
        prefix: the best items, in order.
        top: the best items, in any order.
        before: pairs (a, b) with a before b.
        at: the item at some ranks, counted from 1, the best.

    >>> Given(prefix=("tea",), before=(("milk", "water"),))
    Given(prefix=('tea',), top=(), before=(('milk', 'water'),), at={})
    """

    prefix: Sequence[Any] = ()
    top: Sequence[Any] = ()
    before: Sequence[tuple[Any, Any]] = ()
    at: Mapping[int, Any] = field(default_factory=dict[int, Any])

    def event(self, items: tuple[str, ...]) -> Event:
        """The event over named items, one row; raises ValueError where an item is unknown or nothing can be so."""
        event = _Builder(items).event(self)
        Windows(event, items)
        return event


class _Builder:
    def __init__(self, items: tuple[str, ...]) -> None:
        self.items = items
        self.number = {name: k for k, name in enumerate(items)}

    def event(self, given: Given) -> Event:
        n = len(self.items)
        event = Event.anything(1, n)
        for rank, item in enumerate(given.prefix, start=1):
            self._put(event, rank, item)
        for rank, item in given.at.items():
            self._put(event, rank, item)
        best = self._distinct(given.top, "top")
        others = [k for k in range(n) if k not in best]
        for item in best:
            event.before[0, item, others] = True
        for pair in given.before:
            if isinstance(pair, str) or len(pair) != 2:
                raise ValueError(f"`before` holds pairs (a, b) with a before b, got {pair!r}")
            event.before[0, self._item(pair[0]), self._item(pair[1])] = True
        return event

    def _put(self, event: Event, rank: Any, item: Any) -> None:
        if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= event.n:
            raise ValueError(f"ranks count from 1 to {event.n}, got {rank!r}")
        k, there = self._item(item), int(event.at[0, rank - 1])
        elsewhere = (event.at[0] == k).nonzero().flatten().tolist()
        if elsewhere and elsewhere != [rank - 1]:
            raise ValueError(f"the item {self.items[k]!r} cannot stand at ranks {elsewhere[0] + 1} and {rank}")
        if there not in (-1, k):
            raise ValueError(f"{self.items[there]!r} and {self.items[k]!r} cannot both stand at rank {rank}")
        event.at[0, rank - 1] = k

    def _distinct(self, names: Sequence[Any], what: str) -> list[int]:
        if isinstance(names, str):
            raise TypeError(f"`{what}` is a list of items, got the text {names!r}")
        found = [self._item(name) for name in names]
        if len(set(found)) < len(found):
            raise ValueError(f"`{what}` names an item twice: {', '.join(map(str, names))}")
        return found

    def _item(self, name: Any) -> int:
        if str(name) not in self.number:
            known = ", ".join(map(repr, self.items[:8])) + (" …" if len(self.items) > 8 else "")
            raise ValueError(f"there is no item {str(name)!r}; items are {known}")
        return self.number[str(name)]


def event_of(given: Any, items: tuple[str, ...]) -> Event:
    """The event of a `Given`, or of a mapping with its fields; raises TypeError for anything else."""
    if given is None:
        return Event.anything(1, len(items))
    if isinstance(given, Mapping):
        known = ("prefix", "top", "before", "at")
        wrong = [key for key in given if key not in known]
        if wrong:
            raise ValueError(f"`given` says {', '.join(known)}, got {wrong[0]!r}")
        given = Given(**given)
    if not isinstance(given, Given):
        raise TypeError(f"`given` is a `Given` or a mapping with its fields, got {type(given).__name__}")
    return given.event(items)


def as_rows(event: Event, rows: int) -> Event:
    """The event of one row for several."""
    return event.rows(torch.zeros(rows, dtype=torch.long))
