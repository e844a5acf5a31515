"""Path planning: how many sites stay, which, and that the law of two sites is the enumerated one."""

import pytest
import torch

from intarsia import Evidence
from intarsia.processes import Discrete, Xor
from intarsia.samplers import Planner
from intarsia.testing import BayesDenoiser, check_refusal, check_sampler, chi_square

PROCESS = Discrete.absorbing(2)
PAIRS = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
LAW = torch.tensor([0.5, 0.1, 0.15, 0.25], dtype=torch.float64)


class Recorder:
    """A network that changes its mind with every other one that it sees, and keeps the states it saw."""

    def __init__(self, sites: int) -> None:
        self.seen: list[torch.Tensor] = []
        self.bias = torch.randn(sites, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def __call__(self, x: torch.Tensor, t: torch.Tensor, cond: object) -> torch.Tensor:
        self.seen.append(x.clone())
        return self.bias * (1 - 2 * ((x == 1).sum(1) % 2))[:, None, None]


@pytest.mark.parametrize("eta", [0.0, 1.0, 3.0])
def test_the_share_that_stays_is_alpha(eta: float) -> None:
    """Ten sites, five steps: 0, 2, 4, 6, 8 are unmasked when the network is called, and all at the end."""
    network = Recorder(10)
    x = Planner(5, eta=eta).sample(PROCESS, network, PROCESS.prior((20, 10)), rng=torch.Generator().manual_seed(0))
    assert [(seen != 2).sum(1).unique().tolist() for seen in network.seen] == [[0], [2], [4], [6], [8]]
    assert (x != 2).all()
    kept = [bool(((a == 2) | (a == b)).all()) for a, b in zip(network.seen[1:], network.seen[2:], strict=False)]
    assert all(kept) if eta == 0.0 else not all(kept), "eta = 0 masks nothing again, others do"


def test_observed_sites_stay_and_do_not_count() -> None:
    network = Recorder(10)
    mask = torch.zeros(20, 10, dtype=torch.bool)
    mask[:, 3:8] = True
    given = Evidence(torch.ones(20, 10, dtype=torch.long), mask)
    x = Planner(5).sample(PROCESS, network, PROCESS.prior((20, 10)), given=given, rng=torch.Generator().manual_seed(0))
    assert (x[mask] == 1).all()
    assert all((seen[mask] == 1).all() for seen in network.seen)
    assert [(seen != 2).sum(1).unique().tolist() for seen in network.seen] == [[5], [6], [7], [8], [9]]


def test_a_planner_of_the_users_own_decides() -> None:
    """It likes ones and sees full states: a site with a one stays before any with a zero."""
    shown: list[torch.Tensor] = []

    def score(x0: torch.Tensor, t: torch.Tensor, cond: object) -> torch.Tensor:
        shown.append(x0)
        return torch.where(x0 == 1, -0.1, -2.0)

    network = Recorder(10)
    Planner(5, score).sample(PROCESS, network, PROCESS.prior((200, 10)), rng=torch.Generator().manual_seed(0))
    assert all((x0 < 2).all() for x0 in shown)
    ones = (shown[0] == 1).sum(1).clamp(max=2)
    assert torch.equal((network.seen[1] == 1).sum(1), ones)


def test_the_law_of_two_sites() -> None:
    """Two steps of two sites. First both are drawn apart and the likelier value stays, then the other is drawn.

    p(a, b) = Σ over first draws (a', b') with the winner at its site; n = 6,000.
    """
    denoiser = BayesDenoiser(PROCESS, PAIRS, LAW.log())
    table = LAW.view(2, 2)
    first, second = table.sum(1), table.sum(0)
    law = torch.zeros(2, 2, dtype=torch.float64)
    for a in range(2):
        for b in range(2):
            chance = first[a] * second[b]
            if first[a] >= second[b]:
                law[a] += chance * table[a] / first[a]
            else:
                law[:, b] += chance * table[:, b] / second[b]
    x = Planner(2).sample(PROCESS, denoiser, PROCESS.prior((6000, 2)), rng=torch.Generator().manual_seed(0))
    counts = torch.bincount(x[:, 0] * 2 + x[:, 1], minlength=4)
    assert chi_square(counts, law.flatten()) >= 1e-4
    assert chi_square(counts, LAW) < 1e-4, "planning is biased: the kept site depends on its value"


@pytest.mark.parametrize("sampler", [Planner(4), Planner(4, eta=2.0)], ids=repr)
@pytest.mark.parametrize("process", [Discrete.absorbing(3), Discrete.absorbing((2, 3))], ids=repr)
def test_check_sampler(sampler: Planner, process: Discrete) -> None:
    check_sampler(sampler, process, n=500)


def test_what_it_cannot_do_is_refused() -> None:
    check_refusal(Planner(), Xor(2))
    check_refusal(Planner(), Discrete.uniform(3))
    with pytest.raises(ValueError, match="eta"):
        Planner(eta=-1.0)
    with pytest.raises(ValueError, match="steps"):
        Planner(0)
