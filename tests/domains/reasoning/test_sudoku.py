"""Our own search: counts, generation, canonical forms; exact facts of the first puzzle of the 17-clue list."""

from itertools import permutations

import numpy as np
import pytest

from intarsia_domains.reasoning import (
    canonical,
    format_board,
    generate_sudoku,
    held_out,
    search_boards,
    singles,
    sudoku,
)
from intarsia_domains.reasoning._canonical import fingerprints, is_solution
from intarsia_domains.reasoning._sudoku import Layout, board_layout, boards_of
from intarsia_domains.reasoning.presets import killer, nqueens, sudoku_x

pytest.importorskip("numba")

PUZZLE = ".................1.....2.3......3.2...1.4......5....6..3......4.7..8...962...7..."
SOLUTION = "953168742862734951417952836746893125281645397395271468138529674574386219629417583"
GRID = boards_of([SOLUTION])[0]
CELLS = np.arange(81)


def without(number: int) -> np.ndarray:
    """The puzzle without one of its clues, counted from 0 in cell order."""
    board = boards_of([PUZZLE])[0]
    board[np.flatnonzero(board)[number]] = 0
    return board


def erased(where: np.ndarray) -> np.ndarray:
    return np.where(where, 0, GRID)


@pytest.mark.parametrize(
    ("board", "solutions"),
    [
        (boards_of([PUZZLE])[0], 1),
        (without(0), 17_204),
        (without(16), 1_158),
        (erased(GRID <= 2), 4),
        (erased(CELLS < 18), 2),
        (erased((CELLS // 9 < 3) & (CELLS % 9 < 3)), 1),
        (erased(CELLS < 27), 228),
    ],
    ids=["as it is", "without clue 1", "without clue 17", "1s and 2s", "rows 1-2", "box 1", "band 1"],
)
def test_counts_of_the_first_puzzle(board: np.ndarray, solutions: int) -> None:
    found = search_boards(board, limit=100_000)
    assert found.counts.tolist() == [solutions]
    assert found.complete.tolist() == [True]
    assert is_solution(found.grids[0]).all()
    assert (found.grids[0, 0][board > 0] == board[board > 0]).all()


def test_all_grids_of_size_four() -> None:
    found = search_boards(np.zeros(16), limit=1_000, keep=288)
    assert found.counts.tolist() == [288]
    assert len({tuple(grid) for grid in found.grids[0]}) == 288
    assert is_solution(found.grids[0], 4, (2, 2)).all()


def test_limits() -> None:
    two = search_boards(erased(CELLS < 27), limit=2)
    assert (two.counts[0], two.complete[0]) == (2, False)
    stopped = search_boards(boards_of([PUZZLE]), max_nodes=3)
    assert (stopped.counts[0], stopped.nodes[0], stopped.complete[0]) == (0, 3, False)
    assert not stopped.grids.any()
    assert search_boards(np.zeros((0, 81))).counts.shape == (0,)


def test_the_order_changes_nodes_and_nothing_else() -> None:
    perfect = np.eye(9)[GRID - 1][None]
    first = search_boards(boards_of([PUZZLE]), limit=1, marginals=perfect)
    worst = search_boards(boards_of([PUZZLE]), limit=1, marginals=1 - perfect)
    assert (first.grids[0, 0] == GRID).all()
    assert (worst.grids[0, 0] == GRID).all()
    assert first.nodes[0] < 10 < worst.nodes[0]  # a perfect order never turns back
    both = [search_boards(boards_of([PUZZLE]), marginals=m) for m in (perfect, 1 - perfect)]
    assert [found.counts[0] for found in both] == [1, 1]
    assert [found.complete[0] for found in both] == [True, True]


def test_singles_fill_what_follows() -> None:
    assert (singles(erased(CELLS < 9)) == GRID).all()
    partly = singles(boards_of([PUZZLE]))[0]
    assert (partly > 0).sum() == 25
    assert (partly[partly > 0] == GRID[partly > 0]).all()
    clash = boards_of(["11" + "." * 79])
    assert (singles(clash) == clash).all()


def test_other_layouts() -> None:
    assert Layout.of(killer({("r1c1", "r1c2"): 3})) is None
    assert Layout.of(nqueens(4)) is None
    layout = Layout.of(sudoku_x(4))
    assert layout is not None
    found = search_boards(np.zeros(16), layout, limit=1_000, keep=1_000)
    boards = found.grids[0][: found.counts[0]].reshape(-1, 4, 4)
    grids = search_boards(np.zeros(16), limit=1_000, keep=1_000).grids[0][:288].reshape(-1, 4, 4)
    full = {0b11110}
    wanted = {
        tuple(grid.reshape(-1))
        for grid in grids
        if {int(sum(1 << k for k in set(d))) for d in (np.diagonal(grid).tolist(), np.diagonal(grid[:, ::-1]).tolist())}
        == full
    }
    assert {tuple(board.reshape(-1)) for board in boards} == wanted
    six = search_boards(np.zeros(36), board_layout(36), limit=50, keep=50)
    assert is_solution(six.grids[0], 6, (2, 3)).all()
    assert (board_layout(81).peers >= 0).sum() == 81 * 20


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: search_boards(np.zeros((1, 80))), "square number of cells, got 80"),
        (lambda: search_boards(np.full(81, 10)), "cell 1 of board 1 holds 10; it can hold 1 to 9"),
        (lambda: search_boards(np.zeros(81), limit=0), "limit must be at least 1"),
        (lambda: search_boards(np.zeros(81), marginals=np.zeros((81, 9))), r"\(1, 81, 9\), got \(81, 9\)"),
        (lambda: boards_of([PUZZLE, "12"]), "puzzle 2: the board '12' has 2 cells"),
        (lambda: boards_of([PUZZLE, "." * 16]), "puzzle 2 has 16 cells and the first 81"),
        (lambda: generate_sudoku(1, clues=16), "fewer than 17 clues, got 16"),
        (lambda: generate_sudoku(1, clues=82), "0 to 81 clues, got 82"),
        (lambda: generate_sudoku(-1), "must not be negative, got -1"),
        (lambda: generate_sudoku(1, difficulty=(3, 2)), "least and the most nodes"),
        (lambda: canonical(np.zeros(81)), "grid 1 is no full Sudoku solution"),
        (lambda: canonical(np.zeros(16)), "81 cells"),
    ],
)
def test_bad_arguments(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("clues", [26, 28, 32])
def test_generated_puzzles_are_unique_with_the_asked_clues(clues: int) -> None:
    made = generate_sudoku(12, clues=clues, seed=1)
    assert (np.count_nonzero(made.boards, axis=1) == clues).all()
    proof = search_boards(made.boards)
    assert (proof.counts == 1).all()
    assert proof.complete.all()
    assert (proof.grids[:, 0] == made.solutions).all()
    assert len({tuple(board) for board in made.boards}) == 12
    again = generate_sudoku(12, clues=clues, seed=1)
    assert (again.boards == made.boards).all()
    assert (generate_sudoku(12, clues=clues, seed=2).boards != made.boards).any()


def test_minimal_puzzles_lose_uniqueness_with_any_clue() -> None:
    made = generate_sudoku(3)
    for board in made.boards:
        clues = np.flatnonzero(board)
        fewer = np.repeat(board[None], len(clues), axis=0)
        fewer[np.arange(len(clues)), clues] = 0
        assert (search_boards(fewer).counts == 2).all()


def test_difficulty_and_size() -> None:
    assert (generate_sudoku(5, clues=30, difficulty=(0, 0)).nodes == 0).all()
    assert (generate_sudoku(2, clues=25, difficulty=(5, 500)).nodes >= 5).all()
    small = generate_sudoku(4, clues=4, size=4)  # the least that a 4 x 4 puzzle can have
    assert (np.count_nonzero(small.boards, axis=1) == 4).all()
    assert len(generate_sudoku(0)) == 0
    with pytest.raises(ValueError, match="no such puzzle among the last"):
        generate_sudoku(1, clues=3, size=4)


def scrambled(grid: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random symmetry of a grid: turned or not, bands, stacks, rows, columns and digits shuffled."""
    board = grid.reshape(9, 9)
    board = board.T if rng.random() < 0.5 else board
    rows, columns = ([3 * b + i for b in rng.permutation(3) for i in rng.permutation(3)] for _ in range(2))
    return (rng.permutation(9) + 1)[board[rows][:, columns] - 1].reshape(-1)


def test_canonical_forms_do_not_see_symmetries() -> None:
    rng = np.random.default_rng(0)
    form = canonical(GRID)
    assert format_board(form) == "123456789456789132789213654217834965395671428648925371574392816862147593931568247"
    grids = np.stack([scrambled(GRID, rng) for _ in range(60)])
    assert (canonical(grids) == form).all()
    assert all(format_board(form) <= format_board(grid) for grid in grids)
    assert (canonical(form) == form).all()
    assert len(set(fingerprints(grids))) == 1


def test_the_canonical_form_is_the_lowest_of_all_symmetric_grids() -> None:
    """Against plain enumeration of rows, columns and their orders, without pruning."""
    other = generate_sudoku(1, seed=5).solutions[0]
    orders = [
        [3 * s + c for s, inside in zip(stacks, (a, b, d), strict=True) for c in inside]
        for stacks in permutations(range(3))
        for a in permutations(range(3))
        for b in permutations(range(3))
        for d in permutations(range(3))
    ]
    best = None
    for board in (other.reshape(9, 9), other.reshape(9, 9).T):
        for columns in orders:
            turned = board[:, columns]
            for first in range(9):
                names = np.empty(10, dtype=int)
                names[turned[first]] = np.arange(1, 10)
                named = names[turned].tolist()
                bands = sorted(sorted(named[3 * b : 3 * b + 3]) for b in range(3))
                rows = [row for band in bands for row in band]
                best = rows if best is None else min(best, rows)
    assert np.array(best).reshape(-1).tolist() == canonical(other).tolist()


def test_different_grids_and_the_held_out_tenth() -> None:
    grids = generate_sudoku(400, clues=60, seed=3).solutions
    assert len(set(fingerprints(grids))) == 400
    marks = held_out(grids)
    assert 0.05 < marks.mean() < 0.16
    rng = np.random.default_rng(1)
    assert (held_out(np.stack([scrambled(grid, rng) for grid in grids])) == marks).all()
    assert held_out(grids, share=0.0).sum() == 0
    assert held_out(grids, share=1.0).all()


def test_sudoku_of_sixteen_is_solved() -> None:
    found = search_boards(np.zeros(256), limit=1, max_nodes=50_000)
    assert found.counts[0] == 1
    assert is_solution(found.grids[0], 16, (4, 4)).all()
    assert len(sudoku(16).values) == 16
