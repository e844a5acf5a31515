"""The classical laws of the benchmark: normalised, exact on top-k ballots, at their maximum, and exact facts."""

import importlib.util
import sys
from itertools import permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from intarsia_domains.permutations import Rankings, kendall_distance

FILE = Path(__file__).parents[3] / "benchmarks/permutation_systems/_classical.py"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the benchmarks are not part of this copy")
ALL = np.array(list(permutations(range(5))))
NAMES = tuple("abcde")


@pytest.fixture(scope="module")
def laws() -> ModuleType:
    spec = importlib.util.spec_from_file_location("intarsia_classical", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def votes(seed: int = 0, partial: bool = True) -> Rankings:
    rng = np.random.default_rng(seed)
    orders = np.argsort(rng.gumbel(size=(60, 5)) + np.linspace(1, -1, 5), axis=1)[:, ::-1].copy()
    if partial:
        orders[np.arange(5) >= rng.integers(1, 6, (60, 1))] = -1
    return Rankings(NAMES, orders, rng.integers(1, 9, 60))


def systems(laws: ModuleType) -> dict:
    small = {f"mixture {k}": laws.PlackettLuceMixture(k, iterations=30, starts=1) for k in (2, 3)}
    return {name: law for name, law in laws.classical(5).items() if "mixture" not in name} | small


def test_every_law_sums_to_one_and_top_k_ballots_are_events(laws: ModuleType) -> None:
    for name, law in systems(laws).items():
        fitted = law.fit(votes())
        chance = np.exp(fitted.log_prob(ALL))
        assert chance.sum() == pytest.approx(1, abs=1e-12), name
        if name == "Mallows":
            continue
        top = np.array([[3, 1, -1, -1, -1], [2, -1, -1, -1, -1], [4, 0, 1, -1, -1], [4, 0, 1, 2, -1]])
        event = ((top[:, None] == ALL) | (top[:, None] < 0)).all(2) @ chance
        assert np.exp(fitted.log_prob(top)) == pytest.approx(event, rel=1e-9), name


def test_more_flexible_laws_fit_better_and_none_beats_the_entropy(laws: ModuleType) -> None:
    data = votes(partial=False)
    level = {name: laws.nats(law.fit(data), data) for name, law in systems(laws).items()}
    assert level["uniform"] == pytest.approx(np.log(120))
    assert level["uniform"] > level["Mallows"]
    assert level["uniform"] > level["Plackett-Luce"] > level["static GPL"]
    assert level["Plackett-Luce"] > level["mixture 2"]
    exact = laws.nats(laws.Histogram(pseudocount=0).fit(data), data)
    assert min(level.values()) > exact
    assert exact == pytest.approx(laws.entropy(data))


def test_mallows_normaliser_and_mean_distance(laws: ModuleType) -> None:
    """Z_5(.7) = 9.376252 and E[d] = 2.457802."""
    assert np.exp(laws.mallows_log_normalizer(0.7, 5)) == pytest.approx(9.376252, abs=5e-7)
    law = laws.Mallows()
    law.theta, law.centre = 0.7, np.array([2, 0, 1, 4, 3])
    chance = np.exp(law.log_prob(ALL))
    assert chance.sum() == pytest.approx(1)
    assert chance @ kendall_distance(ALL, law.centre) == pytest.approx(2.457802, abs=5e-7)


def test_repeated_insertion_draws_from_mallows(laws: ModuleType) -> None:
    """Every way to insert item j at distance i from the end, with chance ∝ e^(-i theta), listed in full."""
    theta, law = 0.7, {(): 1.0}
    for item in range(5):
        chance = np.exp(-theta * np.arange(item + 1))
        chance /= chance.sum()
        law = {(*x[: item - i], item, *x[item - i :]): p * chance[i] for x, p in law.items() for i in range(item + 1)}
    mallows = laws.Mallows()
    mallows.theta, mallows.centre = theta, np.arange(5)
    assert mallows.log_prob(np.array(list(law))) == pytest.approx(np.log(list(law.values())))


def test_mallows_is_fitted_where_the_mean_distance_is_right(laws: ModuleType) -> None:
    data = votes(partial=False)
    law = laws.Mallows().fit(data)
    costs = kendall_distance(ALL[:, None], data.orders) @ data.counts
    observed = costs.min() / data.ballots
    assert kendall_distance(law.centre, data.orders) @ data.counts == costs.min()
    assert np.exp(law.log_prob(ALL)) @ kendall_distance(ALL, law.centre) == pytest.approx(observed, abs=1e-5)


def test_luce_of_pairs_first_places_and_left_out_items(laws: ModuleType) -> None:
    scores = np.array([0.3, -1.2, 2.0, 0.0, 0.7])
    w = np.exp(scores)
    chance = np.exp(laws.plackett_luce_log_prob(scores, ALL))
    place = np.argsort(ALL, 1)
    for i in range(5):
        assert chance @ (ALL[:, 0] == i) == pytest.approx(w[i] / w.sum())
        for j in {*range(5)} - {i}:
            assert chance @ (place[:, i] < place[:, j]) == pytest.approx(w[i] / (w[i] + w[j]))
    without = np.array([[item for item in row if item != 4] for row in ALL.tolist()])
    fours = np.array(list(permutations(range(4))))
    kept = (without[None] == fours[:, None]).all(2) @ chance
    assert np.log(kept) == pytest.approx(laws.plackett_luce_log_prob(scores[:4], fours))


def test_equal_rows_of_scores_are_plackett_luce(laws: ModuleType) -> None:
    scores = np.array([0.3, -1.2, 2.0, 0.0, 0.7])
    law = laws.StaticGeneralized()
    law.scores = np.tile(scores, (5, 1))
    assert law.log_prob(ALL) == pytest.approx(laws.plackett_luce_log_prob(scores, ALL))


@pytest.mark.parametrize("partial", [False, True])
def test_plackett_luce_is_at_its_maximum(laws: ModuleType, partial: bool) -> None:
    """No score can be moved, and one component of a mixture is the same."""
    data = votes(partial=partial)
    law = laws.PlackettLuce().fit(data)

    def total(scores: np.ndarray) -> float:
        return float(data.counts @ laws.plackett_luce_log_prob(scores, data.orders))

    for move in np.eye(5) * 1e-4:
        slope = (total(law.scores + move) - total(law.scores - move)) / 2e-4
        assert abs(slope) < 1e-4 * data.ballots
        assert total(law.scores + 100 * move) < total(law.scores) > total(law.scores - 100 * move)
    single = laws.PlackettLuceMixture(1, starts=1, ghost=0.0).fit(data)
    assert single.scores[0] == pytest.approx(law.scores, abs=1e-8)


def test_plackett_luce_is_that_of_choix(laws: ModuleType) -> None:
    choix = pytest.importorskip("choix")
    data = votes(partial=False)
    other = choix.ilsr_rankings(5, data.expand().orders.tolist(), alpha=0.0)
    assert laws.PlackettLuce().fit(data).scores == pytest.approx(other - other.mean(), abs=1e-6)


def test_static_gpl_has_the_slope_it_claims(laws: ModuleType) -> None:
    data = votes()
    stages, scores = laws._Stages.of(data.orders), np.random.default_rng(0).normal(size=(5, 5))
    counts = data.counts.astype(float)
    _, slope = stages.generalized(scores, counts)
    for k in range(25):
        move = np.zeros(25)
        move[k] = 1e-6
        up, down = (stages.generalized(scores + sign * move.reshape(5, 5), counts)[0] for sign in (1, -1))
        assert slope.ravel()[k] == pytest.approx((up - down) / 2e-6, abs=1e-4)


def test_an_item_that_never_wins_leaves_the_fit_finite(laws: ModuleType) -> None:
    data = Rankings(NAMES, np.array([[0, 1, 2, 3, 4], [0, 2, 1, 3, 4]]))
    for law in (laws.PlackettLuce(), laws.PlackettLuce(ghost=1e-3), laws.PlackettLuceMixture(2, starts=1)):
        assert np.isfinite(law.fit(data).log_prob(ALL)).all()
