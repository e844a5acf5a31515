"""`ReasoningModel`: fits, solves, draws, scores, saves; and never calls anything solved that is not."""

import copy
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from intarsia.errors import ArtifactError, NotFittedError
from intarsia.processes import Discrete
from intarsia.samplers import Unmask
from intarsia_domains.reasoning import Problem, check, generate_sudoku, sudoku
from intarsia_domains.reasoning._arrays import domains
from intarsia_domains.reasoning._board import format_board
from intarsia_domains.reasoning._ladder import Ladder
from intarsia_domains.reasoning._model import ReasoningModel
from intarsia_domains.reasoning._problem_json import problem_from_json, problem_to_json
from intarsia_domains.reasoning._solution import Status
from intarsia_domains.reasoning._training import Curriculum
from intarsia_domains.reasoning.presets import cnf, nqueens


def boards(n: int, seed: int = 0, clues: int = 7) -> list[str]:
    return [format_board(board) for board in generate_sudoku(n, clues=clues, size=4, seed=seed).boards]


@pytest.fixture(scope="module")
def fitted() -> ReasoningModel:
    model = ReasoningModel(steps=120, width=16, hidden=24, curriculum=Curriculum(batch=16), progress=False)
    return model.fit(boards(60))


def ignorant() -> ReasoningModel:
    from intarsia_domains.reasoning._weights import build_network

    network = build_network({"width": 4, "hidden": 4})
    return ReasoningModel.of(network, sudoku(4), {}, ladder=Ladder(iterations=2, every=2, restarts=1, mends=1))


def test_solves_held_out_boards_and_every_answer_is_verified(fitted: ReasoningModel) -> None:
    puzzles = boards(40, seed=7)
    answers = fitted.solve(puzzles)
    assert sum(answer.status is Status.SAT for answer in answers) >= 36
    for puzzle, answer in zip(puzzles, answers, strict=True):
        if answer.values is not None:
            problem = sudoku(4, given=puzzle)
            assert check(problem, problem.state(answer.values)).valid.all()
        assert answer.confidence is not None
        assert 0.0 <= answer.confidence <= 1.0


def test_what_a_network_does_not_know_is_unknown_and_hybrid_mode_solves_it_all_the_same() -> None:
    model, puzzles = ignorant(), boards(20, seed=3)
    answers = model.solve(puzzles)
    assert {answer.status for answer in answers} <= {Status.SAT, Status.UNKNOWN}
    assert any(answer.status is Status.UNKNOWN for answer in answers)
    hybrid = model.solve(puzzles, mode="hybrid")
    assert all(answer.status is Status.SAT and answer.unique for answer in hybrid)


def test_contradicting_clues_are_unsat_with_the_pair_named(fitted: ReasoningModel) -> None:
    answer = fitted.solve("11.." + "." * 12)
    assert answer.status is Status.UNSAT
    assert "r1c1 and r1c2 are both 1" in answer.note


def test_an_unsatisfiable_formula_is_unknown_to_the_network_alone() -> None:
    formula = cnf("p cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0\n-1 -2 0\n")
    assert ignorant().solve(formula).status is Status.UNKNOWN


def test_a_spent_budget_is_unknown(fitted: ReasoningModel) -> None:
    assert fitted.solve(boards(1, seed=5)[0], budget=0).status is Status.UNKNOWN


def test_the_same_weights_take_other_sizes_and_other_constraints(fitted: ReasoningModel) -> None:
    for problem in (sudoku(6), sudoku(9), nqueens(4)):
        assert fitted.solve(problem).status in (Status.SAT, Status.UNKNOWN)


def test_proposals_and_marginals_have_the_shapes_that_solvers_expect(fitted: ReasoningModel) -> None:
    problems = [sudoku(4, given=board) for board in boards(3, seed=9)]
    possible = domains(problems)
    proposal = fitted.propose(problems[0].structure, possible, None)
    assert proposal.states.shape == (3, 16)
    law = fitted.marginals(problems[0].structure, possible)
    assert law.shape == (3, 16, 4)
    np.testing.assert_allclose(law.sum(-1), 1.0, rtol=1e-5)
    assert not law[~possible].any()


def test_draws_are_distinct_verified_and_the_same_for_a_seed(fitted: ReasoningModel) -> None:
    draws = fitted.sample(30, seed=4)
    assert draws == fitted.sample(30, seed=4)
    problem = sudoku(4)
    states = np.array([problem.state(draw) for draw in draws])
    assert check(problem, states).valid.all()
    assert len({tuple(state) for state in states}) == 30
    assert fitted.sample(0) == []


def test_draws_hold_the_clues_and_complete_agrees_with_the_only_solution(fitted: ReasoningModel) -> None:
    board = boards(1, seed=11)[0]
    (draw,) = fitted.sample(1, given=board)
    assert fitted.complete([board]) == [draw]


def test_complete_names_the_board_that_has_no_solution(fitted: ReasoningModel) -> None:
    with pytest.raises(ValueError, match="problem 2 cannot be completed"):
        fitted.complete([boards(1)[0], "12.." + "..3." + "...4" + "...."])


def test_scores_are_log_likelihood_bounds_that_prefer_solutions(fitted: ReasoningModel) -> None:
    solved = [format_board(grid) for grid in generate_sudoku(8, clues=16, size=4, seed=1).boards]
    broken = ["1" * 16] * 2
    scores = fitted.score_samples(solved, samples=16)
    assert scores.shape == (8,)
    assert (scores < 0).all()
    assert scores.min() > fitted.score_samples(broken, samples=16).max()
    with pytest.raises(ValueError, match="not fully given"):
        fitted.score_samples([boards(1)[0]])


