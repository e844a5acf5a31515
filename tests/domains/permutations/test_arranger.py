"""The arranger as its users meet it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from intarsia import ArtifactError, NotFittedError, RequirementError
from intarsia.processes import GeneralizedPlackettLuce, Move, PlackettLuce
from intarsia.training import Settings
from intarsia_domains.permutations._arranger import Arranger, shorten
from intarsia_domains.permutations._arranger_chain import Beam, Draw, Greedy
from intarsia_domains.permutations._arranger_shapes import Tour
from intarsia_domains.permutations._arranger_spread import spread
from intarsia_domains.permutations._encoders import ImageEncoder, PointEncoder, VectorEncoder
from intarsia_domains.permutations._metrics import kendall_tau
from intarsia_domains.permutations._tours import counter_clockwise, distance_matrix, searched_tours, tour_lengths

FAST = Settings(batch_size=64, evaluations=3, warmup=10, learning_rate=5e-3, patience=0)
Sets = tuple[NDArray[np.float64], NDArray[np.int64]]


def vectors(rows: int, n: int, seed: int = 0) -> Sets:
    """Sets whose order is that of the difference of two values."""
    items = np.random.default_rng(seed).normal(size=(rows, n, 2))
    return items, (items[..., 0] - items[..., 1]).argsort(1)


def cities(rows: int, n: int, seed: int = 0) -> Sets:
    points = np.random.default_rng(seed).random((rows, n, 2))
    tours = searched_tours(distance_matrix(torch.from_numpy(points)), 5, torch.Generator().manual_seed(seed))
    return points, tours.numpy()


def arranger(**kwargs: object) -> Arranger:
    encoder = kwargs.pop("encoder", VectorEncoder(features=16, width=32))
    settings = {"steps": 120, "depth": 1, "width": 16, "settings": FAST, "progress": False, "threads": 1}
    return Arranger(encoder, **{**settings, **kwargs})  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def sorter() -> Arranger:
    return arranger().fit(*vectors(2000, 6))


@pytest.fixture(scope="module")
def traveller() -> Arranger:
    return arranger(encoder=PointEncoder(waves=8), shape=Tour(), steps=60).fit(*cities(500, 8))


def test_it_sorts_sets_that_it_has_not_seen_also_larger_ones(sorter: Arranger) -> None:
    for n, wanted in ((6, 0.75), (9, 0.4), (3, 0.9)):
        items, orders = vectors(200, n, 1)
        for all_steps in (False, True):
            found = sorter.arrange(items, all_steps=all_steps)
            assert (found == orders).all(1).mean() > wanted


def test_the_order_in_which_items_are_given_means_nothing(sorter: Arranger) -> None:
    items, orders = vectors(200, 6, 2)
    number = np.random.default_rng(0).permutation(6)
    found = number[sorter.arrange(items[:, number])]
    assert (found == orders).all(1).mean() > 0.9


@pytest.mark.parametrize("head", [Move(GeneralizedPlackettLuce()), GeneralizedPlackettLuce(), PlackettLuce()])
def test_all_heads_learn_to_sort(head: Move | GeneralizedPlackettLuce | PlackettLuce) -> None:
    model = arranger(head=head, steps=70).fit(*vectors(1000, 4))
    items, orders = vectors(200, 4, 1)
    assert (model.arrange(items) == orders).all(1).mean() > 0.5  # chance is 0.04
    assert model.all_steps_ or not isinstance(head, Move)


def test_decoders_by_name_and_with_settings(sorter: Arranger) -> None:
    items, orders = vectors(40, 6, 1)
    for decode in ("greedy", "beam", "sample", Greedy(), Beam(8, 2, starts=2), Draw(4)):
        found = sorter.arrange(items, decode=decode)
        assert (found == orders).all(1).mean() > 0.75
        assert (found == sorter.arrange(items, decode=decode)).all()
    with pytest.raises(ValueError, match="greedy, beam, sample, got 'best'"):
        sorter.arrange(items, decode="best")
    with pytest.raises(ValueError, match="1 <= states <= width"):
        Beam(width=2, states=3)


def test_the_objective_chooses_among_candidates(sorter: Arranger) -> None:
    items, _ = vectors(20, 5, 1)
    seen: list[NDArray[np.int64]] = []

    def first_item(_: object, orders: NDArray[np.int64]) -> NDArray[np.int64]:
        seen.append(orders)
        return orders[..., 0]

    found = sorter.arrange(items, decode=Beam(200, 200), objective=first_item, all_steps=False)
    assert seen[0].shape == (20, 120, 5)
    assert (found[:, 0] == 0).all()
    with pytest.raises(ValueError, match=r"a cost for each candidate, \(20, 1\)"):
        sorter.arrange(items, objective=lambda _, orders: orders)


def test_fresh_sets_and_the_same_seed_give_the_same_model() -> None:
    def source(rows: int, rng: np.random.Generator) -> Sets:
        return vectors(rows, 4, int(rng.integers(2**31)))

    items, orders = vectors(100, 4, 1)
    models = [arranger(steps=40, seed=seed).fit(source) for seed in (3, 3, 4)]
    assert (models[0].arrange(items) == orders).all(1).mean() > 0.4
    weights = [model.network_.lift.weight for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    curve = models[0].training_["curve"]
    assert len(curve) == 3
    assert [len(point) for point in curve] == [5] * 3


def test_a_model_comes_back_as_it_was(sorter: Arranger, traveller: Arranger, tmp_path: Path) -> None:
    for model, items in ((sorter, vectors(20, 6, 5)[0]), (traveller, cities(20, 8, 5)[0])):
        model.save(tmp_path / "model")
        again = Arranger.load(tmp_path / "model")
        assert (again.arrange(items) == model.arrange(items)).all()
        assert again.get_params() == model.get_params() | {"progress": None}
        assert (tmp_path / "model" / "card.md").read_text().startswith("# Arranger of sets of")
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(ArtifactError, match="truncated or altered"):
        Arranger.load(tmp_path / "model")


def test_types_of_others_are_not_saved(tmp_path: Path) -> None:
    class Own(VectorEncoder):
        """An encoder of one's own."""

    model = arranger(encoder=Own(features=8), steps=2).fit(*vectors(40, 3))
    with pytest.raises(TypeError, match="cannot name the type of"):
        model.save(tmp_path / "model")


