"""The canonical form of a 9 x 9 solution grid, by which training and test puzzles are kept apart.

Two grids are the same up to swapping rows in a band, columns in a stack, bands, stacks, rows with columns
(2 · 6^8 = 3,359,232 symmetries) and renaming digits (9!) if and only if their canonical forms are equal. The form is
the first in reading order of all those grids. Relabelling makes its first row 123456789, so that it is found among
18 first rows times 1,296 orders of columns (the order of the other rows follows from their first cells), and among
few of those, because its second row begins 456 or 457.
"""

from hashlib import blake2b
from itertools import permutations

import numpy as np

from ._board import format_board

_ORDERS = np.array(list(permutations(range(3))))


def canonical(grids: np.ndarray) -> np.ndarray:
    """The canonical forms of full, valid grids.

    Args:
        grids: numbers from 1 to 9, (batch, 81) or (81,).

    Returns:
        Numbers from 1 to 9, in the shape of `grids`.

    Raises:
        ValueError: a grid is not full or not a Sudoku solution; it is named by its number.
    """
    from ._canonical_kernel import canonical_many

    array = np.asarray(grids, dtype=np.int64)
    rows = array.reshape(-1, 81) if array.size % 81 == 0 else array
    if rows.ndim != 2 or rows.shape[1] != 81 or rows.size == 0:
        raise ValueError(f"canonical forms are for grids of 81 cells, got shape {array.shape}")
    bad = np.flatnonzero(~is_solution(rows))
    if bad.size:
        raise ValueError(f"grid {bad[0] + 1} is no full Sudoku solution; solve it first")
    return canonical_many(rows, _ORDERS).reshape(array.shape)


def is_solution(grids: np.ndarray, n: int = 9, box: tuple[int, int] = (3, 3)) -> np.ndarray:
    """Whether each row, column and box holds every number; grids are (batch, n · n), the result is (batch,)."""
    high, wide = box
    board = grids.reshape(-1, n, n)
    boxes = board.reshape(-1, n // high, high, n // wide, wide).swapaxes(2, 3).reshape(-1, n, n)
    wanted = np.arange(1, n + 1)
    kinds = [(np.sort(units) == wanted).reshape(len(board), -1) for units in (board, board.swapaxes(1, 2), boxes)]
    return np.concatenate(kinds, axis=1).min(axis=1, initial=True)


def fingerprints(grids: np.ndarray) -> list[int]:
    """A 64-bit number of each canonical form, the same on every machine and in every version."""
    forms = canonical(np.asarray(grids).reshape(-1, 81))
    return [int.from_bytes(blake2b(format_board(form).encode(), digest_size=8).digest()) for form in forms]


def held_out(grids: np.ndarray, share: float = 0.1) -> np.ndarray:
    """Which solution grids belong to the test side, whatever list they come from, (batch,)."""
    return np.array([number < share * 2.0**64 for number in fingerprints(grids)], dtype=bool)
