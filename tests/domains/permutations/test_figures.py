"""Pictures: the numbers in them, and that a report takes them."""

import numpy as np
import pytest

from intarsia.processes import RiffleWalk
from intarsia.report import Figure, Report
from intarsia_domains.permutations import (
    Rankings,
    jigsaw_figure,
    mixing_figure,
    pairwise_figure,
    rank_figure,
    strip_figure,
    tour_figure,
)

VOTES = Rankings.of([["b", "a", "c"], ["b", "c", "a"], ["b"], ["a", "b", "c"]])


def data(figure: Figure, panel: int = 0, trace: int = 0) -> dict:
    return figure.panels[panel]["data"][trace]  # type: ignore[index, return-value]


def layout(figure: Figure, panel: int = 0) -> dict:
    return figure.panels[panel]["layout"]  # type: ignore[return-value]


def test_ranks_are_shares_of_ballots_by_borda_score() -> None:
    figure = rank_figure({"votes": VOTES, "others": Rankings.of([["c", "a", "b"]])})
    assert layout(figure)["yaxis"]["ticktext"] == ["b", "a", "c"]
    assert data(figure)["z"] == [[75, 25, 0], [25, 25, 25], [0, 25, 50]]
    assert data(figure, 1)["z"] == [[0, 0, 100], [0, 100, 0], [100, 0, 0]]  # in the order of the first panel
    assert data(figure, 1)["zmax"] == data(figure)["zmax"] == 100


def test_pairs_are_shares_of_the_ballots_that_tell() -> None:
    z = np.array(data(pairwise_figure({"votes": VOTES}))["z"])
    assert z[0, 1:].tolist() == [75, 100]
    assert z[1, 2] == pytest.approx(100 * 2 / 3)  # one ballot leaves both out
    assert np.isnan(z.diagonal()).all()


def test_mixing_is_bayer_and_diaconis_with_the_schedule_on_it() -> None:
    figure = mixing_figure(RiffleWalk(52), (0, 5, 6, 7, 10, 13))
    assert data(figure)["y"][5:8] == pytest.approx([0.9237, 0.6135, 0.3341], abs=5e-5)
    assert data(figure, trace=1)["x"] == [0, 5, 6, 7, 10, 13]
    jumps = [note["text"] for note in layout(figure)["annotations"]]
    assert jumps == ["1.00", "0.63", "0.33", "0.29", "0.04"]  # those of the published schedule
    assert data(mixing_figure(RiffleWalk(9)), trace=1)["x"] == [0, 3, 4, 9]


def test_strips_follow_every_item() -> None:
    figure = strip_figure([[2, 0, 1], [0, 2, 1], [0, 1, 2]], [5, 2, 0], ["a", "b", "c"])
    lines = figure.panels[0]["data"]
    assert [line["y"] for line in lines] == [[1, 0, 0], [2, 2, 1], [0, 1, 2]]  # type: ignore[union-attr, index]
    assert layout(figure)["xaxis"]["ticktext"] == ["5", "2", "0"]
    assert layout(figure)["yaxis"]["ticktext"] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="a time each and a name an item"):
        strip_figure([[0, 1]], [1, 0], ["a", "b"])


def test_tours_are_closed_and_measured() -> None:
    square = [[0, 0], [3, 0], [3, 4], [0, 4]]
    figure = tour_figure(square, {"round": [0, 1, 2, 3], "crossed": [1, 3, 0, 2]}, {"crossed": 1234})
    assert (data(figure)["x"], data(figure)["y"]) == ([0, 3, 3, 0, 0], [0, 0, 4, 4, 0])
    assert [layout(figure, k)["title"]["text"] for k in range(2)] == ["round · 14", "crossed · 1,234"]
    with pytest.raises(ValueError, match="'bad' does not visit each of the 4 cities once"):
        tour_figure(square, {"bad": [0, 1, 2, 2]})
    with pytest.raises(ValueError, match="finite"):
        tour_figure([[0, np.nan]], {})


@pytest.mark.parametrize("colours", [False, True])
def test_jigsaws_put_the_picture_together(colours: bool) -> None:
    picture = np.arange(24.0).reshape(4, 6)
    if colours:
        picture = np.stack([picture, picture, 255 - picture], -1)
    pieces = np.stack([picture[2 * r : 2 * r + 2, 2 * c : 2 * c + 2] for r in range(2) for c in range(3)])
    figure = jigsaw_figure(pieces, {"before": [5, 1, 2, 3, 4, 0], "after": range(6)}, columns=3)
    assert np.array_equal(data(figure, 1)["z"], picture)
    assert np.array_equal(np.array(data(figure)["z"])[:2, :2], pieces[5])
    assert len(layout(figure)["shapes"]) == 3
    with pytest.raises(ValueError, match="multiple of 4"):
        jigsaw_figure(pieces, {}, columns=4)
    with pytest.raises(ValueError, match="each of the 6 pieces once"):
        jigsaw_figure(pieces, {"bad": [0] * 6}, columns=3)


def test_many_items_are_named_sparsely() -> None:
    votes = Rankings(tuple(f"item {k}" for k in range(100)), np.arange(100)[None])
    figure = rank_figure({"votes": votes})
    assert len(layout(figure)["yaxis"]["ticktext"]) <= 40
    assert len(layout(figure)["xaxis"]["ticktext"]) <= 12
    assert "texttemplate" not in data(figure)


def test_a_report_shows_them() -> None:
    pytest.importorskip("plotly")
    page = Report(title="r", figures=[rank_figure({"<b>": VOTES}), pairwise_figure({"v": VOTES})]).to_html()
    assert "Items by rank" in page
    assert "<b>" not in page.partition("<script>")[0]
