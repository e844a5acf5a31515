"""Log-likelihoods along orders: exact with a perfect denoiser, and what is hidden is summed over."""

import pytest
import torch

from intarsia import Staged
from intarsia.errors import RequirementError
from intarsia.likelihood import chain_log_prob, group_log_prob
from intarsia.processes import Discrete
from intarsia.testing import BayesDenoiser, all_states

COUNTS = [2, 3, 2]
POINTS = all_states(COUNTS)
LOGITS = torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LAW = LOGITS.softmax(0)
PROCESS = Discrete.absorbing((2, 3, 2))
DENOISER = BayesDenoiser(PROCESS, POINTS, LOGITS)


@pytest.mark.parametrize("orders", [1, 3])
@pytest.mark.parametrize("process", [PROCESS, Discrete.absorbing((2, 3, 2), Staged((1, 0, 1)))], ids=repr)
def test_every_order_gives_the_joint(process: Discrete, orders: int) -> None:
    got = chain_log_prob(process, DENOISER, POINTS, orders=orders, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(got, LAW.log(), atol=1e-9)


def test_hidden_sites_are_summed_over() -> None:
    known = torch.tensor([[True, False, True]]).expand(12, -1)
    got = chain_log_prob(PROCESS, DENOISER, POINTS, known=known, rng=torch.Generator().manual_seed(0))
    same = (POINTS[:, None, [0, 2]] == POINTS[:, [0, 2]]).all(2).double()
    assert torch.allclose(got, (same @ LAW).log(), atol=1e-9)
    hidden = chain_log_prob(PROCESS, DENOISER, POINTS, known=torch.zeros_like(POINTS, dtype=torch.bool))
    assert (hidden == 0).all()


def test_groups_given_everything_else() -> None:
    got = group_log_prob(PROCESS, DENOISER, POINTS, [[0], [1, 2], []])
    assert got.shape == (12, 3)
    for column, group in enumerate([[0], [1, 2]]):
        rest = [site for site in range(3) if site not in group]
        same = (POINTS[:, None, rest] == POINTS[:, rest]).all(2).double()
        assert torch.allclose(got[:, column], (LAW / (same @ LAW)).log(), atol=1e-9)
    assert (got[:, 2] == 0).all()
    assert group_log_prob(PROCESS, DENOISER, POINTS, []).shape == (12, 0)


def test_single_site_heads_are_used() -> None:
    class Head:
        def site_logits(self, x: torch.Tensor, t: torch.Tensor, cond: object, site: int) -> torch.Tensor:
            return DENOISER(x, t)[:, PROCESS.classes.slices()[site]]  # type: ignore[attr-defined]

    got = chain_log_prob(PROCESS, Head(), POINTS, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(got, LAW.log(), atol=1e-9)


def test_dense_logits() -> None:
    process = Discrete.absorbing(3)
    points = all_states([3, 3])
    law = torch.randn(9, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).softmax(0)
    denoiser = BayesDenoiser(process, points, law.log())
    assert torch.allclose(chain_log_prob(process, denoiser, points), law.log(), atol=1e-9)


def test_the_callers_states_are_kept() -> None:
    points = POINTS.clone()
    chain_log_prob(PROCESS, DENOISER, points, rng=torch.Generator().manual_seed(0))
    group_log_prob(PROCESS, DENOISER, points, [[0, 1]])
    assert torch.equal(points, POINTS)


def test_other_noise_is_refused() -> None:
    with pytest.raises(RequirementError, match="absorbing"):
        chain_log_prob(Discrete.uniform(2), DENOISER, POINTS)
    with pytest.raises(RequirementError, match="absorbing"):
        group_log_prob(Discrete.uniform(2), DENOISER, POINTS, [[0]])
