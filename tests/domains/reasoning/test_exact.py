"""Engines of libraries, propagation and the one call for all modes, against known counts and enumeration."""

from itertools import product

import numpy as np
import pytest
import torch

from intarsia_domains.reasoning import (
    CpEngine,
    Problem,
    Propagator,
    Proposal,
    SatEngine,
    Solution,
    Status,
    addition,
    arrays,
    check,
    cnf,
    colouring,
    count,
    countdown,
    enumerate_solutions,
    irregular,
    killer,
    latin,
    nqueens,
    parse_board,
    path,
    solve,
    solve_all,
    solve_exact,
    sudoku,
    sudoku_x,
    with_trace,
)
from intarsia_domains.reasoning._propagate import NakedSingles, contradicted, decided
from intarsia_domains.reasoning._to_cnf import CnfEncoding
from intarsia_domains.reasoning.presets import expression

pytest.importorskip("pysat")
pytest.importorskip("ortools")
pytest.importorskip("numba")

PUZZLE = ".................1.....2.3......3.2...1.4......5....6..3......4.7..8...962...7..."
SOLUTION = "953168742862734951417952836746893125281645397395271468138529674574386219629417583"
ENGINES = [SatEngine, CpEngine]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("n", "solutions"), [(4, 2), (5, 10), (6, 4), (7, 40), (8, 92)])
def test_queens(engine, n: int, solutions: int) -> None:
    assert str(count(nqueens(n), engine=engine())) == str(solutions)


@pytest.mark.parametrize("engine", [*ENGINES, lambda: None])
def test_small_boards(engine) -> None:
    assert count(sudoku(4), engine=engine()).solutions == 288
    assert count(latin(4), engine=engine()).solutions == 576


def test_latin_squares_of_order_five() -> None:
    assert str(count(latin(5), cap=200_000)) == "161,280"
    capped = count(latin(5), cap=1_000)
    assert (capped.solutions, capped.exact, str(capped)) == (1_000, False, "at least 1,000")


def test_size_of_the_sudoku_formula() -> None:
    extended, minimal = CnfEncoding(sudoku()), CnfEncoding(sudoku(), redundant=False)
    assert (extended.top, len(extended.clauses)) == (729, 10_530)
    assert (minimal.top, len(minimal.clauses)) == (729, 8_829)
    small = CnfEncoding(sudoku(4), redundant=False)  # models of the smaller formula are the same
    from pysat.solvers import Solver

    with Solver(name="glucose4", bootstrap_with=small.clauses) as solver:
        assert sum(1 for _ in solver.enum_models()) == 288


def mixed() -> Problem:
    domains = {"a": range(4), "b": range(3), "c": range(1, 5), "p": (0, 1), "q": (0, 1)}
    problem = Problem(domains, domains)
    problem.all_different("abc").linear({"a": 1, "b": 2, "c": -1}, "<=", 2).clause(["p", "-q"])
    return (
        problem.table(["a", "p"], [(0, 1), (2, 0), (3, 1), (1, 1)]).equal(["q", "p"]).linear({"a": 1, "c": 1}, "!=", 5)
    )


def by_hand(problem: Problem) -> set[tuple[int, ...]]:
    states = list(product(*problem.allowed))
    return {state for state, good in zip(states, check(problem, np.array(states)).valid, strict=True) if good}


@pytest.mark.parametrize(
    "problem",
    [
        mixed(),
        colouring([(0, 1), (1, 2), (2, 3), (3, 0)], ["red", "green", "blue"]),
        path([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("b", "d")], "a", "d"),
        cnf([[1, 2, 3], [-1, -2], [-2, -3], [-1, 3]]),
        countdown([2, 3, 4], 10),
        addition(1).observe({"s2": 1, "s1": 3}),
        Problem("xyz", range(3)).equal("xy").all_different("yz"),
    ],
    ids=lambda problem: problem.title,
)
def test_engines_and_propagation_agree_with_enumeration(problem: Problem) -> None:
    wanted = {state for state in by_hand(problem) if check(problem, np.array(state)).valid[0]}
    assert wanted
    engines = [CpEngine()] if not CnfEncoding(problem).complete else [CpEngine(), SatEngine()]
    for engine in engines:
        found = [tuple(problem.state(values)) for values in enumerate_solutions(problem, engine=engine)]
        assert len(found) == len(set(found))
        assert set(found) == wanted
    left = Propagator(problem)(arrays(problem).domains)[0]
    for state in wanted:
        assert left[range(len(state)), list(state)].all()  # nothing that a solution has is struck


