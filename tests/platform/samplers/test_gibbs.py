"""The Gibbs corrector: its moves keep the law of their time, by enumeration."""

import itertools
import math

import pytest
import torch

from intarsia import Cosine, Evidence
from intarsia.processes import Discrete, Xor
from intarsia.samplers import Ancestral, Cached, Gibbs
from intarsia.testing import (
    BayesDenoiser,
    all_states,
    check_refusal,
    check_sampler,
    chi_square,
    enumerated_law,
    total_variation,
)

POINTS = all_states([2, 2])
LAW = torch.tensor([0.45, 0.05, 0.15, 0.35], dtype=torch.float64)
NOISES = [
    Discrete.absorbing(2),
    Discrete.uniform(2, Cosine()),
    Discrete(2, mask=0.3, law=(0.4, 0.6)),
    Discrete.marginal((0.7, 0.3)),
]


def times(t: float, rows: int) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def law_at(process: Discrete, t: float) -> tuple[torch.Tensor, torch.Tensor]:
    """States and their law at time t."""
    most = 2 + process.has_mask
    states = all_states([most, most])
    x0, xt = POINTS.repeat_interleave(len(states), 0), states.repeat(4, 1)
    q = process.log_q(xt, x0, times(t, len(x0))).exp().prod(1).view(4, -1)
    return states, LAW @ q


def move(process: Discrete, site: int, t: float) -> torch.Tensor:
    """The kernel that redraws one site, (states, states): from the engine's own conversion, or by remasking."""
    states, _ = law_at(process, t)
    denoiser, most = BayesDenoiser(process, POINTS, LAW.log()), 2 + process.has_mask
    if process.time_free:
        holed = states.clone()
        holed[:, site] = 2
        values = denoiser(holed, times(t, len(states))).softmax(-1)[:, site]
        values = torch.cat([values, torch.zeros(len(states), 1, dtype=torch.float64)], 1)
        still = torch.nn.functional.one_hot(states[:, site], 3).double()
        values = torch.where((states[:, site] == 2)[:, None], still, values)
    else:
        loo = process.leave_one_out(denoiser(states, times(t, len(states))), states, times(t, len(states)))
        x0, xs = torch.arange(2).repeat_interleave(most)[:, None], torch.arange(most).repeat(2)[:, None]
        q = process.log_q(xs, x0, times(t, len(x0))).exp().view(2, most)
        values = loo[:, site].exp() @ q
    same = (states[:, None, 1 - site] == states[None, :, 1 - site]).double()
    return same * values[:, states[:, site]]


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", [0.2, 0.55, 1.0])
def test_t6_one_random_site_keeps_the_law(process: Discrete, t: float) -> None:
    _, law = law_at(process, t)
    for site in (0, 1):
        kernel = move(process, site, t)
        assert torch.allclose(kernel.sum(1), torch.ones(len(law), dtype=torch.float64), atol=1e-12)
        assert torch.allclose(law @ kernel, law, atol=1e-12)


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_draws_follow_that_kernel(process: Discrete) -> None:
    """Two steps and their moves, from the prior: the enumerated law of two sites; n = 6,000."""
    denoiser, n = BayesDenoiser(process, POINTS, LAW.log()), 6000
    states, law = law_of(process, 2, 1)
    most = 2 + process.has_mask
    rng = torch.Generator().manual_seed(0)
    x = Gibbs(2).sample(process, denoiser, process.prior((n, 2), rng), rng=rng)
    counts = torch.bincount(x[:, 0] * most + x[:, 1], minlength=len(states))
    assert chi_square(counts, law) >= 1e-4


def random_site(process: Discrete, t: float) -> torch.Tensor:
    """The kernel of a move at a random site; with masks at a random unmasked one."""
    states, _ = law_at(process, t)
    able = (states != 2) if process.time_free else torch.ones_like(states, dtype=torch.bool)
    share = able.double() / able.sum(1, keepdim=True).clamp(min=1)
    kernel = sum(share[:, site, None] * move(process, site, t) for site in (0, 1))
    return kernel + torch.diag((~able.any(1)).double())


