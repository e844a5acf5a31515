"""Pictures of sequences, as plotly dicts: denoising strips, motif maps and logos; logos also by logomaker."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia._extras import require
from intarsia.report import Figure
from intarsia_domains.dna._alphabet import BASES, DNA, PAD
from intarsia_domains.dna._figures import LINE, Panel
from intarsia_domains.dna._motif_hits import Hits
from intarsia_domains.dna._motifs import Motif
from intarsia_domains.dna._sequences import Sequences

COLORS = {"A": "#2e9e5b", "C": "#2f6fdb", "G": "#d9a021", "T": "#c0342b", "U": "#c0342b"}
_TONES = ("#e0712c", "#2f6fdb", "#2e9e5b", "#8a5fbf", "#c0342b", "#d9a021", "#3aa6a6", "#8fa3bf")
_MASK = "rgba(128,140,160,0.25)"
_MOST_ROWS, _MOST_SITES = 40, 400


def strip_figure(states: ArrayLike, times: Sequence[float], title: str = "Denoising") -> Figure:
    """One sequence on its way, a row for each state, from the first to the last.

    Args:
        states: codes (steps, length) in the order in which they are to be shown; 4 and more are masked sites.
        times: what stands beside each state, (steps,).
        title: of the figure.

    Raises:
        ValueError: shapes that do not fit.
    """
    path = np.asarray(states)
    if path.ndim != 2 or len(times) != len(path):
        raise ValueError(f"states are (steps, length) with a time each, got {path.shape} and {len(times)} times")
    letters = np.where(path < BASES, path, BASES).astype(np.int64)
    return Figure(
        title=title,
        panels=[_letters(letters, [f"t = {time:g}" for time in times], DNA.letters)],
        note=f"Sites of one sequence from left to right, a row a step. {_legend(DNA.letters)} Grey: masked.",
        width=640,
    )


def map_figure(sequences: Sequences, hits: Hits) -> Figure:
    """Where motifs lie in the first sequences: an arrow a hit, towards the end of its strand."""
    rows = min(len(sequences), _MOST_ROWS)
    titles = [motif.title for motif in hits.motifs]
    names = [m.title if titles.count(m.title) == 1 else f"{m.title} ({m.name})" for m in hits.motifs]
    traces = [_sticks(sequences, rows)]
    for number, name in enumerate(names):
        own = np.flatnonzero((hits.motif == number) & (hits.row < rows))
        if own.size:
            traces.append(_arrows(hits, own, name, _TONES[number % len(_TONES)]))
    height = 110 + 18 * rows
    layout = {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 10, "b": 80},
        "legend": {"orientation": "h", "y": -60 / height, "yanchor": "top"},
        "xaxis": {"title": {"text": "site"}, "fixedrange": True, "zeroline": False},
        "yaxis": {
            "tickvals": list(range(rows)),
            "ticktext": [name[:16] for name in sequences.names[:rows]],
            "range": [rows - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "automargin": True,
        },
    }
    more = f" The first {rows} of {len(sequences):,} sequences." if rows < len(sequences) else ""
    return Figure(
        title="Motif map",
        panels=[{"data": traces, "layout": layout}],
        note=f"Motif hits by FIMO; an arrow to the left is a hit on the other strand.{more}",
        width=640,
    )


def _sticks(sequences: Sequences, rows: int) -> Panel:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for row in range(rows) for x in (1, int(sequences.lengths[row]), None)],
        "y": [y for row in range(rows) for y in (row, row, None)],
        "line": {"color": LINE, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _arrows(hits: Hits, own: NDArray[np.int64], name: str, tone: str) -> Panel:
    ends = [(int(hits.start[k]) + 1, int(hits.end[k])) for k in own]
    ends = [end[::-1] if hits.flipped[k] else end for end, k in zip(ends, own, strict=True)]
    tips = ["triangle-left" if hits.flipped[k] else "triangle-right" for k in own]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [x for a, b in ends for x in (a, b, None)],
        "y": [y for k in own for y in (int(hits.row[k]), int(hits.row[k]), None)],
        "name": name,
        "line": {"color": tone, "width": 5},
        "marker": {
            "color": tone,
            "size": [size for _ in own for size in (0, 11, 0)],
            "symbol": [symbol for tip in tips for symbol in ("circle", tip, "circle")],
        },
        "hovertemplate": f"{name}, site %{{x}}<extra></extra>",
    }


def logo_figure(sources: Mapping[str, Sequences | Motif]) -> Figure:
    """Information by base and place, one panel for each of `sources`: bars stacked by size, the largest on top."""
    return Figure(
        title="Logos",
        panels=[_logo(name, source) for name, source in sources.items()],
        note="Height of a place: bits of information against uniform bases; of a letter in it: its share.",
        width=420,
    )


def _logo(name: str, source: Sequences | Motif) -> Panel:
    heights = information(source)
    letters = source.alphabet.letters if isinstance(source, Sequences) else DNA.letters
    order = heights.argsort(1, kind="stable")
    traces = list[Panel]()
    for rank in range(BASES):
        base = order[:, rank]
        traces.append(
            {
                "type": "bar",
                "x": list(range(1, len(heights) + 1)),
                "y": heights[np.arange(len(heights)), base].round(4).tolist(),
                "text": [letters[b] for b in base],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "marker": {"color": [COLORS[letters[b]] for b in base]},
                "hovertemplate": "%{text} at %{x}: %{y:.2f} bits<extra></extra>",
            }
        )
    layout = {
        "title": {"text": name, "font": {"size": 13}, "x": 0.02, "y": 0.98},
        "barmode": "stack",
        "bargap": 0.04,
        "height": 240,
        "margin": {"l": 46, "r": 10, "t": 34, "b": 40},
        "showlegend": False,
        "xaxis": {"title": {"text": "site"}, "fixedrange": True, "showgrid": False},
        "yaxis": {"title": {"text": "bits"}, "range": [0, 2], "fixedrange": True},
    }
    return {"data": traces, "layout": layout}


def draw_logo(source: Sequences | Motif, axes: Any = None) -> Any:
    """A logo with stretched letters by logomaker, on matplotlib axes (of their own by default); returns the axes.

    Raises:
        MissingExtraError: logomaker is not installed.
    """
    logomaker: Any = require("logomaker", "dna")
    pandas: Any = require("pandas", "dna")
    letters = source.alphabet.letters if isinstance(source, Sequences) else DNA.letters
    heights = information(source)
    frame = pandas.DataFrame(heights, columns=list(letters), index=np.arange(1, len(heights) + 1))
    logo = logomaker.Logo(frame, ax=axes, color_scheme={letter: COLORS[letter] for letter in letters})
    logo.style_spines(visible=False)
    logo.style_spines(spines=["left", "bottom"], visible=True)
    logo.ax.set_ylim(0, 2)
    logo.ax.set_ylabel("bits")
    return logo.ax


def information(source: Sequences | Motif) -> NDArray[np.float64]:
    """Bits of every base at every place, (length, 4): its share of the place's information (Schneider 1990)."""
    if isinstance(source, Motif):
        probs = source.probs
    else:
        counts = np.stack([(source.codes == base).sum(0) for base in range(BASES)], 1)
        probs = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    some = np.where(probs > 0, probs, 1.0)
    bits = 2.0 + (probs * np.log2(some)).sum(1, keepdims=True)
    return probs * np.where(probs.sum(1, keepdims=True) > 0, bits, 0.0)


