"""Projection onto constraints between sites, and temperature on the leave-one-out law."""

import itertools

import pytest
import torch
from torch import Tensor

from intarsia import Ancestral, Cosine, FirstHitting, Gaussian, Polynomial
from intarsia.errors import RequirementError
from intarsia.guidance import EnumeratedRatios, Project, Temperature, Tilted
from intarsia.processes import (
    AbstractFinite,
    ClasswiseAbsorbing,
    Death,
    Discrete,
    Enumerated,
    Mixing,
    Product,
    Riffle,
    Structured,
    Xor,
)
from intarsia.testing import BayesDenoiser, all_states, chi_square, enumerated_law, total_variation

COUNTS = [2, 3]
POINTS = all_states(COUNTS)
LAW = torch.tensor([0.3, 0.05, 0.15, 0.1, 0.25, 0.15], dtype=torch.float64)


def different(xt: Tensor) -> Tensor:
    """Sites of two and three classes must differ; flat entries."""
    allowed = torch.ones(len(xt), 5, dtype=torch.bool)
    for value in range(2):
        allowed[:, value] = xt[:, 1] != value
        allowed[:, 2 + value] = xt[:, 0] != value
    return allowed


def test_pairs_are_projected_one_site_at_a_time() -> None:
    process = Discrete.absorbing((2, 3))
    guided = Project(process, BayesDenoiser(process, POINTS, LAW.log()), different)
    assert guided.process is process
    assert guided.time_free
    rng = torch.Generator().manual_seed(0)
    x = FirstHitting().sample(process, guided, process.prior((3000, 2)), rng=rng)
    assert not (x[:, 0] == x[:, 1]).any()
    assert guided.dead_ends == 0
    table, ok = LAW.view(2, 3), POINTS.view(2, 3, 2)[..., 0] != POINTS.view(2, 3, 2)[..., 1]
    kept = torch.where(ok, table, 0.0)
    by_first = table.sum(1, keepdim=True) * kept / kept.sum(1, keepdim=True)
    by_second = table.sum(0, keepdim=True) * kept / kept.sum(0, keepdim=True)
    law = ((by_first + by_second) / 2).flatten()
    counts = torch.bincount(x @ torch.tensor([3, 1]), minlength=6)
    assert chi_square(counts, law) >= 1e-4
    assert total_variation(law, kept.flatten() / kept.sum()) > 0.01  # as documented: not the law given the constraint


def test_a_constraint_on_single_sites_is_exact_for_other_noise() -> None:
    process = Discrete.uniform(3)
    law = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    points = torch.arange(3)[:, None]
    never = torch.tensor([True, False, True])
    guided = Project(process, BayesDenoiser(process, points, law.log()), lambda x: never.expand(len(x), 1, 3))
    _, got = enumerated_law(Ancestral(4), process, guided, 1)
    assert got.tolist() == pytest.approx([0.4, 0.0, 0.6], abs=1e-12)


def test_dead_ends_keep_their_law_and_are_counted() -> None:
    process = Discrete.absorbing((2, 3))
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    guided = Project(process, denoiser, lambda x: torch.zeros(len(x), 5, dtype=torch.bool))
    x, t = torch.tensor([[2, 1], [2, 3]]), torch.ones(2)
    assert torch.equal(guided(x, t), denoiser(x, t))
    assert guided.dead_ends == 3


def test_only_class_logits_are_projected() -> None:
    for process in (Xor(2), Gaussian()):
        with pytest.raises(RequirementError, match="class logits"):
            Project(process, lambda x, t, c: x, different)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize(
    "process",
    [
        Discrete.absorbing(3),
        Discrete.uniform(3, Cosine()),
        Discrete(3, mask=0.4, law=(0.2, 0.5, 0.3)),
        ClasswiseAbsorbing(3, Polynomial((0.7, 1.0, 2.0))),
        Mixing.hybrid(3),
        Structured.gaussian(3, 1.0),
    ],
    ids=repr,
)
def test_one_site_is_tempered_exactly(process: AbstractFinite, steps: int, temperature: float) -> None:
    law = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    points = torch.arange(3)[:, None]
    guided = Temperature(process, BayesDenoiser(process, points, law.log()), temperature)
    _, got = enumerated_law(Ancestral(steps), process, guided, 1)
    expected = law ** (1 / temperature)
    assert total_variation(got[:3], expected / expected.sum()) < 1e-12


