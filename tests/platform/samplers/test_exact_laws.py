"""Laws of finitely many steps, enumerated: no sampling noise hides a wrong order (T2, T5 in spirit)."""

import math
from itertools import pairwise

import pytest
import torch

from intarsia import Ancestral, Cosine, Evidence, TauLeaping
from intarsia.errors import RequirementError
from intarsia.processes import AbstractFinite, Discrete, Gaussian, Xor
from intarsia.samplers import AbstractSampler, FirstHitting
from intarsia.testing import BayesDenoiser, all_states, enumerated_law, total_variation

PAIR = torch.tensor([[0, 0], [1, 1]])


class NoRates(Discrete):
    """Noise whose rates nobody wrote down."""

    rates = AbstractFinite.rates


def joint(
    process: Discrete | Xor, counts: list[int], seed: int = 0
) -> tuple[BayesDenoiser, torch.Tensor, torch.Tensor]:
    points = all_states(counts)
    logits = torch.randn(len(points), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return BayesDenoiser(process, points, logits), points, logits.softmax(0)


def error(sampler: AbstractSampler, process: Discrete | Xor, counts: list[int], given: Evidence | None = None) -> float:
    denoiser, points, law = joint(process, counts)
    states, got = enumerated_law(sampler, process, denoiser, len(counts), given=given)
    assert got.sum().item() == pytest.approx(1.0, abs=1e-9)
    if given is not None:
        values, mask = given.field(None) or (None, None)
        law = torch.where((~mask | (points == values)).all(1), law, 0.0)
        law = law / law.sum()
    match = (states[:, None] == points).all(2).double()
    return total_variation(got, match @ law)


@pytest.mark.parametrize("steps", [1, 2, 4, 7])
def test_t2_odd_pairs(steps: int) -> None:
    """Law uniform on {00, 11}, T linear steps: P(odd pair) = 1 / (2 T)."""
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, PAIR, torch.zeros(2))
    states, law = enumerated_law(Ancestral(steps), process, denoiser, 2)
    odd = law[states[:, 0] != states[:, 1]].sum().item()
    assert odd == pytest.approx(1 / (2 * steps), abs=1e-12)
    assert law[(states == 2).any(1)].sum().item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize(
    "process",
    [Discrete.absorbing(3), Discrete.uniform(3, Cosine()), Discrete(3, mask=0.4, law=(0.2, 0.5, 0.3)), Xor(1)],
    ids=repr,
)
def test_one_site_is_exact_at_every_number_of_steps(process: Discrete | Xor, steps: int) -> None:
    count = 2 if isinstance(process, Xor) else 3
    assert error(Ancestral(steps), process, [count]) < 1e-12


@pytest.mark.parametrize("process", [Discrete.absorbing(2), Discrete.uniform(2), Discrete(2, mask=0.5)], ids=repr)
@pytest.mark.parametrize("kind", [Ancestral, TauLeaping])
@pytest.mark.parametrize("observed", [False, True])
def test_errors_fall_as_one_over_the_steps(process: Discrete, kind, observed: bool) -> None:
    given = None
    if observed:
        given = Evidence(torch.tensor([[0, 1, 0]]), torch.tensor([[False, True, False]]))
    errors = [error(kind(steps), process, [2, 2, 2], given) for steps in (32, 64, 128)]
    slopes = [math.log2(a / b) for a, b in pairwise(errors)]
    assert errors[-1] < 0.01
    assert all(0.85 < slope < 1.15 for slope in slopes), (errors, slopes)


def test_evidence_leaves_one_free_site_exact() -> None:
    given = Evidence(torch.tensor([[1, 0]]), torch.tensor([[False, True]]))
    for process in (Discrete.absorbing(3), Discrete.uniform(3), Discrete((3, 2), mask=0.3)):
        counts = [3, 2] if isinstance(process.num_classes, tuple) else [3, 3]
        assert error(Ancestral(3), process, counts, given) < 1e-12


def test_what_cannot_be_enumerated_is_refused() -> None:
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, PAIR, torch.zeros(2))
    with pytest.raises(RequirementError, match="enumerated"):
        enumerated_law(FirstHitting(), process, denoiser, 2)
    with pytest.raises(RequirementError, match="jump rates"):
        enumerated_law(TauLeaping(2), NoRates(2), denoiser, 2)


def test_a_class_in_place_of_an_object_is_named() -> None:
    from intarsia import Diffusion

    with pytest.raises(TypeError, match="write Ancestral"):
        Diffusion(Gaussian(), lambda x, t, c: x).sample((2, 1), Ancestral)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [Ancestral, TauLeaping])
def test_steps_are_positive(make) -> None:
    with pytest.raises(ValueError, match="steps"):
        make(0)
