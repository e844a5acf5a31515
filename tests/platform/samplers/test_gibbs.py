"""The Gibbs corrector: its moves keep the law of their time, by enumeration."""

import itertools
import math

import pytest
import torch

from intarsia import Cosine, Evidence, Polynomial
from intarsia.errors import RequirementError
from intarsia.guidance import EnumeratedRatios, Tilted
from intarsia.processes import (
    AbstractFinite,
    ClasswiseAbsorbing,
    Death,
    Discrete,
    Enumerated,
    Gaussian,
    Mixing,
    Product,
    Riffle,
    Structured,
    Xor,
)
from intarsia.samplers import AbstractSampler, Ancestral, Gibbs
from intarsia.samplers._gibbs import movable
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
    Xor(2, Cosine()),
    ClasswiseAbsorbing(2, Polynomial((0.7, 2.0))),
    Mixing.hybrid(2),
    Structured.paced(torch.tensor([[-1.0, 1.0], [0.4, -0.4]])),
]


def times(t: float, rows: int) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def law_at(process: AbstractFinite, t: float) -> tuple[torch.Tensor, torch.Tensor]:
    """States and their law at time t."""
    most = 2 + process.has_mask
    states = all_states([most, most])
    x0, xt = POINTS.repeat_interleave(len(states), 0), states.repeat(4, 1)
    q = process.log_q(xt, x0, times(t, len(x0))).exp().prod(1).view(4, -1)
    return states, LAW @ q


def move(process: AbstractFinite, site: int, t: float) -> torch.Tensor:
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
        seen = states.clone()
        if isinstance(process, ClasswiseAbsorbing):  # an unmasked site must forget its value first
            seen[:, site] = 2
        loo = process.leave_one_out(denoiser(seen, times(t, len(states))), seen, times(t, len(states)))
        loo = process.log_probs(loo)
        x0, xs = torch.arange(2).repeat_interleave(most)[:, None], torch.arange(most).repeat(2)[:, None]
        q = process.log_q(xs, x0, times(t, len(x0))).exp().view(2, most)
        values = loo[:, site].exp() @ q
    same = (states[:, None, 1 - site] == states[None, :, 1 - site]).double()
    return same * values[:, states[:, site]]


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", [0.2, 0.55, 1.0])
def test_t6_one_random_site_keeps_the_law(process: AbstractFinite, t: float) -> None:
    _, law = law_at(process, t)
    for site in (0, 1):
        kernel = move(process, site, t)
        assert torch.allclose(kernel.sum(1), torch.ones(len(law), dtype=torch.float64), atol=1e-12)
        assert torch.allclose(law @ kernel, law, atol=1e-12)


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_draws_follow_that_kernel(process: AbstractFinite) -> None:
    """Two steps and their moves, from the prior: the enumerated law of two sites; n = 6,000."""
    denoiser, n = BayesDenoiser(process, POINTS, LAW.log()), 6000
    states, law = law_of(process, 2, 1)
    most = 2 + process.has_mask
    rng = torch.Generator().manual_seed(0)
    x = Gibbs(2).sample(process, denoiser, process.prior((n, 2), rng), rng=rng)
    counts = torch.bincount(x[:, 0] * most + x[:, 1], minlength=len(states))
    assert chi_square(counts, law) >= 1e-4


def random_site(process: AbstractFinite, t: float) -> torch.Tensor:
    """The kernel of a move at a random site; with masks at a random unmasked one."""
    states, _ = law_at(process, t)
    able = (states != 2) if process.time_free else torch.ones_like(states, dtype=torch.bool)
    share = able.double() / able.sum(1, keepdim=True).clamp(min=1)
    kernel = sum(share[:, site, None] * move(process, site, t) for site in (0, 1))
    return kernel + torch.diag((~able.any(1)).double())


