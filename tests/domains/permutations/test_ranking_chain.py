"""The law of shuffle chains and of heads: enumeration, scores, draws and estimates say the same."""

from typing import Any

import pytest
import torch
from torch import Tensor

from intarsia.processes import (
    Enumerated,
    GeneralizedPlackettLuce,
    Insertion,
    InverseRiffle,
    Move,
    PlackettLuce,
    PrefixPlackettLuce,
    Riffle,
    Transposition,
)
from intarsia.processes.permutations import all_permutations, rank
from intarsia.samplers import Ancestral
from intarsia.testing import enumerated_law
from intarsia.training import own_generator
from intarsia_domains.permutations._ranking_base import by_rejection
from intarsia_domains.permutations._ranking_chain import ChainLaw, event_log_prob
from intarsia_domains.permutations._ranking_choice import Ballots
from intarsia_domains.permutations._ranking_events import Event
from intarsia_domains.permutations._ranking_noise import Shuffles, Size
from intarsia_domains.permutations._ranking_pointer import Pointer

MODELS: dict[str, tuple[Shuffles, Any]] = {
    "riffle, x0, PL": (Shuffles(Riffle), PlackettLuce()),
    "riffle, x0, GPL": (Shuffles(Riffle), GeneralizedPlackettLuce()),
    "riffle, x0, prefix": (Shuffles(Riffle), PrefixPlackettLuce()),
    "riffle, x0, pointer": (Shuffles(Riffle), Pointer(4)),
    "riffle, x0, any": (Shuffles(Riffle), Enumerated()),
    "riffle, moves": (Shuffles(Riffle), Move(GeneralizedPlackettLuce())),
    "riffle, inverse riffles": (Shuffles(Riffle, counts=4), InverseRiffle()),
    "transposition, x0": (Shuffles(Transposition), PrefixPlackettLuce()),
    "insertion, x0": (Shuffles(Insertion), PrefixPlackettLuce()),
    "one step, pointer": (Shuffles(jump=0.0), Pointer(4)),
}
EVERYWHERE: dict[str, tuple[Shuffles, Any]] = {  # the noise may lead from anywhere to anywhere in each step
    "riffle, x0, prefix": (Shuffles(Riffle, counts=(0, 2, 4, 6)), PrefixPlackettLuce()),
    "riffle, moves": (Shuffles(Riffle, counts=(0, 2, 4, 6)), Move(GeneralizedPlackettLuce())),
    "transposition, x0": (Shuffles(Transposition, counts=(0, 3, 6)), PlackettLuce()),
}


def random_law(name: str, n: int = 4, spread: float = 0.5, of: dict[str, tuple[Shuffles, Any]] = MODELS) -> ChainLaw:
    """A model with random weights, so that its law is far from uniform."""
    noise, head = of[name]
    with own_generator():
        torch.manual_seed(1)
        law = noise.build(n, head, None, Size(8, 1, 2))
        with torch.no_grad():
            for parameter in law.network.parameters():
                parameter.add_(torch.randn(parameter.shape) * spread)
    law.network.eval()
    return law


def complete(x: Tensor, told: int | None = None) -> Ballots:
    n = x.shape[1]
    return Ballots(x, torch.full((len(x),), n if told is None else told), torch.ones(len(x), dtype=torch.float64))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", MODELS)
