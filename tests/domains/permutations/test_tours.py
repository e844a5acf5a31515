"""Tours against enumeration of all moves and of all tours."""

from collections.abc import Callable
from itertools import permutations

import pytest
import torch
from torch import Tensor

from intarsia_domains.permutations._tours import (
    counter_clockwise,
    distance_matrix,
    local_search,
    nearest_neighbour,
    or_opt,
    searched_tours,
    tour_lengths,
    two_opt,
)

Tours = Callable[[list[int]], list[list[int]]]


def points(rows: int, n: int, seed: int = 0) -> Tensor:
    return torch.rand((rows, n, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def length(distance: Tensor, tour: list[int]) -> float:
    return float(sum(distance[a, b] for a, b in zip(tour, [*tour[1:], tour[0]], strict=True)))


def reversals(tour: list[int]) -> list[list[int]]:
    n = len(tour)
    return [[*tour[:i], *reversed(tour[i : j + 1]), *tour[j + 1 :]] for i in range(1, n) for j in range(i, n)]


def moves_of_segments(tour: list[int]) -> list[list[int]]:
    n, found = len(tour), []
    for size in (1, 2, 3):
        for first in range(n):
            turned = tour[first:] + tour[:first]
            segment, rest = turned[:size], turned[size:]
            for after in range(len(rest) - 1):
                found += [[*rest[: after + 1], *s, *rest[after + 1 :]] for s in (segment, segment[::-1])]
    return found


def test_lengths_close_the_tour() -> None:
    square = torch.tensor([[[0.0, 0], [0, 1], [1, 1], [1, 0]]])
    distance = distance_matrix(square)
    assert tour_lengths(distance, torch.tensor([[0, 1, 2, 3]])).tolist() == [4.0]
    several = tour_lengths(distance, torch.tensor([[[0, 1, 2, 3], [0, 2, 1, 3]]]))
    assert several.tolist() == [[4.0, pytest.approx(2 + 2 * 2**0.5)]]


def test_the_nearest_neighbour_comes_next() -> None:
    distance = distance_matrix(points(5, 9))
    tours = nearest_neighbour(distance, torch.arange(5))
    for row, tour in enumerate(tours.tolist()):
        assert tour[0] == row
        for k in range(1, 9):
            left = [c for c in range(9) if c not in tour[:k]]
            assert tour[k] == min(left, key=lambda c: float(distance[row, tour[k - 1], c]))


@pytest.mark.parametrize("move, all_moves", [(two_opt, reversals), (or_opt, moves_of_segments)])
@pytest.mark.parametrize("n", [5, 8])
def test_the_best_move_of_all_is_found(
    n: int, move: Callable[[Tensor], tuple[Tensor, Tensor]], all_moves: Tours
) -> None:
    distance = distance_matrix(points(20, n, n))
    saved, order = move(distance)  # the tour is 0 … n - 1
    for row in range(20):
        start = list(range(n))
        best = min(length(distance[row], tour) for tour in all_moves(start))
        assert length(distance[row], start) - float(saved[row]) == pytest.approx(best)
        assert length(distance[row], order[row].tolist()) == pytest.approx(best)
        assert sorted(order[row].tolist()) == start


def test_local_search_ends_where_no_move_helps() -> None:
    distance = distance_matrix(points(6, 12, 3))
    start = nearest_neighbour(distance)
    tours = local_search(distance, start)
    assert (tour_lengths(distance, tours) <= tour_lengths(distance, start) + 1e-12).all()
    only = local_search(distance, start, (two_opt,))
    for row in range(6):
        here = length(distance[row], tours[row].tolist())
        others = reversals(tours[row].tolist()) + moves_of_segments(tours[row].tolist())
        assert min(length(distance[row], tour) for tour in others) > here - 1e-8
        here = length(distance[row], only[row].tolist())
        assert min(length(distance[row], tour) for tour in reversals(only[row].tolist())) > here - 1e-8


@pytest.mark.parametrize("n", [1, 2, 3])
def test_tours_of_a_few_cities_stay(n: int) -> None:
    tours = torch.arange(n).expand(2, -1)
    assert local_search(distance_matrix(points(2, n)), tours).tolist() == tours.tolist()


def test_iterated_search_finds_the_shortest_of_all_tours() -> None:
    distance = distance_matrix(points(12, 8, 1))
    every = torch.tensor([[0, *tour] for tour in permutations(range(1, 8))])
    best = tour_lengths(distance, every.expand(12, -1, -1)).min(1).values
    found = searched_tours(distance, 20, torch.Generator().manual_seed(0))
    torch.testing.assert_close(tour_lengths(distance, found), best)


def test_all_names_of_a_tour_become_one() -> None:
    cities = points(4, 7, 2)
    distance = distance_matrix(cities)
    tours = local_search(distance, nearest_neighbour(distance))
    wanted = counter_clockwise(cities, tours)
    assert wanted[:, 0].tolist() == [0] * 4
    way = cities.gather(1, wanted[:, :, None].expand(-1, -1, 2))
    after = way.roll(-1, 1)
    assert ((way[..., 0] * after[..., 1] - way[..., 1] * after[..., 0]).sum(1) > 0).all()
    torch.testing.assert_close(tour_lengths(distance, wanted), tour_lengths(distance, tours))
    for shift in range(7):
        for name in (tours.roll(shift, 1), tours.roll(shift, 1).flip(1)):
            assert counter_clockwise(cities, name).tolist() == wanted.tolist()