def _letters(letters: NDArray[np.int64], names: list[str], bases: str) -> Panel:
    shown = letters[:, :_MOST_SITES]
    tones = [*(COLORS[base] for base in bases), _MASK]
    scale = [[(k + end) / len(tones), tone] for k, tone in enumerate(tones) for end in (0, 1)]
    texts = np.array([*bases, ""])[shown]
    trace = {
        "type": "heatmap",
        "z": shown.tolist(),
        "x": list(range(1, shown.shape[1] + 1)),
        "y": list(range(len(shown))),
        "text": texts.tolist(),
        "texttemplate": "%{text}" if shown.shape[1] <= 60 else "",
        "colorscale": scale,
        "zmin": -0.5,
        "zmax": PAD + 0.5,
        "xgap": 1 if shown.shape[1] <= 120 else 0,
        "ygap": 1,
        "showscale": False,
        "hovertemplate": "site %{x}: %{text}<extra></extra>",
    }
    layout = {
        "height": 80 + 20 * len(shown),
        "margin": {"l": 8, "r": 16, "t": 10, "b": 46},
        "xaxis": {"title": {"text": "site"}, "fixedrange": True, "showgrid": False, "zeroline": False},
        "yaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "autorange": "reversed",
            "fixedrange": True,
            "showgrid": False,
            "automargin": True,
        },
    }
    return {"data": [trace], "layout": layout}


def _legend(bases: str) -> str:
    words = {"#2e9e5b": "green", "#2f6fdb": "blue", "#d9a021": "yellow", "#c0342b": "red"}
    return ", ".join(f"{base} {words[COLORS[base]]}" for base in bases) + "."
