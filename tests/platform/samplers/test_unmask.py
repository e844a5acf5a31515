"""Orders chosen by the network: exact one site a call, and the enumerated law of several at once."""

import math

import pytest
import torch

from intarsia import Evidence, Linear, Staged
from intarsia.classes import classes_of
from intarsia.processes import Discrete, Gaussian
from intarsia.samplers import (
    AbstractOrder,
    AbstractPace,
    Confidence,
    EntropyBounded,
    LeastEntropy,
    Margin,
    PerStep,
    Purity,
    RandomOrder,
    Unmask,
)
from intarsia.samplers._orders import entropy, gumbel, ranks
from intarsia.samplers._unmask import mask_clock
from intarsia.testing import BayesDenoiser, all_states, check_refusal, check_sampler, chi_square

PROCESS = Discrete.absorbing((2, 3, 2))
POINTS = all_states([2, 3, 2])
LAW = torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).mul(1.5).softmax(0)
PAIRS = torch.tensor([[0, 0], [1, 1]])
ALL = [(0, 0), (0, 1), (1, 0), (1, 1)]
ORDERS: list[AbstractOrder] = [Confidence(), Margin(), LeastEntropy()]


def law_of(
    process: Discrete, denoiser: BayesDenoiser, order: AbstractOrder, pace: AbstractPace, start: tuple[int, ...]
) -> dict[tuple[int, ...], float]:
    """The law of full states from `start`, by the sampler's own ranks and counts and the product of the draws."""
    mask = process.mask_id(torch.device("cpu")).expand(len(start)).tolist()
    if all(a != b for a, b in zip(start, mask, strict=True)):
        return {start: 1.0}
    x = torch.tensor([start])
    pred = denoiser(x, torch.tensor([0.5]))
    masked = x == torch.tensor(mask)
    places = ranks(torch.where(masked, order.score(process.classes, pred, None), -torch.inf))
    chosen = (masked & (places < pace.count(process.classes, pred, places)[:, None]))[0].nonzero()[:, 0].tolist()
    total: dict[tuple[int, ...], float] = {}
    for values in all_states([mask[site] for site in chosen]).tolist():
        after = list(start)
        for site, value in zip(chosen, values, strict=True):
            after[site] = value
        full = torch.tensor([[a if k in chosen else 0 for k, a in enumerate(after)]])
        chance = float(process.classes.log_prob(pred, full)[0, chosen].sum().exp())
        if chance > 1e-15:
            for end, inner in law_of(process, denoiser, order, pace, tuple(after)).items():
                total[end] = total.get(end, 0.0) + chance * inner
    return total


@pytest.mark.parametrize("order", ORDERS, ids=repr)
@pytest.mark.parametrize("pace", [PerStep(), EntropyBounded(0.0)], ids=repr)
@pytest.mark.parametrize("start", [(2, 3, 2), (2, 1, 2), (0, 3, 1)])
def test_one_site_a_call_is_the_joint(order: AbstractOrder, pace: AbstractPace, start: tuple[int, ...]) -> None:
    """The chain rule along an adaptive order, to 1e-12, from nothing and from evidence."""
    denoiser = BayesDenoiser(PROCESS, POINTS, LAW.log())
    got = law_of(PROCESS, denoiser, order, pace, start)
    fits = torch.tensor([[a in (b, m) for a, b, m in zip(start, p, (2, 3, 2), strict=True)] for p in POINTS.tolist()])
    free = [a == m for a, m in zip(start, (2, 3, 2), strict=True)]
    truth = torch.where((fits | torch.tensor(free)).all(1), LAW, 0.0)
    for point, chance in zip(POINTS.tolist(), (truth / truth.sum()).tolist(), strict=True):
        assert got.get(tuple(point), 0.0) == pytest.approx(chance, abs=1e-12)


