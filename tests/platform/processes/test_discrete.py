"""Exact facts of discrete noise (reference/engine.md, T1, T3, T4, T6), on enumerated laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intarsia import Cosine, Linear, LogLinear, Polynomial
from intarsia.processes import Discrete
from intarsia.testing._finite import FiniteSites
from intarsia.testing._process_nelbo import expected_loss, site_nelbo


def p0() -> torch.Tensor:
    rng = np.random.default_rng(1)
    rng.dirichlet(np.ones(27))
    return torch.from_numpy(rng.dirichlet(np.ones(5)))


ENTROPY = 1.00471064854618


def entropy_gap(nelbo: torch.Tensor, law: torch.Tensor) -> float:
    return float((law * nelbo).sum()) - ENTROPY


@st.composite
def marginal(draw: st.DrawFn) -> Discrete:
    count = draw(st.integers(2, 5))
    weights = draw(st.lists(st.floats(0.05, 1.0), min_size=count, max_size=count))
    law = tuple(w / sum(weights) for w in weights)
    return Discrete(count, draw(st.sampled_from([Linear(), Cosine()])), draw(st.sampled_from([0.0, 0.3, 0.9])), law)


def survival(process: Discrete, t: float) -> torch.Tensor:
    return process.schedule.alpha(torch.tensor(t, dtype=torch.float64))


def transition(process: Discrete, s: float, t: float) -> torch.Tensor:
    """q(xt | xs) of one site from its definition, alpha(t)/alpha(s) δ + (1 - alpha(t)/alpha(s)) π."""
    kept, pi = survival(process, t) / survival(process, s), FiniteSites(process, 1).prior()[0]
    return kept * torch.eye(len(pi), dtype=torch.float64) + (1 - kept) * pi


@given(marginal(), st.floats(0.01, 0.98), st.floats(0.005, 0.99), st.integers(0, 999))
def test_t1_posterior_algebra(process: Discrete, s: float, step: float, seed: int) -> None:
    t = s + (1.0 - s) * step
    finite = FiniteSites(process, 1)
    q_s, q_t, move = finite.marginal(s), finite.marginal(t), transition(process, s, t)
    assert torch.allclose(q_s.sum(-1), torch.ones(()).double(), atol=1e-12)
    assert torch.allclose(q_s @ move, q_t, atol=1e-12)
    bridge = finite.bridge(s, t)  # x0, xt, xs
    joint = bridge * q_t[..., None]
    assert torch.allclose(joint, (q_s[:, :, :, None] * move).transpose(2, 3), atol=1e-12)
    assert torch.allclose(joint.sum(2), q_s, atol=1e-12)
    # the engine's mixture of bridges with the posterior is the plug-in with the leave-one-out law, which is p(x0) here
    law = torch.rand(1, finite.classes[0], dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.01
    law = law / law.sum()
    post = finite.posterior(law, t)[0]
    states = torch.arange(finite.states[0])[:, None]
    kernel = finite.kernel(finite.prediction(post[:, None]), states, s, t)[:, 0]
    plug_in = move.T * (law @ q_s[0])
    assert torch.allclose(kernel, plug_in / plug_in.sum(1, keepdim=True), atol=1e-12)


@given(marginal(), st.floats(0.01, 0.99))
def test_t1_logit_shift_from_loo_to_posterior(process: Discrete, t: float) -> None:
    finite = FiniteSites(process, 1)
    law = torch.full((1, finite.classes[0]), 1.0 / finite.classes[0], dtype=torch.float64)
    alpha, pi = survival(process, t), finite.prior()[0]
    for xt in range(finite.classes[0]):
        logits = law[0].log().clone()
        if pi[xt] > 0:
            logits[xt] += torch.log1p(alpha / ((1 - alpha) * pi[xt]))
            assert torch.allclose(logits.softmax(0), finite.posterior(law, t)[0, xt], atol=1e-12)


def test_t3_the_law_is_the_one_of_the_reference() -> None:
    assert p0().tolist() == pytest.approx([0.01195385, 0.6382456, 0.01787842, 0.18777945, 0.14414268], abs=5e-9)
    assert float(-(p0() * p0().log()).sum()) == pytest.approx(ENTROPY, abs=1e-14)


@pytest.mark.parametrize("steps", [1, 2, 10, 100])
def test_t3_the_bound_of_a_grid_is_tight_at_every_number_of_steps(steps: int) -> None:
    finite = FiniteSites(Discrete.uniform(5), 1)
    assert entropy_gap(site_nelbo(finite, p0()[None], steps), p0()) == pytest.approx(0.0, abs=1e-12)


def test_t3_the_continuous_bound_is_tight() -> None:
    finite = FiniteSites(Discrete.uniform(5), 1)
    assert entropy_gap(site_nelbo(finite, p0()[None], None), p0()) == pytest.approx(0.0, abs=2e-6)
    masked = FiniteSites(Discrete.absorbing(5), 1)
    assert entropy_gap(site_nelbo(masked, p0()[None], None), p0()) == pytest.approx(0.0, abs=1e-9)


def plug_in_gap(steps: int, *, posterior: bool) -> float:
    """Gap of D3PM's bound (plug-in of probabilities into the bridge), with the posterior or the loo law plugged in."""
    process, law = Discrete.uniform(5), p0()
    finite = FiniteSites(process, 1)
    total = 0.0
    for k in range(steps):
        s, t = k / steps, (k + 1) / steps
        q_s, q_t, move = finite.marginal(s)[0], finite.marginal(t)[0], transition(process, s, t)
        guess = finite.posterior(law[None], t)[0] if posterior else law.expand(5, 5)
        model = move.T * (guess @ q_s)
        model = model / model.sum(1, keepdim=True)
        truth = finite.bridge(s, t)[0]
        kl = torch.where(truth > 0, truth * (truth.clamp(min=1e-300) / model).log(), 0.0).sum(-1)
        total += float((law[:, None] * q_t * kl).sum())
    return total - ENTROPY