def test_known_prefixes_are_kept(sorter: Arranger, traveller: Arranger) -> None:
    items, _ = vectors(50, 6, 1)
    known = np.full((50, 6), -1)
    known[:, :2] = [4, 1]
    drawn = sorter.complete((items, known), seed=1)
    assert (drawn[:, :2] == [4, 1]).all()
    assert (np.sort(drawn, 1) == np.arange(6)).all()
    rest = np.array([[k for k in row if k not in (4, 1)] for row in items[..., 0].argsort(1) * 0 + np.arange(6)])
    wanted = np.take_along_axis(rest, (items[np.arange(50)[:, None], rest] @ [1, -1]).argsort(1), 1)
    assert (drawn[:, 2:] == wanted).all(1).mean() > 0.7
    points, _ = cities(10, 8, 1)
    tour = traveller.complete((points, np.array([[0, 5, 2, *[-1] * 5]] * 10)))
    assert (tour[:, :3] == [0, 5, 2]).all()


@pytest.mark.parametrize(
    "row, message",
    [
        ([-1, -1, 2, -1, -1, -1], "row 1 has a free rank before a known one"),
        ([2, 2, -1, -1, -1, -1], "row 1 holds an item twice"),
        ([6, -1, -1, -1, -1, -1], "row 1 names an item that there is not"),
        ([-2, -1, -1, -1, -1, -1], "row 1 names an item that there is not"),
    ],
)
def test_prefixes_that_are_none_are_refused_by_row(sorter: Arranger, row: list[int], message: str) -> None:
    items, _ = vectors(2, 6, 1)
    with pytest.raises(ValueError, match=message):
        sorter.complete((items, np.array([[-1] * 6, row])))


def test_a_tour_begins_with_its_first_city_also_where_more_is_known(sorter: Arranger, traveller: Arranger) -> None:
    points, _ = cities(10, 8, 1)
    with pytest.raises(ValueError, match="row 0 begins otherwise"):
        traveller.complete((points, np.array([[3, *[-1] * 7]] * 10)))
    with pytest.raises(ValueError, match=r"\(10, 8\), got shape \(10, 7\)"):
        traveller.complete((points, np.full((10, 7), -1)))
    with pytest.raises(TypeError, match="-1 where a rank is free"):
        sorter.complete((vectors(2, 6, 1)[0], np.full((2, 6), np.nan)))


