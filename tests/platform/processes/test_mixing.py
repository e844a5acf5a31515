"""Noise with a moving mixture of mask and classes (GIDD, XDLM), on enumerated laws."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from intarsia import Ancestral, Cosine, Linear, LogLinear, Polynomial
from intarsia.processes import AbstractShare, Discrete, HybridShare, Mixing, Ramp
from intarsia.testing import check_process, check_sampler
from intarsia.testing._finite import FiniteSites
from intarsia.testing._process_nelbo import site_nelbo

LAW = (0.5, 0.3, 0.2)
PAIRS = ((0.3, 0.7), (0.2, 0.5, 0.3))
NOISES = {
    "masks at the end": Mixing(3),
    "masks at first": Mixing(3, share=Ramp(0.9, 0.2), law=LAW),
    "log-linear": Mixing(3, LogLinear(0.01), Ramp(0.9, 0.5)),
    "ragged": Mixing((2, 3), Cosine(), Ramp(0.2, 0.7), PAIRS),
    "per site": Mixing(3, Polynomial((1.0, 2.0)), Ramp(0.2, 0.7)),
    "a class without noise": Mixing(3, share=Ramp(0.2, 0.7), law=(0.0, 0.6, 0.4)),
    "hybrid": Mixing.hybrid(3),
    "hybrid, ragged": Mixing.hybrid((2, 3), 0.5),
}


@dataclass(frozen=True)
class Sudden(AbstractShare):
    """A share that jumps from 1 to 0 within a hundredth of the time."""

    def share(self, t: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(1000.0 * (0.5 - t))

    def slope(self, t: torch.Tensor) -> torch.Tensor:
        return -1000.0 * self.share(t) * (1.0 - self.share(t))


def times(rows: int, t: float) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def at(process: Mixing, t: float) -> tuple[float, torch.Tensor]:
    """alpha and the stationary law of the first site, states of the mask last."""
    time = torch.tensor([t], dtype=torch.float64)
    share = float(process.share.share(time))
    count = process.num_classes if isinstance(process.num_classes, int) else process.num_classes[0]
    law = process.law if process.law is not None else (1.0 / count,) * count
    first = law[0] if isinstance(law[0], tuple) else law
    pi = torch.tensor([(1.0 - share) * p for p in first] + [share], dtype=torch.float64)
    return float(process.schedule.alpha(time).flatten()[0]), pi


def transition(process: Mixing, s: float, t: float) -> torch.Tensor:
    """q(xt | xs) of the first site: alpha(t)/alpha(s) δ + (1 - alpha(t)) π_t - alpha(t)/alpha(s) (1 - alpha(s)) π_s."""
    (alpha_s, pi_s), (alpha_t, pi_t) = at(process, s), at(process, t)
    kept = alpha_t / alpha_s
    return kept * torch.eye(len(pi_s), dtype=torch.float64) + (1 - alpha_t) * pi_t - kept * (1 - alpha_s) * pi_s


@pytest.mark.parametrize("name", NOISES)
def test_its_laws(name: str) -> None:
    process = NOISES[name]
    law = ((0.6, 0.4), LAW) if isinstance(process.num_classes, tuple) else (0.2, 0.3, 0.5)
    check_process(process, variants={"share": Ramp(0.5, 0.6), "law": law})


@pytest.mark.parametrize("name", NOISES)
def test_chapman_kolmogorov(name: str) -> None:
    process, (s, u, t) = NOISES[name], (0.2, 0.45, 0.8)
    move = transition(process, s, t)
    assert (move >= 0).all()
    assert torch.allclose(move.sum(1), torch.ones(()).double(), atol=1e-14)
    assert torch.allclose(transition(process, s, u) @ transition(process, u, t), move, atol=1e-14)
    finite = FiniteSites(process, 2)
    count, states = finite.classes[0], finite.states[0]
    q_s, q_t = (finite.marginal(time)[0, :count, :states] for time in (s, t))
    assert torch.allclose(q_s @ move, q_t, atol=1e-14)
    bridge = finite.bridge(s, t)[0, :count, :states, :states]
    assert torch.allclose(bridge * q_t[..., None], (q_s[:, :, None] * move).transpose(1, 2), atol=1e-13)


@pytest.mark.parametrize(
    "pair",
    [
        (Mixing(3, share=Ramp(0.3, 0.3), law=LAW), Discrete(3, Linear(), 0.3, LAW)),
        (Mixing(3, Cosine(), Ramp(1.0, 1.0)), Discrete.absorbing(3, Cosine())),
        (Mixing(3, LogLinear(0.1), Ramp(0.0, 0.0)), Discrete.uniform(3, LogLinear(0.1))),
    ],
    ids=["mixture", "absorbing", "uniform"],
)
@pytest.mark.parametrize(("s", "t"), [(0.0, 0.3), (0.2, 0.7), (0.5, 1.0), (0.4, 0.4)])
def test_a_mixture_that_stands_still_is_discrete_noise(pair: tuple[Mixing, Discrete], s: float, t: float) -> None:
    ours, plain = pair
    states = 3 + plain.has_mask
    x0, xt = torch.cartesian_prod(torch.arange(3), torch.arange(states)).T[:, :, None]
    possible = (plain.log_q(xt, x0, times(len(x0), t)) > -torch.inf)[:, 0]
    x0, xt = x0[possible], xt[possible]
    rows = len(x0)
    pred = torch.randn(rows, 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    before, now = times(rows, s), times(rows, t)
    assert torch.allclose(ours.log_q(xt, x0, now), plain.log_q(xt, x0, now), atol=1e-12)
    for a, b in zip(ours.reverse_law(pred, xt, before, now), plain.reverse_law(pred, xt, before, now), strict=True):
        assert torch.allclose(a.exp(), b.exp(), atol=1e-12)
    for start in (None, before):
        a, b = ours.loss(pred, x0, xt, now, start), plain.loss(pred, x0, xt, now, start)
        assert torch.allclose(a, b, atol=1e-11, rtol=1e-11)
    assert torch.allclose(ours.prior_kl(x0), plain.prior_kl(x0).double(), atol=1e-12)


@pytest.mark.parametrize("name", ["masks at the end", "masks at first", "log-linear", "hybrid"])
@pytest.mark.parametrize("t", [0.3, 0.8])
def test_short_steps_of_any_prediction_cost_what_the_integrand_says(name: str, t: float) -> None:
    process = NOISES[name]
    x0, xt = torch.cartesian_prod(torch.arange(3), torch.arange(4)).T[:, :, None]
    pred = torch.randn(12, 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    rate = process.loss(pred, x0, xt, times(12, t))
    gaps = [process.loss(pred, x0, xt, times(12, t), times(12, t - h)) / h - rate for h in (1e-4, 5e-5)]
    assert (gaps[0].abs() < 5e-3 * (1.0 + rate)).all()
    assert torch.allclose(gaps[0], 2.0 * gaps[1], atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 10, 100])
def test_t3_the_bound_of_a_grid_is_tight_at_every_number_of_steps(steps: int) -> None:
    rng = np.random.default_rng(1)
    rng.dirichlet(np.ones(27))
    law = torch.from_numpy(rng.dirichlet(np.ones(5)))
    nelbo = site_nelbo(FiniteSites(Mixing.hybrid(5), 1), law[None], steps)
    assert float((law * nelbo).sum()) == pytest.approx(1.00471064854618, abs=1e-12)


def test_the_hybrid_is_that_of_the_paper() -> None:
    """GIDD, γ = 1: kept, masked and redrawn in the proportions 1 - u : u : 2κ √(u (1 - u)), and 20 % at u = 1/2."""
    process = Mixing.hybrid(4, 0.2)
    t = torch.linspace(0.0, 1.0, 21, dtype=torch.float64)
    u = (torch.pi * t / 2).sin().square()
    redrawn = 2.0 * 0.25 * (u * (1.0 - u)).sqrt()
    total = 1.0 + redrawn
    alpha, share = process.schedule.alpha(t), process.share.share(t)
    assert torch.allclose(alpha, (1.0 - u) / total, atol=1e-14)
    assert torch.allclose((1.0 - alpha) * share, u / total, atol=1e-14)
    assert torch.allclose((1.0 - alpha) * (1.0 - share), redrawn / total, atol=1e-14)
    assert float(((1.0 - alpha) * (1.0 - share))[10]) == pytest.approx(0.2, abs=1e-14)
    assert process.prior_law()[1] == 1.0


@pytest.mark.parametrize("share", [Ramp(0.2, 0.9), HybridShare(0.3)], ids=repr)
def test_slopes_are_those_of_the_shares(share: AbstractShare) -> None:
    t = torch.linspace(0.01, 0.99, 33, dtype=torch.float64)
    slope = (share.share(t + 1e-6) - share.share(t - 1e-6)) / 2e-6
    assert torch.allclose(share.slope(t), slope, atol=1e-8)


def test_masks_and_classes_can_both_be_corrected() -> None:
    """A mask may be redrawn into a class, and a class masked or redrawn."""
    move = transition(NOISES["hybrid"], 0.3, 0.6)
    assert (move > 1e-3).all()


def test_sampling_gives_the_law() -> None:
    check_sampler(Ancestral(12), NOISES["hybrid"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Mixing(3, LogLinear(0.5), Ramp(0.0, 1.0)), r"no Markov chain .* \(1 - m\) / alpha falls at t = "),
        (lambda: Mixing(3, share=Sudden()), r"no Markov chain .* m / alpha falls at t = 0.5"),
        (lambda: Mixing(3, LogLinear(0.1), Ramp(0.5, 0.5), (0.0, 0.6, 0.4)), "no mass"),
        (lambda: Mixing(3, law=(0.5, 0.6, 0.4)), "sum to 1"),
        (lambda: Ramp(-0.1, 0.5), "between 0 and 1"),
        (lambda: Ramp(0.1, 1.5), "between 0 and 1"),
        (lambda: HybridShare(1.0), "between 0 and 1"),
    ],
)
def test_what_cannot_be_is_refused(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
