"""The head that turns what the other sites say into the posterior: exact, and at the uniform guess when untrained."""

import math

import pytest
import torch
from torch import Tensor, nn

from intarsia import Cosine, LogLinear, NelboObjective, Polynomial, ResidualMLP
from intarsia.denoisers import FromLeaveOneOut
from intarsia.errors import RequirementError
from intarsia.processes import (
    IMPOSSIBLE,
    AbstractFinite,
    ClasswiseAbsorbing,
    Discrete,
    Gaussian,
    Mixing,
    Product,
    Structured,
    Xor,
)
from intarsia.testing import BayesDenoiser, all_states
from intarsia.testing._finite import FiniteSites
from intarsia.testing._process_nelbo import _graded, quadrature

SKEW = torch.tensor([[-0.5, 0.5, 0.0], [0.2, -0.9, 0.7], [0.0, 0.4, -0.4]], dtype=torch.float64)
NOISES: list[AbstractFinite] = [
    Discrete.uniform((2, 3), Cosine()),
    Discrete.uniform(3),
    Discrete.marginal(((0.7, 0.3), (0.2, 0.5, 0.3)), LogLinear(0.01)),
    Discrete((2, 3), mask=0.4, law=((0.7, 0.3), (0.2, 0.5, 0.3))),
    Discrete.absorbing((2, 3)),
    Mixing.hybrid((2, 3)),
    ClasswiseAbsorbing(3, Polynomial((0.7, 1.0, 2.0))),
    Structured(SKEW, Cosine()),
    Xor(2),
]
TIMES = [0.15, 0.5, 0.9]


def full(rows: int, t: float) -> Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


class Others:
    """The exact leave-one-out laws of a random joint law, by Bayes' rule, as the process's predictions."""

    def __init__(self, process: AbstractFinite) -> None:
        self.finite = FiniteSites(process, 2)
        self.points = all_states(self.finite.classes)
        rng = torch.Generator().manual_seed(0)
        self.law = torch.randn(len(self.points), dtype=torch.float64, generator=rng).softmax(0)

    def __call__(self, xt: Tensor, t: Tensor, cond: object = None) -> Tensor:
        count, rows = len(self.points), len(xt)
        state, x0 = xt.repeat_interleave(count, 0), self.points.repeat(rows, 1)
        log_q = self.finite.process.log_q(state, x0, t.repeat_interleave(count)).view(rows, count, 2)
        probs = torch.zeros(rows, 2, max(self.finite.classes), dtype=torch.float64)
        for site in range(2):
            weight = (log_q[:, :, 1 - site].clamp(min=IMPOSSIBLE) + self.law.log()).softmax(1)
            probs[:, site] = weight @ torch.nn.functional.one_hot(self.points[:, site], probs.shape[2]).double()
        return self.finite.prediction(probs)


def laws(process: AbstractFinite, pred: Tensor) -> Tensor:
    """Probabilities of every site's classes, flat."""
    return torch.sigmoid(pred) if isinstance(process, Xor) else process.classes.log_softmax(pred).exp()


def possible(others: Others, t: float) -> Tensor:
    """All states (rows, 2) that can occur."""
    states = all_states(others.finite.states)
    q = others.finite.marginal(t)
    return states[(q[0].sum(0)[states[:, 0]] > 0) & (q[1].sum(0)[states[:, 1]] > 0)]


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", TIMES)
def test_a_perfect_leave_one_out_law_gives_the_perfect_posterior(process: AbstractFinite, t: float) -> None:
    others = Others(process)
    states = possible(others, t)
    posterior = BayesDenoiser(process, others.points, others.law.log())
    got = FromLeaveOneOut(process, others)(states, full(len(states), t))
    assert torch.allclose(laws(process, got), laws(process, posterior(states, full(len(states), t))), atol=1e-12)


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", TIMES)
def test_there_and_back(process: AbstractFinite, t: float) -> None:
    """Up to where only one x0 is possible, and there is nothing to come back from."""
    others = Others(process)
    states = possible(others, t)
    time = full(len(states), t)
    loo = laws(process, others(states, time))
    back = laws(
        process, process.leave_one_out(process.from_leave_one_out(others(states, time), states, time), states, time)
    )
    if isinstance(process, Xor):
        assert torch.allclose(back, loo, atol=1e-12)
        return
    ways = process.classes.sum((process.log_likelihood(states, time) > -torch.inf).double())
    entries = process.classes.spread(ways > 1).expand(loo.shape)
    assert torch.allclose(back[entries], loo[entries], atol=1e-12)


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("t", [0.0, 0.4, 1.0])
def test_likelihoods_are_those_of_q(process: AbstractFinite, t: float) -> None:
    states = all_states(FiniteSites(process, 2).states)
    time = full(len(states), t)
    wanted = AbstractFinite.log_likelihood(process, states, time)
    assert torch.allclose(process.log_likelihood(states, time).exp(), wanted.exp(), atol=1e-14)


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_both_directions_are_finite_at_both_ends(process: AbstractFinite) -> None:
    finite = FiniteSites(process, 2)
    states = all_states(finite.states)
    zero = torch.zeros_like(finite.prediction(torch.full((len(states), 2, max(finite.classes)), 0.5).double()))
    for t in (0.0, 1e-9, 1.0):
        loo = zero.clone().requires_grad_(True)
        pred = process.from_leave_one_out(loo, states, full(len(states), t))
        assert pred.isfinite().all()
        assert process.leave_one_out(pred, states, full(len(states), t)).isfinite().all()
        assert torch.autograd.grad(pred.sum(), loo)[0].isfinite().all()


