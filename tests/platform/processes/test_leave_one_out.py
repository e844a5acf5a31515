"""The conversion from the posterior to the leave-one-out law (T1), against enumeration of a joint."""

import pytest
import torch

from intarsia import Cosine, LogLinear
from intarsia.processes import Discrete
from intarsia.testing import BayesDenoiser, all_states

NOISES = [
    Discrete.absorbing((2, 3)),
    Discrete.uniform((2, 3), Cosine()),
    Discrete.marginal(((0.7, 0.3), (0.2, 0.5, 0.3)), LogLinear(0.01)),
    Discrete((2, 3), mask=0.4, law=((0.7, 0.3), (0.2, 0.5, 0.3))),
]
POINTS = all_states([2, 3])
LAW = torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).softmax(0)


def others_only(process: Discrete, xt: torch.Tensor, t: torch.Tensor, site: int) -> torch.Tensor:
    """p(x0 of a site | xt at the other one) by Bayes' rule, (rows, classes)."""
    other = 1 - site
    rows = len(xt)
    state, x0 = xt.repeat_interleave(6, 0), POINTS.repeat(rows, 1)
    log_q = process.log_q(state, x0, t.repeat_interleave(6)).view(rows, 6, 2)[:, :, other]
    weight = (log_q + LAW.log()).softmax(1)
    return weight @ torch.nn.functional.one_hot(POINTS[:, site]).double()


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("time", [0.15, 0.5, 0.9, 1.0])
def test_it_is_the_law_given_the_other_sites(process: Discrete, time: float) -> None:
    """To 1e-12, for every state that can occur and whose site has not given x0 away."""
    states = all_states([2 + process.has_mask, 3 + process.has_mask])
    t = torch.full((len(states),), time, dtype=torch.float64)
    pred = BayesDenoiser(process, POINTS, LAW.log())(states, t)
    loo = process.leave_one_out(pred, states, t)
    for site, part in enumerate((slice(0, 2), slice(2, 5))):
        told = process.time_free & (states[:, site] != (2, 3)[site])
        truth = others_only(process, states, t, site)
        can = ~told & truth.isfinite().all(1)  # at t = 1 the other site is masked for sure
        assert can.any()
        assert torch.allclose(loo[can, part].exp(), truth[can], atol=1e-12)
        assert torch.equal(loo[told, part].exp(), pred[told, part].softmax(1))


def test_the_shift_of_uniform_noise() -> None:
    """log(1 + K alpha / (1 - alpha)) on the observed class, dense logits, any site shape."""
    process = Discrete.uniform(5)
    pred = torch.randn(3, 2, 2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    xt = torch.randint(5, (3, 2, 2), generator=torch.Generator().manual_seed(1))
    t = torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64)
    alpha = (1 - t)[:, None, None]
    shifted = pred - torch.log1p(5 * alpha / (1 - alpha))[..., None] * torch.nn.functional.one_hot(xt, 5)
    assert torch.allclose(process.leave_one_out(pred, xt, t), shifted.log_softmax(-1), atol=1e-12)


def test_times_per_site_and_both_ends_are_finite() -> None:
    process = Discrete.uniform(3)
    pred = torch.randn(2, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    xt = torch.tensor([[0, 1], [2, 2]])
    t = torch.tensor([[0.0, 0.5], [1.0, 0.0]], dtype=torch.float64)
    loo = process.leave_one_out(pred, xt, t)
    assert loo.isfinite().all()
    assert torch.allclose(loo[0, 0], pred[0, 0].log_softmax(-1)), "at time 0 there is nothing to take back"
    assert torch.allclose(loo[1, 0], pred[1, 0].log_softmax(-1)), "at time 1 the site has told nothing"
    rows = process.leave_one_out(pred, xt, torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert torch.allclose(loo[0, 1], rows[0, 1])
