"""What all noises on permutations share: kernels, nelbo, evidence, bounds, heads of moves, clocks."""

import math

import pytest
import torch
from torch import Tensor

from intarsia import Ancestral, Diffusion
from intarsia.errors import RequirementError
from intarsia.processes import (
    AbstractShuffle,
    Enumerated,
    GeneralizedPlackettLuce,
    Insertion,
    InverseInsertion,
    InverseRiffle,
    InverseTransposition,
    Move,
    PlackettLuce,
    PrefixPlackettLuce,
    Riffle,
    Transposition,
)
from intarsia.processes.permutations import _loss as bounds
from intarsia.processes.permutations._arithmetic import all_permutations, rank, relative_ranks
from intarsia.testing import BayesDenoiser, chi_square
from intarsia.testing._process_clock import check_endpoints
from intarsia.testing._process_loss import check_loss
from intarsia.testing._process_shapes import check_determinism

POINTS = all_permutations(4)
PROCESSES: list[AbstractShuffle] = [
    Riffle(4, 6, Enumerated()),
    Riffle(4, (0, 1, 2, 7), Enumerated()),
    Transposition(4, (0, 1, 2, 3, 5, 9), Enumerated()),
    Insertion(4, (0, 1, 3, 6, 10), Enumerated()),
]


def full(rows: int, t: float) -> Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def data(seed: int = 0) -> Tensor:
    """A law over the 24 permutations."""
    return torch.randn(24, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).log_softmax(0)


def pairs() -> tuple[Tensor, Tensor]:
    return POINTS.repeat_interleave(24, 0), POINTS.repeat(24, 1)


def marginal(process: AbstractShuffle, t: float) -> Tensor:
    """q(xt | x0), (x0, xt)."""
    x0, xt = pairs()
    return process.log_q(xt, x0, full(576, t)).exp().view(24, 24)


def kernel(process: AbstractShuffle, denoiser: BayesDenoiser, s: float, t: float) -> Tensor:
    """p(xs | xt), (xt, xs)."""
    pred = denoiser(POINTS, full(24, t))
    return process.reverse_law(pred, POINTS, full(24, s), full(24, t)).exp()


def chain(process: AbstractShuffle, denoiser: BayesDenoiser, steps: int) -> Tensor:
    law = full(24, 1 / 24)
    for k in range(steps, 0, -1):
        law = law @ kernel(process, denoiser, (k - 1) / steps, k / steps)
    return law


def steps_of(process: AbstractShuffle) -> int:
    return len(process.counts) - 1


@pytest.mark.parametrize("process", PROCESSES, ids=repr)
def test_laws_of_the_engine(process: AbstractShuffle) -> None:
    rng = torch.Generator().manual_seed(0)
    x0 = process.prior((40, 4), rng)
    pred = process.prediction(x0, torch.randn(40, 40, generator=rng, dtype=torch.float64).softmax(1))
    check_endpoints(process, x0, pred)
    check_determinism(process, x0, pred)
    check_loss(process, x0, pred)
    xt = process.corrupt(x0, full(40, 0.5), rng)
    for column in (process.log_q(xt, x0, full(40, 0.5)), process.prior_kl(x0), process.reconstruction(pred, x0, x0)):
        assert column.shape == (40, 1)
    assert process.loss(pred, x0, xt, full(40, 0.5)).shape == (40, 1)


@pytest.mark.parametrize("process", PROCESSES, ids=repr)
def test_chapman_kolmogorov(process: AbstractShuffle) -> None:
    """What is between two counts is a law of the walk itself, whatever x_s is."""
    counts, table = process.counts, relative_ranks(4)
    for k in range(steps_of(process)):
        more = process.walk.log_law(POINTS, torch.full((24,), counts[k + 1] - counts[k])).exp()[table]
        steps = steps_of(process)
        assert torch.allclose(marginal(process, k / steps) @ more, marginal(process, (k + 1) / steps), atol=1e-13)