@pytest.mark.parametrize("process", [Discrete.uniform(5), Xor(1), Mixing.hybrid(5), Structured(SKEW)], ids=repr)
def test_untrained_it_is_the_uniform_guess(process: AbstractFinite) -> None:
    """Whatever x0 is, the bound of a network of zeros is log(classes) a site; as a posterior it is far more."""
    finite = FiniteSites(process, 1)
    x0, xt, valid = finite.pairs()
    zero = torch.zeros_like(finite.prediction(torch.full((len(x0), 1, max(finite.classes)), 0.5).double()))
    bounds = []
    for head in (True, False):
        total = torch.zeros(valid.shape[1], dtype=torch.float64)
        for t, weight in zip(*quadrature(_graded(1)), strict=True):
            time, q = full(len(x0), t), finite.marginal(t)[0]
            pred = process.from_leave_one_out(zero, xt, time) if head else zero
            loss = process.loss(pred, x0, xt, time).view(valid.shape[1:])
            total += weight * torch.where(q > 0, q * loss, 0.0).sum(1)
        bounds.append(total)
    floor = math.log(finite.classes[0])
    assert torch.allclose(bounds[0], torch.tensor(floor, dtype=torch.float64), atol=2e-3)
    assert bool((bounds[1] > 2 * floor).all())


class Uninformed(nn.Module):
    """Zeros; with a head for one site."""

    time_free = True

    def forward(self, xt: Tensor, t: Tensor, cond: object = None) -> Tensor:
        return torch.zeros(*xt.shape, 3)

    def site_logits(self, xt: Tensor, t: Tensor, cond: object, site: int) -> Tensor:
        return torch.full((len(xt), 3), float(site))


def test_training_starts_at_the_uniform_floor() -> None:
    """Pairs of equal classes, K = 6: a step-0 loss of 2 log 6 at most, from which sixty steps go on down."""
    process, floor = Discrete.uniform((6, 6)), 2 * math.log(6)
    torch.manual_seed(0)
    rng = torch.Generator().manual_seed(0)
    loss, start = NelboObjective(), {}
    x0 = torch.randint(6, (2048, 1), generator=rng).expand(-1, 2)
    plain = ResidualMLP((6, 6), width=64, blocks=1)
    head = FromLeaveOneOut(process, ResidualMLP((6, 6), width=64, blocks=1))
    for name, network in (("head", head), ("plain", plain)):
        start[name] = float(loss(process, network, x0, rng=torch.Generator().manual_seed(1)).mean().detach())
    assert start["head"] < 1.1 * floor
    assert start["plain"] > 2.0 * floor
    optimizer = torch.optim.Adam(head.parameters(), 5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss(process, head, x0[:256], rng=rng).mean().backward()
        optimizer.step()
    assert float(loss(process, head, x0, rng=torch.Generator().manual_seed(1)).mean().detach()) < 0.85 * floor


def test_records_pass_their_reals() -> None:
    process = Product({"a": Discrete.uniform(3), "b": Gaussian()})
    x = {"a": torch.tensor([[1, 2]]), "b": torch.tensor([[0.5]])}

    def network(xt: dict[str, Tensor], t: Tensor, cond: object) -> dict[str, Tensor]:
        return {"a": torch.zeros(1, 2, 3), "b": torch.full((1, 1), 7.0)}

    pred = FromLeaveOneOut(process, network)(x, {"a": torch.tensor([0.5]), "b": torch.tensor([0.3])})
    assert pred["b"].item() == 7.0
    told = math.log1p(3 * 0.5 / 0.5)
    assert pred["a"][0].tolist() == [pytest.approx([0, told, 0]), pytest.approx([0, 0, told])]
    with pytest.raises(RequirementError, match="finitely many"):
        FromLeaveOneOut(Gaussian(), lambda x, t, c: x)


def test_what_samplers_ask_for_is_handed_on() -> None:
    head = FromLeaveOneOut(Discrete.absorbing(3), Uninformed())
    assert head.time_free
    assert head.site_logits(torch.zeros(2, 2), torch.zeros(2), None, 1).tolist() == [[1.0] * 3] * 2
    assert not FromLeaveOneOut(Discrete.uniform(3), Uninformed()).time_free
    assert not hasattr(FromLeaveOneOut(Discrete.absorbing(3), lambda x, t, c: x), "site_logits")
    assert head(torch.tensor([[1, 3]]), torch.zeros(1)).softmax(-1)[0].tolist() == [
        [0, 1, 0],
        [pytest.approx(1 / 3)] * 3,
    ]
    assert head(torch.tensor([[1, 3]]), torch.ones(1)).dtype == torch.float32