@pytest.mark.parametrize("order", ORDERS, ids=repr)
def test_two_sites_at_once_are_independent(order: AbstractOrder) -> None:
    """{00, 11}: uniform on the four pairs, total variation 1/2; an entropy bound decides at log 2."""
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, PAIRS, torch.zeros(2))
    assert law_of(process, denoiser, order, PerStep(2), (2, 2)) == pytest.approx(dict.fromkeys(ALL, 0.25))
    apart = law_of(process, denoiser, order, EntropyBounded(math.log(2) - 1e-6), (2, 2))
    assert apart == pytest.approx({(0, 0): 0.5, (1, 1): 0.5})
    together = law_of(process, denoiser, order, EntropyBounded(math.log(2) + 1e-6), (2, 2))
    assert together == pytest.approx(dict.fromkeys(ALL, 0.25))


@pytest.mark.parametrize("pace", [PerStep(2), EntropyBounded(1.0)], ids=repr)
def test_draws_follow_the_enumerated_law(pace: AbstractPace) -> None:
    denoiser, n = BayesDenoiser(PROCESS, POINTS, LAW.log()), 4000
    law = law_of(PROCESS, denoiser, Margin(), pace, (2, 3, 2))
    x = Unmask(Margin(), pace).sample(PROCESS, denoiser, PROCESS.prior((n, 3)), rng=torch.Generator().manual_seed(0))
    counts = torch.bincount((x * torch.tensor([6, 2, 1])).sum(1), minlength=12)
    assert chi_square(counts, torch.tensor([law[tuple(point)] for point in POINTS.tolist()])) >= 1e-4
    assert chi_square(counts, LAW) < 1e-4, "the test cannot tell this law from the joint"


@pytest.mark.parametrize(
    "sampler",
    [
        Unmask(),
        Unmask(Confidence(), EntropyBounded(0.0)),
        Unmask(Purity()),
        Unmask(RandomOrder()),
        Unmask(LeastEntropy()),
    ],
    ids=repr,
)
@pytest.mark.parametrize("process", [Discrete.absorbing(3), Discrete.absorbing((2, 3), Staged((1, 0)))], ids=repr)
def test_exact_ones_pass_the_oracle(sampler: Unmask, process: Discrete) -> None:
    assert sampler.claim == "exact"
    check_sampler(sampler, process, n=2000)


@pytest.mark.parametrize(
    "sampler", [Unmask(pace=PerStep(2)), Unmask(pace=EntropyBounded()), Unmask(Purity(1.0))], ids=repr
)
def test_others_say_that_they_are_biased(sampler: Unmask) -> None:
    assert sampler.claim == "biased"
    check_sampler(sampler, Discrete.absorbing((2, 3)), n=500)


def test_scores() -> None:
    classes = classes_of((3, 2, 1))
    pred = torch.tensor([[0.5, 0.3, 0.2, 0.9, 0.1, 1.0]], dtype=torch.float64).log()
    assert Confidence().score(classes, pred, None).exp().tolist() == [pytest.approx([0.5, 0.9, 1.0])]
    assert Margin().score(classes, pred, None).tolist() == [pytest.approx([0.2, 0.8, 1.0])]
    expected = [-sum(p * math.log(p) for p in law) for law in ((0.5, 0.3, 0.2), (0.9, 0.1), (1.0,))]
    assert entropy(classes, pred).tolist() == [pytest.approx(expected, abs=1e-15)]
    assert ranks(torch.tensor([[0.2, 0.8, 0.2, 1.0]])).tolist() == [[2, 1, 3, 0]]


def test_purity_chooses_in_proportion_and_sharpens() -> None:
    """Sites of purity 0.5, 0.9, 1.0; n = 6,000. Sharpening takes the power 1 + r · purity."""
    classes, n = classes_of((3, 2, 1)), 6000
    law = torch.tensor([[0.5, 0.3, 0.2, 0.9, 0.1, 1.0]], dtype=torch.float64)
    score = Purity().score(classes, law.log().expand(n, -1), torch.Generator().manual_seed(0))
    first = torch.bincount(score.argmax(1), minlength=3)
    assert chi_square(first, torch.tensor([0.5, 0.9, 1.0]) / 2.4) >= 1e-4
    sharp = classes.log_softmax(Purity(2.0).drawn_from(classes, law.log())).exp()
    powers = law[0, :3] ** 2.0
    assert torch.allclose(sharp[0, :3], powers / powers.sum())
    assert torch.allclose(Purity().drawn_from(classes, law.log()).exp(), law)


