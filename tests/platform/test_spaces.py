"""Spaces say which sites hold one of their values."""

import pytest
import torch

from intarsia import Bits, Categorical, Ordinal, Real
from intarsia.spaces import Permutation

INF = float("inf")


@pytest.mark.parametrize("kind", [Categorical, Ordinal])
def test_classes(kind) -> None:
    assert kind(3).check(torch.tensor([[-1, 0, 2, 3]])).tolist() == [[False, True, True, False]]
    assert kind((1, 3)).check(torch.tensor([[0, 2], [1, 3]])).tolist() == [[True, True], [False, False]]
    with pytest.raises(TypeError, match="float32"):
        kind(3).check(torch.zeros(1))


@pytest.mark.parametrize("kind", [Categorical, Ordinal])
@pytest.mark.parametrize("count", [0, -1, (), (2, 0)])
def test_a_site_has_a_class(kind, count) -> None:
    with pytest.raises(ValueError, match="num_classes"):
        kind(count)


def test_bits() -> None:
    assert Bits(3).check(torch.tensor([[0, 1, 2]])).tolist() == [[True, True, False]]
    with pytest.raises(ValueError, match="3 bits"):
        Bits(3).check(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="at least 1"):
        Bits(0)


def test_reals() -> None:
    x = torch.tensor([-INF, -1.0, 0.0, 2.0, 3.0, INF, float("nan")])
    assert Real().check(x).tolist() == [False, True, True, True, True, False, False]
    assert Real(0.0, 2.0).check(x).tolist() == [False, False, True, True, False, False, False]
    for low, high in ((1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)):
        with pytest.raises(ValueError, match="below"):
            Real(low, high)


def test_permutations() -> None:
    x = torch.tensor([[2, 0, 1], [0, 0, 1], [3, 1, -1]])
    assert Permutation(3).check(x).tolist() == [[True, True, True], [False, False, True], [False, True, False]]
    with pytest.raises(ValueError, match="3 items"):
        Permutation(3).check(torch.zeros(1, 2, dtype=torch.long))
    with pytest.raises(TypeError, match="float32"):
        Permutation(3).check(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="at least 1"):
        Permutation(0)
