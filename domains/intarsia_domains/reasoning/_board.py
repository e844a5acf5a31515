"""Square boards as text."""

from collections.abc import Iterable

import numpy as np

SYMBOLS = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANKS = ".0_*"
_DECORATION = str.maketrans("", "", " \t\r\n|+-")


def parse_board(text: str, n: int | None = None) -> np.ndarray:
    """A board written in reading order.

    Args:
        text: one symbol per cell, 1 to 9 and then A, B, …; `.`, `0`, `_` or `*` is blank. White space and the
            characters `|`, `+` and `-` of drawn boards are skipped.
        n: the size; by default it follows from the length.

    Returns:
        Numbers from 1 to n, 0 where blank, (n, n).

    Raises:
        ValueError: the length fits no square board or another size, or a symbol means nothing; it names the cell.
    """
    cells = text.translate(_DECORATION)
    side = int(len(cells) ** 0.5) if n is None else n
    if not cells or len(cells) != side * side:
        wanted = "4, 6, 9 or 16 rows of as many cells" if n is None else f"{n * n} cells for {n} x {n}"
        raise ValueError(f"the board {_short(text)!r} has {len(cells)} cells; it has to have {wanted}")
    board = np.zeros(side * side, dtype=np.int64)
    for i, symbol in enumerate(cells):
        if symbol in BLANKS:
            continue
        board[i] = SYMBOLS.find(symbol.upper()) + 1
        if not 1 <= board[i] <= side:
            place = f"row {i // side + 1}, column {i % side + 1}"
            raise ValueError(f"{place} of the board holds {symbol!r}; it can hold {symbols(side)}, or . where blank")
    return board.reshape(side, side)


def format_board(board: Iterable[int], *, blank: str = ".") -> str:
    """A board as one line in reading order; 0 is blank."""
    return "".join(SYMBOLS[k - 1] if k else blank for k in np.asarray(board).reshape(-1))


def draw_board(board: Iterable[int], box: tuple[int, int] | None = None) -> str:
    """A board as lines, with rules between its boxes; `box` is rows and columns of one box."""
    grid = np.asarray(board)
    side = int(grid.size**0.5)
    high, wide = box or default_box(side)
    lines: list[str] = []
    for r, row in enumerate(grid.reshape(side, side)):
        if r and r % high == 0:
            lines.append("+".join(["-" * (2 * wide + (0 < c < side // wide - 1)) for c in range(side // wide)]))
        texts = [SYMBOLS[k - 1] if k else "." for k in row]
        lines.append(" | ".join(" ".join(texts[c : c + wide]) for c in range(0, side, wide)))
    return "\n".join(lines)


def default_box(n: int) -> tuple[int, int]:
    """Rows and columns of a box: as square as they can be, wider than high (2 x 3 for 6)."""
    high = next(r for r in range(int(n**0.5), 0, -1) if n % r == 0)
    return high, n // high


def symbols(n: int) -> str:
    """The symbols of a size, for messages."""
    return f"1 to {SYMBOLS[n - 1]}" if n <= 9 else f"1 to 9 and A to {SYMBOLS[n - 1]}"


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
