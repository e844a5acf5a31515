"""The factor-graph denoiser: what it must not depend on, and what it must be able to see."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from intarsia_domains.reasoning import Problem, sudoku
from intarsia_domains.reasoning._arrays import arrays, domains
from intarsia_domains.reasoning._denoiser import (
    BESIDE,
    EXCLUDED,
    FIXED,
    OPEN,
    REVEALED,
    FactorGraphDenoiser,
    marks,
    parameters_of,
)
from intarsia_domains.reasoning._factor_graph import (
    UNIT,
    FactorGraph,
    pool_groups,
    pool_sets,
    spread_groups,
    spread_sets,
)
from intarsia_domains.reasoning._stack import shared_graph, stack
from intarsia_domains.reasoning._weights import build_network
from intarsia_domains.reasoning.presets import cnf, colouring, nqueens


def small(noise: float = 0.0) -> FactorGraphDenoiser:
    return build_network({"width": 8, "hidden": 12, "iterations": 3, "noise": noise}, seed=1)


def run(network: FactorGraphDenoiser, graph: FactorGraph, possible: Tensor, state: Tensor) -> Tensor:
    known = marks(possible, torch.full(possible.shape[:2], graph.values))
    return network.read(network.iterate(graph, state, known, 4), possible).logits


def start(possible: Tensor, width: int = 8) -> Tensor:
    return torch.randn((*possible.shape, width), generator=torch.Generator().manual_seed(0))


def test_default_size_is_far_below_two_million() -> None:
    assert parameters_of(FactorGraphDenoiser()) == 56_259
    assert parameters_of(FactorGraphDenoiser(width=128, hidden=512)) < 2_000_000


def test_sudoku_graph_has_27_units_and_54_intersections() -> None:
    graph = shared_graph(sudoku(9))
    assert graph.kinds == (27, 0, 54)
    assert graph.groups[:27].sum(1).tolist() == [9.0] * 27
    assert graph.groups[27:].sum(1).tolist() == [3.0] * 54
    # every cell: a row, a column, a box, and the two thirds of a line in its box
    assert graph.groups.sum(0).tolist() == [5.0] * 81


def test_boxes_of_2_by_3_share_rows_of_three_and_columns_of_two() -> None:
    graph = shared_graph(sudoku(6))
    assert graph.kinds == (18, 0, 30)
    assert sorted(graph.groups[18:].sum(1).tolist()) == [2.0] * 18 + [3.0] * 12


def test_clause_atoms_satisfy_their_clause() -> None:
    problem = cnf("p cnf 3 2\n1 -2 0\n2 3 -1 0\n")
    graph = shared_graph(problem)
    false, true = problem.values.index(False), problem.values.index(True)
    wanted = [[0 * 2 + true, 1 * 2 + false, 6], [1 * 2 + true, 2 * 2 + true, 0 * 2 + false]]
    assert [sorted(row) for row in graph.at_least[0].tolist()] == [sorted(row) for row in wanted]


def test_marks_tell_five_kinds_of_atoms_apart() -> None:
    possible = torch.tensor([[[True, True, False], [True, True, True], [False, True, False]]])
    xt = torch.tensor([[3, 1, 3]])
    expected = [[[OPEN, OPEN, EXCLUDED], [BESIDE, REVEALED, BESIDE], [EXCLUDED, FIXED, EXCLUDED]]]
    assert marks(possible, xt).tolist() == expected


def test_group_messages_are_sums_and_their_transpose() -> None:
    graph = shared_graph(sudoku(4))
    x = torch.randn(2, 16, 4, 3, generator=torch.Generator().manual_seed(0))
    pooled = pool_groups(graph, x)
    first_row = UNIT * x[:, :4].sum(1)
    torch.testing.assert_close(pooled[:, 0], first_row)
    y = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(1))
    # <A x, y> = <x, A' y>
    torch.testing.assert_close((pooled * y).sum(), UNIT * (x * spread_groups(graph, y)).sum())


def test_set_messages_are_sums_and_their_transpose_and_ignore_padding() -> None:
    index = torch.tensor([[[0, 3, 6], [1, 2, 5]], [[4, 6, 6], [6, 6, 6]]])  # 6 is padding
    x = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))
    pooled = pool_sets(index, x)
    torch.testing.assert_close(pooled[0, 0], UNIT * (x[0, 0] + x[0, 3]))
    torch.testing.assert_close(pooled[1, 0], UNIT * x[1, 4])
    assert not pooled[1, 1].any()
    y = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close((pooled * y).sum(), UNIT * (x * spread_sets(index, y, 6)).sum())


def test_renaming_values_renames_the_prediction() -> None:
    graph, network = shared_graph(sudoku(4)), small()
    board = "1..." + "..2." + ".3.." + "...4"
    possible = torch.from_numpy(domains([sudoku(4, given=board)]))
    state, order = start(possible), torch.tensor([2, 0, 3, 1])
    plain = run(network, graph, possible, state)
    renamed = run(network, graph, possible[..., order], state[:, :, order])
    torch.testing.assert_close(renamed, plain[..., order])


def symmetries() -> list[list[int]]:
    """Swaps of rows in a band, of bands, of columns in a stack, and the transposition, of a 4 x 4 board."""
    cells = np.arange(16).reshape(4, 4)
    boards = (cells[[1, 0, 2, 3]], cells[[2, 3, 0, 1]], cells[:, [0, 1, 3, 2]], cells.T)
    return [board.reshape(-1).tolist() for board in boards]


@pytest.mark.parametrize("order", symmetries())
def test_symmetries_of_the_board_move_the_prediction(order: list[int]) -> None:
    graph, network = shared_graph(sudoku(4)), small()
    possible = torch.from_numpy(domains([sudoku(4, given="1..." + "..2." + ".3.." + "...4")]))
    state = start(possible)
    plain = run(network, graph, possible, state)
    moved = run(network, graph, possible[:, order], state[:, order])
    torch.testing.assert_close(moved, plain[:, order])


def test_swapping_rows_of_different_bands_is_no_symmetry() -> None:
    graph, network = shared_graph(sudoku(4)), small()
    possible = torch.from_numpy(domains([sudoku(4, given="1..." + "..2." + ".3.." + "...4")]))
    order = np.arange(16).reshape(4, 4)[[0, 2, 1, 3]].reshape(-1).tolist()
    state = start(possible)
    plain = run(network, graph, possible, state)
    moved = run(network, graph, possible[:, order], state[:, order])
    assert not torch.allclose(moved, plain[:, order])


def test_flipping_a_boolean_everywhere_flips_its_prediction() -> None:
    network = small()
    plain_graph, possible = stack([cnf("p cnf 3 3\n1 2 0\n-1 3 0\n-2 -3 0\n")])
    flipped_graph, _ = stack([cnf("p cnf 3 3\n-1 2 0\n1 3 0\n-2 -3 0\n")])
    state = start(possible)
    turned = state.clone()
    turned[:, 0] = state[:, 0].flip(1)
    plain = run(network, plain_graph, possible, state)
    flipped = run(network, flipped_graph, possible, turned)
    torch.testing.assert_close(flipped[:, 0], plain[:, 0].flip(1))
    torch.testing.assert_close(flipped[:, 1:], plain[:, 1:])


def test_rows_of_a_batch_do_not_see_each_other() -> None:
    network = small()
    formulas = [cnf("p cnf 3 2\n1 2 0\n-1 3 0\n"), cnf("p cnf 3 3\n-1 -2 -3 0\n2 0\n1 3 0\n")]
    graph, possible = stack(formulas)
    state = start(possible)
    together = run(network, graph, possible, state)
    for row, formula in enumerate(formulas):
        alone, own = stack([formula])
        torch.testing.assert_close(run(network, alone, own, state[row : row + 1])[0], together[row])


def test_impossible_values_have_no_probability() -> None:
    graph = shared_graph(sudoku(4))
    possible = torch.from_numpy(domains([sudoku(4, given="1" + "." * 15)]))
    logits = run(small(), graph, possible, start(possible))
    assert torch.equal(logits == -torch.inf, ~possible)


@pytest.mark.parametrize("problem", [nqueens(5), colouring([("a", "b"), ("b", "c")], 3)])
def test_other_kinds_of_constraints_reach_the_prediction(problem: Problem) -> None:
    graph, possible = stack([problem])
    network, state = small(), start(possible)
    other = possible.clone()
    other[0, 0, 1:] = False
    far = (run(network, graph, possible, state) - run(network, graph, other, state))[0, 1]
    assert far.abs().max() > 1e-4


def test_intersections_are_needed_to_see_that_a_box_points_at_a_row() -> None:
    """With units alone, two placings of three candidates in a box look alike to the other cells of its rows."""
    full = shared_graph(sudoku(9))
    units = replace(full, groups=full.groups[:27], kinds=(27, 0, 0))
    lines, scattered = torch.zeros(1, 81, 9, 1), torch.zeros(1, 81, 9, 1)
    lines[0, [0, 1, 2], 0] = 1.0
    scattered[0, [0, 10, 20], 0] = 1.0
    box = 18  # rows and columns come first
    assert torch.equal(pool_groups(units, lines)[0, box], pool_groups(units, scattered)[0, box])
    assert not torch.equal(pool_groups(full, lines)[0, 27:], pool_groups(full, scattered)[0, 27:])


def test_call_through_the_engines_interface_has_a_logit_per_value() -> None:
    network, graph = small(), shared_graph(sudoku(4))
    possible = torch.from_numpy(arrays(sudoku(4)).domains)
    logits = network(torch.full((3, 16), 4), torch.ones(3), (graph, possible))
    assert logits.shape == (3, 16, 4)
    assert network.time_free
