"""Neural solving: clashes, rungs, dives and draws; with a network that is made to know or not to know."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intarsia_domains.reasoning import Propagator, check, sudoku
from intarsia_domains.reasoning._arrays import domains
from intarsia_domains.reasoning._clashes import clashes
from intarsia_domains.reasoning._denoiser import Belief
from intarsia_domains.reasoning._drawing import draw_once, draw_solutions
from intarsia_domains.reasoning._ladder import Climb, Climber, Ladder, set_surest, single_pass
from intarsia_domains.reasoning._stack import shared_graph, stack
from intarsia_domains.reasoning._weights import build_network
from intarsia_domains.reasoning.presets import cnf, nqueens

GRID = "1234" + "3412" + "2143" + "4321"
BOARD = "12.." + "...." + "...." + ".3.1"


@dataclass
class Knowing:
    """Stands for a network that knows one grid, but sees it in every n-th start only."""

    grid: Tensor
    every: int = 1
    trust: float = 2.0
    starts: int = 0
    calls: int = 0

    def start(self, possible: Tensor, rng: Any = None) -> Tensor:
        self.starts += 1
        return torch.full((*possible.shape, 1), float(self.starts % self.every == 0))

    def iterate(self, graph: Any, state: Tensor, known: Tensor, count: int, rng: Any = None) -> Tensor:
        self.calls += 1
        return state

    def read(self, state: Tensor, possible: Tensor) -> Belief:
        right = torch.nn.functional.one_hot(self.grid, possible.shape[-1]).float() * 9
        logits = torch.where(state[..., 0] > 0, right, -torch.arange(possible.shape[-1]).float())
        rows = len(possible)
        trust = torch.full((rows,), self.trust)
        return Belief(logits.masked_fill(~possible, -torch.inf), torch.zeros(possible.shape[:2]), trust)


def climber(network: Any, board: str = BOARD, rows: int = 2, **options: Any) -> Climber:
    problem = sudoku(4)
    possible = torch.from_numpy(domains([sudoku(4, given=board)] * rows))
    return Climber(network, shared_graph(problem), possible, **options)


def grid(text: str = GRID) -> Tensor:
    return torch.tensor([int(symbol) - 1 for symbol in text])


def test_clashes_agree_with_the_exact_checker_on_boards_queens_and_formulas() -> None:
    rng = torch.Generator().manual_seed(0)
    for problem in (sudoku(4), nqueens(5), cnf("p cnf 4 4\n1 2 0\n-1 3 4 0\n-2 -3 0\n4 0\n")):
        graph, possible = stack([problem])
        states = torch.randint(0, graph.values, (400, graph.variables), generator=rng)
        if problem.kind == "sudoku":
            states = torch.cat([states, grid()[None]])
        if graph.values == 5:
            states = torch.cat([states, torch.tensor([[0, 2, 4, 1, 3]])])
        found = clashes(graph, possible.expand(len(states), -1, -1), states)
        exact = check(problem, states.numpy())
        assert np.array_equal(found.none.numpy(), exact.valid)
        assert 0 < exact.valid.sum() < len(states)


def test_sites_of_a_clash_are_those_of_its_unit() -> None:
    state = grid().clone()
    state[0] = state[1]  # twice in the first row and box; its column has it too
    possible = torch.ones(1, 16, 4, dtype=torch.bool)
    found = clashes(shared_graph(sudoku(4)), possible, state[None])
    exact = check(sudoku(4), state.numpy())
    assert not found.none.item()
    # only those that hold the doubled value: the others need not change
    assert bool((found.sites <= torch.from_numpy(exact.sites())).all())
    assert found.sites[0, :2].tolist() == [True, True]


def test_one_pass_solves_what_the_network_knows_and_stops_at_once() -> None:
    network = Knowing(grid())
    out = climber(network).climb(Ladder(iterations=64, every=8))
    assert out.solved.all()
    assert out.rung.tolist() == [0, 0]
    assert network.calls == 1
    assert out.iterations.tolist() == [8, 8]


def test_restarts_go_on_until_one_is_right() -> None:
    network = Knowing(grid(), every=3)
    out = climber(network).climb(Ladder(iterations=8, every=8, restarts=4, mends=0))
    assert out.solved.all()
    assert network.starts == 3
    assert out.rung.tolist() == [1, 1]
    assert torch.equal(out.states[0], grid())


def test_without_restarts_it_stays_unsolved_and_says_so() -> None:
    out = climber(Knowing(grid(), every=3)).climb(Ladder(iterations=8, every=8, restarts=0, mends=0))
    assert not out.solved.any()
    assert out.rung.tolist() == [-1, -1]


def test_mends_show_what_is_not_in_a_violated_constraint() -> None:
    class Recording(Knowing):
        def iterate(self, graph: Any, state: Tensor, known: Tensor, count: int, rng: Any = None) -> Tensor:
            shown.append(int((known == 3).sum()))
            return state

    shown: list[int] = []
    climber(Recording(grid(), every=99), rows=1).climb(Ladder(iterations=4, every=4, restarts=0, mends=1))
    assert shown[0] == 0  # nothing is revealed in the first pass
    assert len(shown) == 2


def test_a_dive_with_propagation_solves_even_without_any_knowledge() -> None:
    network = Knowing(grid(), every=99)
    narrow = Propagator(sudoku(4))
    out = climber(network, narrow=narrow).climb(Ladder(iterations=4, every=4, restarts=0, mends=0, dives=3))
    assert out.solved.all()
    assert out.rung.tolist() == [3, 3]


def test_no_time_means_no_pass() -> None:
    network = Knowing(grid())
    out = climber(network, seconds=0.0).climb(Ladder())
    assert network.calls == 0
    assert not out.solved.any()


def test_margins_choose_the_surest_open_variable() -> None:
    possible = torch.ones(1, 3, 3, dtype=torch.bool)
    possible[0, 0, 1:] = False  # decided already
    logits = torch.tensor([[[9.0, -torch.inf, -torch.inf], [1.0, 0.9, 0.0], [0.0, 2.0, 0.0]]])
    after = set_surest(possible, logits)
    assert after[0].tolist() == [[True, False, False], [True, True, True], [False, True, False]]


def test_a_ladder_refuses_negative_numbers() -> None:
    with pytest.raises(ValueError, match="no negative numbers"):
        Ladder(restarts=-1)


def test_joined_climbs_are_one_after_the_other() -> None:
    one = climber(Knowing(grid()), rows=1).climb(Ladder())
    two = climber(Knowing(grid(), every=9), rows=2).climb(Ladder(iterations=8, restarts=0, mends=0))
    assert Climb.join([one, two]).solved.tolist() == [True, False, False]


def test_single_pass_looks_without_stopping() -> None:
    network: Any = Knowing(grid())
    possible = torch.from_numpy(domains([sudoku(4, given=BOARD)]))
    assert single_pass(network, shared_graph(sudoku(4)), possible, (4, 8)).tolist() == [[True], [True]]
    assert network.calls == 2


def test_draws_are_verified_distinct_and_cover_all_288_grids() -> None:
    network = build_network({"width": 4, "hidden": 4, "iterations": 1, "noise": 0.0})
    states = draw_solutions(network, sudoku(4), 288, distinct=True, seed=0, device="cpu", iterations=1)
    assert check(sudoku(4), states).valid.all()
    assert len({state.tobytes() for state in states}) == 288


def test_draws_hold_what_is_given_and_say_when_there_are_no_more() -> None:
    network = build_network({"width": 4, "hidden": 4, "iterations": 1, "noise": 0.0})
    problem = sudoku(4, given=GRID[:8] + "." * 8)
    states = draw_solutions(network, problem, 2, distinct=True, seed=1, device="cpu", iterations=1)
    assert check(problem, states).valid.all()
    with pytest.raises(ValueError, match=r"found .* different solutions of the 50"):
        draw_solutions(network, problem, 50, distinct=True, seed=1, device="cpu", iterations=1)


def test_an_impossible_problem_has_no_draws() -> None:
    network = build_network({"width": 4, "hidden": 4, "iterations": 1, "noise": 0.0})
    problem = sudoku(4, given="123." + "...4" + "." * 8)
    states, _ = draw_once(network, problem, 3, 1, torch.Generator().manual_seed(0), "cpu")
    assert (states < 0).any(-1).all()
