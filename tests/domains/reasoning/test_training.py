"""Training: the loss by hand, the workbook's rules, and that a small network learns a small board."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from intarsia.training import Budget
from intarsia_domains.reasoning import sudoku
from intarsia_domains.reasoning._denoiser import Belief, FactorGraphDenoiser
from intarsia_domains.reasoning._generate import generate_sudoku
from intarsia_domains.reasoning._learning import Unsolved
from intarsia_domains.reasoning._lessons import Examples, Lessons, Mix, Teacher
from intarsia_domains.reasoning._stack import shared_graph
from intarsia_domains.reasoning._training import Curriculum, Workbook, fit_denoiser, supervised
from intarsia_domains.reasoning._weights import build_network


def teacher(clues: int = 8, n: int = 40) -> Teacher:
    found = generate_sudoku(n, clues=clues, size=4, seed=0)
    given, states = found.boards - 1, found.solutions - 1
    return Teacher(
        shared_graph(sudoku(4)), torch.ones(16, 4, dtype=torch.bool), {"four": (Examples(given, states), 1.0)}, Mix()
    )


def lessons(given: int) -> Lessons:
    """Three variables with two values, the first `given` of them observed."""
    domains = torch.ones(1, 3, 2, dtype=torch.bool)
    domains[0, :given, 1] = False
    return Lessons(domains, torch.zeros(1, 3, dtype=torch.int64), torch.full((1, 3), 2))


@pytest.mark.parametrize("given", [0, 1, 2])
def test_the_loss_of_ignorance_is_a_sum_of_logarithms_whatever_is_given(given: int) -> None:
    case = lessons(given)
    belief = Belief(torch.zeros(1, 3, 2).masked_fill(~case.domains, -torch.inf), torch.zeros(1, 3), torch.zeros(1))
    loss = supervised(belief, case, torch.tensor([True]), Curriculum(solved=0.5, settled=2.0))
    assert loss.item() == pytest.approx((1 + 2.0 + 0.5) * math.log(2), rel=1e-6)


def test_hard_variables_weigh_by_their_error() -> None:
    case = lessons(0)
    belief = Belief(torch.zeros(1, 3, 2), torch.zeros(1, 3), torch.zeros(1))
    loss = supervised(belief, case, torch.tensor([True]), Curriculum(beta=2.0, solved=0.0, settled=0.0))
    # u = log 2, so 1 - exp(-u) = 1/2
    assert loss.item() == pytest.approx(0.25 * math.log(2), rel=1e-6)


def test_a_board_that_is_all_given_costs_no_values() -> None:
    case = lessons(3)
    belief = Belief(torch.zeros(1, 3, 2).masked_fill(~case.domains, -torch.inf), torch.zeros(1, 3), torch.zeros(1))
    assert supervised(belief, case, torch.tensor([True]), Curriculum(solved=0.0)).item() == 0.0


def test_states_carry_on_until_a_lesson_is_left() -> None:
    rng = torch.Generator().manual_seed(0)
    network = build_network({"width": 8, "hidden": 8})
    book = Workbook(teacher(), Curriculum(batch=4, iterations=1, leave=0.0, leave_solved=0.0))
    book.loss(network, torch.arange(4), rng)
    first = book._state.clone()
    book.loss(network, torch.arange(4), rng)
    assert book.seen == 4
    assert not torch.equal(first, book._state)
    assert not book._state.requires_grad


def test_lessons_that_are_left_are_replaced_or_come_back_with_the_answer() -> None:
    rng = torch.Generator().manual_seed(0)
    network = build_network({"width": 8, "hidden": 8})
    fresh = Workbook(teacher(), Curriculum(batch=16, iterations=1, leave=1.0, leave_solved=1.0, revise=0.0))
    fresh.loss(network, torch.arange(16), rng)
    assert fresh.seen == 32
    again = Workbook(teacher(), Curriculum(batch=16, iterations=1, leave=1.0, leave_solved=1.0, revise=1.0))
    again.loss(network, torch.arange(16), rng)
    assert again.seen < 32
    assert again._lessons is not None
    # no mask is left in lessons that came back, and clues have stayed
    back = (again._lessons.xt < 4).all(-1)
    assert back.sum() >= 32 - again.seen
    clue = again._lessons.domains.sum(-1) == 1
    assert torch.equal(again._lessons.xt[clue], again._lessons.x0[clue])


def test_training_resumes_from_its_checkpoint(tmp_path: Path) -> None:
    network, checkpoint = build_network({"width": 8, "hidden": 8}), tmp_path / "run.safetensors"
    plan = Curriculum(batch=4, iterations=1)

    def nothing(model: nn.Module) -> float:
        return 0.0

    fit_denoiser(network, teacher(), Budget(steps=3), nothing, curriculum=plan, checkpoint=checkpoint)
    other = build_network({"width": 8, "hidden": 8}, seed=5)
    trained, book = fit_denoiser(other, teacher(), Budget(steps=3), nothing, curriculum=plan, checkpoint=checkpoint)
    assert trained.steps == 3
    assert book.seen == 0
    for mine, theirs in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_small_network_learns_four_by_four() -> None:
    network = build_network({"width": 16, "hidden": 24})
    school = teacher(n=60)
    found = generate_sudoku(40, clues=7, size=4, seed=99)
    held_out = Unsolved(school.graph, school.base, Examples(found.boards - 1, found.solutions - 1))
    before = held_out(network)
    fit_denoiser(network, school, Budget(steps=150), held_out, curriculum=Curriculum(batch=16))
    after = held_out(network)
    assert before > 0.9
    assert after < 0.2


def test_only_factor_graph_networks_can_be_trained() -> None:
    book = Workbook(teacher(), Curriculum(batch=2))
    with pytest.raises(TypeError, match="FactorGraphDenoiser"):
        book.loss(nn.Linear(1, 1), torch.arange(2), torch.Generator())


def test_defaults_are_a_network_of_the_documented_shape() -> None:
    network = FactorGraphDenoiser()
    assert (network.width, network.hidden) == (48, 96)
    assert np.isfinite([float(p.detach().abs().sum()) for p in network.parameters()]).all()