def test_every_start_of_a_tour_has_its_own_view_and_first_city() -> None:
    points, tours = cities(4, 7, 3)
    items, shape = torch.from_numpy(points), Tour()
    canonical = shape.canonical(items, torch.from_numpy(tours))
    firsts, views = set(), set()
    for number in range(8):
        turned = shape.turned(PointEncoder().view(items, number), number)
        assert isinstance(turned, torch.Tensor)
        views.add(tuple(turned[0].abs().sort(0).values.flatten().tolist()) + tuple(turned[0].sum(0).tolist()))
        first = next(k for k in range(7) if torch.equal(turned[0, 0].abs().sort().values, items[0, k].sort().values))
        firsts.add(first)
        renumbered = (canonical - first) % 7  # what a model would call the cities of the same tours
        rolled = shape.canonical(turned, renumbered)
        assert rolled[:, 0].tolist() == [0] * 4
        torch.testing.assert_close(shape.turned_back(items, rolled[:, None], number)[:, 0], canonical)
    assert len(views) == 8
    assert len(firsts) == 7


def test_right_orders_are_more_probable(sorter: Arranger, traveller: Arranger) -> None:
    items, orders = vectors(50, 6, 1)
    assert sorter.score_samples((items, orders)).mean() > -1.0
    assert sorter.score_samples((items, orders[:, ::-1])).mean() < -10.0
    points, tours = cities(20, 8, 1)
    there, back = (traveller.score_samples((points, x)) for x in (tours, tours[:, ::-1]))
    np.testing.assert_allclose(there, back)
    assert (there <= 0).all()


def test_draws_and_their_spread(sorter: Arranger) -> None:
    items = np.array([[[0.0, 0.0], [0.0, 0.0], [5.0, 0.0], [-5.0, 0.0]]])  # two items are equal
    draws = sorter.sample(100, given=items, seed=1)
    assert draws.shape == (1, 100, 4)
    found = sorter.uncertainty(items, n_draws=100, seed=1)
    assert found.places.shape == (1, 4, 4)
    assert found.entropy[0, :2] == pytest.approx([np.log(2)] * 2, abs=0.25)
    assert found.entropy[0, 2:] == pytest.approx([0.0, 0.0], abs=0.25)
    with pytest.raises(RequirementError, match="given=items"):
        sorter.sample(3)


def test_spread_is_kendalls_tau_between_pairs_of_draws() -> None:
    draws = np.random.default_rng(0).permuted(np.tile(np.arange(5), (3, 7, 1)), axis=2)
    found = spread(draws)
    pairs = [(a, b) for a in range(7) for b in range(a)]
    wanted = np.mean([kendall_tau(draws[:, a], draws[:, b]) for a, b in pairs], 0)
    np.testing.assert_allclose(found.tau, wanted)
    np.testing.assert_allclose(found.places.sum((1,)), 1.0)
    same = spread(np.repeat(draws[:, :1], 4, 1))
    np.testing.assert_allclose(same.tau, 1.0)
    np.testing.assert_allclose(same.entropy, 0.0, atol=1e-12)


def test_tours_are_short_and_local_search_only_shortens(traveller: Arranger) -> None:
    points, best = cities(60, 8, 1)
    distance = distance_matrix(torch.from_numpy(points))

    def mean(tours: NDArray[np.int64]) -> float:
        return float(tour_lengths(distance, torch.from_numpy(tours)).mean())

    greedy = traveller.arrange(points)
    wide = traveller.arrange(points, decode=Beam(16, 4, starts=4))
    polished = traveller.arrange(points, decode=Beam(16, 4, starts=4), polish=shorten)
    chance = np.random.default_rng(0).permuted(np.tile(np.arange(8), (60, 1)), axis=1)
    assert mean(best) <= mean(polished) <= mean(wide) < mean(greedy) < 0.8 * mean(chance)
    assert mean(wide) < 1.05 * mean(best)
    assert (greedy[:, 0] == 0).all()


