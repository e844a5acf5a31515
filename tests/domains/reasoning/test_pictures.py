"""Boards from pictures: against enumeration on small boards, and on handwritten digits under noise."""

from itertools import product

import numpy as np
import pytest

from intarsia_domains.reasoning import (
    DigitReader,
    Problem,
    Reading,
    Status,
    generate_sudoku,
    latin,
    likeliest,
    picture_board,
    read_board,
    reading_figure,
    reliability_figure,
    search_boards,
    solve,
    solve_pictures,
    sudoku,
)
from intarsia_domains.reasoning._arrays import arrays
from intarsia_domains.reasoning._digit_reader import _temperature
from intarsia_domains.reasoning._engines import BudgetSpentError, Clock
from intarsia_domains.reasoning._pictures import _READINGS, _WINDOW
from intarsia_domains.reasoning._reading_search import proper_readings
from intarsia_domains.reasoning._soft_draws import soft_draws
from intarsia_domains.reasoning._sudoku import Layout

NOISE = 1.5


def grids4() -> np.ndarray:
    found = search_boards(np.zeros((1, 16), dtype=np.int64), limit=1000, keep=1000)
    return found.grids[0, : found.counts[0]] - 1


def reading_of(symbols: np.ndarray, problem: Problem) -> Reading:
    """A reading whose symbols have these chances, (variables, values + 1), under equal chances of the values."""
    values = symbols.shape[1] - 1
    weights = np.logaddexp(np.log(symbols[:, :-1] * values), np.log(symbols[:, -1:]))
    return Reading(problem, weights - weights.max(-1, keepdims=True), np.log(symbols))


@pytest.fixture(scope="module")
def digits():
    """Handwritten digits 1 to 9, those to learn from and others."""
    sets = pytest.importorskip("sklearn.datasets").load_digits()
    kept = sets.target > 0
    images, labels = sets.images[kept], sets.target[kept]
    order = np.random.default_rng(0).permutation(len(images))
    return [(images[part], labels[part]) for part in (order[:1000], order[1000:])]


@pytest.fixture(scope="module")
def reader(digits) -> DigitReader:
    (images, labels), _ = digits
    rng = np.random.default_rng(1)
    blank = np.zeros((400, *images.shape[1:]))
    pictures = np.concatenate([images, blank])
    pictures = pictures + NOISE * rng.standard_normal(pictures.shape)
    return DigitReader().fit(pictures, np.concatenate([labels, np.zeros(400, dtype=int)]))


def test_the_likeliest_boards_are_those_of_enumeration() -> None:
    grids = grids4()
    assert len(grids) == 288
    weights = np.random.default_rng(3).normal(size=(16, 4))
    scores = weights[np.arange(16), grids].sum(-1)
    order = np.argsort(-scores)
    found = likeliest(sudoku(4), weights, count=3)
    np.testing.assert_array_equal(found.states, grids[order[:3]])
    np.testing.assert_allclose(found.scores, scores[order[:3]])
    assert found.proven == 3
    assert not found.complete
    exact = np.exp(scores[order[0]] - np.logaddexp.reduce(scores))
    assert exact <= found.confidence
    assert found.confidence == pytest.approx(1 / np.exp(scores[order[:3]] - scores[order[0]]).sum())


def test_the_likeliest_board_keeps_what_is_given_and_says_when_there_are_no_more() -> None:
    problem = sudoku(4, given="1234 3412 2143 43..")
    found = likeliest(problem, np.zeros((16, 4)), count=2)
    assert found.complete
    assert len(found.states) == 1
    none = likeliest(
        sudoku(4, given="12.. ..3. .... ...4").structure.observe({"r1c1": 1, "r1c2": 1}), np.zeros((16, 4))
    )
    assert none.complete
    assert not len(none.states)
    with pytest.raises(BudgetSpentError):
        likeliest(sudoku(4), np.zeros((16, 4)), seconds=0.0)


