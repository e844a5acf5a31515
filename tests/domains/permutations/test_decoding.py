"""Beam search against the enumeration of all permutations."""

import pytest
import torch
from torch import Tensor

from intarsia.processes import AbstractSequentialHead, GeneralizedPlackettLuce, PlackettLuce, PrefixPlackettLuce
from intarsia.processes.permutations import all_permutations
from intarsia_domains.permutations import _decoding
from intarsia_domains.permutations._decoding import beam

HEADS = [PlackettLuce(), GeneralizedPlackettLuce(), PrefixPlackettLuce()]


def parameters(head: AbstractSequentialHead, rows: int, n: int) -> Tensor:
    return 2 * torch.randn((rows, *head.shape(n)), generator=torch.Generator().manual_seed(n))


@pytest.mark.parametrize("head", HEADS)
def test_a_wide_beam_lists_all_permutations_by_probability(head: AbstractSequentialHead) -> None:
    pred = parameters(head, 6, 4)
    found, score = beam(head, pred, 200)
    assert found.shape == (6, 24, 4)
    law, order = head.log_law(pred.double(), 4).sort(1, descending=True)
    torch.testing.assert_close(score, law)
    assert found.tolist() == all_permutations(4)[order].tolist()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("width", [1, 3, 40])
def test_scores_are_log_probabilities_of_different_permutations(head: AbstractSequentialHead, width: int) -> None:
    pred = parameters(head, 5, 7)
    found, score = beam(head, pred, width)
    assert found.shape == (5, width, 7)
    assert (found.sort(2).values == torch.arange(7)).all()
    assert (score[:, 1:] <= score[:, :-1]).all()
    for k in range(width):
        torch.testing.assert_close(score[:, k], head.log_prob(pred.double(), found[:, k]))
    assert all(len(row.unique(dim=0)) == width for row in found)


def test_greedy_takes_the_largest_score_that_is_left() -> None:
    assert beam(PlackettLuce(), torch.tensor([[0.0, 2.0, -1.0]]), 1)[0].tolist() == [[[1, 0, 2]]]
    scores = torch.tensor([[[0.0, 3.0, 1.0], [0.0, 9.0, 1.0], [0.0, 0.0, 0.0]]])
    assert beam(GeneralizedPlackettLuce(), scores, 1)[0].tolist() == [[[1, 2, 0]]]


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pred = parameters(HEADS[2], 9, 5)
    whole = beam(HEADS[2], pred, 4)
    monkeypatch.setattr(_decoding, "ELEMENTS", 700)
    for a, b in zip(whole, beam(HEADS[2], pred, 4), strict=True):
        torch.testing.assert_close(a, b)


def test_a_beam_without_width_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        beam(PlackettLuce(), torch.zeros(1, 3), 0)