def test_propagation_reaches_what_it_should() -> None:
    chain = cnf([[1], [-1, 2], [-2, -3], [3, 4]])
    assert decided(Propagator(chain)(arrays(chain).domains)).tolist() == [[1, 1, 0, 1]]
    clash = cnf([[1], [-1]])
    assert contradicted(Propagator(clash)(arrays(clash).domains)).tolist() == [True]
    total = addition(3, a=999, b=1)
    state = decided(Propagator(total)(arrays(total).domains))[0].tolist()
    assert [total.values[state[total.index(f"s{i}")]] for i in (4, 3, 2)] == [1, 0, 0]
    queens = nqueens(4).observe({"row 1": 2})
    assert decided(Propagator(queens)(arrays(queens).domains)).tolist() == [[1, 3, 0, 2]]
    board = sudoku(given=SOLUTION[:72] + "." * 9)
    domains = torch.from_numpy(arrays([board, sudoku(given=PUZZLE)]).domains)
    naked = Propagator(board, [NakedSingles(arrays(board))])(domains)
    assert (decided(naked) >= 0).all(-1).tolist() == [True, False]
    assert (decided(naked)[0].numpy() + 1 == parse_board(SOLUTION).reshape(-1)).all()
    assert torch.equal(Propagator(board)(domains, rounds=0), domains)


@pytest.mark.parametrize("mode", ["exact", "hybrid"])
def test_the_first_puzzle(mode) -> None:
    problem = sudoku(given=PUZZLE)
    answer = solve(problem, mode=mode)
    assert answer.status is Status.SAT
    assert answer.valid
    assert answer.unique
    assert answer.text(problem).translate(str.maketrans("", "", " |+-\n")) == SOLUTION


@pytest.mark.parametrize("mode", ["exact", "hybrid"])
def test_bad_boards_get_an_honest_answer(mode) -> None:
    clash = solve(sudoku(given="55" + "." * 79), mode=mode)
    assert clash.status is Status.UNSAT
    assert clash.note == "r1c1 and r1c2 are both 5 in row 1"
    impossible = solve(sudoku(4, given="123....4........"), mode=mode)  # no two clues clash, yet nothing fits r1c4
    assert (impossible.status, impossible.values) == (Status.UNSAT, None)
    empty = solve(sudoku(), mode=mode)
    assert (empty.valid, empty.unique, empty.note) == (True, False, "there are several solutions")
    assert solve(cnf([[1], [-1]]), mode=mode).status is Status.UNSAT


@pytest.mark.parametrize("problem", [sudoku(given=PUZZLE), cnf([[1, 2]]), killer({("r1c1", "r1c2"): 3})])
@pytest.mark.parametrize("mode", ["exact", "hybrid"])
def test_a_budget_of_zero_knows_nothing(problem: Problem, mode) -> None:
    answer = solve(problem, mode=mode, budget=0)
    assert (answer.status, answer.values) == (Status.UNKNOWN, None)
    assert answer.note == "the budget of 0 s is spent"


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="no mode 'fast'"):
        solve(sudoku(), mode="fast")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="neural mode needs a model"):
        solve(sudoku(), mode="neural")
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        solve(sudoku(), budget=-1)
    with pytest.raises(ValueError, match="cap must be at least 1"):
        count(sudoku(), cap=0)
    with pytest.raises(TimeoutError, match="spent before all solutions"):
        list(enumerate_solutions(nqueens(6), seconds=0))


class Fake:
    """A model that proposes what it is told and is sure of it."""

    def __init__(self, states: np.ndarray) -> None:
        self.states, self.asked = states, 0

    def marginals(self, problem: Problem, possible: np.ndarray) -> np.ndarray:
        self.asked += len(possible)
        return np.eye(len(problem.values))[np.resize(self.states, possible.shape[:2])]

    def propose(self, problem: Problem, possible: np.ndarray, seconds: float | None) -> Proposal:
        return Proposal(np.resize(self.states, possible.shape[:2]), np.ones(len(possible)))


def test_the_checker_disposes() -> None:
    right = parse_board(SOLUTION).reshape(-1) - 1
    wrong = right.copy()
    wrong[0] = (wrong[0] + 1) % 9
    problem = sudoku(given=PUZZLE)
    good = solve(problem, mode="neural", model=Fake(right))
    assert (good.status, good.confidence, good.unique) == (Status.SAT, 1.0, None)
    bad = solve(problem, mode="neural", model=Fake(wrong))
    assert (bad.status, bad.values) == (Status.UNKNOWN, None)
    assert "rejected" in bad.note
    elsewhere = solve(sudoku(given="." * 80 + "9"), mode="neural", model=Fake(right))  # contradicts the clue
    assert elsewhere.status is Status.UNKNOWN
    formula = solve(cnf([[1], [-1]]), mode="neural", model=Fake(np.zeros(1, dtype=int)))
    assert formula.status is Status.UNKNOWN  # only a complete search may say UNSAT


