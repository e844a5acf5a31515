"""`RankingModel`: its manners, what it learns, what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intarsia.errors import ArtifactError
from intarsia.processes import Discrete, Enumerated, GeneralizedPlackettLuce, Move, PlackettLuce, PrefixPlackettLuce
from intarsia.processes.permutations import all_permutations
from intarsia.testing import check_domain
from intarsia.training import Settings
from intarsia_domains.permutations import Rankings, Unranked
from intarsia_domains.permutations._ranking_given import Given
from intarsia_domains.permutations._ranking_lehmer import LehmerDigits
from intarsia_domains.permutations._ranking_model import RankingModel
from intarsia_domains.permutations._ranking_noise import Shuffles, Size
from intarsia_domains.permutations._ranking_pointer import Pointer

ITEMS = ("ale", "bun", "cod", "dip")


FAST = Settings(batch_size=1000, learning_rate=3e-2, warmup=5, ema=0.9, bfloat16=False)


def votes(rows: int = 200, seed: int = 0) -> Rankings:
    """Cyclic orders, two of three from "ale"; nobody else is at the start for long."""
    rng = np.random.default_rng(seed)
    start = np.where(rng.random(rows) < 2 / 3, 0, rng.integers(0, 4, rows))
    return Rankings(ITEMS, (start[:, None] + np.arange(4)) % 4)


def model(**options: Any) -> RankingModel:
    return RankingModel(**{"steps": 30, "penalty": 1.0, "progress": False, "size": Size(8, 1, 2), **options})


@pytest.fixture(scope="module")
def fitted() -> RankingModel:
    return model(head=Pointer(8)).fit(votes())


@pytest.mark.parametrize(
    "options",
    [
        {"head": Pointer(4)},
        {"noise": Shuffles(), "head": PlackettLuce()},
        {"noise": Shuffles(), "head": Move(GeneralizedPlackettLuce())},
        {"noise": LehmerDigits()},
    ],
)
def test_manners(options: dict[str, Any]) -> None:
    partial = [["ale"], ["cod", "dip"]]
    check_domain(model(**{**options, "steps": 2}), votes(40), partial)


def test_learns_cyclic_orders(fitted: RankingModel) -> None:
    nats = -fitted.score_samples(votes(500, 1)).mean()
    assert nats < 1.1  # the law's entropy is 0.98, Plackett-Luce has more than 2
    assert -model(head=PlackettLuce()).fit(votes()).score_samples(votes(500, 1)).mean() > 1.8


@pytest.mark.parametrize(
    "options",
    [
        {"noise": Shuffles(), "head": PrefixPlackettLuce()},
        {"noise": Shuffles(), "head": Move(GeneralizedPlackettLuce()), "steps": 60, "settings": FAST},
        {"head": Enumerated(), "steps": 80, "settings": FAST},
    ],
)
def test_other_models_learn_too(options: dict[str, Any]) -> None:
    nats = -model(**options).fit(votes()).score_samples(votes(500, 1)).mean()
    assert nats < 1.5


@pytest.mark.parametrize("options", [{}, {"noise": Shuffles(), "head": PrefixPlackettLuce()}])
def test_more_items_than_can_be_listed(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    orders = (rng.integers(0, 7, (80, 1)) + np.arange(7)) % 7
    raw = Rankings(tuple("abcdefg"), orders)
    own = model(**{**options, "steps": 3, "particles": 64}).fit(raw)
    found = own.score(raw.subset(slice(0, 8)), draws=8)
    assert bool(found.nats.isfinite().all())
    assert bool(found.gap.any()) == bool(options)
    drawn = own.sample(4, given={"before": [("c", "b")], "prefix": ["d"]})
    ranks = drawn.ranks()
    assert (drawn.orders[:, 0] == 3).all()
    assert (ranks[:, 2] < ranks[:, 1]).all()
    assert 0 < own.probability({"prefix": ["d"]}) < 1


def test_partial_ballots_are_scored_as_events(fitted: RankingModel) -> None:
    listed = fitted.score_samples(Rankings(ITEMS, all_permutations(4).numpy()))
    assert np.exp(listed).sum() == pytest.approx(1.0, abs=1e-6)
    begins = all_permutations(4)[:, :2].eq(torch.tensor([1, 2])).all(1).numpy()
    top = fitted.score_samples([["bun", "cod"]])
    assert np.exp(top[0]) == pytest.approx(np.exp(listed[begins]).sum(), abs=1e-6)
    relative = fitted.score_samples(Rankings.of([["dip", "ale"]], ITEMS, Unranked.UNKNOWN))
    ranks = all_permutations(4).argsort(1)
    assert np.exp(relative[0]) == pytest.approx(np.exp(listed[(ranks[:, 3] < ranks[:, 0]).numpy()]).sum(), abs=1e-6)
    assert fitted.probability(Given(before=[("dip", "ale")])) == pytest.approx(np.exp(relative[0]), abs=1e-6)


def test_top_ballots_teach_first_choices() -> None:
    raw = [["cod"]] * 90 + [["ale"]] * 10
    own = model(head=PrefixPlackettLuce()).fit(raw, items=ITEMS)
    assert own.probability({"prefix": ["cod"]}) == pytest.approx(0.9, abs=0.02)


def test_incomplete_orders_teach_pairs() -> None:
    """Of three items two are ranked: nobody ever says that "c" is before "a"."""
    raw = Rankings.of([["a", "b"], ["b", "c"], ["a", "c"]] * 20, None, Unranked.UNKNOWN)
    own = model(head=PlackettLuce()).fit(raw)
    assert own.probability({"before": [("a", "b"), ("b", "c")]}) > 0.8


def test_weights_are_counts() -> None:
    raw = [["a", "b"], ["b", "a"]]
    one = model(head=PlackettLuce()).fit(raw, weights=[30.0, 10.0]).probability({"prefix": ["a"]})
    two = model(head=PlackettLuce()).fit(raw[:1] * 30 + raw[1:] * 10).probability({"prefix": ["a"]})
    assert one == pytest.approx(two, abs=1e-6)
    assert one == pytest.approx(0.75, abs=1e-3)


def test_covariates_rank_items_that_nobody_saw() -> None:
    features = [[0.0], [1.0], [2.0], [3.0]]
    raw = [["dip", "bun", "ale"], ["bun", "ale"]] * 40
    plain = model(head=PlackettLuce()).fit(raw, items=ITEMS)
    told = model(head=PlackettLuce()).fit(raw, items=ITEMS, features=features)
    pair = {"before": [("cod", "bun")]}
    assert plain.probability(pair) < 0.1
    assert told.probability(pair) > 2 * plain.probability(pair)


def test_completions_keep_what_is_told(fitted: RankingModel) -> None:
    raw = Rankings.of([["cod"], ["bun", "ale"], ["dip", "cod", "bun", "ale"]], ITEMS)
    draws = fitted.complete(raw, n_draws=3, seed=1)
    for drawn in draws:
        assert drawn.is_complete
        for told, whole in zip(raw.labels(), drawn.labels(), strict=True):
            assert whole[: len(told)] == told
    assert all(np.array_equal(d.orders[2], raw.orders[2]) for d in draws)
    given = fitted.complete(raw.subset([0]), given={"at": {4: "dip"}})
    assert given.labels()[0][0] == "cod"
    assert given.labels()[0][3] == "dip"
    with pytest.raises(ValueError, match="row 1: two items are to stand at rank 1"):
        fitted.complete(raw, given={"prefix": ["cod"]})


def test_consensus(fitted: RankingModel) -> None:
    found = fitted.consensus(n=500)
    assert found["kemeny"].items == ITEMS
    assert found["borda"].items == ITEMS


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([["a", "b"], ["a", "a"]], "row 1"),
        ([["a", "b"], []], "row 1"),
        ([["a"]], "at least two items"),
        ([], "no rankings"),
    ],
)
def test_bad_rankings(raw: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        model().fit(raw)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": [1.0]}, "one number for each of 2 rows"),
        ({"weights": [1.0, -1.0]}, "row 1: a weight"),
        ({"features": [[1.0]]}, "a row for each of the 2 items"),
        ({"features": [[1.0], [np.nan]]}, "item 1, column 0"),
    ],
)
def test_bad_arguments(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        model().fit([["a", "b"], ["b", "a"]], **options)


def test_cross_validation_chooses_the_penalty() -> None:
    own = model(head=PrefixPlackettLuce(), penalty=None).fit(votes(60))
    assert own.training_["penalty"] <= 1.0  # cyclic orders are no noise


def test_two_items_and_one_ballot() -> None:
    own = model().fit([["a", "b"]])
    assert own.sample(3).labels()
    assert own.probability({"prefix": ["a"]}) > 0.5


def test_no_rows_in_none_out(fitted: RankingModel) -> None:
    none = Rankings(ITEMS, np.zeros((0, 4), np.int64))
    assert fitted.sample(0) == fitted.sample(0, given={"prefix": ["cod"]}) == none
    assert fitted.complete(none) == fitted.complete([]) == none
    assert fitted.score_samples(none).shape == (0,)
    with pytest.raises(ValueError, match="fitting needs at least one ballot"):
        model().fit(none)
    with pytest.raises(ValueError, match="no rankings"):
        fitted.evaluate(votes(5), none)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([["ale"], ["ell"]], "row 1: there is no item 'ell'; there are 'ale', 'bun', 'cod', 'dip'"),
        ([["ale"], ["aal"]], "row 1: there is no item 'aal'; did you mean 'ale'"),
        ([["ale"], ["bun", "cod", "bun"]], "row 1: the item 'bun' is ranked twice"),
        ([["ale"], ["ale", "bun", "cod", "dip", "ale"]], "row 1: the item 'ale' is ranked twice"),
        ([["ale"], ["ale", "bun", "cod", "dip", "eel"]], "row 1: there is no item 'eel'"),
        ([["ale"], []], "row 1: nobody is ranked"),
        ([["ale"], [None, "bun"]], "row 1: rank 1 is empty"),
    ],
)
def test_a_fitted_model_refuses_by_row(fitted: RankingModel, raw: Any, words: str) -> None:
    for use in (fitted.score_samples, fitted.complete):
        with pytest.raises(ValueError, match=words):
            use(raw)


def test_contradictions_are_named_by_row(fitted: RankingModel) -> None:
    with pytest.raises(ValueError, match="row 0: the pairs go round in a circle, 'ale' stands before itself"):
        fitted.sample(2, given={"before": [("ale", "bun"), ("bun", "ale")]})
    for wrong in (["bun", "ale"], ["bun"]):
        with pytest.raises(ValueError, match="row 1: no ranking can be as asked, as nothing is left for 'ale'"):
            fitted.complete([["ale"], wrong], given={"before": [("ale", "bun")]})


def test_rankings_of_other_items_are_refused(fitted: RankingModel) -> None:
    with pytest.raises(ValueError, match="have the item 'e'"):
        fitted.score_samples(Rankings(("e", "ale"), np.array([[0, 1]])))


def test_hostile_artifacts(fitted: RankingModel, tmp_path: Path) -> None:
    path = tmp_path / "model"
    fitted.save(path)
    config = path / "config.json"
    text = json.loads(config.read_text())
    text["config"]["parameters"]["head"] = {"type": "Popen", "args": "ls"}
    config.write_text(json.dumps(text))
    with pytest.raises(ArtifactError, match="not a usable saved ranking model"):
        RankingModel.load(path)


@pytest.mark.parametrize(
    "noise", [Shuffles(), LehmerDigits(), LehmerDigits(Discrete.uniform), Shuffles(counts=(0, 2, 5))]
)
def test_parameters_survive_saving(noise: Any, tmp_path: Path) -> None:
    own = model(noise=noise, steps=1, head=Move(PlackettLuce()), cpu_minutes=0.5).fit(votes(20))
    own.save(tmp_path / "model")
    loaded = RankingModel.load(tmp_path / "model")
    assert {**loaded.get_params(), "progress": False} == own.get_params()


def test_heads_of_one_s_own_are_not_saved(tmp_path: Path) -> None:
    class Mine(PlackettLuce):
        pass

    own = model(head=Mine(), steps=1).fit(votes(20))
    with pytest.raises(TypeError, match="cannot be saved"):
        own.save(tmp_path / "model")
