"""The analytic ("Tweedie") step of score models is the ancestral kernel: SEDD's theorem 4.2 against `reverse_law`."""

import pytest
import torch

from intarsia import Cosine
from intarsia.processes import Discrete
from intarsia.testing import BayesDenoiser

LAW = torch.tensor([0.15, 0.5, 0.05, 0.3], dtype=torch.float64)
POINTS = torch.arange(4)[:, None]
NOISES = [
    Discrete.absorbing(4),
    Discrete.uniform(4, Cosine()),
    Discrete.marginal((0.1, 0.2, 0.3, 0.4)),
    Discrete(4, mask=0.25, law=(0.1, 0.2, 0.3, 0.4)),
]


def generator(process: Discrete) -> torch.Tensor:
    """Q of the forward chain on classes and mask, with rates π(y) from everywhere: dp = p Q dσ."""
    entries, mask = process.prior_law()
    pi = torch.cat([entries, torch.tensor([mask], dtype=torch.float64)])[: 4 + process.has_mask]
    return pi.expand(len(pi), -1) - torch.eye(len(pi), dtype=torch.float64)


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize(("s", "t"), [(0.2, 0.6), (0.5, 0.9), (0.1, 0.11)])
def test_score_form_equals_posterior_form(process: Discrete, s: float, t: float) -> None:
    """p(xs = y | xt) ∝ [expm(-Δσ Qᵀ) s]_y expm(Δσ Q)(y, xt), s_y = p_t(y) / p_t(xt), to 1e-12 for every state."""
    most = 4 + process.has_mask
    q, states = generator(process), torch.arange(most)[:, None]
    alpha_s, alpha_t = (float(process.schedule.alpha(torch.tensor(u, dtype=torch.float64))) for u in (s, t))
    delta = torch.tensor(alpha_s / alpha_t, dtype=torch.float64).log()
    clean = torch.cat([LAW, torch.zeros(most - 4, dtype=torch.float64)])
    p_t = clean @ torch.matrix_exp(-torch.tensor(alpha_t, dtype=torch.float64).log() * q)
    score = p_t / p_t[:, None]
    law = (score @ torch.matrix_exp(-delta * q)) * torch.matrix_exp(delta * q).T
    law = law / law.sum(1, keepdim=True)
    there, here = (torch.full((most,), u, dtype=torch.float64) for u in (s, t))
    pred = BayesDenoiser(process, POINTS, LAW.log())(states, here)
    entries, mask = process.reverse_law(pred, states, there, here)
    kernel = torch.cat([entries.exp()[:, 0], mask.exp()], 1)[:, :most]
    assert torch.allclose(kernel, law, atol=1e-12)
