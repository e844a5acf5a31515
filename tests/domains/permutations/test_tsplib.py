"""TSPLIB files: the rounding of distances, every layout of a matrix, tours, and errors with lines."""

import io
import math
from pathlib import Path

import numpy as np
import pytest

from intarsia_domains.permutations import TspInstance, read_tour, read_tsplib, write_tour, write_tsplib
from intarsia_domains.permutations._tsplib_distances import Ceiling, Euclidean, Explicit, Geographical, PseudoEuclidean

MATRIX = np.array([[0, 3, 5, 9], [3, 0, 4, 8], [5, 4, 0, 7], [9, 8, 7, 0]])
ULYSSES = [  # the first four of Groetschel's 16 places of the Odyssey, and the last
    (38.24, 20.42), (39.57, 26.15), (40.56, 25.32), (36.26, 23.12), (37.56, 12.19),
]  # fmt: skip


def instance(kind: str, body: str, n: int = 4, head: str = "") -> TspInstance:
    text = f"NAME: small\nTYPE: TSP\nDIMENSION : {n}\nEDGE_WEIGHT_TYPE: {kind}\n{head}{body}EOF\n"
    return read_tsplib(io.StringIO(text))


def explicit(form: str, *numbers: int) -> TspInstance:
    body = "EDGE_WEIGHT_SECTION\n" + "\n".join(map(str, numbers)) + "\n"
    return instance("EXPLICIT", body, head=f"EDGE_WEIGHT_FORMAT: {form} \n")


def test_plane_distances_round_as_prescribed() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 2.5], [3.0, 4.0]])
    assert Euclidean(points).matrix()[0].tolist() == [0, 1, 3, 5]  # 1.41, 2.5 (halves up), 5
    assert Ceiling(points).matrix()[0].tolist() == [0, 2, 3, 5]
    # over √10: .447 rounds to 0 and is raised to 1, .79 rounds to 1, 1.58 rounds to 2
    assert PseudoEuclidean(points).matrix()[0].tolist() == [0, 1, 1, 2]


def test_pseudo_euclidean_of_a_whole_number_stays() -> None:
    assert PseudoEuclidean(np.array([[0.0, 0.0], [30.0, 10.0]])).matrix()[0, 1] == 10


def test_geographical_distances_are_those_of_ulysses16() -> None:
    """A loop in pure Python, and the published 509 from Ithaca to Troy."""
    found = Geographical(np.array(ULYSSES)).matrix()

    def radians(x: float) -> float:
        return 3.141592 * (int(x) + 5.0 * (x - int(x)) / 3.0) / 180.0

    for i, (a, b) in enumerate(ULYSSES):
        for j, (c, d) in enumerate(ULYSSES):
            q1, q2 = math.cos(radians(b) - radians(d)), math.cos(radians(a) - radians(c))
            q3 = math.cos(radians(a) + radians(c))
            expected = int(6378.388 * math.acos(0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)) + 1.0)
            assert found[i, j] == (0 if i == j else expected)
    assert found[0, 1] == 509


def test_degrees_south_and_west_are_cut_towards_zero() -> None:
    """-0.30 is half a degree south, not 1.3 degrees less 1."""
    along = Geographical(np.array([[-0.30, 0.0], [0.30, 0.0], [0.0, 0.0]])).matrix()
    assert along[0].tolist() == [0, 112, 56]  # one degree is 111.3 km, half of it 55.7, cut off and one more


@pytest.mark.parametrize(
    "form, numbers",
    [
        ("FULL_MATRIX", [0, 3, 5, 9, 3, 0, 4, 8, 5, 4, 0, 7, 9, 8, 7, 0]),
        ("UPPER_ROW", [3, 5, 9, 4, 8, 7]),
        ("LOWER_ROW", [3, 5, 4, 9, 8, 7]),
        ("UPPER_DIAG_ROW", [0, 3, 5, 9, 0, 4, 8, 0, 7, 0]),
        ("LOWER_DIAG_ROW", [0, 3, 0, 5, 4, 0, 9, 8, 7, 0]),
        ("UPPER_COL", [3, 5, 4, 9, 8, 7]),
    ],
)
def test_every_layout_is_the_same_matrix(form: str, numbers: list[int]) -> None:
    read = explicit(form, *numbers)
    assert (read.distances.matrix() == MATRIX).all()
    assert read.length([0, 1, 2, 3]) == 3 + 4 + 7 + 9
    assert read.points is None
    assert read.name == "small"


def test_display_coordinates_and_unsorted_cities() -> None:
    read = instance("EUC_2D", "NODE_COORD_SECTION\n2 0 3\n1 0 0\n3 4e0 3.0\n4 4 0\n")
    assert read.points is not None
    assert read.points.tolist() == [[0, 0], [0, 3], [4, 3], [4, 0]]
    assert read.distances.length([[0, 1, 2, 3], [0, 2, 1, 3]]).tolist() == [14, 18]
    shown = explicit("UPPER_ROW", 3, 5, 9, 4, 8, 7)
    assert shown.n == 4


