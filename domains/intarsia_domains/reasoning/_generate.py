"""New puzzles with one solution."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._board import default_box
from ._sudoku import Layout, board_layout, search_boards

_FILL_NODES = 2_000
_DIG_NODES = 20_000
_ATTEMPTS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Puzzles:
    """Generated puzzles.

    Args:
        boards: numbers from 1, 0 for blank, (n, cells).
        solutions: the one solution of each, (n, cells).
        nodes: how many values our solver tries until it has proven uniqueness, (n,).
    """

    boards: np.ndarray
    solutions: np.ndarray
    nodes: np.ndarray

    def __len__(self) -> int:
        return len(self.boards)


def generate_sudoku(
    n: int = 1,
    *,
    clues: int | None = None,
    difficulty: tuple[int, int] | None = None,
    size: int = 9,
    box: tuple[int, int] | None = None,
    seed: int = 0,
) -> Puzzles:
    """Puzzles with exactly one solution.

    A random full grid is dug out cell by cell in random order; a clue goes if no solution has another value there.

    Args:
        n: how many.
        clues: exactly so many; None gives minimal puzzles, in which no clue can be left out.
        difficulty: the least and the most nodes of our search that proves uniqueness; (0, 0) can be solved by
            naked and hidden singles alone.
        size: of the board.
        box: rows and columns of a box.
        seed: the same seed gives the same puzzles.

    Raises:
        ValueError: an argument is out of range, or too few such puzzles were found; below about 22 clues of 9 x 9
            this becomes a search for needles.
    """
    _check_arguments(n, clues, difficulty, size)
    from ._sudoku_kernel import dig

    layout = board_layout(size * size, default_box(size) if box is None else box)
    rng = np.random.default_rng(seed)
    target = 0 if clues is None else clues
    found: list[tuple[Any, Any, int]] = []
    failures = 0
    while len(found) < n:
        solution = full_grid(layout, rng)
        bits = dig(
            1 << (solution - 1),
            rng.permutation(size * size),
            target,
            layout.units,
            layout.peers,
            layout.full,
            1,
            _DIG_NODES,
        )
        board = np.where(bits > 0, solution, 0)
        proof = search_boards(board[None], layout, limit=2)
        fits = clues is None or np.count_nonzero(board) == clues
        nodes = int(proof.nodes[0])
        if fits and proof.counts[0] == 1 and (difficulty is None or difficulty[0] <= nodes <= difficulty[1]):
            found.append((board, solution, nodes))
            failures = 0
        else:
            failures += 1
        if failures >= _ATTEMPTS:
            raise ValueError(
                f"no such puzzle among the last {_ATTEMPTS:,} that were tried ({len(found)} of {n} found); "
                "ask for more clues or another difficulty"
            )
    boards, solutions, nodes = zip(*found, strict=True) if found else ([], [], [])
    shape = (n, size * size)
    return Puzzles(
        np.array(boards, dtype=np.int64).reshape(shape),
        np.array(solutions, dtype=np.int64).reshape(shape),
        np.array(nodes, dtype=np.int64),
    )


def full_grid(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """A random solution of the empty board, (cells,); every one can come, not all equally often."""
    empty = np.zeros((1, len(layout.peers)), dtype=np.int64)
    while True:
        weights = rng.random((1, len(layout.peers), layout.values), dtype=np.float32)
        found = search_boards(empty, layout, limit=1, marginals=weights, max_nodes=_FILL_NODES)
        if found.counts[0]:
            return found.grids[0, 0]


def _check_arguments(n: int, clues: int | None, difficulty: tuple[int, int] | None, size: int) -> None:
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}")
    if clues is not None and not 0 <= clues <= size * size:
        raise ValueError(f"a board of {size} x {size} has 0 to {size * size} clues, got {clues}")
    if clues is not None and size == 9 and clues < 17:
        raise ValueError(f"no 9 x 9 puzzle with one solution has fewer than 17 clues, got {clues}")
    if difficulty is not None and not 0 <= difficulty[0] <= difficulty[1]:
        raise ValueError(f"difficulty is the least and the most nodes, got {difficulty}")