def test_proper_readings_come_in_the_order_of_enumeration() -> None:
    rng = np.random.default_rng(5)
    board = np.array([1, 0, 0, 4, 0, 0, 1, 0, 0, 1, 0, 0, 4, 0, 0, 1])
    board = generate_sudoku(1, clues=6, size=4, seed=2).boards[0].reshape(-1)
    symbols = np.full((16, 5), 1e-30)
    symbols[np.arange(16), np.where(board > 0, board - 1, 4)] = 1.0
    doubtful = rng.choice(16, 5, replace=False)
    symbols[doubtful] = rng.dirichlet(np.full(5, 0.7), 5)
    symbols /= symbols.sum(-1, keepdims=True)
    reading = reading_of(symbols, sudoku(4))
    layout = Layout.of(sudoku(4))
    assert layout is not None
    choices = np.array(list(product(range(5), repeat=5)))
    boards = np.repeat(board[None], len(choices), 0)
    boards[:, doubtful] = np.where(choices < 4, choices + 1, 0)
    scores = reading.symbols[doubtful, choices].sum(-1)
    searched = search_boards(boards, layout)
    proper = searched.counts == 1
    expected = np.sort(scores[proper])[::-1]
    kept = []
    for read in proper_readings(reading, layout, Clock(60.0)):
        if read.score < reading.symbols.max(-1).sum() - 25:
            break
        kept.append(read)
        assert search_boards(read.clues[None] + 1, layout).counts[0] == 1
    expected = expected[expected >= reading.symbols.max(-1).sum() - 25]
    np.testing.assert_allclose([read.score for read in kept], expected, atol=1e-9)
    best = boards[proper][scores[proper].argmax()]
    assert (kept[0].clues + 1 == best).all()


def test_confidence_is_the_share_of_the_readings_that_show_the_board() -> None:
    board = generate_sudoku(1, clues=6, size=4, seed=2).boards[0].reshape(-1)
    symbols = np.full((16, 5), 1e-30)
    symbols[np.arange(16), np.where(board > 0, board - 1, 4)] = 1.0
    symbols[:8] = np.random.default_rng(0).dirichlet(np.full(5, 0.5), 8)
    reading = reading_of(symbols / symbols.sum(-1, keepdims=True), sudoku(4))
    answer = solve_pictures(reading)
    shares: dict[bytes, float] = {}
    layout = Layout.of(sudoku(4))
    assert layout is not None
    best = None
    for number, read in enumerate(proper_readings(reading, layout, Clock(60.0))):
        best = read.score if best is None else best
        if number == _READINGS or read.score < best - _WINDOW:
            break
        shares[read.state.tobytes()] = shares.get(read.state.tobytes(), 0.0) + np.exp(read.score)
    assert answer.confidence == pytest.approx(max(shares.values()) / sum(shares.values()))
    assert answer.unique
    assert answer.valid


def test_a_misread_digit_is_corrected_and_named() -> None:
    problem = latin(3)
    grid = np.array([0, 1, 2, 1, 2, 0, 2, 0, 1])
    symbols = np.full((9, 4), 0.01)
    symbols[np.arange(9), grid] = 0.97
    symbols[4] = [0.5, 0.01, 0.48, 0.01]  # looks like a 1 and is a 3
    reading = reading_of(symbols, problem)
    assert solve(reading.observed).status is Status.UNSAT
    for unique in (True, False):
        answer = solve_pictures(reading, unique=unique, mode="exact" if unique else "hybrid")
        assert answer.valid
        assert reading.corrections(answer) == {"r2c2": (1, 3)}
        assert problem.state(answer.values or {}) == grid.tolist()


def test_that_there_is_one_solution_corrects_what_the_constraints_cannot() -> None:
    """With the misread clue the board has a solution, and more than one; no constraint is violated."""
    puzzle = generate_sudoku(1, size=4, seed=3)
    board, grid = puzzle.boards[0].reshape(-1), puzzle.solutions[0].reshape(-1)
    layout = Layout.of(sudoku(4))
    cell, wrong, counts = -1, 0, np.zeros(0)
    for cell in np.flatnonzero(board):
        other = np.repeat(board[None], 4, 0)
        other[:, cell] = range(1, 5)
        counts = search_boards(other, layout).counts
        if (counts == 2).any():
            wrong = 1 + int(counts.argmax())
            break
    assert counts[wrong - 1] == 2
    symbols = np.full((16, 5), 0.001)
    symbols[np.arange(16), np.where(board > 0, board - 1, 4)] = 0.996
    symbols[cell] = 0.001
    symbols[cell, [wrong - 1, board[cell] - 1]] = 0.597, 0.4
    reading = reading_of(symbols, sudoku(4))
    answers = {unique: solve_pictures(reading, unique=unique) for unique in (True, False)}
    right = {unique: answer.values == reading.problem.assignment(grid - 1) for unique, answer in answers.items()}
    assert right == {True: True, False: False}