def test_a_model_orders_the_search_and_decides_nothing() -> None:
    right = parse_board(SOLUTION).reshape(-1) - 1
    problem = sudoku(given=PUZZLE)
    plain = solve(problem)
    for states in (right, 8 - right):
        ordered = solve(problem, model=Fake(states))
        assert ordered.values == plain.values
        assert ordered.unique
    easy = Fake(right)
    assert solve(sudoku(given=SOLUTION[:72] + "." * 9), model=easy).nodes == 0
    assert easy.asked == 0  # singles suffice
    for problem in (cnf([[1, 2], [-1, 2]]), mixed()):
        answers = by_hand(problem)
        answer = solve_exact(problem, marginals=np.ones((len(problem), len(problem.values))), unique=False)
        assert tuple(problem.state(answer.values or {})) in answers


def test_many_at_once_in_order() -> None:
    boards = [PUZZLE, SOLUTION, "11" + "." * 79, PUZZLE]
    answers = solve_all([*(sudoku(given=board) for board in boards), cnf([[1]]), sudoku(4)])
    assert [answer.status for answer in answers] == [Status.SAT] * 2 + [Status.UNSAT] + [Status.SAT] * 3
    assert answers[4].values == {1: True}


@pytest.mark.parametrize(
    "problem",
    [sudoku_x(4), irregular("1122\n1122\n3344\n3344"), killer({("r1c1", "r1c2"): 3, ("r1c3", "r2c3", "r2c4"): 6}, n=4)],
    ids=["X", "irregular", "killer"],
)
def test_variants(problem: Problem) -> None:
    exact = {tuple(problem.state(values)) for values in enumerate_solutions(problem, engine=CpEngine())}
    assert count(problem).solutions == len(exact) > 0
    square = sudoku(4)
    inside = {tuple(square.state(values)) for values in enumerate_solutions(square)}
    assert exact <= inside
    assert (len(exact) == 288) == (problem.kind == "irregular")  # its regions are boxes here
    assert solve(problem).valid


def test_countdown_and_paths() -> None:
    problem = countdown([15, 44, 79], 50)
    assert count(problem).solutions == 3
    texts = {expression(problem, values) for values in enumerate_solutions(problem)}
    assert "44-15=29,79-29=50" in texts
    for text in texts:
        assert text.endswith("=50")
    assert solve(countdown([1, 1], 5)).status is Status.UNSAT
    nowhere = path([(1, 2), (3, 4)], 1, 4)
    assert solve(nowhere).status is Status.UNSAT
    long = path([(1, 2), (2, 3), (3, 1), (3, 4), (1, 4)], 1, 4, length=3)
    assert solve(long).values == {"step 0": 1, "step 1": 2, "step 2": 3, "step 3": 4}


def test_addition_adds() -> None:
    for a, b in [(0, 0), (999, 1), (123, 456), (808, 292)]:
        values = solve(addition(3, a=a, b=b)).values or {}
        assert sum(values[f"s{i}"] * 10 ** (i - 1) for i in range(1, 5)) == a + b


def test_an_unverified_state_never_becomes_sat() -> None:
    answer = Solution.verified(cnf([[1, 2]]), [0, 0], solver="guess", unique=True)
    assert (answer.status, answer.valid, answer.unique) == (Status.UNKNOWN, False, None)
    assert answer.note == "the checker rejected an answer of guess: clause 1 (1 or 2) is false"


def test_traces_can_be_followed(tmp_path) -> None:
    problem = sudoku(given=PUZZLE)
    trace = with_trace(problem, solve(problem)).trace
    assert trace is not None
    kinds = [step.kind for step in trace.steps]
    assert kinds == ["given"] + ["single"] * 8 + ["search", "checked"]
    for before, after in zip(trace.steps, trace.steps[1:], strict=False):
        assert all(k in (-1, m) for k, m in zip(before.state, after.state, strict=True))
    assert "r9c4 is 4: it is the only place for 4 in row 9" in trace.text()
    assert trace.text(0).splitlines()[0] == "17 of 81 variables are given"
    with pytest.raises(ValueError, match="steps 0 to 10, got 11"):
        trace.text(11)
    trace.save(tmp_path / "trace.html")
    page = (tmp_path / "trace.html").read_text()
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    named = Problem(["</script><b>"], ["<i>"], title="<script>")
    page = with_trace(named, solve(named)).trace.to_html()  # type: ignore[union-attr]
    assert "</script><b>" not in page
    assert "<i>" not in page
