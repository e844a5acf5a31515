"""Pictures of rankings and of noise on permutations, as plotly dicts for a report."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia.processes import AbstractWalk, merged_shuffles, shuffle_distance
from intarsia.report import Figure
from intarsia_domains.permutations._consensus import borda_scores, pairwise_matrix, rank_matrix
from intarsia_domains.permutations._rankings import Rankings

BLUE, ORANGE, RED, GREY, CLEAR = "#2f6fdb", "#e0712c", "#c0342b", "#8fa3bf", "rgba(128,140,160,0.07)"
_MOST_NAMED, _MOST_NUMBERED = 40, 12
Panel = dict[str, object]


def rank_figure(parts: Mapping[str, Rankings]) -> Figure:
    """Which item stands at which rank, one panel for each of `parts`; items by Borda score in the first of them."""
    by_score = np.argsort(-borda_scores(next(iter(parts.values()))), kind="stable")
    shares = {title: rank_matrix(_same(parts, part)) / part.ballots * 100 for title, part in parts.items()}
    top = max(float(share.max()) for share in shares.values())
    return Figure(
        title="Items by rank",
        panels=[
            _heatmap(title, share[by_score], _names(_first(parts), by_score), [[0, CLEAR], [1, BLUE]], (0.0, top))
            for title, share in shares.items()
        ],
        note="Share of ballots, in percent, that put the item at the rank; the best rank is on the left.",
        width=340 if len(by_score) <= _MOST_NAMED else 560,
    )


def pairwise_figure(parts: Mapping[str, Rankings]) -> Figure:
    """Who is put before whom, one panel for each of `parts`; items by Borda score in the first of them."""
    by_score = np.argsort(-borda_scores(next(iter(parts.values()))), kind="stable")
    panels: list[Panel] = []
    for title, part in parts.items():
        wins = pairwise_matrix(_same(parts, part))[np.ix_(by_score, by_score)]
        both = wins + wins.T
        share = np.where(both > 0, 100 * wins / np.maximum(both, 1), np.nan)
        names = _names(_first(parts), by_score)
        panels.append(_heatmap(title, share, names, [[0, RED], [0.5, CLEAR], [1, BLUE]], (0.0, 100.0), names))
    return Figure(
        title="Pairs",
        panels=panels,
        note="Share of ballots, in percent, that put the item of the row before that of the column, among those that "
        "tell. Rows and columns go from the best to the worst Borda score: red above the diagonal is a pair that goes "
        "against it.",
        width=360 if len(by_score) <= _MOST_NAMED else 560,
    )


def mixing_figure(walk: AbstractWalk, counts: Sequence[int] | None = None) -> Figure:
    """How far the noise is from uniform after each shuffle, with the counts at which a model looks marked.

    Args:
        walk: kind of shuffle.
        counts: where the model looks, from 0 to the last; `merged_shuffles` by default.
    """
    marks = tuple(merged_shuffles(walk) if counts is None else counts)
    every = list(range(marks[-1] + 1))
    far = [shuffle_distance(walk, count) for count in every]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": every,
        "y": far,
        "name": "from uniform",
        "line": {"color": GREY, "width": 2},
        "marker": {"size": 4},
        "hovertemplate": "after %{x} shuffles: %{y:.4f}<extra></extra>",
    }
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": list(marks),
        "y": [far[count] for count in marks],
        "name": "where the model looks",
        "marker": {"size": 12, "color": ORANGE, "symbol": "circle-open", "line": {"width": 3}},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    jumps = [
        {
            "x": (s + t) / 2,
            "y": 1.04,
            "yanchor": "bottom",
            "text": f"{shuffle_distance(walk, s, t):.2f}",
            "showarrow": False,
            "font": {"color": ORANGE},
        }
        for s, t in pairwise(marks)
    ]
    thin = {"color": ORANGE, "width": 1, "dash": "dot"}
    stems = [{"type": "line", "x0": t, "x1": t, "y0": 0, "y1": 1.1, "line": thin} for t in marks]
    layout = {
        "height": 320,
        "margin": {"l": 60, "r": 20, "t": 14, "b": 84},
        "legend": {"orientation": "h", "y": -0.24, "yanchor": "top"},
        "annotations": jumps,
        "shapes": stems,
        "xaxis": {"title": {"text": "shuffles"}, "fixedrange": True, "zeroline": False},
        "yaxis": {"title": {"text": "total variation"}, "range": [0, 1.18], "fixedrange": True, "nticks": 5},
    }
    return Figure(
        title=f"Mixing of {walk.n} items",
        panels=[{"data": [line, dots], "layout": layout}],
        note="Total variation between the law of so many shuffles and the uniform law. Numbers on top: between two "
        "neighbouring marks, the jump that one reverse step has to undo.",
        width=560,
    )


def strip_figure(states: ArrayLike, times: Sequence[float], items: Sequence[str], title: str = "Denoising") -> Figure:
    """How the items of one permutation move, a line for each, from the first state to the last.

    Args:
        states: item numbers by place, (steps, n), in the order in which they are to be shown.
        times: what stands under each state, (steps,): shuffle counts, or t.
        items: names by number.
        title: of the figure.

    Raises:
        ValueError: shapes that do not fit.
    """
    path = np.asarray(states)
    if path.ndim != 2 or len(times) != len(path) or len(items) != path.shape[1]:
        raise ValueError(
            f"states are (steps, n) with a time each and a name an item, got {path.shape}, {len(times)} times and "
            f"{len(items)} names"
        )
    place = np.argsort(path, 1)
    n = path.shape[1]
    lines = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": list(range(len(path))),
            "y": place[:, k].tolist(),
            "name": str(items[k]),
            "line": {"color": _shade(place[-1, k] / max(n - 1, 1)), "width": 3, "shape": "spline", "smoothing": 0.6},
            "marker": {"size": 7},
            "hovertemplate": "%{fullData.name}: place %{y}<extra></extra>",
        }
        for k in range(n)
    ]
    names = [str(items[k]) for k in path[-1]]
    layout = {
        "height": max(240, 90 + 22 * min(n, _MOST_NAMED)),
        "margin": {"l": 20, "r": 20, "t": 12, "b": 46},
        "showlegend": False,
        "xaxis": {
            "tickvals": list(range(len(path))),
            "ticktext": [f"{time:g}" for time in times],
            "title": {"text": "t"},
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {**_places(names, 18), "autorange": "reversed", "side": "right", "showgrid": False},
    }
    return Figure(
        title=title,
        panels=[{"data": lines, "layout": layout}],
        note="One line an item; its colour is the place where it ends. The first place is on top.",
        width=560,
    )


def _heatmap(
    title: str,
    z: NDArray[np.float64],
    names: list[str],
    scale: list[list[object]],
    span: tuple[float, float],
    columns: list[str] | None = None,
) -> Panel:
    across = [str(k + 1) for k in range(z.shape[1])] if columns is None else columns
    gap = 1 if len(names) <= _MOST_NAMED else 0
    trace = {
        "type": "heatmap",
        "z": z.tolist(),
        "x": list(range(len(across))),
        "y": list(range(len(names))),
        "text": [[f"{_short(a, 30)}, {_short(b, 30)}" for b in across] for a in names],
        "colorscale": scale,
        "zmin": span[0],
        "zmax": span[1],
        "xgap": gap,
        "ygap": gap,
        "hovertemplate": "%{text}: %{z:.1f} %<extra></extra>",
        "colorbar": {"thickness": 8, "len": 0.9, "nticks": 5, "outlinewidth": 0, "ticksuffix": " %"},
    }
    if z.size <= 144:
        trace["texttemplate"] = "%{z:.0f}"
    most, angle = (_MOST_NUMBERED, 0) if columns is None else (_MOST_NAMED, -90)
    axis = {**_places(across, 12, most), "showgrid": False, "side": "top", "tickangle": angle}
    layout = {
        "title": {"text": title, "font": {"size": 13}, "x": 0.02, "y": 0.98},
        "height": max(220, min(110 + 26 * len(names), 620)),
        "margin": {"l": 8, "r": 8, "t": 60, "b": 8},
        "xaxis": {**axis, "automargin": True},
        "yaxis": {**_places(names, 18), "autorange": "reversed", "showgrid": False, "automargin": True},
    }
    return {"data": [trace], "layout": layout}


def _same(parts: Mapping[str, Rankings], part: Rankings) -> Rankings:
    """`part` with the items in the order of the first of `parts`."""
    return part.at_least_one("a picture").over(_first(parts).items)


def _first(parts: Mapping[str, Rankings]) -> Rankings:
    return next(iter(parts.values()))


def _names(rankings: Rankings, order: NDArray[np.int64]) -> list[str]:
    return [rankings.items[k] for k in order]


def _places(names: Sequence[str], length: int, most: int = _MOST_NAMED) -> Panel:
    """An axis of named places, thinned out where there are too many; shortened names may coincide."""
    step = max(1, -(-len(names) // most))
    shown = list(range(0, len(names), step))
    texts = [_short(names[k], length) for k in shown]
    return {"tickvals": shown, "ticktext": texts, "fixedrange": True, "zeroline": False}


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _shade(share: float) -> str:
    """From blue, first, to orange, last."""
    first, last = (47, 111, 219), (224, 113, 44)
    return "rgb(" + ",".join(str(round(a + (b - a) * share)) for a, b in zip(first, last, strict=True)) + ")"