@pytest.mark.parametrize("process", PROCESSES, ids=repr)
def test_the_reverse_chain_is_exact(process: AbstractShuffle) -> None:
    """With the posterior, the law of any number of steps is the data's, but for what the prior keeps."""
    law = data()
    denoiser = BayesDenoiser(process, POINTS, law)
    left = (law.exp() @ marginal(process, 1.0) - 1 / 24).abs().sum() / 2
    for steps in (1, 2, steps_of(process), 2 * steps_of(process)):
        assert torch.allclose(kernel(process, denoiser, 0.0, 1 / steps).sum(1), full(24, 1.0), atol=1e-12)
        error = (chain(process, denoiser, steps) - law.exp()).abs().sum() / 2
        assert error <= left + 1e-12
    # and started from the true law of x1 nothing is left
    exact = law.exp() @ marginal(process, 1.0) @ kernel(process, denoiser, 0.5, 1.0)
    assert torch.allclose(exact, law.exp() @ marginal(process, 0.5), atol=1e-12)


@pytest.mark.parametrize("process", PROCESSES, ids=repr)
def test_reverse_draws_its_law(process: AbstractShuffle) -> None:
    denoiser = BayesDenoiser(process, POINTS, data())
    rng, steps = torch.Generator().manual_seed(5), steps_of(process)
    for s, t in ((1 / steps, 2 / steps), (1 / steps, 1.0), (0.0, 1 / steps)):
        xt = process.corrupt(POINTS[7:8], full(1, t), rng).expand(3000, 4)
        pred = denoiser(xt, full(3000, t))
        xs = process.reverse(pred, xt, full(3000, s), full(3000, t), rng)
        want = process.reverse_law(pred[:1], xt[:1], full(1, s), full(1, t))[0].exp()
        assert chi_square(torch.bincount(rank(xs), minlength=24).double(), want) > 1e-3


@pytest.mark.parametrize("process", PROCESSES, ids=repr)
@pytest.mark.parametrize("grid", ["own", "one", "two"])
def test_the_nelbo_is_tight(process: AbstractShuffle, grid: str) -> None:
    """prior + steps = -log p(x0) + E[log(q(x1) / π(x1))], by enumeration; without `s` the mean over t is the same."""
    law = data(1)
    denoiser = BayesDenoiser(process, POINTS, law)
    steps = {"own": steps_of(process), "one": 1, "two": 2}[grid]
    x0, xt = pairs()
    total = process.prior_kl(POINTS)[:, 0]
    for k in range(steps):
        s, t = k / steps, (k + 1) / steps
        q = marginal(process, t)
        loss = process.loss(denoiser(xt, full(576, t)), x0, xt, full(576, t), full(576, s)).view(24, 24)
        total = total + torch.where(q > 0, q * loss, 0.0).sum(1)
        if grid == "own":
            middle = full(576, t - 0.3 / steps)
            whole = process.loss(denoiser(xt, middle), x0, xt, middle).view(24, 24)
            assert torch.allclose(whole[q > 0], steps * loss[q > 0], atol=1e-12)
    last = marginal(process, 1.0)
    truth = (last * (24 * (law.exp() @ last)).log()).sum(1) - law
    assert torch.allclose(total, truth, atol=1e-10)


def test_the_bound_of_diffusion_is_the_nelbo() -> None:
    """`Diffusion.nelbo`, with steps and in "continuous" time, averages to -log p."""
    process, law = Riffle(4, (0, 1, 2, 9), Enumerated()), data(2)
    model = Diffusion(process, BayesDenoiser(process, POINTS, law))
    x0 = POINTS.repeat(300, 1)
    for steps in (3, None):
        total = model.nelbo(x0, steps=steps, rng=torch.Generator().manual_seed(0)).total.view(300, 24)
        error, noise = total.mean(0) + law, total.std(0) / 300**0.5
        assert bool((error.abs() < 4 * noise).all())
        assert abs(float((error * law.exp()).sum())) < 3 * float((noise * law.exp()).square().sum().sqrt())


