"""TSPLIB files: instances of the symmetric travelling salesman (.tsp) and tours (.tour, .opt.tour)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia._atomic import write_atomically
from intarsia_domains.permutations._lines import read_lines
from intarsia_domains.permutations._tsplib_distances import (
    AbstractDistances,
    AbstractPlane,
    Ceiling,
    Euclidean,
    Explicit,
    Geographical,
    PseudoEuclidean,
)
from intarsia_domains.permutations._tsplib_sections import Sections, numbered_points, triangle, whole_numbers
from intarsia_domains.tabular._bytes import Source

_PLANES: tuple[type[AbstractPlane], ...] = (Euclidean, Ceiling, PseudoEuclidean, Geographical)
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class TspInstance:
    """Cities to visit.

    Attributes:
        name: of the instance.
        distances: between its cities, as TSPLIB rounds them.
        points: where to draw the cities, (n, 2); None where the file does not say. Of geographical instances these
            are latitude and longitude.
    """

    name: str
    distances: AbstractDistances
    points: NDArray[np.float64] | None = None

    @property
    def n(self) -> int:
        """How many cities."""
        return self.distances.n

    def length(self, tour: ArrayLike) -> int:
        """Length of a closed tour of all cities, numbered from 0.

        Raises:
            ValueError: it does not visit every city once.
        """
        return int(self.distances.length(check_tour(tour, self.n)))


def check_tour(tour: ArrayLike, n: int, where: str = "the tour") -> Integers:
    """The tour as an array (n,); raises ValueError where it does not visit each of the cities 0 … n - 1 once."""
    stops = np.asarray(tour)
    if stops.ndim != 1 or not np.issubdtype(stops.dtype, np.integer):
        raise ValueError(f"{where}: a tour is a list of city numbers, got shape {stops.shape} of {stops.dtype}")
    if ((stops < 0) | (stops >= n)).any():
        stop = stops[(stops < 0) | (stops >= n)][0]
        raise ValueError(f"{where}: there is no city {stop + 1} among {n} (numbered from 1)")
    visits = np.bincount(stops, minlength=n)
    if (visits != 1).any():
        city = int(np.argmax(visits != 1))
        raise ValueError(f"{where}: city {city + 1} (numbered from 1) is visited {visits[city]} times, not once")
    return stops.astype(np.int64)


def read_tsplib(source: Source) -> TspInstance:
    """Read a symmetric instance: EUC_2D, CEIL_2D, ATT, GEO, or EXPLICIT as a full matrix or a triangle by rows.

    Args:
        source: a path, an open file, or `-` for standard input; also compressed by gzip.

    Raises:
        ValueError: another kind of problem or of distances, or coordinates and weights that are missing or no numbers;
            with file and line.
    """
    name, lines = read_lines(source)
    file = Sections.of(name, lines, "TSP")
    n = file.dimension
    drawn = numbered_points(file, "DISPLAY_DATA_SECTION", n) if "DISPLAY_DATA_SECTION" in file.sections else None
    kind = file.facts.get("EDGE_WEIGHT_TYPE", "")
    if kind == Explicit.keyword:
        try:
            distances: AbstractDistances = Explicit(triangle(file, n))
        except ValueError as error:
            raise ValueError(str(error) if str(error).startswith(name) else f"{name}: {error}") from None
        return TspInstance(file.facts.get("NAME", Path(name).stem), distances, drawn)
    for plane in _PLANES:
        if plane.keyword == kind:
            points = numbered_points(file, "NODE_COORD_SECTION", n)
            shown = points if drawn is None else drawn
            return TspInstance(file.facts.get("NAME", Path(name).stem), plane(points), shown)
    known = ", ".join(plane.keyword for plane in _PLANES)
    raise ValueError(f"{name}: distances of type {kind or 'no name'!r} are not known; there are {known} and EXPLICIT")


def read_tour(source: Source, n: int | None = None) -> Integers:
    """The first tour of a TSPLIB file as city numbers from 0, (n,).

    Args:
        source: a path, an open file, or `-` for standard input.
        n: how many cities there must be; by default those of the file.

    Raises:
        ValueError: no tour, or one that does not visit every city once.
    """
    name, lines = read_lines(source)
    file = Sections.of(name, lines, "TOUR")
    stops = whole_numbers(file, "TOUR_SECTION")
    ends = np.flatnonzero(stops < 0)
    stops = stops[: ends[0]] if len(ends) else stops
    if not len(stops):
        raise ValueError(f"{name}: the TOUR_SECTION is empty")
    return check_tour(stops - 1, n or len(stops), name)


def write_tour(tour: ArrayLike, path: str | Path, name: str = "tour", length: int | None = None) -> Path:
    """Write a tour of cities numbered from 0; the file appears whole or not at all."""
    path = Path(path)
    stops = check_tour(tour, len(np.asarray(tour)))
    head = [f"NAME : {name}", *([] if length is None else [f"COMMENT : length {length}"]), "TYPE : TOUR"]
    _write(path, [*head, f"DIMENSION : {len(stops)}", "TOUR_SECTION", *map(str, (stops + 1).tolist()), "-1", "EOF"])
    return path


def write_tsplib(instance: TspInstance, path: str | Path) -> Path:
    """Write an instance; explicit distances as a full matrix. The file appears whole or not at all."""
    path, distances, n = Path(path), instance.distances, instance.n
    head = [f"NAME : {instance.name}", "TYPE : TSP", f"DIMENSION : {n}", f"EDGE_WEIGHT_TYPE : {distances.keyword}"]
    if isinstance(distances, AbstractPlane):
        _write(path, [*head, "NODE_COORD_SECTION", *_coordinates(distances.points), "EOF"])
        return path
    rows = [" ".join(map(str, row)) for row in distances.matrix().tolist()]
    body = ["EDGE_WEIGHT_FORMAT : FULL_MATRIX", "EDGE_WEIGHT_SECTION", *rows]
    if instance.points is not None:
        body = ["DISPLAY_DATA_TYPE : TWOD_DISPLAY", *body, "DISPLAY_DATA_SECTION", *_coordinates(instance.points)]
    _write(path, [*head, *body, "EOF"])
    return path


def _coordinates(points: NDArray[np.float64]) -> list[str]:
    return [f"{k} {x!r} {y!r}" for k, (x, y) in enumerate(points.tolist(), start=1)]


def _write(path: Path, lines: Sequence[str]) -> None:
    write_atomically(path, ("\n".join(lines) + "\n").encode())
