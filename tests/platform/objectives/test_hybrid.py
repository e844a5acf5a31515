"""The hybrid objective: the nelbo and a share of the cross-entropy."""

import pytest
import torch

from intarsia import HybridObjective, NelboObjective
from intarsia.errors import RequirementError
from intarsia.processes import ClasswiseAbsorbing, Discrete, Gaussian, Mixing, Product, Structured, Xor
from intarsia.testing import all_states


def test_hybrid_adds_the_cross_entropy(table) -> None:
    process, network = Discrete.uniform((2, 3)), table((2, 3))
    x0 = torch.tensor([[1, 2]]).expand(50, -1)
    plain, hybrid, heavy = (
        objective(process, network, x0, None, torch.Generator().manual_seed(1))
        for objective in (NelboObjective(), HybridObjective(), HybridObjective(weight=1.0))
    )
    assert torch.allclose((hybrid - plain) * 100, heavy - plain, atol=1e-9)
    assert (heavy > plain).all()


def test_hybrid_needs_a_law_of_x0() -> None:
    with pytest.raises(RequirementError, match="finitely many states, got Gaussian"):
        HybridObjective()(Gaussian(), lambda x, t, c: x, torch.zeros(2, 2))
    with pytest.raises(RequirementError, match="in the field 'b'"):
        HybridObjective()(Product({"a": Xor(2), "b": Gaussian()}), lambda x, t, c: x, {"a": torch.zeros(2, 2)})


@pytest.mark.parametrize(
    "process",
    [
        Discrete.absorbing(3),
        ClasswiseAbsorbing(3),
        Mixing.hybrid(3),
        Structured.gaussian(3, 1.0),
        Xor(2),
        Product({"a": Xor(2), "b": Discrete.uniform((2, 3))}),
    ],
    ids=repr,
)
def test_the_cross_entropy_of_every_noise_of_finitely_many_states(process) -> None:
    """(hybrid - nelbo) / weight is -log p(x0), read off a prediction that is sure of the probabilities it has."""
    record = isinstance(process, Product)
    points = {"a": all_states([2, 2]), "b": all_states([2, 2])} if record else all_states([2, 2])
    law = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    pred = process.prediction(points, law.expand(4, -1))
    given = (None, torch.Generator().manual_seed(1))
    plain = NelboObjective()(process, lambda x, t, c: pred, points, *given)
    hybrid = HybridObjective(2.0)(process, lambda x, t, c: pred, points, None, torch.Generator().manual_seed(1))
    sites = torch.tensor([[0.7, 0.3], [0.6, 0.4]], dtype=torch.float64)  # marginals of the two sites
    nats = -sum(sites[k][all_states([2, 2])[:, k]].log() for k in (0, 1)) * (2 if record else 1)
    assert torch.allclose((hybrid - plain) / 2.0, nats, atol=1e-9)