def test_the_direction_of_a_tour_is_that_of_its_area() -> None:
    points, tours = cities(30, 7, 3)
    flat = torch.from_numpy(points)
    items, orders = Tour().mixed(flat, torch.from_numpy(tours), torch.Generator().manual_seed(0))
    assert isinstance(items, torch.Tensor)
    torch.testing.assert_close(
        tour_lengths(distance_matrix(items), orders), tour_lengths(distance_matrix(flat), torch.from_numpy(tours))
    )
    assert not torch.equal(items, flat)
    canonical = Tour().canonical(items, orders)
    assert torch.equal(canonical, counter_clockwise(items, orders.flip(1)))


def test_reports_show_floors(sorter: Arranger, traveller: Arranger) -> None:
    report = sorter.evaluate(vectors(50, 6), vectors(80, 6, 1))
    exact = report.metric("Exact")
    assert exact.value > 80 > 5 > exact.floors["random order"]
    assert report.metric("Kendall's tau").value > 0.9
    tours = traveller.evaluate(cities(20, 8), cities(40, 8, 1))
    assert 0 <= tours.metric("Gap after local search").value <= tours.metric("Gap").value
    assert tours.metric("Gap").floors["labels"] == 0


def test_sets_of_one_or_two(sorter: Arranger, traveller: Arranger) -> None:
    assert sorter.arrange(np.zeros((3, 1, 2))).tolist() == [[0]] * 3
    assert sorter.arrange(np.array([[[3.0, 0.0], [-3.0, 0.0]]])).tolist() == [[1, 0]]
    assert sorter.arrange(np.zeros((0, 4, 2))).shape == (0, 4)
    assert traveller.arrange(np.array([[[0.0, 0.0], [1.0, 0.0]]])).tolist() == [[0, 1]]
    assert sorted(traveller.arrange(np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]]))[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize(
    "items, orders, message",
    [
        (np.zeros((5, 2)), np.zeros((5, 2), int), "got shape (5, 2)"),
        (np.zeros((5, 3, 2)), np.zeros((5, 2), int), "got shape (5, 2)"),
        (np.zeros((2, 3, 2)), [[0, 1, 2], [0, 1, 1]], "the order of row 1 holds item 1 twice"),
        (np.zeros((2, 3, 2)), [[0, 1, 2], [0, 1, 3]], "the order of row 1 names item 3"),
        (np.full((2, 3, 2), np.nan), [[0, 1, 2]] * 2, "item 0 of row 0 holds a value that is not a finite number"),
        (np.zeros((1, 3, 2)), [[0, 1, 2]], "at least two sets, got 1"),
        (np.zeros((4, 1, 2)), [[0]] * 4, "give at least 2"),
        (np.zeros((4, 0, 2)), np.zeros((4, 0), int), "no items"),
        (np.zeros((4, 3, 2)), None, "give the orders"),
    ],
)
def test_bad_sets_are_refused_by_name(items: object, orders: object, message: str) -> None:
    with pytest.raises(ValueError) as error:
        arranger(steps=1).fit(items, orders)
    assert message in str(error.value)


def test_bad_items_are_refused_by_name(sorter: Arranger, traveller: Arranger) -> None:
    with pytest.raises(NotFittedError):
        arranger().arrange(np.zeros((1, 3, 2)))
    with pytest.raises(ValueError, match=r"fitted to items of shape \(2,\), got \(3,\)"):
        sorter.arrange(np.zeros((1, 4, 3)))
    points = np.random.default_rng(0).random((4, 6, 2))
    points[2, 5] = points[2, 1]
    with pytest.raises(ValueError, match="cities 1 and 5 of row 2 are in one place"):
        traveller.arrange(points)
    points[2, 5] = np.inf
    with pytest.raises(ValueError, match="item 5 of row 2"):
        traveller.arrange(points)
    with pytest.raises(TypeError, match="whole numbers"):
        arranger().fit(np.zeros((3, 2, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="8 x 9 pixels cannot be cut into 1 x 2"):
        arranger(encoder=ImageEncoder(parts=(1, 2))).fit(np.zeros((3, 2, 1, 8, 9)), [[0, 1]] * 3)
