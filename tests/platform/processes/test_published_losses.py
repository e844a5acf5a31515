"""Losses of other papers at perfect networks, written on the engine's q: which are tight (T3, T4 of the reference)."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from intarsia.processes import Discrete
from intarsia.testing._finite import FiniteSites

RNG = np.random.default_rng(1)
RNG.dirichlet(np.ones(27))
LAW = torch.from_numpy(RNG.dirichlet(np.ones(5)))
ENTROPY = 1.00471064854618
CLASSES = 5


def nodes() -> list[tuple[float, float]]:
    """Gauss-Legendre on panels that halve towards both ends of [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(10)
    ends = [2.0**-k for k in range(30, 0, -1)]
    edges = [0.0, *ends, *[1.0 - end for end in reversed(ends[:-1])], 1.0]
    return [(a + (b - a) * (u + 1) / 2, (b - a) * v / 2) for a, b in pairwise(edges) for u, v in zip(x, w, strict=True)]


def udlm(network: torch.Tensor, t: float) -> torch.Tensor:
    """UDLM's integrand (Schiff et al. 2024) at alpha = 1 - t, (x0, xt), for the network's law (xt, classes)."""
    alpha, count = 1.0 - t, CLASSES
    bar = count * alpha * torch.eye(count, dtype=torch.float64) + 1.0 - alpha  # x0, class
    bar_model = count * alpha * network + 1.0 - alpha  # xt, class
    here, model = bar[:, :, None], bar_model.diagonal()[:, None]  # of xt
    ratios = bar[:, None, :] / here
    terms = (ratios * (model * bar[:, None, :] / (bar_model * here)).log()).sum(-1)
    return -1.0 / (count * alpha) * (count / bar - count / bar_model.diagonal() - terms)


def flow_matching(network: torch.Tensor, states: int, t: float) -> torch.Tensor:
    """Generalised KL of discrete flow matching (Gat et al. 2024) at kappa = 1 - t, (x0, xt); the last may be a mask."""
    same = torch.eye(CLASSES, states, dtype=torch.float64)
    kept = torch.nn.functional.pad(network, (0, 1))[torch.arange(states), torch.arange(states)]
    return -1.0 / t * (kept - same + (1.0 - same) * network.T.log())


def expected(process: Discrete, loss, posterior: bool) -> float:
    """∫ E[loss] dt in nats, with the exact posterior or the exact leave-one-out law, which is the law itself."""
    finite = FiniteSites(process, 1)
    total = 0.0
    for t, weight in nodes():
        network = finite.posterior(LAW[None], t)[0] if posterior else LAW.expand(finite.states[0], CLASSES)
        nats, q = loss(network, t), finite.marginal(t)[0]
        total += weight * float((LAW[:, None] * torch.where(q > 0, q * nats, 0.0)).sum())
    return total


def test_t3_udlm_is_tight_at_the_leave_one_out_law_only() -> None:
    process = Discrete.uniform(CLASSES)
    assert expected(process, udlm, posterior=False) == pytest.approx(ENTROPY, abs=1e-9)
    assert expected(process, udlm, posterior=True) == pytest.approx(1.6535597, abs=6e-8)


def test_t3_flow_matching_from_masks_is_tight_and_from_uniform_noise_is_not() -> None:
    uniform = expected(Discrete.uniform(CLASSES), lambda p, t: flow_matching(p, CLASSES, t), posterior=True)
    assert uniform == pytest.approx(1.3100365, abs=6e-8)
    assert uniform - ENTROPY == pytest.approx(0.3053259, abs=6e-8)
    masked = expected(Discrete.absorbing(CLASSES), lambda p, t: flow_matching(p, CLASSES + 1, t), posterior=True)
    assert masked == pytest.approx(ENTROPY, abs=1e-12)


@pytest.mark.parametrize("t", [0.05, 0.5, 0.95])
def test_t4_udlm_is_the_engine_s_loss_of_the_posterior_that_belongs_to_its_law(t: float) -> None:
    """UDLM = SEDD-uniform, integrand by integrand, for any network: its law is a leave-one-out law."""
    logits = torch.randn(CLASSES, CLASSES, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x0, xt, _ = FiniteSites(Discrete.uniform(CLASSES), 1).pairs()
    shift = math.log1p(CLASSES * (1 - t) / t) * torch.eye(CLASSES, dtype=torch.float64)
    time = torch.full((CLASSES**2,), t, dtype=torch.float64)
    loss = Discrete.uniform(CLASSES).loss((logits + shift)[xt[:, 0]][:, None], x0, xt, time)
    assert torch.allclose(udlm(logits.softmax(1), t), loss.view(CLASSES, CLASSES), atol=1e-12)


@pytest.mark.parametrize("t", [0.05, 0.5, 0.95])
def test_t4_flow_matching_from_masks_is_the_engine_s_loss(t: float) -> None:
    logits = torch.randn(1, CLASSES, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).expand(6, -1)
    x0 = torch.arange(CLASSES)[:, None]
    masked = torch.full_like(x0, CLASSES)
    time = torch.full((CLASSES,), t, dtype=torch.float64)
    loss = Discrete.absorbing(CLASSES).loss(logits[:CLASSES, None], x0, masked, time)
    assert torch.allclose(flow_matching(logits.softmax(1), CLASSES + 1, t)[:, -1:], loss, atol=1e-12)