@pytest.mark.parametrize("kind", [Euclidean, Ceiling, PseudoEuclidean, Geographical])
def test_written_instances_are_read_back(tmp_path: Path, kind: type) -> None:
    points = np.random.default_rng(0).uniform(-80, 80, (6, 2))
    path = write_tsplib(TspInstance("mine", kind(points), points), tmp_path / "mine.tsp")
    again = read_tsplib(path)
    assert again.points is not None
    assert (again.points == points).all()
    assert type(again.distances) is kind
    assert again.name == "mine"


def test_written_matrices_keep_where_to_draw(tmp_path: Path) -> None:
    points = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]])
    again = read_tsplib(write_tsplib(TspInstance("m", Explicit(MATRIX), points), tmp_path / "m.tsp"))
    assert (again.distances.matrix() == MATRIX).all()
    assert again.points is not None
    assert (again.points == points).all()


def test_tours_end_at_minus_one_and_start_at_zero(tmp_path: Path) -> None:
    text = "NAME : a.opt.tour\nTYPE : TOUR\nDIMENSION : 4\nTOUR_SECTION\n1 3\n4\n2\n-1\nEOF\n"
    tour = read_tour(io.StringIO(text))
    assert tour.tolist() == [0, 2, 3, 1]
    path = write_tour(tour, tmp_path / "a.tour", "a", length=7)
    assert read_tour(path, 4).tolist() == tour.tolist()
    with pytest.raises(ValueError, match=r"city 5 .* is visited 0 times"):
        read_tour(path, 5)
    with pytest.raises(ValueError, match=r"city 2 .* is visited 2 times"):
        read_tour(io.StringIO(text.replace("4\n2", "2\n2")))
    with pytest.raises(ValueError, match="TOUR_SECTION is empty"):
        read_tour(io.StringIO(text.replace("1 3\n4\n2\n", "")))
    with pytest.raises(ValueError, match="no city 9 among 4"):
        read_tour(io.StringIO(text.replace("4\n2", "9\n2")))


@pytest.mark.parametrize(
    "kind, body, message",
    [
        ("EUC_2D", "NODE_COORD_SECTION\n1 0 0\n2 nan 0\n3 1 1\n4 2 2\n", "line 7: city 2: .* finite number, got 'nan'"),
        ("EUC_2D", "NODE_COORD_SECTION\n1 0 0\n2 x 0\n3 1 1\n4 2 2\n", "line 7: city 2: .*got 'x'"),
        ("EUC_2D", "NODE_COORD_SECTION\n1 0 0\n1 1 0\n3 1 1\n4 2 2\n", "line 7: city 1 is listed twice"),
        ("EUC_2D", "NODE_COORD_SECTION\n1 0 0\n2 1 0\n3 1 1\n", "city 4 has no line in NODE_COORD_SECTION"),
        ("EUC_2D", "NODE_COORD_SECTION\n1 0 0\n5 1 0\n", "line 7: a city is `number x y` with a number from 1 to 4"),
        ("EUC_2D", "NODE_COORD_SECTION\n1 0\n", "line 6: a city is"),
        ("EUC_2D", "", "there is no NODE_COORD_SECTION"),
        ("EUC_2D", "1 0 0\n", "line 5: a line is `KEY : VALUE`"),
        ("XRAY1", "NODE_COORD_SECTION\n", "distances of type 'XRAY1' are not known"),
        ("EXPLICIT", "EDGE_WEIGHT_SECTION\n1\n", "EDGE_WEIGHT_FORMAT is one of"),
    ],
)
def test_broken_instances_are_refused_with_the_line(kind: str, body: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"the open file.*{message}"):
        instance(kind, body)


def test_weights_are_counted_and_symmetric() -> None:
    with pytest.raises(ValueError, match="UPPER_ROW of 4 cities has 6 weights, got 3"):
        explicit("UPPER_ROW", 1, 2, 3)
    with pytest.raises(ValueError, match=r"the open file: .*from city 1 to 2 it is 3 but 2 back"):
        explicit("FULL_MATRIX", 0, 3, 5, 9, 2, 0, 4, 8, 5, 4, 0, 7, 9, 8, 7, 0)
    with pytest.raises(ValueError, match="is of type ATSP, not TSP"):
        read_tsplib(io.StringIO("TYPE: ATSP\n"))
    with pytest.raises(ValueError, match="DIMENSION is the number of cities, at least 3, got ''"):
        read_tsplib(io.StringIO("TYPE: TSP\n"))
