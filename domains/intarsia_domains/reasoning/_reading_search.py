"""The likeliest reading of a board's pictures that is a puzzle with exactly one solution, best first."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ._arrays import given_state
from ._engines import Clock
from ._reading import Reading
from ._sudoku import Layout, search_boards

_NODES = 500
"""Nodes after which a half-read board counts as solvable; that only makes the search longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A reading and the board it determines.

    Args:
        clues: indices of values as they are read, -1 where a picture shows nothing, (variables,).
        state: indices of values, (variables,).
        score: log p(symbols, pictures) in nats, up to a number.
    """

    clues: np.ndarray
    state: np.ndarray
    score: float


def proper_readings(reading: Reading, layout: Layout, clock: Clock) -> Iterator[Read]:
    """Readings with exactly one solution from the likeliest down, each with its board; boards can come again.

    A* over the pictures, the surest first: a node has read some of them, its cost is what their symbols lack of the
    likeliest ones, and it is dropped where what was read so far has no solution. Costs never fall on the way, so what
    comes out is in order and nothing likelier was left out.

    Raises:
        BudgetSpentError: the time is over.
    """
    costs = reading.symbols.max(-1, keepdims=True) - reading.symbols
    ranked = costs.argsort(-1, kind="stable")
    costs = np.take_along_axis(costs, ranked, -1)
    surest = np.argsort(-costs[:, 1], kind="stable")
    start = np.array(given_state(reading.problem)) + 1
    top = float(reading.symbols.max(-1).sum())
    size, values = len(start), len(reading.problem.values)
    # cost, how many are still to be read (so that equal costs go deep first), number, which symbol, board before it
    heap: list[tuple[float, int, int, int, np.ndarray]] = [(0.0, size, 0, 0, start)]
    number = 0
    while heap:
        clock.left()
        cost, left, _, choice, board = heapq.heappop(heap)
        if not left:
            found = search_boards(board[None], layout)
            if found.counts[0] == 1 and found.complete[0]:
                yield Read(board - 1, found.grids[0, 0] - 1, top - cost)
            continue
        cell = surest[size - left]
        if choice < values and np.isfinite(costs[cell, choice + 1]):
            number += 1
            more = cost - costs[cell, choice] + costs[cell, choice + 1]
            heapq.heappush(heap, (more, left, number, choice + 1, board))
        after = _read(board, int(cell), int(ranked[cell, choice]), values, layout)
        if after is not None:
            number += 1
            heapq.heappush(heap, (cost, left - 1, number, 0, after))


def _read(board: np.ndarray, cell: int, symbol: int, values: int, layout: Layout) -> np.ndarray | None:
    """The board with one more symbol; None where it has no solution."""
    if symbol == values or board[cell] == symbol + 1:
        return board
    peers = layout.peers[cell]
    if board[cell] or (board[peers[peers >= 0]] == symbol + 1).any():
        return None
    after = board.copy()
    after[cell] = symbol + 1
    found = search_boards(after[None], layout, limit=1, max_nodes=_NODES)
    return None if found.counts[0] == 0 and found.complete[0] else after
