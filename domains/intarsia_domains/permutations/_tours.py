"""Closed tours: lengths, nearest neighbour, and a local search that works on many tours at once.

Distances are (rows, n, n), symmetric; tours are (rows, n), each city once, closed from the last to the first.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Move = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Distances in the order of the tour (rows, n, n) -> what the best move saves (rows,), and the new order of places."""

SAVES = 1e-9
"""A move has to save this share of the tour; rounding must not keep the search going."""

LONGEST = 3
"""Cities that Or-opt moves at once."""


def distance_matrix(points: Tensor) -> Tensor:
    """Euclidean distances of points (rows, n, 2), float64."""
    points = points.double()
    return (points[:, :, None] - points[:, None]).square().sum(-1).sqrt()


def tour_lengths(distance: Tensor, tours: Tensor) -> Tensor:
    """Lengths of tours (rows, n), or of several a row (rows, k, n); float64."""
    after = tours.roll(-1, -1)
    flat = (tours * distance.shape[-1] + after).flatten(1)
    return distance.double().flatten(1).gather(1, flat).view(tours.shape).sum(-1)


def nearest_neighbour(distance: Tensor, start: Tensor | None = None) -> Tensor:
    """Tours that go to the nearest city not yet seen, from city 0 or from `start` (rows,)."""
    rows, n, _ = distance.shape
    here = torch.zeros(rows, dtype=torch.long, device=distance.device) if start is None else start
    seen = torch.zeros((rows, n), dtype=torch.bool, device=distance.device)
    tour = [here]
    for _ in range(n - 1):
        seen[torch.arange(rows), here] = True
        way = distance.gather(1, here[:, None, None].expand(-1, 1, n))[:, 0]
        here = way.masked_fill(seen, torch.inf).argmin(1)
        tour.append(here)
    return torch.stack(tour, 1)


def two_opt(path: Tensor) -> tuple[Tensor, Tensor]:
    """The best exchange of two edges: the places i + 1 … j are turned round (Croes 1958)."""
    rows, n, _ = path.shape
    edge = path.diagonal(1, 1, 2)
    edge = torch.cat([edge, path[:, -1:, 0]], 1)
    saved = edge[:, :, None] + edge[:, None] - path - path.roll((-1, -1), (1, 2))
    upper = torch.ones((n, n), dtype=torch.bool, device=path.device).triu(1)
    best, where = saved.masked_fill(~upper, -torch.inf).flatten(1).max(1)
    i, j = where[:, None] // n, where[:, None] % n
    place = torch.arange(n, device=path.device).expand(rows, -1)
    return best, torch.where((place > i) & (place <= j), i + 1 + j - place, place)


def or_opt(path: Tensor) -> tuple[Tensor, Tensor]:
    """The best move of one to three neighbouring cities to another place, turned round or not (Or 1976)."""
    rows, n, _ = path.shape
    best = torch.full((rows,), -torch.inf, dtype=path.dtype, device=path.device)
    order = torch.arange(n, device=path.device).expand(rows, -1)
    for length in range(1, min(LONGEST, n - 2) + 1):
        saved, turned, first, after = _segments(path, length)
        better = saved > best
        moved = _moved(n, length, first, after, turned)
        best, order = torch.where(better, saved, best), torch.where(better[:, None], moved, order)
    return best, order


