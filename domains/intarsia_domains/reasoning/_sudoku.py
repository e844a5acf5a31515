"""A complete solver of boards whose constraints are all-different units: Sudoku, its variants, Latin squares."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ._all_different import AllDifferent
from ._board import default_box, parse_board
from ._problem import Problem
from .presets import sudoku

UNLIMITED = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Units and peers of a board.

    Args:
        values: how many there are.
        units: cells of each unit that holds every value, (units, values).
        peers: for each cell the cells that differ from it, (cells, most), padded by -1.
    """

    values: int
    units: np.ndarray
    peers: np.ndarray

    @property
    def full(self) -> int:
        """The bits of all values."""
        return (1 << self.values) - 1

    @classmethod
    def of(cls, problem: Problem) -> "Layout | None":
        """The layout of a problem, or None where it has other constraints or some variable lacks some value."""
        if len(problem.values) > 62 or any(len(own) != len(problem.values) for own in problem.allowed):
            return None
        peers: list[set[int]] = [set() for _ in problem.variables]
        units: list[tuple[int, ...]] = []
        for c in problem.constraints:
            if not isinstance(c, AllDifferent) or c.offsets is not None:
                return None
            for i in c.scope:
                peers[i].update(c.scope)
            if len(c.scope) == len(problem.values):
                units.append(c.scope)
        width = max(1, max(map(len, peers)))
        padded = np.full((len(peers), width), -1, dtype=np.int64)
        for i, others in enumerate(peers):
            found = sorted(others - {i})
            padded[i, : len(found)] = found
        return cls(len(problem.values), np.array(units, dtype=np.int64).reshape(-1, len(problem.values)), padded)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search of boards found.

    Args:
        counts: solutions of each board, up to the limit, (batch,).
        nodes: values that were tried in a cell, (batch,); 0 where singles sufficed. It is a count of this solver alone.
        complete: whether the whole tree was searched, (batch,); where not, the limit of solutions or nodes was reached.
        grids: the first solutions, numbers from 1, 0 where there are fewer, (batch, keep, cells).
    """

    counts: np.ndarray
    nodes: np.ndarray
    complete: np.ndarray
    grids: np.ndarray


def search_boards(
    boards: np.ndarray,
    layout: Layout | None = None,
    *,
    limit: int = 2,
    keep: int = 1,
    marginals: np.ndarray | None = None,
    max_nodes: int = UNLIMITED,
) -> Found:
    """Solve and count boards of one size.

    Args:
        boards: numbers from 1, 0 for blank, (batch, cells).
        layout: by default that of Sudoku of this size.
        limit: stop counting at so many solutions; 2 decides uniqueness.
        keep: how many solutions to return.
        marginals: a model's probabilities, (batch, cells, values): a branching cell's values are tried from the
            most probable down, and of cells with equally few candidates the most certain one is taken. The
            result is the same with any, the number of nodes is not.
        max_nodes: where to give up a board.

    Raises:
        ValueError: shapes do not fit, or a number is out of range; it names the board and the cell.
    """
    from ._sudoku_kernel import EXHAUSTED, search_many

    rows = np.atleast_2d(np.asarray(boards, dtype=np.int64))
    layout = board_layout(rows.shape[-1]) if layout is None else layout
    _check_boards(rows, layout)
    if limit < 1 or keep < 0 or max_nodes < 0:
        raise ValueError(f"limit must be at least 1, keep and max_nodes at least 0; got {limit}, {keep}, {max_nodes}")
    weights = _weights(marginals, (*rows.shape, layout.values))
    out = np.zeros((len(rows), min(keep, limit), rows.shape[1]), dtype=np.int64)
    counts, nodes, ends = (np.zeros(len(rows), dtype=np.int64) for _ in range(3))
    start = np.where(rows > 0, 1 << np.maximum(rows - 1, 0), layout.full)
    search_many(start, layout.units, layout.peers, layout.full, weights, limit, max_nodes, out, counts, nodes, ends)
    return Found(counts, nodes, ends == EXHAUSTED, _numbers(out))


def singles(boards: np.ndarray, layout: Layout | None = None) -> np.ndarray:
    """Boards filled as far as naked and hidden singles go, (batch, cells); where they contradict, as given."""
    from ._sudoku_kernel import propagate

    rows = np.atleast_2d(np.asarray(boards, dtype=np.int64))
    layout = board_layout(rows.shape[-1]) if layout is None else layout
    _check_boards(rows, layout)
    filled = rows.copy()
    for b, row in enumerate(rows):
        cand = np.where(row > 0, 1 << np.maximum(row - 1, 0), layout.full)
        if propagate(cand, np.zeros(len(row), dtype=bool), layout.units, layout.peers, layout.full):
            filled[b] = np.where(cand & (cand - 1) == 0, _numbers(cand), 0)
    return filled


@lru_cache(maxsize=32)
def board_layout(cells: int, box: tuple[int, int] | None = None) -> Layout:
    """The layout of Sudoku with so many cells."""
    n = int(cells**0.5)
    layout = Layout.of(sudoku(n, default_box(n) if box is None else box)) if n * n == cells else None
    if layout is None:
        raise ValueError(f"a board has a square number of cells, got {cells}")
    return layout


def boards_of(texts: Sequence[str], n: int | None = None) -> np.ndarray:
    """Boards from text, (batch, cells); raises ValueError with the number of the board that is wrong."""
    rows: list[Any] = []
    for number, text in enumerate(texts, start=1):
        try:
            rows.append(parse_board(text, n).reshape(-1))
        except ValueError as error:
            raise ValueError(f"puzzle {number}: {error}") from None
        if len(rows[-1]) != len(rows[0]):
            raise ValueError(
                f"puzzle {number} has {len(rows[-1])} cells and the first {len(rows[0])}; keep sizes apart"
            )
    return np.stack(rows) if rows else np.zeros((0, 81), dtype=np.int64)


def _numbers(bits: np.ndarray) -> np.ndarray:
    """Numbers from 1 of single bits, 0 for none."""
    return np.where(bits > 0, np.log2(np.maximum(bits, 1)).round().astype(np.int64) + 1, 0)


def _weights(marginals: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    if marginals is None:
        return np.zeros((0, 0, 0), dtype=np.float32)
    weights = np.ascontiguousarray(marginals, dtype=np.float32)
    if weights.shape != shape:
        raise ValueError(f"marginals must be (batch, cells, values) = {shape}, got {weights.shape}")
    return np.nan_to_num(weights)


def _check_boards(rows: np.ndarray, layout: Layout) -> None:
    if rows.ndim != 2 or rows.shape[1] != len(layout.peers):
        raise ValueError(f"boards must be (batch, {len(layout.peers)}), got {rows.shape}")
    bad = np.argwhere((rows < 0) | (rows > layout.values))
    if bad.size:
        board, cell = bad[0]
        raise ValueError(
            f"cell {cell + 1} of board {board + 1} holds {rows[board, cell]}; "
            f"it can hold 1 to {layout.values}, or 0 where blank"
        )
