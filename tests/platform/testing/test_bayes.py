"""The perfect denoiser itself, against Bayes' rule by hand."""

import math

import pytest
import torch

from intarsia import Evidence, Staged, VarianceExploding
from intarsia.evidence import hold, times
from intarsia.processes import AbstractProcess, Discrete, Gaussian, Product, Xor
from intarsia.testing import BayesDenoiser, all_states, chi_square, total_variation

PAIRS = torch.tensor([[0, 0], [1, 1], [0, 1]])
LAW = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)


def by_hand(flip: float) -> list[float]:
    """P(point | xt = (0, 1)) where a site keeps its value with probability 1 - flip."""
    keep = 1 - flip
    weights = [0.5 * keep * flip, 0.3 * flip * keep, 0.2 * keep * keep]
    return [w / sum(weights) for w in weights]


def test_posterior_by_hand() -> None:
    xt, t = torch.tensor([[0, 1]]), torch.tensor([0.5], dtype=torch.float64)
    for process in (Discrete.uniform(2), Xor(2)):
        denoiser = BayesDenoiser(process, PAIRS, LAW.log())
        assert denoiser.posterior(xt, t)[0].tolist() == pytest.approx(by_hand(0.25), abs=1e-12)
    one = by_hand(0.25)[1]
    assert Discrete.uniform(2).classes.log_softmax(BayesDenoiser(Discrete.uniform(2), PAIRS, LAW.log())(xt, t))[
        0, 0, 1
    ].exp().item() == pytest.approx(one, abs=1e-12)
    assert BayesDenoiser(Xor(2), PAIRS, LAW.log())(xt, t)[0, 0].sigmoid().item() == pytest.approx(one, abs=1e-12)


def test_a_site_at_time_zero_is_certain() -> None:
    denoiser = BayesDenoiser(Discrete.uniform(2), PAIRS, LAW.log())
    t = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    assert denoiser.posterior(torch.tensor([[0, 1]]), t)[0].tolist() == pytest.approx([5 / 7, 0.0, 2 / 7])


def test_means_of_atoms() -> None:
    process = Gaussian()
    atoms = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    denoiser = BayesDenoiser(process, atoms, torch.zeros(2))
    t = torch.tensor([0.5], dtype=torch.float64)
    signal, noise = process.coefficients(t, atoms[:1])
    xt = torch.tensor([[0.3]], dtype=torch.float64)
    assert denoiser(xt, t).item() == pytest.approx(torch.tanh(signal * 0.3 / noise**2).item(), abs=1e-12)


RAGGED = all_states([2, 3])
CASES: list[tuple[AbstractProcess, torch.Tensor]] = [
    (Discrete.absorbing(2), PAIRS),
    (Discrete.uniform(2), PAIRS),
    (Discrete(2, mask=0.5), PAIRS),
    (Discrete.absorbing((2, 3), Staged((0, 1))), RAGGED),
    (Discrete.uniform((2, 3), Staged((0, 1))), RAGGED),
    (Xor(2), PAIRS),
    (Gaussian(), PAIRS.double()),
    (Gaussian(VarianceExploding()), PAIRS.double()),
]


@pytest.mark.parametrize(("process", "support"), CASES, ids=repr)
@pytest.mark.parametrize("t", [0.0, 1e-12, 0.5, 1.0 - 1e-12, 1.0])
def test_finite_at_every_time(process: AbstractProcess, support: torch.Tensor, t: float) -> None:
    denoiser = BayesDenoiser(process, support, torch.zeros(len(support)))
    time = torch.full((len(support),), t, dtype=torch.float64)
    rng = torch.Generator().manual_seed(0)
    xt = process.corrupt(support, time, rng)
    pred = denoiser(xt, time)
    assert pred.dtype == torch.float64
    assert pred.isfinite().all()
    if t == 0.0 and isinstance(process, Discrete):
        assert (process.classes.log_prob(pred, support) > -1e-9).all()
    # states that cannot be are answered too
    assert denoiser(process.prior(tuple(support.shape), rng), time * 0).isfinite().all()


def test_time_free_only_where_it_is_true() -> None:
    absorbing = BayesDenoiser(Discrete.absorbing(2), PAIRS, LAW.log())
    assert absorbing.time_free
    x = all_states([3, 3])
    one, other = (absorbing(x, torch.full((9,), t, dtype=torch.float64)) for t in (0.1, 0.9))
    assert torch.equal(one, other)
    for process in (Discrete.uniform(2), Discrete(2, mask=0.999), Xor(2), Gaussian()):
        assert not BayesDenoiser(process, PAIRS, LAW.log()).time_free
    mixed = Product({"a": Discrete.absorbing(2), "b": Xor(2)})
    assert not BayesDenoiser(mixed, {"a": PAIRS, "b": PAIRS}, LAW.log()).time_free


def test_records_share_one_posterior() -> None:
    process = Product({"a": Discrete.absorbing(2), "b": Gaussian()})
    support = {"a": torch.tensor([[0], [1]]), "b": torch.tensor([[-1.0], [1.0]], dtype=torch.float64)}
    denoiser = BayesDenoiser(process, support, torch.zeros(2))
    xt = {"a": torch.tensor([[1], [2]]), "b": torch.tensor([[0.0], [0.0]], dtype=torch.float64)}
    pred = denoiser(xt, {"a": torch.full((2,), 0.5), "b": torch.full((2,), 0.9)})
    assert pred["b"][:, 0].tolist() == pytest.approx([1.0, 0.0], abs=1e-9)
    given = Evidence({"b": torch.ones(2, 1, dtype=torch.float64)}, {"b": torch.tensor([[True], [False]])})
    seen = denoiser(hold(xt, given), times(torch.full((2,), 0.9, dtype=torch.float64), xt, given))
    assert seen["a"][0, 0].softmax(0)[1] > 0.999


def test_sites_of_any_shape() -> None:
    points = torch.randint(3, (4, 2, 3), generator=torch.Generator().manual_seed(0))
    denoiser = BayesDenoiser(Discrete.uniform(3), points, torch.zeros(4))
    assert denoiser(points, torch.full((4,), 0.3, dtype=torch.float64)).shape == (4, 2, 3, 3)


def test_points_and_probabilities_must_match() -> None:
    with pytest.raises(ValueError, match="3 points"):
        BayesDenoiser(Xor(2), PAIRS[:2], LAW.log())


def test_statistics() -> None:
    law = torch.tensor([0.5, 0.3, 0.2, 0.0])
    assert chi_square(torch.tensor([50.0, 30.0, 20.0, 0.0]), law) == pytest.approx(1.0)
    # Pearson's statistic is 2 + 5/6 + 5/4, with 2 degrees of freedom p = exp(-49/24)
    assert chi_square(torch.tensor([60.0, 25.0, 15.0, 0.0]), law) == pytest.approx(math.exp(-49 / 24), abs=1e-6)
    assert chi_square(torch.tensor([50.0, 30.0, 19.0, 1.0]), law) == 0.0
    assert total_variation(law, torch.tensor([0.4, 0.3, 0.2, 0.1])) == pytest.approx(0.1)
    rng = torch.Generator().manual_seed(0)
    draws = [torch.multinomial(law, 200, replacement=True, generator=rng) for _ in range(300)]
    values = torch.tensor([chi_square(torch.bincount(d, minlength=4), law) for d in draws])
    assert (values < 0.1).double().mean().item() == pytest.approx(0.1, abs=0.06)
