"""Declared problems, their presets and the checker."""

import math

import numpy as np
import pytest

from intarsia_domains.reasoning import (
    Problem,
    addition,
    arrays,
    check,
    cnf,
    colouring,
    conflicts,
    countdown,
    draw_board,
    format_board,
    irregular,
    killer,
    latin,
    nqueens,
    parse_board,
    parse_dimacs,
    path,
    sudoku,
    sudoku_x,
)
from intarsia_domains.reasoning._dimacs import format_dimacs

SOLUTION = "953168742862734951417952836746893125281645397395271468138529674574386219629417583"


def three() -> Problem:
    return Problem(["a", "b", "c"], range(1, 4))


def all_states(problem: Problem) -> np.ndarray:
    size = len(problem.values)
    return np.stack(np.meshgrid(*[np.arange(size)] * len(problem), indexing="ij"), -1).reshape(-1, len(problem))


@pytest.mark.parametrize(
    ("declare", "holds"),
    [
        (lambda p: p.all_different("abc"), lambda a, b, c: len({a, b, c}) == 3),
        (lambda p: p.all_different("abc", offsets=[0, 1, 2]), lambda a, b, c: len({a, b + 1, c + 2}) == 3),
        (lambda p: p.table("ac", [(1, 2), (3, 3)]), lambda a, b, c: (a, c) in {(1, 2), (3, 3)}),
        (lambda p: p.linear({"a": 2, "b": -1}, "==", 3), lambda a, b, c: 2 * a - b == 3),
        (lambda p: p.linear({"a": 1, "b": 1, "c": 1}, "<=", 5), lambda a, b, c: a + b + c <= 5),
        (lambda p: p.linear({"a": 1, "c": 1}, ">=", 5), lambda a, b, c: a + c >= 5),
        (lambda p: p.linear({"a": 1, "c": 1}, "!=", 4), lambda a, b, c: a + c != 4),
        (lambda p: p.equal("bc"), lambda a, b, c: b == c),
    ],
)
def test_constraints_mean_what_they_say(declare, holds) -> None:
    problem = declare(three())
    states = all_states(problem)
    wanted = [holds(*(problem.values[k] for k in state)) for state in states]
    result = check(problem, states)
    assert result.valid.tolist() == wanted
    assert 0 < sum(wanted) < len(wanted)
    bad = wanted.index(False)
    assert problem.constraints[0].name in result.complaints(bad)[0]


def test_undecided_variables_violate_nothing_that_a_completion_could_mend() -> None:
    problem = three().all_different("abc").table("ab", [(1, 2), (2, 3)]).equal("a").linear({"c": 1}, "==", 3)
    solutions = {tuple(state) for state in all_states(problem) if check(problem, state).valid[0]}
    assert solutions == {(0, 1, 2)}
    for a in (-1, 0):
        for b in (-1, 1):
            result = check(problem, [a, b, -1])
            assert result.consistent[0]
            assert not result.valid[0]
    assert not check(problem, [2, -1, -1]).consistent[0]  # no row of the table begins with 3