def _segments(path: Tensor, length: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Best saving, whether turned round, first place of the segment and the place after which it goes; (rows,)."""
    n = path.shape[1]
    first = torch.arange(n, device=path.device)
    last, before, behind = (first + length - 1) % n, (first - 1) % n, (first + length) % n
    edge = path[:, first, (first + 1) % n]
    removed = path[:, before, first] + path[:, last, behind] - path[:, before, behind]
    after = (first + 1) % n
    # rows of these are segments, columns the places after which they would stand
    straight = path[:, first] + path[:, last][:, :, after]
    turned = path[:, last] + path[:, first][:, :, after]
    added = torch.minimum(straight, turned) - edge[:, None]
    distance = (first[None] - first[:, None]) % n  # from the first place of the segment to the place after which
    allowed = (distance >= length) & (distance < n - 1)
    best, where = (removed[:, :, None] - added).masked_fill(~allowed, -torch.inf).flatten(1).max(1)
    flip = (turned < straight).flatten(1).gather(1, where[:, None])[:, 0]
    return best, flip, where // n, where % n


def _moved(n: int, length: int, first: Tensor, after: Tensor, turned: Tensor) -> Tensor:
    """The order of places after the move: all places are sorted by where they go, counted from the segment."""
    place = torch.arange(n, device=first.device)
    inside = torch.where(turned[:, None], length - place, place + 1) / (length + 1.0)
    key = torch.where(place < length, ((after - first) % n)[:, None] + inside, place.double())
    return (key.argsort(1) + first[:, None]) % n


def local_search(distance: Tensor, tours: Tensor, moves: Sequence[Move] = (two_opt, or_opt)) -> Tensor:
    """Take the best of `moves` in every tour until none shortens it.

    Args:
        distance: (rows, n, n), symmetric.
        tours: (rows, n).
        moves: kinds of moves; `(two_opt,)` for 2-opt alone.

    Returns:
        Tours (rows, n), never longer.
    """
    tours = tours.clone()
    if tours.shape[1] < 4:
        return tours
    active = torch.arange(len(tours), device=tours.device)
    path = _ordered(distance.double(), tours)
    while len(active):
        found = [move(path) for move in moves]
        saved, which = torch.stack([x[0] for x in found]).max(0)
        order = torch.stack([x[1] for x in found])[which, torch.arange(len(active), device=tours.device)]
        goes_on = saved > SAVES * path.diagonal(1, 1, 2).sum(1)
        active, path, order = active[goes_on], path[goes_on], order[goes_on]
        tours[active] = tours[active].gather(1, order)
        path = _ordered(path, order)
    return tours


def _ordered(distance: Tensor, order: Tensor) -> Tensor:
    n = order.shape[1]
    rows = distance.gather(1, order[:, :, None].expand(-1, -1, n))
    return rows.gather(2, order[:, None].expand(-1, n, -1))


def searched_tours(distance: Tensor, kicks: int, rng: torch.Generator | None = None) -> Tensor:
    """Short tours by iterated local search: `kicks` times a random double bridge, kept where it helps.

    It starts from the nearest neighbour. The double bridge is what 2-opt and Or-opt cannot undo at once
    (Martin, Otto & Felten 1991); bridges of near pieces only find less. Cheap enough to label small tours for training.
    """
    best = local_search(distance, nearest_neighbour(distance))
    length = tour_lengths(distance, best)
    rows, n = best.shape
    if n < 8:
        return best
    place = torch.arange(n, device=best.device)
    for _ in range(kicks):
        cuts = torch.rand((rows, n - 1), generator=rng, device=best.device).topk(3, 1).indices.sort(1).values + 1
        piece = (place >= cuts[:, :1]).long() + (place >= cuts[:, 1:2]) + (place >= cuts[:, 2:])
        swapped = torch.tensor([0, 2, 1, 3], device=best.device)[piece]  # A C B D
        kicked = best.gather(1, (swapped * n + place).argsort(1))
        tried = local_search(distance, kicked)
        new = tour_lengths(distance, tried)
        best = torch.where((new < length)[:, None], tried, best)
        length = torch.minimum(new, length)
    return best


def counter_clockwise(points: Tensor, tours: Tensor) -> Tensor:
    """The same tours from city 0 on, in the direction in which the area they enclose is positive.

    A tour has n starts and two directions that are equally right; this picks one by what points look like from
    anywhere, so that a network can learn it. Points are (rows, n, 2), tours (rows, n).
    """
    n = tours.shape[1]
    start = (tours == 0).long().argmax(1)
    place = torch.arange(n, device=tours.device)
    rolled = tours.gather(1, (place + start[:, None]) % n)
    way = points.double().gather(1, rolled[:, :, None].expand(-1, -1, 2))
    after = way.roll(-1, 1)
    area = (way[..., 0] * after[..., 1] - way[..., 1] * after[..., 0]).sum(1)
    turned = rolled.gather(1, ((n - place) % n).expand_as(rolled))
    return torch.where((area < 0)[:, None], turned, rolled)