@pytest.mark.parametrize("steps", [1, 4])
def test_one_bit_is_tempered_exactly(steps: int) -> None:
    process, law = Xor(1), torch.tensor([0.3, 0.7], dtype=torch.float64)
    guided = Temperature(process, BayesDenoiser(process, torch.tensor([[0], [1]]), law.log()), 0.4)
    _, got = enumerated_law(Ancestral(steps), process, guided, 1)
    expected = law**2.5
    assert total_variation(got, expected / expected.sum()) < 1e-12
    sure = Temperature(process, lambda x, t, c: torch.tensor([[torch.inf]]), 0.4)
    assert sure(torch.tensor([[0]]), torch.tensor([0.5])).item() == torch.inf


def test_records_are_tempered_field_by_field() -> None:
    process = Product({"a": Discrete.uniform(2), "b": Xor(1)})
    points = {"a": torch.tensor([[0], [1]]), "b": torch.tensor([[0], [1]])}
    denoiser = BayesDenoiser(process, points, torch.tensor([0.2, 0.8]).log())
    guided = Temperature(process, denoiser, 0.5)
    x, t = {"a": torch.tensor([[1]]), "b": torch.tensor([[0]])}, {"a": torch.tensor([0.4]), "b": torch.tensor([0.7])}
    pred, got = denoiser(x, t), guided(x, t)
    for name, field in process.fields.items():
        alone = Temperature(field, lambda x, t, c, n=name: pred[n], 0.5)(x[name], t[name])
        assert torch.equal(got[name], alone)
        assert not torch.allclose(field.log_probs(got[name]), field.log_probs(pred[name]), atol=1e-3)


def test_tempering_the_posterior_would_be_another_law() -> None:
    process, law, points = Discrete.uniform(3), torch.tensor([0.2, 0.5, 0.3]).double(), torch.arange(3)[:, None]
    denoiser = BayesDenoiser(process, points, law.log())
    _, got = enumerated_law(Ancestral(5), process, lambda x, t, c: denoiser(x, t) / 0.5, 1)
    assert total_variation(got, law**2 / (law**2).sum()) > 0.05


def test_two_masked_sites_are_tempered_one_by_one() -> None:
    process = Discrete.absorbing((2, 3))
    guided = Temperature(process, BayesDenoiser(process, POINTS, LAW.log()), 0.7)
    table = LAW.view(2, 3)
    x = torch.tensor([[2, 3], [1, 3], [2, 0]])
    got = guided(x, torch.full((3,), 0.5)).exp()
    tempered = [law ** (1 / 0.7) for law in (table.sum(1), table.sum(0), table[1], table[:, 0])]
    first, second, third, fourth = (law / law.sum() for law in tempered)
    softmax = process.classes.log_softmax(got.log()).exp()
    assert torch.allclose(softmax[0], torch.cat([first, second]), atol=1e-12)
    assert torch.allclose(softmax[1, 2:], third, atol=1e-12)
    assert torch.allclose(softmax[2, :2], fourth, atol=1e-12)


def test_temperature_refuses() -> None:
    denoiser = BayesDenoiser(Discrete.uniform(2), all_states([2, 2]), torch.zeros(4))
    assert not Temperature(Discrete.uniform(2), denoiser, 1.0).time_free
    tilted = Tilted(Discrete.uniform(2), EnumeratedRatios(lambda x, t: torch.zeros(len(x))))
    for process in (Gaussian(), Death(), Riffle(3, 4, Enumerated()), tilted):
        with pytest.raises(RequirementError, match="no law of a site given the others"):
            Temperature(process, denoiser, 1.0)
    with pytest.raises(RequirementError, match="in the field 'real'"):
        Temperature(Product({"bits": Xor(2), "real": Gaussian()}), denoiser, 1.0)
    with pytest.raises(ValueError, match="positive"):
        Temperature(Discrete.uniform(2), denoiser, 0.0)
    for x, t in itertools.product(all_states([2, 2]), (0.0, 1.0)):
        assert Temperature(Discrete.uniform(2), denoiser, 0.5)(x[None], torch.tensor([t])).isfinite().all()