def test_law_scores_and_samples_agree(name: str) -> None:
    law, points = random_law(name), all_permutations(4)
    nats = law.log_law()
    assert nats is not None
    assert float(nats.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    assert float((nats.exp() - 1 / 24).abs().sum()) > 0.2
    scores = law.score(complete(points), 4, rng())
    torch.testing.assert_close(scores.nats, nats, atol=1e-6, rtol=0)
    assert not bool(scores.standard_error.any() | scores.gap.any())
    rows = 5000
    share = torch.bincount(rank(law.sample(rows, rng(1))), minlength=24) / rows
    assert float((share - nats.exp()).abs().sum() / 2) < 0.045  # 24 cells: 0.03 is usual


@pytest.mark.parametrize("name", ["riffle, x0, prefix", "riffle, moves", "insertion, x0"])
def test_law_is_that_of_the_engine_s_sampler(name: str) -> None:
    law = random_law(name)
    with torch.no_grad():
        states, mass = enumerated_law(Ancestral(law.steps), law.process, law.network, 4)
    nats = law.log_law()
    assert nats is not None
    torch.testing.assert_close(nats.exp()[rank(states)], mass, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", MODELS)
def test_partial_ballots_are_sums(name: str) -> None:
    law, points = random_law(name), all_permutations(4)
    nats = law.log_law()
    assert nats is not None
    for told in (1, 2, 4):
        got = law.score(complete(points, told), 4, rng()).nats
        same = (points[:, None, :told] == points[None, :, :told]).all(2)
        expected = torch.where(same, nats, -torch.inf).logsumexp(1)
        torch.testing.assert_close(got, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_path_estimates_have_the_law_as_mean(name: str) -> None:
    """What is used beyond 6 items, where it can be checked. "Everywhere" is up to the reversal after two riffles."""
    law = random_law(name, 4, 0.2, EVERYWHERE)
    nats = law.log_law()
    assert nats is not None
    with torch.no_grad():
        found = law._by_paths(all_permutations(4)[::3], 1500, rng(2))
    off = ((found.nats - nats[::3]).exp() - 1) / found.standard_error
    assert float(off.abs().max()) < 4.5
    assert float(off.mean().abs()) < 1.2
    assert float(found.standard_error.mean()) < 0.1


def test_paths_that_the_noise_cannot_take_only_lower_the_bound() -> None:
    law = random_law("riffle, moves", spread=0.2)
    nats = law.log_law()
    assert nats is not None
    with torch.no_grad():
        found = law._by_paths(all_permutations(4), 300, rng(2))
    assert bool((found.nats < nats).all())


def test_bounds_rise_towards_the_law() -> None:
    law = random_law("riffle, moves", 4, 0.3, EVERYWHERE)
    nats = law.log_law()
    assert nats is not None
    with torch.no_grad():
        few, many = (law._by_paths(all_permutations(4), draws, rng(3)) for draws in (2, 256))
    assert float((few.nats - nats).mean()) < float((many.nats - nats).mean()) < 0.02
    assert float(many.gap.mean()) == pytest.approx(float((nats - many.nats).mean()), abs=0.02)


@pytest.mark.parametrize("name", ["riffle, x0, prefix", "riffle, moves"])
def test_end_estimates_of_prefixes(name: str) -> None:
    law = random_law(name)
    nats = law.log_law()
    assert nats is not None
    ballots = complete(all_permutations(4)[::6], 1)  # each first item
    with torch.no_grad():
        found = law._by_ends(ballots, 150, rng(2))
    torch.testing.assert_close(found.nats.exp(), event_log_prob(nats, ballots).exp(), atol=0.05, rtol=0)


@pytest.mark.parametrize("name", ["riffle, x0, prefix", "riffle, moves", "one step, pointer"])
def test_listed_events_are_exact(name: str) -> None:
    law = random_law(name)
    nats = law.log_law()
    assert nats is not None
    event = Event.relative(torch.tensor([[3, 0, -1, -1]]))
    inside = nats.masked_fill(~event.indicator(all_permutations(4))[0], -torch.inf)
    drawn = law.draw_given(event.rows(torch.zeros(4000, dtype=torch.long)), rng(), 1)
    assert drawn.exact
    assert float(drawn.log_probability[0]) == pytest.approx(float(inside.logsumexp(0)), abs=1e-9)
    share = torch.bincount(rank(drawn.x), minlength=24) / 4000
    assert float((share - inside.softmax(0)).abs().sum() / 2) < 0.04


def test_steered_events() -> None:
    """Particles of the chain, used beyond 6 items, against the listed law."""
    law = random_law("riffle, x0, GPL")
    nats = law.log_law()
    assert nats is not None
    event = Event.relative(torch.tensor([[3, 0, -1, -1]]))
    inside = nats.masked_fill(~event.indicator(all_permutations(4))[0], -torch.inf)
    with torch.no_grad():
        drawn = law._steered(event.rows(torch.zeros(600, dtype=torch.long)), rng(), 16)
    share = torch.bincount(rank(drawn.x), minlength=24) / 600
    assert float((share - inside.softmax(0)).abs().sum() / 2) < 0.09
    assert float(drawn.log_probability.exp().mean()) == pytest.approx(float(inside.exp().sum()), rel=0.06)


def test_rejection() -> None:
    law = random_law("riffle, moves")
    nats = law.log_law()
    assert nats is not None
    event = Event.relative(torch.tensor([[3, 0, -1, -1]])).rows(torch.zeros(200, dtype=torch.long))
    drawn = by_rejection(law, event, rng(), 32)
    assert bool(event.holds(drawn.x).all())
    inside = nats[event.rows(slice(0, 1)).indicator(all_permutations(4))[0]]
    assert float(drawn.log_probability.exp().mean()) == pytest.approx(float(inside.exp().sum()), abs=0.02)


def test_pointers_know_the_order_of_a_prefix() -> None:
    """Two prefixes with the same items and the same last one: log-linear heads cannot tell them apart, pointers do."""
    law = random_law("one step, pointer", n=5)
    pred = law.ranking.base.detach()[None]
    head = law.head
    with torch.no_grad():
        logits = [head.logits(pred, torch.tensor([prefix])) for prefix in ([0, 1, 2], [1, 0, 2])]  # type: ignore[attr-defined]
    assert float((logits[0] - logits[1])[0, 3:].diff().abs()) > 1e-3


def test_heads_score_prefix_by_prefix_as_at_once() -> None:
    law = random_law("one step, pointer", n=5)
    head, x = law.head, all_permutations(5)[::7]
    pred = law.ranking.base.detach().expand(len(x), *law.ranking.base.shape)
    rows = [head.logits(pred, x[:, :i]).gather(1, x) for i in range(5)]  # type: ignore[attr-defined]
    torch.testing.assert_close(head.scores(pred, x), torch.stack(rows, 1), atol=1e-5, rtol=0)  # type: ignore[attr-defined]


def test_exact_training_has_gradients_everywhere() -> None:
    law = random_law("riffle, x0, prefix")
    law.loss(complete(all_permutations(4)[:5]), rng()).mean().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in law.network.parameters())