def test_sampling_shows_the_law() -> None:
    process, law = Riffle(4, (0, 2, 9), Enumerated()), data(3)
    model = Diffusion(process, BayesDenoiser(process, POINTS, law))
    x = model.sample((4000, 4), Ancestral(2), rng=torch.Generator().manual_seed(0))
    assert chi_square(torch.bincount(rank(x), minlength=24).double(), law.exp()) > 1e-3


@pytest.mark.parametrize("process", PROCESSES, ids=repr)
def test_evidence_restricts_the_chain(process: AbstractShuffle) -> None:
    law = data(4)
    denoiser = BayesDenoiser(process, POINTS, law)
    values, mask = torch.tensor([[3, 1, 0, 0]]), torch.tensor([[True, True, False, False]])
    fits = (POINTS[:, 0] == 3) & (POINTS[:, 1] == 1)
    target = torch.where(fits, law.exp(), 0.0) / law.exp()[fits].sum()
    held = process.given(values.expand(24, 4), mask.expand(24, 4))
    got = chain(held, denoiser, steps_of(process))
    assert float(got[~fits].sum()) == pytest.approx(0.0, abs=1e-12)
    assert float((got - target).abs().sum() / 2) < 0.03  # the prior is not the law of x1 given the evidence
    rows = process.given(values.expand(500, 4), mask.expand(500, 4))
    x = Diffusion(rows, denoiser).sample((500, 4), Ancestral(steps_of(process)), rng=torch.Generator().manual_seed(1))
    assert bool((x[:, :2] == torch.tensor([3, 1])).all())
    assert chi_square(torch.bincount(rank(x), minlength=24).double(), got.clamp(min=0.0)) > 1e-3


@pytest.mark.parametrize("head", [PlackettLuce(), GeneralizedPlackettLuce(), PrefixPlackettLuce()], ids=repr)
def test_small_losses_are_exact_for_every_law(head: PlackettLuce) -> None:
    """A head and the enumerated head with the same law have the same loss and kernel."""
    rng = torch.Generator().manual_seed(0)
    pred = torch.randn((24, *head.shape(4)), generator=rng, dtype=torch.float64)
    named, listed = Riffle(4, (0, 1, 4), head), Riffle(4, (0, 1, 4), Enumerated())
    x0, t = POINTS[torch.randperm(24, generator=rng)], full(24, 0.5)
    xt = named.corrupt(x0, t, rng)
    law = head.log_law(pred, 4)
    assert torch.allclose(named.loss(pred, x0, xt, t), listed.loss(law, x0, xt, t), atol=1e-12)
    assert torch.allclose(named.reverse_law(pred, xt, t * 0, t), listed.reverse_law(law, xt, t * 0, t), atol=1e-12)
    # two riffles' worth of rising sequences at most: the law is what is left of the head
    reach = named.log_q(xt, POINTS[5:6].expand(24, 4), t)[:, 0] > -math.inf
    assert torch.equal(named.reverse_law(pred, xt, t * 0, t)[:, 5] > -500, reach)