def test_soft_draws_are_distinct_verified_boards_from_the_likeliest_down() -> None:
    import torch

    weights = 3 * np.random.default_rng(1).normal(size=(16, 4))
    found = soft_draws(sudoku(4), weights, 64, torch.Generator().manual_seed(0))
    scores = weights[np.arange(16), found].sum(-1)
    assert len(np.unique(found, axis=0)) == len(found) > 3
    assert (np.diff(scores) <= 0).all()
    known = {row.tobytes() for row in grids4()}
    assert all(row.tobytes() in known for row in found)
    every = weights[np.arange(16), grids4()].sum(-1)
    assert np.quantile(every, 0.95) < scores[0] <= every.max() + 1e-9


def test_soft_draws_ask_the_model_and_its_answers_matter() -> None:
    import torch

    grid = grids4()[100]

    class Model:
        asked = 0

        def marginals(self, problem: Problem, possible: np.ndarray) -> np.ndarray:
            self.asked += 1
            law = np.where(np.arange(4) == grid[:, None], 0.97, 0.01)
            return np.where(possible, law, 0.0)

        def propose(self, problem: Problem, possible: np.ndarray, seconds: float | None):
            raise NotImplementedError

    model = Model()
    found = soft_draws(sudoku(4), np.zeros((16, 4)), 4, torch.Generator().manual_seed(0), model)
    assert model.asked > 0
    assert (found == grid).all(-1).any()
    reading = reading_of(np.full((16, 5), 0.2), sudoku(4))
    answer = solve_pictures(reading, mode="neural", model=model, unique=False, draws=1)
    assert sudoku(4).state(answer.values or {}) == grid.tolist()


@pytest.mark.parametrize("mode", ["exact", "hybrid", "neural"])
def test_every_mode_reads_a_clear_board(mode) -> None:
    puzzle = generate_sudoku(1, clues=7, size=4, seed=4)
    board = puzzle.boards[0].reshape(-1)
    symbols = np.full((16, 5), 0.001)
    symbols[np.arange(16), np.where(board > 0, board - 1, 4)] = 0.996
    reading = reading_of(symbols, sudoku(4))
    answer = solve_pictures(reading, mode=mode)
    assert answer.valid
    assert sudoku(4).state(answer.values or {}) == (puzzle.solutions[0].reshape(-1) - 1).tolist()
    assert not reading.corrections(answer)


def test_the_temperature_undoes_a_temperature() -> None:
    rng = np.random.default_rng(0)
    logits = 2.0 * rng.normal(size=(20_000, 5))
    law = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    truth = (law.cumsum(-1) < rng.random((len(law), 1))).sum(-1)
    logs = 3.0 * logits
    logs = logs - np.log(np.exp(logs).sum(-1, keepdims=True))
    assert _temperature(logs, truth) == pytest.approx(3.0, rel=0.03)


def test_digits_are_read_with_honest_confidence(reader: DigitReader, digits) -> None:
    _, (images, labels) = digits
    noisy = images + NOISE * np.random.default_rng(2).standard_normal(images.shape)
    reliability = reader.reliability(noisy, labels)
    assert reliability.accuracy > 0.85
    assert reliability.ece < 0.06
    assert reliability.count.sum() == len(images)
    np.testing.assert_allclose(np.exp(reader.log_probs(noisy)).sum(-1), 1.0)


def test_joint_reading_succeeds_where_independent_reading_fails(reader: DigitReader, digits) -> None:
    """About one digit in twelve is misread: no board of 36 comes out right by itself, most do together."""
    _, (images, labels) = digits
    puzzles = generate_sudoku(12, clues=36, seed=1)
    alone = together = 0
    for seed, (board, solution) in enumerate(zip(puzzles.boards, puzzles.solutions, strict=True)):
        pictures = picture_board(board, images, labels, noise=NOISE, seed=seed)
        reading = read_board(reader, pictures, sudoku(9), blank=45 / 81)
        right = dict(zip(reading.problem.variables, solution.reshape(-1).tolist(), strict=True))
        alone += solve(reading.observed).values == right
        answer = solve_pictures(reading, budget=20.0)
        together += answer.values == right
        assert answer.confidence is None or 0.0 < answer.confidence <= 1.0
    assert alone <= 3
    assert together >= 10