@pytest.mark.parametrize(("steps", "gap"), [(1, 0.0), (2, 0.1994851361), (10, 0.5153915579), (100, 0.6300362402)])
def test_t3_the_loo_trap(steps: int, gap: float) -> None:
    """The published mistake, written here on the engine's q; the engine's own bound has no gap at any of these."""
    assert plug_in_gap(steps, posterior=True) == pytest.approx(gap, abs=1e-9)
    assert plug_in_gap(steps, posterior=False) == pytest.approx(0.0, abs=1e-12)


def test_t3_the_engine_wants_the_posterior_and_not_the_loo_law() -> None:
    process = Discrete.uniform(5)
    finite = FiniteSites(process, 1)
    x0, xt, valid = finite.pairs()
    t = torch.full((len(x0),), 0.5, dtype=torch.float64)
    q = finite.marginal(0.5)
    loo = process.loss(p0().log().expand(len(x0), 1, 5), x0, xt, t).T.reshape(valid.shape)
    right = expected_loss(finite, p0()[None], 0.5)
    wrong = (q * loo).sum(-1)
    assert float((p0() * (wrong - right)).sum()) > 0.05


def uniform_score_entropy(process: Discrete, logp: torch.Tensor, x0: int, xt: int, t: float) -> float:
    """SEDD's integrand at the score that a posterior implies, by way of the loo law (reference 1.3)."""
    count = logp.numel()
    alpha = 1.0 - t
    loo = logp.clone()
    loo[xt] -= math.log1p(count * alpha / (1 - alpha))
    loo = loo.softmax(0)
    score = (alpha * loo + (1 - alpha) / count) / (alpha * loo[xt] + (1 - alpha) / count)
    delta = torch.nn.functional.one_hot(torch.tensor(x0), count).double()
    q = alpha * delta + (1 - alpha) / count
    ratio = q / q[xt]
    terms = score - ratio + ratio * (ratio / score).log()
    return float((terms.sum() - terms[xt]) / alpha / count)