@pytest.mark.parametrize("process", PROCESSES[1:], ids=repr)
def test_sampled_losses_bound_the_exact_one(process: AbstractShuffle, monkeypatch: pytest.MonkeyPatch) -> None:
    """exact ≤ E[bound] ≤ cross-entropy, and more draws close the gap, gradients included; n = 4 knows all of them."""
    head, rng = PlackettLuce(), torch.Generator().manual_seed(6)
    pred = torch.randn(1, 4, generator=rng, dtype=torch.float64).requires_grad_()
    x0, steps, rows = POINTS[10:11], steps_of(process), 3000
    xt = process.corrupt(x0, full(1, 2 / steps), rng)
    then, now = (torch.tensor([process.counts[k]]) for k in (1, 2))
    # everything is reachable or the head's law is cut: compare with the law that is not renormalised
    law = head.log_law(pred, 4)
    lost = torch.where(process.log_q(xt.expand(24, 4), POINTS, full(24, 2 / steps))[:, 0] > -math.inf, law[0].exp(), 0)
    listed = type(process)(4, process.shuffles, head)
    exact = listed.loss(pred, x0, xt, full(1, 2 / steps), full(1, 1 / steps))[0, 0] - lost.sum().log()
    (slope,) = torch.autograd.grad(exact, pred)
    exact, entropy = exact.detach(), -head.log_prob(pred, x0)[0].detach()

    def bound(draws: int) -> Tensor:
        monkeypatch.setattr(bounds, "DRAWS", draws)
        many = pred.expand(rows, 4), x0.expand(rows, 4), xt.expand(rows, 4), then.expand(rows), now.expand(rows)
        return bounds.sampled_step_kl(process.walk, head, *many, torch.Generator().manual_seed(7))

    few, most = bound(1).detach(), bound(48)
    noise = float(few.std()) / rows**0.5
    assert float(exact) - 4 * noise <= float(few.mean()) <= float(entropy) + 1e-9
    assert float(few.max()) <= float(entropy) + 1e-9
    (estimate,) = torch.autograd.grad(most.mean(), pred)
    assert torch.allclose(estimate, slope, atol=0.06)
    close = float(most.detach().mean() - exact)
    assert abs(close) < 0.06
    assert abs(close) < float(few.mean() - exact) + 1e-3


@pytest.mark.parametrize(
    "process",
    [Riffle(12, (0, 3, 5, 10), PrefixPlackettLuce()), Transposition(8, 22), Insertion(9, (0, 4, 12, 45))],
    ids=repr,
)
def test_many_items(process: AbstractShuffle) -> None:
    """Losses are functions of their arguments, move no global generator, and pass gradients; samples are orders."""
    rng = torch.Generator().manual_seed(0)
    n = process.n
    x0 = process.prior((6, n), rng)
    pred = torch.randn((6, *process.head.shape(n)), generator=rng, dtype=torch.float64).requires_grad_()
    before = torch.get_rng_state()
    for t in (full(6, 0.05), full(6, 0.5), full(6, 1.0)):
        xt = process.corrupt(x0, t, rng)
        loss = process.loss(pred, x0, xt, t)
        assert torch.equal(loss, process.loss(pred, x0, xt, t))
        assert not torch.equal(loss, process.loss(pred, x0, xt, t, rng=rng)) or bool((t < 0.3).all())
        (slope,) = torch.autograd.grad(loss.sum(), pred)
        assert bool(slope.isfinite().all())
        xs = process.reverse(pred.detach(), xt, t * 0.5, t, rng)
        assert torch.equal(xs.sort(1).values, torch.arange(n).expand(6, -1))
        assert bool((process.log_q(xs, x0, full(6, 1.0)) > -math.inf).all())
    assert torch.equal(before, torch.get_rng_state())
    first = full(6, 1 / steps_of(process))
    xt = process.corrupt(x0, first, rng)
    entropy = -process.head.log_prob(pred, x0)
    assert torch.allclose(process.loss(pred, x0, xt, first, full(6, 0.0))[:, 0], entropy)
    with pytest.raises(RequirementError, match="at most 6"):
        process.reverse_law(pred, xt, first * 0, first)