def test_gumbel_noise_reaches_the_tail() -> None:
    """In float64 the largest of 3e5 draws passes 16.6355, the ceiling of float32 uniforms, about 1 time in 56."""
    noise = gumbel(torch.Size((300_000,)), torch.Generator().manual_seed(0), torch.device("cpu"))
    assert noise.dtype == torch.float64
    assert noise.isfinite().all()
    assert float(noise.mean()) == pytest.approx(0.5772, abs=5 * 1.2825 / 300_000**0.5)
    ceiling = -math.log(-math.log1p(-(2.0**-24)))
    assert ceiling == pytest.approx(16.6355, abs=1e-4)
    u = torch.tensor([1 - 2.0**-40], dtype=torch.float64)
    assert float(-(-u.log()).log()) > ceiling + 10


@pytest.mark.parametrize(("pace", "calls"), [(PerStep(), 7), (PerStep(2), 4), (PerStep(3), 3), (PerStep(9), 1)])
def test_calls_are_sites_over_pace(pace: PerStep, calls: int) -> None:
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, all_states([2] * 7), torch.zeros(128))
    Unmask(pace=pace).sample(process, denoiser, process.prior((4, 7)), rng=torch.Generator().manual_seed(0))
    assert denoiser.nfe == calls


def test_what_is_known_costs_no_call_and_sure_sites_share_one() -> None:
    process = Discrete.absorbing(2)
    same = BayesDenoiser(process, torch.tensor([[0] * 7, [1] * 7]), torch.zeros(2))
    x = Unmask(pace=EntropyBounded(0.0)).sample(
        process, same, process.prior((9, 7)), rng=torch.Generator().manual_seed(0)
    )
    assert same.nfe == 2
    assert (x == x[:, :1]).all()
    values = torch.ones(9, 7, dtype=torch.long)
    given = Evidence(values, torch.ones(9, 7, dtype=torch.bool))
    assert torch.equal(Unmask().sample(process, same, process.prior((9, 7)), given=given), values)
    assert same.nfe == 2


def test_networks_that_read_the_time_get_that_of_the_masks() -> None:
    """Half of four masks are left at t = 1/2 of the linear schedule; observed sites are at 0 and do not count."""
    masked = torch.tensor([[True, True, False, False], [True, False, False, False], [True] * 4])
    assert mask_clock(Discrete.absorbing(2), masked, None).tolist() == [0.5, 0.25, 1.0]
    given = Evidence(torch.zeros(3, 4, dtype=torch.long), torch.tensor([[False, False, True, True]]).expand(3, 4))
    assert mask_clock(Discrete.absorbing(2), masked, given).tolist()[:2] == [1.0, 0.5]
    staged = mask_clock(Discrete.absorbing(2, Staged((0, 0, 1, 1), Linear())), masked, None)
    assert staged.shape == (3, 4)
    assert staged[0].tolist() == pytest.approx([0.75, 0.75, 0.25, 0.25])


def test_scores_of_third_parties_may_be_infinite() -> None:
    class Odd(AbstractOrder):
        def score(self, classes, pred, rng):
            return torch.tensor([[-torch.inf, torch.nan]]).expand(pred.shape[0], 2)

    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, PAIRS, torch.zeros(2))
    x = Unmask(Odd()).sample(process, denoiser, process.prior((50, 2)), rng=torch.Generator().manual_seed(0))
    assert (x[:, 0] == x[:, 1]).all()
    assert denoiser.nfe == 2


def test_what_it_cannot_do_is_refused() -> None:
    check_refusal(Unmask(), Gaussian())
    check_refusal(Unmask(), Discrete(3, mask=0.5))
    for make in (lambda: PerStep(0), lambda: EntropyBounded(-0.1), lambda: Purity(-1.0)):
        with pytest.raises(ValueError, match="must"):
            make()
