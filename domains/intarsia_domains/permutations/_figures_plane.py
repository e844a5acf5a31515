"""Pictures of arrangements in the plane, as plotly dicts for a report: tours and jigsaws."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia.report import Figure
from intarsia_domains.permutations._figures import BLUE, ORANGE, Panel

_DOT_BY_DOT = 200


def tour_figure(
    points: ArrayLike, tours: Mapping[str, ArrayLike], lengths: Mapping[str, float] | None = None
) -> Figure:
    """Closed tours through the same cities, one panel each.

    Args:
        points: coordinates of the cities, (n, 2), x to the right and y up.
        tours: city numbers from 0 in the order of the visit, (n,), by title.
        lengths: shown beside the titles; by default the Euclidean lengths.

    Raises:
        ValueError: coordinates that are not finite, or a tour that is no order of the cities.
    """
    places = np.asarray(points, dtype=float)
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise ValueError(f"cities are finite coordinates (n, 2), got shape {places.shape}")
    panels: list[Panel] = []
    for title, tour in tours.items():
        stops = np.asarray(tour)
        if not np.array_equal(np.sort(stops), np.arange(len(places))):
            raise ValueError(f"the tour {title!r} does not visit each of the {len(places)} cities once")
        path = places[np.append(stops, stops[0])]
        length = (lengths or {}).get(title, float(np.hypot(*np.diff(path, axis=0).T).sum()))
        panels.append(_tour(f"{title} · {length:,.4g}" if length < 1000 else f"{title} · {length:,.0f}", path))
    return Figure(title="Tours", panels=panels, note="The open circle is where the tour starts.", width=340)


def jigsaw_figure(pieces: ArrayLike, orders: Mapping[str, ArrayLike], columns: int) -> Figure:
    """One picture put together in several ways, one panel each, as before and after.

    Args:
        pieces: grey values (n, height, width) or colours from 0 to 255 (n, height, width, 3).
        orders: numbers of pieces by place, row by row from the top left, (n,), by title.
        columns: pieces side by side.

    Raises:
        ValueError: shapes that do not fit.
    """
    parts = np.asarray(pieces)
    if parts.ndim not in (3, 4) or len(parts) % columns or (parts.ndim == 4 and parts.shape[-1] != 3):
        raise ValueError(
            f"pieces are (n, height, width) or (n, height, width, 3) with n a multiple of {columns}, got {parts.shape}"
        )
    span = (float(parts.min()), float(parts.max()))
    panels: list[Panel] = []
    for title, order in orders.items():
        places = np.asarray(order)
        if not np.array_equal(np.sort(places), np.arange(len(parts))):
            raise ValueError(f"the order {title!r} does not use each of the {len(parts)} pieces once")
        panels.append(_picture(title, _joined(parts[places], columns), span, (len(parts) // columns, columns)))
    return Figure(title="Jigsaw", panels=panels, note="Thin lines are the edges of the pieces.", width=220)


def _tour(title: str, path: NDArray[np.float64]) -> Panel:
    line = {
        "type": "scatter",
        "mode": "lines+markers" if len(path) <= _DOT_BY_DOT else "lines",
        "x": path[:, 0].tolist(),
        "y": path[:, 1].tolist(),
        "line": {"color": BLUE, "width": 2 if len(path) <= _DOT_BY_DOT else 1},
        "marker": {"size": 5, "color": BLUE},
        "hoverinfo": "skip",
    }
    start = {
        "type": "scatter",
        "mode": "markers",
        "x": [float(path[0, 0])],
        "y": [float(path[0, 1])],
        "marker": {"size": 12, "color": ORANGE, "symbol": "circle-open", "line": {"width": 3}},
        "hoverinfo": "skip",
    }
    bare = {"visible": False, "fixedrange": True}
    layout = {
        "title": {"text": title, "font": {"size": 13}, "x": 0.02, "y": 0.98},
        "height": 340,
        "margin": {"l": 12, "r": 12, "t": 36, "b": 12},
        "showlegend": False,
        "xaxis": bare,
        "yaxis": {**bare, "scaleanchor": "x"},
    }
    return {"data": [line, start], "layout": layout}


def _joined(pieces: NDArray[np.generic], columns: int) -> NDArray[np.generic]:
    """Pieces (n, height, width, …) as one picture."""
    n, height, width = pieces.shape[:3]
    grid = pieces.reshape(n // columns, columns, height, width, *pieces.shape[3:])
    return grid.swapaxes(1, 2).reshape(n // columns * height, columns * width, *pieces.shape[3:])


def _picture(title: str, picture: NDArray[np.generic], span: tuple[float, float], grid: tuple[int, int]) -> Panel:
    height, width = picture.shape[:2]
    trace: Panel = {"type": "image", "z": picture.tolist(), "hoverinfo": "skip"}
    if picture.ndim == 2:
        low, high = span
        scale = [[0, "rgb(0,0,0)"], [1, "rgb(255,255,255)"]]
        trace = {"type": "heatmap", "z": picture.tolist(), "zmin": low, "zmax": high, "colorscale": scale}
        trace |= {"showscale": False, "hoverinfo": "skip"}
    cuts = [(k * width / grid[1] - 0.5, True) for k in range(1, grid[1])]
    cuts += [(k * height / grid[0] - 0.5, False) for k in range(1, grid[0])]
    style = {"color": ORANGE, "width": 1}
    lines = [
        {"type": "line", "line": style, "x0": at, "x1": at, "y0": -0.5, "y1": height - 0.5}
        if upright
        else {"type": "line", "line": style, "y0": at, "y1": at, "x0": -0.5, "x1": width - 0.5}
        for at, upright in cuts
    ]
    bare = {"visible": False, "fixedrange": True}
    layout = {
        "title": {"text": title, "font": {"size": 13}, "x": 0.02, "y": 0.98},
        "height": 240,
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        "shapes": lines,
        "xaxis": {**bare, "constrain": "domain"},
        "yaxis": {**bare, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain"},
    }
    return {"data": [trace], "layout": layout}
