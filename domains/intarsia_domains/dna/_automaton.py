"""A finite automaton that reads bases, dies at a forbidden motif, and remembers which required motifs it has seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import BASES, Bools
from intarsia_domains.dna._sequence_error import SequenceError

DEAD = -1
_MOST = 50_000


@dataclass(frozen=True)
class Automaton:
    """States are numbers; reading starts in state 0.

    Args:
        step: the state after each base, (states, 4) int32; -1 where a forbidden motif was completed.
        accepts: whether a sequence may end in each state, (states,).
    """

    step: NDArray[np.int32]
    accepts: Bools

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.accepts)


def build(banned: Sequence[Bools], wanted: Sequence[Sequence[Bools]]) -> Automaton:
    """The smallest automaton for patterns that must not occur, and for groups of which one pattern each must.

    The patterns are read side by side, a bit for each of their letters (shift-and, Baeza-Yates and Gonnet 1992), which
    takes IUPAC codes as they are. The states of that, with a flag for each group that was seen, become the states of
    the automaton (subset construction), and states that no continuation can tell apart are merged (Moore 1956).

    Args:
        banned: which bases each letter of a pattern stands for, (m, 4) each.
        wanted: groups of such patterns.

    Raises:
        SequenceError: more than 50,000 states.
    """
    reader = _Reader.of(banned, wanted)
    number, queue, step = {reader.start: 0}, [reader.start], list[list[int]]()
    for state in queue:
        row = list[int]()
        for base in range(BASES):
            after = reader.read(state, base)
            if after is None:
                row.append(DEAD)
                continue
            if after not in number:
                number[after] = len(queue)
                queue.append(after)
            row.append(number[after])
        step.append(row)
        if len(queue) > _MOST:
            raise SequenceError(
                f"the motifs need more than {_MOST:,} states; require fewer motifs, or shorten those with many N"
            )
    accepts = np.array([state[1] == reader.everything for state in queue])
    return _merged(np.array(step, dtype=np.int32), accepts)


@dataclass(frozen=True)
class _Reader:
    """Bits of all patterns in one integer, and what of them means what."""

    start: tuple[int, int]
    starts: int
    matches: tuple[int, ...]
    banned_ends: int
    groups: tuple[tuple[int, int], ...]
    everything: int

    @classmethod
    def of(cls, banned: Sequence[Bools], wanted: Sequence[Sequence[Bools]]) -> "_Reader":
        matches, starts, offset = [0] * BASES, 0, 0

        def add(pattern: Bools) -> tuple[int, int]:
            nonlocal starts, offset
            for place, letters in enumerate(pattern):
                for base in np.flatnonzero(letters):
                    matches[base] |= 1 << (offset + place)
            starts |= 1 << offset
            bits = ((1 << len(pattern)) - 1) << offset
            offset += len(pattern)
            return bits, 1 << (offset - 1)

        banned_ends = sum(add(pattern)[1] for pattern in banned)
        groups = list[tuple[int, int]]()
        for group in wanted:
            parts = [add(pattern) for pattern in group]
            groups.append((sum(bits for bits, _ in parts), sum(end for _, end in parts)))
        return cls((0, 0), starts, tuple(matches), banned_ends, tuple(groups), (1 << len(groups)) - 1)

    def read(self, state: tuple[int, int], base: int) -> tuple[int, int] | None:
        bits, seen = state
        bits = ((bits << 1) | self.starts) & self.matches[base]
        if bits & self.banned_ends:
            return None
        for number, (own, ends) in enumerate(self.groups):
            if bits & ends:
                seen |= 1 << number
            if seen >> number & 1:
                bits &= ~own  # once is enough
        return bits, seen


def _merged(step: NDArray[np.int32], accepts: Bools) -> Automaton:
    part = accepts.astype(np.int64) + 1  # 0 is the dead state
    while True:
        after = np.where(step >= 0, part[step], 0)
        _, finer = np.unique(np.column_stack([part, after]), axis=0, return_inverse=True)
        finer = finer.reshape(-1) + 1
        if finer.max() == np.unique(part).size:
            break
        part = finer
    order = np.unique(part, return_index=True)[1]
    order = order[np.argsort(order)]  # the part of the old state 0 comes first
    number = np.zeros(int(part.max()) + 1, dtype=np.int32)
    number[part[order]] = np.arange(len(order))
    new = np.where(step[order] >= 0, number[part[step[order]]], DEAD)
    return Automaton(new.astype(np.int32), accepts[order])
