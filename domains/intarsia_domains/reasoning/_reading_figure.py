"""Pictures of a board that was read, as plotly dicts for a report."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from intarsia.report import Figure

from ._digit_reader import Reliability
from ._reading import Reading
from ._solution import Solution

RIGHT, WRONG, FILLED = "#2f6fdb", "#c0342b", "#8fa3bf"


def reading_figure(images: Any, reading: Reading, solution: Solution) -> Figure:
    """The pictures of a square board; in the corner of each cell its value: read, corrected (red), or filled in.

    Args:
        images: (cells, height, width), as they were read.
        reading: of them.
        solution: the board, of `solve_pictures` or `solve`; without values only the pictures are drawn.

    Raises:
        ValueError: the pictures fill no square board.
    """
    pictures = np.asarray(images, dtype=np.float64)
    cells, high, wide = pictures.shape
    side = round(cells**0.5)
    if side * side != cells or cells != len(reading.problem):
        raise ValueError(f"{cells} pictures are no square board of {len(reading.problem)} cells")
    tiles = pictures.reshape(side, side, high, wide).transpose(0, 2, 1, 3).reshape(side * high, side * wide)
    corrected = reading.corrections(solution)
    notes: list[dict[str, Any]] = []
    values: Mapping[Any, Any] = solution.values or {}
    for i, name in enumerate(reading.problem.variables):
        if name in values:
            color = WRONG if name in corrected else RIGHT if reading.seen[i] >= 0 else FILLED
            notes.append(
                {
                    "x": (i % side + 0.86) * wide - 0.5,
                    "y": (i // side + 0.16) * high - 0.5,
                    "text": f"<b>{values[name]}</b>",
                    "showarrow": False,
                    "font": {"color": color, "size": 15},
                }
            )
    layout = {
        "width": 520,
        "height": 540,
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        "title": {"text": f"{len(corrected)} of {int((reading.seen >= 0).sum())} pictures misread"},
        "xaxis": {"visible": False},
        "yaxis": {"visible": False, "autorange": "reversed", "scaleanchor": "x"},
        "annotations": notes,
        "shapes": [_rule(k, side, high, wide, across) for k in range(side + 1) for across in (True, False)],
    }
    heat = {"type": "heatmap", "z": tiles.tolist(), "colorscale": "Greys", "showscale": False, "hoverinfo": "skip"}
    note = "Blue: as the picture was read by itself. Red: corrected by the constraints. Grey: filled in."
    return Figure(title="A board from pictures", panels=[{"data": [heat], "layout": layout}], note=note, width=520)


def reliability_figure(curves: Mapping[str, Reliability]) -> Figure:
    """Share read right against confidence; on the diagonal probabilities are what they say."""
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "line": {"dash": "dot", "color": FILLED},
         "showlegend": False}
    ]  # fmt: skip
    for name, curve in curves.items():
        kept = curve.count > 0
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"{name} (error {curve.ece:.1%})",
                "x": curve.confidence[kept].tolist(),
                "y": curve.right[kept].tolist(),
                "text": [f"{n} pictures" for n in curve.count[kept].tolist()],
            }
        )
    layout = {
        "width": 420,
        "height": 380,
        "xaxis": {"title": {"text": "confidence"}, "range": [0, 1.02]},
        "yaxis": {"title": {"text": "share right"}, "range": [0, 1.02]},
        "legend": {"x": 0.02, "y": 0.98},
    }
    return Figure(title="Reliability", panels=[{"data": data, "layout": layout}], width=420)


def _rule(k: int, side: int, high: int, wide: int, across: bool) -> dict[str, Any]:
    """A line between cells, thicker around boxes of a square size."""
    root = round(side**0.5)
    width = 2.5 if root * root == side and k % root == 0 else 0.6
    at, end = (k * high - 0.5, side * wide - 0.5) if across else (k * wide - 0.5, side * high - 0.5)
    ends = {"x0": -0.5, "x1": end, "y0": at, "y1": at} if across else {"x0": at, "x1": at, "y0": -0.5, "y1": end}
    return {"type": "line", **ends, "line": {"color": RIGHT, "width": width}}