def law_of(process: Discrete, steps: int, moves: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The law of ancestral steps with moves after each."""
    states, law = law_at(process, 1.0)
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    grid = [1.0 - k / steps for k in range(steps + 1)]
    for t, s in itertools.pairwise(grid):
        here, there = times(t, len(states)), times(max(s, 0.0), len(states))
        entries, mask = process.reverse_law(denoiser(states, here), states, there, here)
        kernel = torch.cat([entries.exp(), mask.exp()[..., None]], 2)
        law = law @ (kernel[:, 0, states[:, 0]] * kernel[:, 1, states[:, 1]])
        for _ in range(moves if process.time_free or s > 1e-9 else 0):
            law = law @ random_site(process, max(s, 0.0))
    return states, law


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_moves_mend_the_joint(process: Discrete) -> None:
    """Eight steps: the error with four moves a step is at most 0.6 of the one without."""
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    states, plain = enumerated_law(Ancestral(8), process, denoiser, 2)
    target = torch.zeros(len(states), dtype=torch.float64)
    target[(states < 2).all(1)] = LAW
    assert torch.allclose(law_of(process, 8, 0)[1], plain, atol=1e-12)
    assert total_variation(law_of(process, 8, 4)[1], target) < 0.6 * total_variation(plain, target)


def test_masks_are_mended_to_any_precision() -> None:
    """At time 0 a move is a Gibbs step of the joint itself, so many moves forget the steps altogether."""
    target = torch.zeros(9, dtype=torch.float64)
    target[[0, 1, 3, 4]] = LAW
    assert total_variation(law_of(Discrete.absorbing(2), 1, 60)[1], target) < 1e-6


def chosen(sampler: Gibbs, process: Discrete, logp: torch.Tensor, x: torch.Tensor, able: torch.Tensor, seed: int = 0):
    return sampler._chosen(process, logp, x, able, torch.Generator().manual_seed(seed))


def test_the_most_doubtful_values_are_redrawn() -> None:
    """Margins log p(value) - log p(best other value)."""
    process = Discrete.uniform(3)
    probs = torch.tensor([[[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8]]], dtype=torch.float64)
    x, able = torch.tensor([[0, 0, 1]]), torch.ones(1, 3, dtype=torch.bool)
    greedy = [Gibbs(sites=k, temperature=0.0) for k in (1, 2, 3)]
    assert [chosen(g, process, probs.log(), x, able).tolist() for g in greedy] == [
        [[False, False, True]],
        [[False, True, True]],
        [[True, True, True]],
    ]
    known = torch.tensor([[True, True, False]])
    assert chosen(greedy[0], process, probs.log(), x, known).tolist() == [[False, True, False]]
    # with noise of temperature 1 site i comes first in proportion to exp(-margin)
    n = 8000
    weights = torch.tensor([2 / 7, 4 / 5, 8.0])
    first = chosen(Gibbs(temperature=1.0), process, probs.log().expand(n, -1, -1), x.expand(n, -1), able.expand(n, -1))
    assert chi_square(first.sum(0), weights / weights.sum()) >= 1e-4
    evenly = chosen(Gibbs(), process, probs.log().expand(n, -1, -1), x.expand(n, -1), able.expand(n, -1))
    assert chi_square(evenly.sum(0), torch.full((3,), 1 / 3)) >= 1e-4


def test_observed_and_masked_sites_are_passed_over() -> None:
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, all_states([2, 2, 2]), torch.zeros(8))
    given = Evidence(torch.ones(300, 3, dtype=torch.long), torch.tensor([[True, False, False]]).expand(300, 3))
    x = Gibbs(4, moves=3, sites=3).sample(
        process, denoiser, process.prior((300, 3)), given=given, rng=torch.Generator().manual_seed(0)
    )
    assert (x[:, 0] == 1).all()
    assert (x != 2).all()
    masked = process.prior((5, 3))
    free = torch.ones(5, 3, dtype=torch.bool)
    assert torch.equal(Gibbs()._remasked(process, Cached(denoiser), masked, times(1, 5), free, None, None), masked)


@pytest.mark.parametrize(("sampler", "calls"), [(Gibbs(5, moves=2), 15), (Gibbs(5, moves=2, temperature=1.0), 25)])
def test_calls_of_absorbing_noise(sampler: Gibbs, calls: int) -> None:
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    sampler.sample(process, denoiser, process.prior((50, 2)), rng=torch.Generator().manual_seed(0))
    assert denoiser.nfe == calls


def test_other_noise_pays_a_call_a_move_and_none_at_the_end() -> None:
    process = Discrete.uniform(2)
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    Gibbs(5, moves=2).sample(process, denoiser, process.prior((50, 2)), rng=torch.Generator().manual_seed(0))
    assert denoiser.nfe == 5 + 2 * 4


@pytest.mark.parametrize("process", [Discrete.absorbing((2, 3)), Discrete((2, 3), Cosine(), 0.3)], ids=repr)
def test_check_sampler(process: Discrete) -> None:
    assert Gibbs().claim == "first order"
    check_sampler(Gibbs(20), process, n=2000)
    assert Gibbs(temperature=1.0).claim == Gibbs(sites=2).claim == "biased"
    check_sampler(Gibbs(8, 2, 2, 0.5), process, n=500)


def test_nonsense_is_refused() -> None:
    check_refusal(Gibbs(), Xor(2))
    for make in (lambda: Gibbs(moves=0), lambda: Gibbs(sites=0), lambda: Gibbs(temperature=-1.0), lambda: Gibbs(0)):
        with pytest.raises(ValueError, match="must"):
            make()
    with pytest.raises(ValueError, match="temperature"):
        Gibbs(temperature=math.nan)