@given(st.integers(2, 5), st.floats(0.02, 0.98), st.integers(0, 2**31))
def test_t4_uniform_loss_is_the_score_entropy(count: int, t: float, seed: int) -> None:
    process = Discrete.uniform(count)
    logits = torch.randn(count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    for x0 in range(count):
        for xt in range(count):
            args = (torch.tensor([[x0]]), torch.tensor([[xt]]), torch.tensor([t], dtype=torch.float64))
            got = process.loss(logits.view(1, 1, -1), *args).item()
            assert got == pytest.approx(uniform_score_entropy(process, logits, x0, xt, t), abs=1e-11, rel=1e-11)


@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(2.0)], ids=repr)
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_t4_masked_score_entropy_is_the_weighted_cross_entropy(schedule, t: float) -> None:
    process = Discrete.absorbing(4, schedule)
    logits = torch.randn(1, 1, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    probs = logits.softmax(-1)[0, 0]
    time = torch.tensor([t], dtype=torch.float64)
    alpha, dalpha = schedule.alpha(time).item(), schedule.dalpha(time).item()
    score = alpha / (1 - alpha) * probs
    for x0 in range(4):
        ratio = alpha / (1 - alpha)
        # Σ_y s_y - r log s_x0 + r (log r - 1), times the rate at which sites are masked
        sedd = -dalpha / alpha * (score.sum() - ratio * score[x0].log() + ratio * (math.log(ratio) - 1.0))
        got = process.loss(logits, torch.tensor([[x0]]), torch.tensor([[4]]), time).item()
        assert got == pytest.approx(sedd.item(), abs=1e-13)
        assert process.loss(logits, torch.tensor([[x0]]), torch.tensor([[x0]]), time).item() == 0.0


def subsets(sites: int) -> list[list[int]]:
    return [[i for i in range(sites) if code >> i & 1] for code in range(1, 2**sites)]


def test_t4_sums_over_masks_equal_the_integral_for_any_network() -> None:
    """lambda-DCE = k-DCE (L = 3, K = 2): ∫ dt/t of the masked cross-entropy is a sum over numbers of masks."""
    table = torch.randn(3**3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(5))

    def network(x: torch.Tensor) -> torch.Tensor:
        return table[(x * torch.tensor([9, 3, 1])).sum(1)]

    process, x0 = Discrete.absorbing(2), torch.tensor([[0, 1, 1]])
    integral, total = 0.0, 0.0
    nodes, weights = np.polynomial.legendre.leggauss(8)
    for masked in subsets(3):
        xt = x0.clone()
        xt[:, masked] = 2
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            chance = node ** len(masked) * (1 - node) ** (3 - len(masked))
            time = torch.tensor([node], dtype=torch.float64)
            integral += weight * chance * process.loss(network(xt), x0, xt, time).sum().item()
        nats = -process.classes.log_prob(network(xt), x0)[0, masked].sum().item()
        total += nats / len(masked) / math.comb(3, len(masked))  # k is uniform, then the set; times L / k
    assert integral == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_t6_remasking_keeps_the_marginal(share: float) -> None:
    """ReMDM's kernel, written on the engine's q because the engine has no remasking sampler yet."""
    process, s, t = Discrete.absorbing(3), 0.4, 0.65
    finite = FiniteSites(process, 1)
    alpha_s, alpha_t = survival(process, s).item(), survival(process, t).item()
    assert (alpha_s, alpha_t) == pytest.approx((0.6, 0.35))
    limit = min(1.0, (1 - alpha_s) / alpha_t)
    assert limit == pytest.approx(1.0)
    sigma = share * limit
    now = finite.marginal(t)[0]  # x0, xt
    unmask = (alpha_s - (1 - sigma) * alpha_t) / (1 - alpha_t)
    for x0 in range(3):
        kernel = (1 - sigma) * torch.eye(4, dtype=torch.float64)
        kernel[:, 3] += sigma
        kernel[3] = unmask * torch.nn.functional.one_hot(torch.tensor(x0), 4).double()
        kernel[3, 3] = 1 - unmask
        after = now[x0] @ kernel
        assert after[x0].item() == pytest.approx(0.6, abs=1e-12)
        assert torch.allclose(after, finite.marginal(s)[0, x0], atol=1e-12)


@given(marginal(), st.floats(0.0, 1.0))
def test_t6_psi_keeps_the_marginal(process: Discrete, kappa: float) -> None:
    """kappa · reverse kernel + (1 - kappa) · q(xs | x0~), x0~ from the posterior, written on the engine's kernel."""
    finite, s, t = FiniteSites(process, 1), 0.3, 0.7
    law = torch.rand(1, finite.classes[0], dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.01
    law = law / law.sum()
    post = finite.posterior(law, t)
    states = torch.arange(finite.states[0])[:, None]
    kernel = finite.kernel(finite.prediction(post.transpose(0, 1)), states, s, t)[:, 0]
    psi = kappa * kernel + (1 - kappa) * post[0] @ finite.marginal(s)[0]
    assert torch.allclose(law @ finite.marginal(t)[0] @ psi, law @ finite.marginal(s)[0], atol=1e-12)


def test_noise_that_leaves_data_where_the_prior_has_no_mass_is_refused() -> None:
    for make in (
        lambda: Discrete.absorbing(3, LogLinear()),
        lambda: Discrete.marginal((0.0, 1.0), LogLinear()),
        lambda: Discrete(3, LogLinear(), mask=1.0),
    ):
        with pytest.raises(ValueError, match="alpha"):
            make()
    assert Discrete.uniform(3, LogLinear()).prior_kl(torch.tensor([[0]])).item() > 0


@pytest.mark.parametrize("mask", [-0.1, 1.1, float("nan")])
def test_a_mask_share_is_a_share(mask: float) -> None:
    with pytest.raises(ValueError, match="share"):
        Discrete(3, mask=mask)


def test_times_must_fit_the_state() -> None:
    process, x = Discrete.uniform(3), torch.zeros(4, 2, dtype=torch.long)
    for t in (torch.tensor(0.5), torch.rand(3), torch.rand(4, 2, 1)):
        with pytest.raises(ValueError, match="per row"):
            process.corrupt(x, t)