def test_calibration_judges_one_pass(fitted: ReasoningModel) -> None:
    model = copy.copy(fitted)
    found = model.calibrate(boards(60, seed=21))
    assert found.problems == 60
    assert found.ece <= 0.15
    assert model.temperature_ == found.temperature


def test_generated_boards_with_and_without_one_solution(fitted: ReasoningModel) -> None:
    unique = fitted.generate(3, clues=6, size=4, seed=0)
    assert (np.count_nonzero(unique.boards, axis=1) == 6).all()
    free = fitted.generate(3, clues=2, size=4, unique=False, seed=0)
    assert (np.count_nonzero(free.boards, axis=1) == 2).all()
    assert check(sudoku(4), free.solutions - 1).valid.all()
    with pytest.raises(ValueError, match="without `unique`"):
        fitted.generate(1, unique=False, size=4)


def test_a_saved_model_answers_the_same(fitted: ReasoningModel, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    other = ReasoningModel.load(tmp_path / "model")
    puzzles = boards(10, seed=31)
    assert [a.values for a in other.solve(puzzles)] == [a.values for a in fitted.solve(puzzles)]
    assert other.temperature_ == fitted.temperature_
    assert other.sample(3, seed=2) == fitted.sample(3, seed=2)
    assert "parameters" in (tmp_path / "model" / "card.md").read_text()


def test_a_damaged_model_is_refused(fitted: ReasoningModel, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text())
    config["config"]["network"]["width"] = 10**9
    path.write_text(json.dumps(config))
    with pytest.raises(ArtifactError, match="out of range"):
        ReasoningModel.load(tmp_path / "model")


def test_nothing_works_before_fit_and_parameters_are_plain() -> None:
    model = ReasoningModel(steps=3)
    with pytest.raises(NotFittedError):
        model.solve("." * 16)
    assert ReasoningModel(**model.get_params()).get_params() == model.get_params()


def test_fit_names_what_is_wrong_with_its_input() -> None:
    model = ReasoningModel(steps=1, width=4, hidden=4, progress=False)
    with pytest.raises(ValueError, match="item 2"):
        model.fit(["." * 16, "." * 15])
    with pytest.raises(ValueError, match="problem 1 has no known solution"):
        model.fit(["11.." + "." * 12])
    with pytest.raises(ValueError, match="solution 1 is wrong"):
        model.fit(boards(2), np.zeros((2, 16), dtype=int))
    with pytest.raises(TypeError, match="problems or boards"):
        model.fit(3)


def formulas(n: int, seed: int = 0) -> list[Problem]:
    """Random satisfiable 3-SAT on four variables, with different numbers of clauses."""
    rng = np.random.default_rng(seed)
    found: list[Problem] = []
    while len(found) < n:
        size = int(rng.integers(6, 14))
        chosen = [rng.choice(4, 3, replace=False) + 1 for _ in range(size)]
        clauses = [row * rng.choice([-1, 1], 3) for row in chosen]
        models = [
            bits
            for bits in product([False, True], repeat=4)
            if all(any(bits[abs(k) - 1] == (k > 0) for k in clause) for clause in clauses)
        ]
        if models:
            text = "\n".join(" ".join(map(str, [*clause, 0])) for clause in clauses)
            found.append(cnf(f"p cnf 4 {size}\n{text}\n"))
    return found


def test_formulas_of_one_size_are_learned_in_one_batch_and_scored_by_satisfaction() -> None:
    problems = formulas(80)
    states = np.array([next(s for s in product([0, 1], repeat=4) if check(p, np.array(s)).valid[0]) for p in problems])
    model = ReasoningModel(steps=150, width=16, hidden=24, curriculum=Curriculum(batch=16), progress=False, seed=0)
    model.fit(problems, states)
    once, asked = Ladder(iterations=16, every=16, restarts=0, mends=0), formulas(40, seed=8)
    answers = model.solve(asked, ladder=once)
    assert sum(answer.valid for answer in answers) >= 22
    assert sum(answer.valid for answer in ignorant().solve(asked, ladder=once)) <= 16
    for answer in answers:
        assert answer.status in (Status.SAT, Status.UNKNOWN)


@pytest.mark.parametrize("problem", [sudoku(6), nqueens(5), cnf("p cnf 3 2\n1 -2 0\n2 3 0\n")])
def test_problems_survive_json(problem: Problem) -> None:
    content = problem_to_json(problem)
    assert content is not None
    back = problem_from_json(json.loads(json.dumps(content)))
    assert back.variables == problem.variables
    assert back.values == problem.values
    assert back.allowed == problem.allowed
    assert back.constraints == problem.constraints


def test_the_engines_samplers_run_on_the_network(fitted: ReasoningModel) -> None:
    from intarsia.diffusion import Diffusion
    from intarsia_domains.reasoning._stack import stack

    graph, possible = stack([sudoku(4)])
    diffusion = Diffusion(Discrete.absorbing(4), fitted.network_)
    states = diffusion.sample((16, 16), Unmask(), cond=(graph, possible), rng=torch.Generator().manual_seed(0))
    assert check(sudoku(4), states.numpy()).valid.mean() > 0.1  # of 4^16 states 288 are valid