def test_the_head_is_asked_again_until_x0_can_lead_to_xt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redrawing is conditioning: without lists, the draws follow the law that lists give."""
    process, rng = Riffle(4, (0, 1, 4)), torch.Generator().manual_seed(0)
    pred, xt = torch.tensor([[0.8, 0.4, 0.0, -0.5]]).expand(3000, 4), torch.tensor([[0, 1, 3, 2]]).expand(3000, 4)
    s, t = full(3000, 0.0), full(3000, 0.5)
    want = process.reverse_law(pred[:1], xt[:1], s[:1], t[:1])[0].exp()
    head_alone = process.head.log_law(pred[:1], 4)[0].exp()
    assert 0.3 < float(head_alone[want > 1e-9].sum()) < 0.9
    monkeypatch.setattr("intarsia.processes.permutations._shuffle.ENUMERABLE_LAWS", 0)
    x0 = process.reverse(pred, xt, s, t, rng)
    assert chi_square(torch.bincount(rank(x0), minlength=24).double(), torch.where(want > 1e-9, want, 0.0)) > 1e-3


@pytest.mark.parametrize(
    "process",
    [
        Riffle(4, 3, InverseRiffle()),
        Transposition(4, 4, InverseTransposition()),
        Insertion(4, 5, InverseInsertion()),
        Riffle(4, (0, 1, 4), Move(PlackettLuce())),
    ],
    ids=repr,
)
def test_heads_of_moves(process: AbstractShuffle) -> None:
    rng, steps = torch.Generator().manual_seed(0), steps_of(process)
    pred = torch.randn(24, *process.head.shape(4), generator=rng, dtype=torch.float64)
    law, table = process.head.log_law(pred, 4).exp(), relative_ranks(4)
    s, t = full(24, 1 / steps), full(24, 2 / steps)
    got = process.reverse_law(pred, POINTS, s, t).exp()
    for k in range(24):  # x_s = xt[move]
        moved = rank(POINTS[k][POINTS])
        assert torch.allclose(got[k, moved], law[k], atol=1e-13)
    many = process.reverse(pred[:1].expand(3000, -1), POINTS[3].expand(3000, 4), full(3000, 0.0), t[:1] / 2, rng)
    assert chi_square(torch.bincount(rank(many), minlength=24).double(), law[0, table[3]]) > 1e-3
    x0 = POINTS[torch.randperm(24, generator=rng)]
    xt = process.corrupt(x0, t, rng)
    exact = process.loss(pred, x0, xt, t, s)[:, 0]
    assert bool((exact >= 0).all())
    assert bool(exact.isfinite().all())
    rows = 2000
    wide = [value[:1].expand(rows, -1) for value in (pred, x0, xt)]
    ends = [torch.full((rows,), process.counts[k]) for k in (1, 2)]
    draws = bounds.sampled_move_kl(process.walk, process.head, *wide, *ends, torch.Generator().manual_seed(1))
    assert float(draws.mean()) == pytest.approx(float(exact[0]), abs=4.5 * float(draws.std()) / rows**0.5 + 1e-9)
    assert process.reverse_is == "first order"
    with pytest.raises(ValueError, match="at a time"):
        process.reverse(pred, xt, t * 0, full(24, 1.0), rng)
    with pytest.raises(RequirementError, match="law of x0"):
        process.given(x0, x0 < 0)


def test_times_are_steps() -> None:
    process = Riffle(9, (0, 3, 5, 9))
    x = torch.arange(9)[None]
    for dtype in (torch.float32, torch.float64):
        t = torch.tensor([0.0, 0.01, 1 / 3, 0.34, 2 / 3, 0.7, 1.0], dtype=dtype)
        assert process.count(t, x.expand(7, 9)).tolist() == [0, 3, 3, 5, 5, 9, 9]
        for steps in (10, 49, 103):
            grid = torch.arange(steps + 1, dtype=dtype) / steps
            got = Insertion(9, steps).count(grid, x.expand(steps + 1, 9))
            assert got.tolist() == list(range(steps + 1))
    per_item = torch.where(torch.arange(9) < 4, 0.0, 0.5)[None]
    assert process.count(per_item, x).tolist() == [5]  # observed items live at time 0
    with pytest.raises(ValueError, match="expected permutations"):
        process.count(torch.zeros(1), torch.arange(4)[None])
    with pytest.raises(ValueError, match=r"batch, 9"):
        process.prior((3, 4))


def test_the_prior_is_uniform() -> None:
    drawn = Riffle(4, 5).prior((4000, 4), torch.Generator().manual_seed(0))
    assert chi_square(torch.bincount(rank(drawn), minlength=24).double(), full(24, 1 / 24)) > 1e-3