def test_reading_is_the_formula_of_its_docstring() -> None:
    class Sure:
        classes_ = np.array([0, 1, 2, 3, 4])

        def fit(self, images: np.ndarray, labels: np.ndarray):
            return self

        def predict_proba(self, images: np.ndarray) -> np.ndarray:
            return images[:, :5]

    law = np.random.default_rng(0).dirichlet(np.ones(5), 16)
    reader = DigitReader(classifier=Sure()).fit(law, np.arange(16) % 5)
    reader.temperature_ = 1.0
    reading = read_board(reader, law, sudoku(4), blank=0.3)
    ratio = law / reader.shares_
    likelihood = 0.7 * ratio[:, 1:] + 0.3 * ratio[:, :1]
    np.testing.assert_allclose(np.exp(reading.weights), likelihood / likelihood.max(-1, keepdims=True))
    joint = np.concatenate([0.7 * ratio[:, 1:] / 4, 0.3 * ratio[:, :1]], 1)
    np.testing.assert_allclose(np.exp(reading.symbols), joint / joint.sum(-1, keepdims=True))


def test_what_does_not_fit_is_refused(reader: DigitReader, digits) -> None:
    (images, labels), _ = digits
    with pytest.raises(ValueError, match="the board has 81 cells and there are 3 pictures"):
        read_board(reader, images[:3], sudoku(9))
    with pytest.raises(ValueError, match="the reader has never seen 10"):
        read_board(reader, np.zeros((256, 8, 8)), sudoku(16))
    with pytest.raises(ValueError, match="picture 2 has a pixel that is no finite number"):
        reader.log_probs([[0.0] * 64, [np.nan] * 64])
    with pytest.raises(ValueError, match="got 3 pictures and 2 labels"):
        DigitReader().fit(images[:3], labels[:2])
    with pytest.raises(ValueError, match="there is no picture of 7"):
        picture_board([7], images[labels == 1], labels[labels == 1])
    reading = reading_of(np.full((16, 5), 0.2), sudoku(4))
    with pytest.raises(ValueError, match="there is no mode 'guess'"):
        solve_pictures(reading, mode="guess")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`draws` must be at least 1"):
        solve_pictures(reading, draws=0)
    assert solve_pictures(reading, budget=0.0).status is Status.UNKNOWN


def test_boards_that_cannot_be_are_unsatisfiable() -> None:
    symbols = np.full((4, 3), 1e-300)
    symbols[:, 0] = 1.0
    problem = Problem(["a", "b", "c", "d"], [1, 2]).all_different(["a", "b", "c"])
    reading = reading_of(symbols, problem)
    assert solve_pictures(reading, unique=False).status is Status.UNSAT
    assert solve_pictures(reading, mode="neural", unique=False).status is Status.UNKNOWN
    assert arrays(problem).groups.shape == (1, 3)


def test_figures_show_what_was_corrected(reader: DigitReader, digits) -> None:
    _, (images, labels) = digits
    puzzles = generate_sudoku(1, clues=36, seed=1)
    pictures = picture_board(puzzles.boards[0], images, labels, noise=NOISE)
    reading = read_board(reader, pictures, sudoku(9), blank=45 / 81)
    answer = solve_pictures(reading, budget=20.0)
    panel = reading_figure(pictures, reading, answer).panels[0]
    notes = panel["layout"]["annotations"]  # type: ignore[index]
    red = [note for note in notes if note["font"]["color"] == "#c0342b"]
    assert len(notes) == 81
    assert len(red) == len(reading.corrections(answer)) > 0
    curve = reader.reliability(images, labels)
    lines = reliability_figure({"digits": curve}).panels[0]["data"]
    assert len(lines[1]["x"]) == (curve.count > 0).sum()  # type: ignore[index]