def test_clauses_take_numbers_names_and_pairs() -> None:
    numbers = Problem([1, 2], (False, True)).clause([1, -2])
    names = Problem(["x", "y"], (0, 1)).clause(["x", "-y"])
    pairs = Problem([(0, 0), (0, 1)], (False, True)).clause([(0, 0), ((0, 1), False)])
    for problem in (numbers, names, pairs):
        assert check(problem, all_states(problem)).valid.tolist() == [True, False, True, True]
        assert arrays(problem).clauses.tolist() == [[1, -2]]
    assert not Problem([1], (False, True)).clause([1, -1]).constraints  # always true


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: Problem([], [1]), "at least one variable"),
        (lambda: Problem(["a", "a"], [1]), "'a' is declared twice"),
        (lambda: Problem(["a", "b"], {"a": [1]}), "variable 'b' has no domain"),
        (lambda: Problem(["a"], {"a": []}), "variable 'a' has an empty domain"),
        (lambda: Problem(["a"], {"a": [1], "z": [1]}), "'z', which is no variable"),
        (lambda: three().all_different(["a", "q"], name="row 1"), "row 1 names 'q'"),
        (lambda: three().all_different(["a", "a"], name="row 1"), "row 1 names 'a' twice"),
        (lambda: three().all_different(["a", "b"], offsets=[1]), "2 variables and 1 offsets"),
        (lambda: three().clause(["a"]), "not Boolean"),
        (lambda: three().clause(["q"]), "'q', which is no variable"),
        (lambda: three().table("ab", [(1, 2), (1,)], name="pairs"), "row 2 of pairs has 1 values"),
        (lambda: three().linear({"a": 1}, "<", 3), "relation '<'"),
        (lambda: three().observe({"a": 7}), "a is given as 7; it can be 1, 2, 3"),
        (lambda: three().observe({"a": 1}).observe({"a": 2}), "a is given as 2 and as 1"),
        (lambda: three().observe({"a": 1}).equal("ab"), "comes after `observe`"),
        (lambda: three().index("z"), "no variable 'z'"),
        (lambda: check(three(), [0, 0]), r"\(batch, 3\)"),
        (lambda: check(three(), [0, 0, 3]), "from -1 to 2"),
        (lambda: arrays([]), "no problem to stack"),
        (lambda: arrays([three(), three().equal("ab")]), "problem 2 has other"),
        (lambda: sudoku(9, (2, 3)), "2 x 3 cells do not make a board of size 9"),
        (lambda: irregular("11\n12"), "region '1' has 3 cells; each needs 2"),
        (lambda: colouring([(1, 1)], 3), "joins 1 to itself"),
        (lambda: path([(1, 2)], 1, 9), "9 is on no edge"),
        (lambda: countdown([3], 3), "2 to 6 numbers, got 1"),
        (lambda: addition(2, a=100), "100 has no 2 digits"),
        (lambda: nqueens(0), "at least 1"),
    ],
)
def test_bad_declarations_name_what_is_wrong(declare, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        declare()


def test_types_that_do_not_fit() -> None:
    with pytest.raises(TypeError, match="needs integers, and 'a' can be 'x'"):
        Problem(["a"], ["x"]).linear({"a": 1}, "==", 1)
    with pytest.raises(TypeError, match="integer weights"):
        three().linear({"a": 0.5}, "==", 1)  # type: ignore[dict-item]


def test_observing_shares_constraints_and_leaves_the_problem_alone() -> None:
    problem = three().all_different("abc")
    one, other = problem.observe({"a": 1}), problem.observe({"b": 3})
    assert not problem.given
    stacked = arrays([problem, one, other])
    assert stacked.domains.sum(-1).tolist() == [[3, 3, 3], [1, 3, 3], [3, 1, 3]]
    assert stacked.groups.tolist() == [[0, 1, 2]]
    assert stacked.complete.tolist() == [True]
    assert not check(one, [1, 0, 2]).valid[0]  # contradicts what is given


def test_the_checker_checks_rows_columns_and_boxes() -> None:
    board = parse_board(SOLUTION).reshape(-1) - 1
    problem = sudoku()
    assert check(problem, board).valid[0]
    # a Latin square whose rows are shifted by one: rows and columns hold, boxes do not
    shifted = (np.arange(9)[:, None] + np.arange(9)).reshape(-1) % 9
    assert check(latin(9), shifted).valid[0]
    result = check(problem, shifted)
    assert result.names() == [f"box {b}" for b in range(1, 10)]
    swapped = board.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    assert check(problem, swapped).names() == ["column 1", "column 2"]
    both = check(problem, np.stack([board, swapped]))
    assert both.valid.tolist() == [True, False]
    assert set(np.flatnonzero(both.sites()[1])) == {i for i in range(81) if i % 9 < 2}


def test_every_single_change_of_a_solution_is_caught() -> None:
    board = parse_board(SOLUTION).reshape(-1) - 1
    changed = np.repeat(board[None], 81 * 8, axis=0)
    cells = np.repeat(np.arange(81), 8)
    changed[np.arange(648), cells] = (board[cells] + np.tile(np.arange(1, 9), 81)) % 9
    result = check(sudoku(), changed)
    assert not result.valid.any()
    assert (result.violated.sum(-1) == 3).all()  # its row, its column and its box


def test_clues_per_row_of_a_batch() -> None:
    board = parse_board(SOLUTION).reshape(-1) - 1
    given = np.full((2, 81), -1)
    given[0, 0], given[1, 0] = board[0], (board[0] + 1) % 9
    assert check(sudoku(), np.stack([board, board]), given).valid.tolist() == [True, False]


def test_two_equal_clues_are_named() -> None:
    assert conflicts(sudoku(given="5......5." + "." * 72)) == ["r1c1 and r1c8 are both 5 in row 1"]
    assert conflicts(nqueens(4).observe({"row 1": 1, "row 3": 3})) == [
        "row 1 = 1 and row 3 = 3 meet in falling diagonals"
    ]
    assert conflicts(sudoku()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("123", "has 3 cells"),
        ("1" * 80, "has 80 cells"),
        ("", "has 0 cells"),
        ("." * 80 + "x", "row 9, column 9 of the board holds 'x'"),
        ("5" + "." * 15, "row 1, column 1 of the board holds '5'; it can hold 1 to 4"),
    ],
)
def test_bad_boards(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_board(text)


def test_boards_of_all_sizes_as_text() -> None:
    assert format_board(parse_board(SOLUTION)) == SOLUTION
    assert parse_board(SOLUTION.replace("9", "0")).sum() == 405 - 81
    assert (parse_board(draw_board(parse_board(SOLUTION))) == parse_board(SOLUTION)).all()
    assert parse_board("G" + "." * 255)[0, 0] == 16
    assert [len(sudoku(n).constraints) for n in (4, 6, 9, 16)] == [12, 18, 27, 48]
    assert draw_board(parse_board("12" + "." * 14)).splitlines()[:3] == ["1 2 | . .", ". . | . .", "----+----"]
    six = sudoku(6).constraints[12]
    assert [sudoku(6).variables[i] for i in six.scope] == ["r1c1", "r1c2", "r1c3", "r2c1", "r2c2", "r2c3"]
    assert len(sudoku_x(9).constraints) == 29
    assert len(killer({("r1c1", "r1c2"): 3}).constraints) == 29
    assert math.prod(sudoku(16).shape or ()) == len(sudoku(16)) == 256


def test_dimacs() -> None:
    text = "c a comment\np cnf 3  2\n1 -3\n 0 2 3\n-1 0\n%\n0\n"
    assert parse_dimacs(text) == (3, [[1, -3], [2, 3, -1]])
    assert parse_dimacs(format_dimacs(3, [[1, -3], [2]])) == (3, [[1, -3], [2]])
    assert len(cnf(text)) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header"),
        ("1 2 0", "line 1 is a clause before the header"),
        ("p cnf x 1", "line 1 is 'p cnf x 1'"),
        ("p cnf 2 1\n1 3 0", "line 2 names variable 3; the header declares 2"),
        ("p cnf 2 1\n1 b 0", "line 2 holds 'b'"),
        ("p cnf 2 1\n1 2", "does not end in 0"),
        ("p cnf 2 2\n1 2 0", "announces 2 clauses, and there are 1"),
    ],
)
def test_bad_dimacs(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_dimacs(text)