def law_of(process: AbstractFinite, steps: int, moves: int) -> tuple[torch.Tensor, torch.Tensor]:
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
def test_moves_mend_the_joint(process: AbstractFinite) -> None:
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


def chosen(
    sampler: Gibbs, process: AbstractFinite, logp: torch.Tensor, x: torch.Tensor, able: torch.Tensor, seed: int = 0
):
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
    still = Gibbs()._remasked(process, lambda x: denoiser(x, times(1, 5)), masked, times(1, 5), free, None)
    assert torch.equal(still, masked)


def test_records_move_field_by_field() -> None:
    """A class and a bit that agree. Moves mend all but the last of four steps, after which 0.14 of pairs do not.

    At s = 1/4 both show x0 with 7/8: pairs agree with 25/32 and are then right with 0.98 each, else with 1/2 each.
    """
    process = Product({"class": Discrete.uniform(2), "bit": Xor(1)})
    points = {"class": torch.tensor([[0], [1]]), "bit": torch.tensor([[0], [1]])}
    denoiser, n, shape = BayesDenoiser(process, points, torch.zeros(2)), 4000, {"class": (4000, 1), "bit": (4000, 1)}

    def differ(sampler: AbstractSampler) -> float:
        rng = torch.Generator().manual_seed(0)
        x = sampler.sample(process, denoiser, process.prior(shape, rng), rng=rng)
        return float((x["class"] != x["bit"]).sum()) / n

    assert differ(Gibbs(4, moves=12)) == pytest.approx(0.14, abs=5 * (0.14 * 0.86 / n) ** 0.5)
    assert differ(Ancestral(4)) > 0.18
    seen = Evidence({"class": torch.ones(n, 1, dtype=torch.long)}, {"class": torch.ones(n, 1, dtype=torch.bool)})
    x = Gibbs(4).sample(process, denoiser, process.prior(shape), given=seen, rng=torch.Generator().manual_seed(1))
    assert (x["class"] == 1).all()
    assert (x["bit"] == 1).all()
    denoiser.nfe = 0
    Gibbs(3, moves=2).sample(process, denoiser, process.prior(shape), rng=torch.Generator().manual_seed(1))
    assert denoiser.nfe == 3 + 2 * 2 * 2


def test_fields_without_such_a_law_take_the_steps_only() -> None:
    process = Product({"class": Discrete.absorbing(2), "real": Gaussian(), "order": Riffle(3, 4, Enumerated())})
    assert list(movable(process)) == ["class"]
    assert movable(Xor(2)) == {None: Xor(2)}


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


@pytest.mark.parametrize(
    "process",
    [Discrete.absorbing((2, 3)), Discrete((2, 3), Cosine(), 0.3), ClasswiseAbsorbing((2, 3)), Xor(2)],
    ids=repr,
)
def test_check_sampler(process: AbstractFinite) -> None:
    assert Gibbs().claim == "first order"
    check_sampler(Gibbs(20), process, n=2000)
    assert Gibbs(temperature=1.0).claim == Gibbs(sites=2).claim == "biased"
    check_sampler(Gibbs(8, 2, 2, 0.5), process, n=500)


def test_nonsense_is_refused() -> None:
    half = Structured(torch.tensor([[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 0.0]]))
    tilted = Tilted(Discrete.uniform(2), EnumeratedRatios(lambda x, t: torch.zeros(len(x))))
    for process in (Gaussian(), Death(), Riffle(3, 4, Enumerated()), Product({"real": Gaussian()}), half, tilted):
        with pytest.raises(RequirementError, match="law given the others"):
            Gibbs().check(process)
    check_refusal(Gibbs(), Gaussian())
    for make in (lambda: Gibbs(moves=0), lambda: Gibbs(sites=0), lambda: Gibbs(temperature=-1.0), lambda: Gibbs(0)):
        with pytest.raises(ValueError, match="must"):
            make()
    with pytest.raises(ValueError, match="temperature"):
        Gibbs(temperature=math.nan)
