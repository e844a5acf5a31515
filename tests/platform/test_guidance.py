"""`Forbid`: the law conditioned on single-site constraints, where that is a change of the posterior."""

import pytest
import torch

from intarsia import FirstHitting, Forbid, Stratified
from intarsia.processes import Discrete
from intarsia.testing import BayesDenoiser, all_states, chi_square

PROCESS = Discrete.absorbing((2, 3))
POINTS = all_states([2, 3])
LAW = torch.tensor([0.3, 0.05, 0.15, 0.1, 0.25, 0.15], dtype=torch.float64)
SLICES = [slice(0, 2), slice(2, 5)]


def forbid(*entries: int) -> Forbid:
    mask = torch.zeros(5, dtype=torch.bool)
    mask[list(entries)] = True
    return Forbid(BayesDenoiser(PROCESS, POINTS, LAW.log()), mask, SLICES)


@pytest.mark.parametrize("sampler", [FirstHitting(), Stratified(group=1)], ids=repr)
def test_forbidden_classes_are_never_drawn_and_the_rest_keeps_its_odds(sampler) -> None:
    """Class 1 of the last site to be generated is ruled out: its law given the first is renormalized; n = 1,500."""
    process = Discrete.absorbing((2, 3))
    x = sampler.sample(process, forbid(3), process.prior((1500, 2)), rng=torch.Generator().manual_seed(0))
    assert not (x[:, 1] == 1).any()
    both = torch.bincount((x * torch.tensor([3, 1])).sum(1), minlength=6)
    table = LAW.view(2, 3)
    allowed = torch.tensor([1.0, 0.0, 1.0])
    by_first = table.sum(1, keepdim=True) * (table * allowed) / (table * allowed).sum(1, keepdim=True)
    column = (table * allowed).sum(0) / (table * allowed).sum()
    by_second = column * table / table.sum(0)
    assert chi_square(both, ((by_first + by_second) / 2).flatten()) >= 1e-4


def test_single_sites_agree_with_all_of_them() -> None:
    guided = forbid(0, 4)
    x, t = torch.tensor([[2, 3], [2, 1]]), torch.ones(2)
    for site, part in enumerate(SLICES):
        assert torch.equal(guided.site_logits(x, t, None, site), guided(x, t)[:, part])
    assert guided(x, t)[:, [0, 4]].eq(-torch.inf).all()
    assert guided.time_free


def test_heads_of_one_site_are_used() -> None:
    class Network:
        time_free = False

        def site_logits(self, xt: torch.Tensor, t: torch.Tensor, cond: object, site: int) -> torch.Tensor:
            return torch.full((len(xt), 2), float(site))

    guided = Forbid(Network(), torch.tensor([True, False, False, True]), [slice(0, 2), slice(2, 4)])
    assert guided.site_logits(torch.zeros(1, 2), torch.ones(1), None, 1).tolist() == [[1.0, -torch.inf]]
    assert not guided.time_free


def test_something_must_be_allowed_everywhere() -> None:
    with pytest.raises(ValueError, match="every class"):
        forbid(0, 1)
