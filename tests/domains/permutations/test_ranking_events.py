"""Events on rankings: against enumeration."""

import math

import pytest
import torch

from intarsia.processes import PlackettLuce, PrefixPlackettLuce
from intarsia.processes.permutations import all_permutations, rank
from intarsia_domains.permutations._ranking_events import Event, Windows
from intarsia_domains.permutations._ranking_given import Given, event_of
from intarsia_domains.permutations._ranking_masked import draw_masked

ITEMS = ("a", "b", "c", "d", "e")


def inside(event: Event, row: int = 0) -> list[tuple[int, ...]]:
    """Permutations of an event, by its definition."""
    found = []
    for x in all_permutations(event.n).tolist():
        stands = all(k in (-1, x[i]) for i, k in enumerate(event.at[row].tolist()))
        pairs = event.before[row].nonzero().tolist()
        if stands and all(x.index(a) < x.index(b) for a, b in pairs):
            found.append(tuple(x))
    return found


def random_events(rows: int, n: int, seed: int) -> Event:
    rng = torch.Generator().manual_seed(seed)
    before = torch.rand(rows, n, n, generator=rng) < 0.12
    before &= ~torch.eye(n, dtype=torch.bool)
    order = torch.rand(rows, n, generator=rng).argsort(1)
    at = torch.where(torch.rand(rows, n, generator=rng) < 0.2, order, -1)
    return Event(at, before)


def test_indicator_is_the_definition() -> None:
    events = random_events(60, 4, 0)
    points = all_permutations(4)
    got = events.indicator(points)
    for row in range(60):
        assert {tuple(x) for x in points[got[row]].tolist()} == set(inside(events, row))


@pytest.mark.parametrize("n", [3, 4, 5])
def test_exactly_the_impossible_is_refused(n: int) -> None:
    events = random_events(150, n, n)
    refused = 0
    for row in range(150):
        one = events.rows(slice(row, row + 1))
        if inside(one):
            Windows(one)
        else:
            refused += 1
            with pytest.raises(ValueError, match="row 0: "):
                Windows(one)
    assert 10 < refused < 140


def test_what_may_follow_holds_all_that_can() -> None:
    """Every item that some permutation of the event has next is offered; items that never can be are mostly not."""
    events = random_events(80, 4, 7)
    offered = needed = 0
    for row in range(80):
        one, points = events.rows(slice(row, row + 1)), inside(events, row)
        if not points:
            continue
        windows = Windows(one)
        for rank_ in range(4):
            for prefix in {x[:rank_] for x in points}:
                taken = torch.zeros(1, 4, dtype=torch.bool)
                taken[0, list(prefix)] = True
                may = set(windows.allowed(taken, rank_)[0].nonzero().flatten().tolist())
                can = {x[rank_] for x in points if x[:rank_] == prefix}
                assert can <= may
                offered, needed = offered + len(may), needed + len(can)
    assert offered < 1.05 * needed


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (Given(prefix=("c", "a")), 6),
        (Given(top=("a", "e")), 12),
        (Given(before=(("a", "b"), ("b", "c"))), 20),
        (Given(at={2: "d"}), 24),
        (Given(at={5: "a"}, before=(("e", "d"),), top=("b",)), 3),
        (Given(), 120),
    ],
)
def test_counts_of_permutations(given: Given, count: int) -> None:
    event = given.event(ITEMS)
    assert int(event.indicator(all_permutations(5)).sum()) == count
    rng = torch.Generator().manual_seed(0)
    drawn = draw_masked(PlackettLuce(), torch.zeros(1, 5), event, rng, 4000)
    assert bool(event.holds(drawn.x).all())
    assert math.exp(float(drawn.log_probability)) == pytest.approx(count / 120, rel=0.06)


def test_relative_orders() -> None:
    event = Event.relative(torch.tensor([[2, 0, -1, -1]]))
    assert set(inside(event)) == {tuple(x) for x in all_permutations(4).tolist() if x.index(2) < x.index(0)}


def test_particles_follow_the_law_inside() -> None:
    rng = torch.Generator().manual_seed(3)
    head, pred = PrefixPlackettLuce(), torch.randn(1, 3, 4, 4, generator=rng)
    event = event_of({"before": [("d", "a"), ("c", "b")]}, ("a", "b", "c", "d"))
    law = head.log_law(pred, 4)[0].masked_fill(~event.indicator(all_permutations(4))[0], -torch.inf)
    rows = 3000
    told = event.rows(torch.zeros(rows, dtype=torch.long))
    drawn = draw_masked(head, pred.expand(rows, -1, -1, -1), told, rng, 32)
    share = torch.bincount(rank(drawn.x), minlength=24) / rows
    assert float((share - law.softmax(0)).abs().sum() / 2) < 0.03
    # the estimate itself is unbiased, not its logarithm
    estimates = drawn.log_probability.exp()
    error = float(estimates.std()) / math.sqrt(rows)
    assert abs(float(estimates.mean() - law.exp().sum())) < 4 * error + 1e-12


def test_prefixes_are_exact_with_one_particle() -> None:
    rng = torch.Generator().manual_seed(3)
    head, pred = PrefixPlackettLuce(), torch.randn(1, 3, 4, 4, generator=rng)
    event = event_of({"prefix": ["b", "d"]}, ("a", "b", "c", "d"))
    law = head.log_law(pred, 4)[0].masked_fill(~event.indicator(all_permutations(4))[0], -torch.inf)
    drawn = draw_masked(head, pred, event, rng, 1)
    assert drawn.exact
    assert float(drawn.log_probability) == pytest.approx(float(law.logsumexp(0)), abs=1e-9)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prefix": ["x"]}, "no item 'x'"),
        ({"at": {0: "a"}}, "count from 1 to 5"),
        ({"at": {1: "a", 2: "a"}}, "cannot stand at ranks 1 and 2"),
        ({"prefix": ["a"], "at": {1: "b"}}, "cannot both stand at rank 1"),
        ({"before": [("a", "b"), ("b", "c"), ("c", "a")]}, "in a circle"),
        ({"before": [("a", "b")], "at": {1: "b"}}, "nothing is left for 'a'"),
        ({"before": ["ab"]}, "pairs"),
        ({"top": ["a", "a"]}, "twice"),
        ({"first": ["a"]}, "'first'"),
        ({"top": ["a", "b"], "at": {1: "c"}}, "contradict"),
    ],
)
def test_events_that_are_none(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        event_of(given, ITEMS)


def test_text_is_no_list_of_items() -> None:
    with pytest.raises(TypeError, match="list of items"):
        event_of({"top": "ab"}, ITEMS)
    with pytest.raises(TypeError, match="`Given`"):
        event_of("a", ITEMS)
