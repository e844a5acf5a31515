"""Pictures of an evaluation, as plotly dicts: k-mers, motifs and activities, generated beside real."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from intarsia.report import Figure
from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._k_mers import k_mer_counts
from intarsia_domains.dna._motif_hits import Hits
from intarsia_domains.dna._sequences import Sequences

REAL, FAKE, LINE = "#8fa3bf", "#e0712c", "rgba(128,140,160,0.6)"
_WORDS = (3, 6)
Panel = dict[str, object]


def k_mer_figure(real: Sequences, generated: Sequences) -> Figure:
    """Shares of 3-mers and 6-mers, real against generated."""
    panels = list[Panel]()
    for k in _WORDS:
        counts = [k_mer_counts(part, k) for part in (real, generated)]
        shares = [100 * count / max(int(count.sum()), 1) for count in counts]
        top = max(float(share.max()) for share in shares) * 1.05 or 1.0
        names = real.alphabet.decode(_words(k)) if k == _WORDS[0] else [""] * BASES**k
        dots = {
            "type": "scatter",
            "mode": "markers+text" if k == _WORDS[0] else "markers",
            "x": shares[0].round(5).tolist(),
            "y": shares[1].round(5).tolist(),
            "text": names,
            "textposition": "top center",
            "textfont": {"size": 8},
            "marker": {"color": FAKE, "size": 6 if k == _WORDS[0] else 3, "opacity": 0.6},
            "hovertemplate": "%{text} real %{x:.3f} %, generated %{y:.3f} %<extra></extra>",
        }
        layout = {
            "title": {"text": f"{k}-mers", "font": {"size": 13}, "x": 0.02, "y": 0.98},
            "height": 380,
            "margin": {"l": 50, "r": 16, "t": 34, "b": 46},
            "showlegend": False,
            "xaxis": {"title": {"text": "real, %"}, "range": [0, top], "fixedrange": True},
            "yaxis": {"title": {"text": "generated, %"}, "range": [0, top], "fixedrange": True},
        }
        panels.append({"data": [_diagonal(top), dots], "layout": layout})
    return Figure(
        title="k-mers",
        panels=panels,
        note="One dot a word: its share among all words of that length. On the line they agree.",
        width=380,
    )


def motif_figure(real: Hits, generated: Hits) -> Figure:
    """Share of sequences with each motif, real against generated."""
    x, y = 100 * real.shares(), 100 * generated.shares()
    top = max(float(x.max()), float(y.max()), 1.0) * 1.05
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": x.tolist(),
        "y": y.tolist(),
        "text": [f"{motif.title} ({motif.name})" for motif in real.motifs],
        "marker": {"color": FAKE, "size": 6, "opacity": 0.7},
        "hovertemplate": "%{text}: real %{x:.1f} %, generated %{y:.1f} %<extra></extra>",
    }
    layout = {
        "height": 380,
        "margin": {"l": 50, "r": 16, "t": 14, "b": 46},
        "showlegend": False,
        "xaxis": {"title": {"text": "real, %"}, "range": [0, top], "fixedrange": True},
        "yaxis": {"title": {"text": "generated, %"}, "range": [0, top], "fixedrange": True},
    }
    return Figure(
        title="Motifs",
        panels=[{"data": [_diagonal(top), dots], "layout": layout}],
        note="One dot a motif: share of the sequences with at least one hit on either strand.",
        width=420,
    )


def activity_figure(activities: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Distribution of the predicted activity of each set, as its distribution function."""
    tones = [FAKE, REAL, "#2f6fdb", "#2e9e5b", "#8a5fbf", "#c0342b"]
    traces = list[Panel]()
    for number, (name, values) in enumerate(activities.items()):
        x = np.quantile(values, np.linspace(0, 1, 101))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x.tolist(),
                "y": list(range(101)),
                "name": name,
                "line": {"color": tones[number % len(tones)], "width": 3 if number == 0 else 1.5},
                "hovertemplate": f"{name}: %{{y:.0f}} % below %{{x:.3g}}<extra></extra>",
            }
        )
    layout = {
        "height": 340,
        "margin": {"l": 50, "r": 16, "t": 14, "b": 90},
        "legend": {"orientation": "h", "y": -0.24, "yanchor": "top"},
        "xaxis": {"title": {"text": "predicted activity"}, "fixedrange": True},
        "yaxis": {"title": {"text": "sequences below, %"}, "range": [0, 100], "fixedrange": True},
    }
    return Figure(
        title="Activity under the oracle",
        panels=[{"data": traces, "layout": layout}],
        note="Share of the sequences whose predicted activity lies below a value.",
        width=560,
    )


def _diagonal(top: float) -> Panel:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [0, top],
        "y": [0, top],
        "line": {"color": LINE, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _words(k: int) -> NDArray[np.uint8]:
    return (np.arange(BASES**k)[:, None] // BASES ** np.arange(k - 1, -1, -1) % BASES).astype(np.uint8)
