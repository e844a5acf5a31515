"""Pictures of an evaluation, as plotly dicts: marginals, associations, and what gives rows away."""

import numpy as np

from intarsia.metrics import nmi_matrix, quantile_codes
from intarsia.report import Figure
from intarsia_domains.tabular._evaluation_tables import Floats, Tables

REAL, FAKE, NEGATIVE = "#8fa3bf", "#e0712c", "#c0342b"
_CLEAR, _BLUE = "rgba(128,140,160,0.07)", "#2f6fdb"
_MOST_PANELS, _MOST_CATEGORIES, _MOST_PAIRED, _BINS = 36, 15, 40, 30


def marginals_figure(tables: Tables, errors: Floats) -> Figure:
    """One small picture a column, numbers first; of many columns, those with the largest errors."""
    size = len(tables.names)
    worst = np.argsort(-np.nan_to_num(errors, nan=-1.0), kind="stable")[:_MOST_PANELS]
    chosen = [j for j in range(size) if j in worst]
    chosen.sort(key=lambda j: len(tables.labels[j]))
    more = f" The {_MOST_PANELS} of {size} columns with the largest errors." if size > len(chosen) else ""
    return Figure(
        title="Marginals",
        panels=[_marginal(tables, j, float(errors[j])) for j in chosen],
        note="Share of rows in percent. Bars: real training rows. Orange: synthetic rows. The number beside "
        f"a name is its shape error. The outermost bins hold the tails.{more}",
        width=250,
    )


def associations_figure(tables: Tables) -> Figure:
    """Normalized mutual information of all pairs: real, synthetic, and the difference."""
    matrices = [
        nmi_matrix(_binned(tables, rows)) * np.where(np.eye(len(tables.names)), np.nan, 1.0)
        for rows in (tables.train, tables.synthetic)
    ]
    strength = np.nan_to_num(matrices[0]).sum(axis=0)
    keep = np.sort(np.argsort(-strength, kind="stable")[:_MOST_PAIRED])
    real, fake = (matrix[np.ix_(keep, keep)] for matrix in matrices)
    names = [tables.names[j] for j in keep]
    top = max(float(np.nanmax(m)) if np.isfinite(m).any() else 0.0 for m in (real, fake)) or 1.0
    difference = fake - real
    reach = max(0.02, float(np.nanmax(np.abs(difference))) if np.isfinite(difference).any() else 0.0)
    all_names = len(tables.names)
    more = f" The {len(keep)} of {all_names} most dependent columns." if len(keep) < all_names else ""
    return Figure(
        title="Pairs of columns",
        panels=[
            _heatmap("Real", real, names, [[0, _CLEAR], [1, _BLUE]], (0.0, top)),
            _heatmap("Synthetic", fake, names, [[0, _CLEAR], [1, _BLUE]], (0.0, top)),
            _heatmap(
                "Synthetic - real",
                difference,
                names,
                [[0, NEGATIVE], [0.5, _CLEAR], [1, _BLUE]],
                (-reach, reach),
            ),
        ],
        note="How much two columns tell about each other (normalized mutual information, 0 to 1). Red in the "
        f"difference: a dependence that was lost. Blue: one that was invented.{more}",
        width=330,
    )


def importances_figure(tables: Tables, importances: Floats, auc: float) -> Figure:
    """Which columns the two-sample classifier used to tell synthetic from training rows."""
    order = np.argsort(importances, kind="stable")[-_MOST_CATEGORIES:]
    weak = " It hardly beats chance here, so this is mostly noise." if auc < 0.52 else ""
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": (100 * importances[order]).tolist(),
        "y": list(range(len(order))),
        "marker": {"color": FAKE},
        "hovertemplate": "%{x:.1f} %<extra></extra>",
    }
    layout = {
        "height": 70 + 24 * len(order),
        "margin": {"l": 10, "r": 20, "t": 10, "b": 40},
        "bargap": 0.35,
        "xaxis": {"title": {"text": "share of the classifier's gain, %"}, "rangemode": "tozero", "fixedrange": True},
        "yaxis": _named([tables.names[j] for j in order], 28),
    }
    return Figure(
        title="What gives synthetic rows away",
        panels=[{"data": [trace], "layout": layout}],
        note=f"Columns by their share in the C2ST against train, whose AUC is {auc:.3f}.{weak}",
        width=700,
    )


def _marginal(tables: Tables, j: int, error: float) -> dict[str, object]:
    real, fake = tables.train[:, j], tables.synthetic[:, j]
    known = f" · {error:.1f} %" if np.isfinite(error) else ""
    title = {"text": _short(tables.names[j], 24) + known, "font": {"size": 13}, "x": 0.02, "y": 0.97}
    layout: dict[str, object] = {
        "title": title,
        "height": 220,
        "margin": {"l": 8, "r": 12, "t": 34, "b": 8},
        "showlegend": False,
        "bargap": 0,
        "yaxis": {"rangemode": "tozero", "nticks": 5, "fixedrange": True},
        "xaxis": {"fixedrange": True, "showgrid": False, "nticks": 5},
    }
    if tables.categorical[j]:
        return _categories(real, fake, tables.labels[j], layout)
    return _histogram(real, fake, tables.kinds[j] == "datetime", layout)


def _histogram(real: Floats, fake: Floats, dates: bool, layout: dict[str, object]) -> dict[str, object]:
    real, fake = real[np.isfinite(real)], fake[np.isfinite(fake)]
    everything = np.concatenate([real, fake])
    if not everything.size:
        return {"data": [], "layout": {**layout, "xaxis": {"title": {"text": "no values"}, "showticklabels": False}}}
    edges = _edges(np.quantile(everything, [0.002, 0.998]), everything)
    centers = (edges[:-1] + edges[1:]) / 2
    shares = [np.histogram(np.clip(x, edges[0], edges[-1]), edges)[0] / max(x.size, 1) * 100 for x in (real, fake)]
    where: list[object] = centers.tolist()
    if dates:
        where = [str(x) for x in centers.astype("datetime64[ns]").astype("datetime64[s]")]
    bars = {"type": "bar", "x": where, "y": shares[0].tolist(), "name": "real", "marker": {"color": REAL}}
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": where,
        "y": shares[1].tolist(),
        "name": "synthetic",
        "line": {"color": FAKE, "width": 2, "shape": "hvh"},
    }
    template = "%{y:.2f} %"
    return {"data": [{**bars, "hovertemplate": template}, {**line, "hovertemplate": template}], "layout": layout}


def _edges(ends: Floats, values: Floats) -> Floats:
    low, high = float(ends[0]), float(ends[1])
    if high <= low:
        low, high = float(values.min()), float(values.max())
    few = np.unique(values[(values >= low) & (values <= high)][:50_000])
    if 1 < few.size <= _BINS and np.allclose(few, np.round(few)):  # small whole numbers: one bin each
        step = max(1.0, np.ceil((high - low + 1) / _BINS))
        return np.arange(low - 0.5, high + step, step)
    if high <= low:
        return low + np.array([-0.5, 0.5]) * max(abs(low), 1.0)
    return np.linspace(low, high, _BINS + 1)


def _categories(real: Floats, fake: Floats, labels: list[str], layout: dict[str, object]) -> dict[str, object]:
    counts = [np.bincount(x[~np.isnan(x)].astype(np.int64), minlength=len(labels)) for x in (real, fake)]
    shares = [100 * count / max(count.sum(), 1) for count in counts]
    top = np.argsort(-(shares[0] + shares[1]), kind="stable")[:_MOST_CATEGORIES][::-1]
    named = [labels[code] for code in top]
    values = [share[top].tolist() for share in shares]
    if len(labels) > len(top):  # the rest, as one bar
        named = [f"{len(labels) - len(top)} others", *named]
        values = [[100 - sum(part), *part] for part in values]
    places = list(range(len(named)))
    bars = {"type": "bar", "orientation": "h", "x": values[0], "y": places, "marker": {"color": REAL}}
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": values[1],
        "y": places,
        "marker": {"color": FAKE, "size": 12, "symbol": "line-ns", "line": {"color": FAKE, "width": 3}},
    }
    template = "%{x:.2f} %"
    traces = [
        {**bars, "name": "real", "hovertemplate": template},
        {**dots, "name": "synthetic", "hovertemplate": template},
    ]
    axes = {
        "xaxis": {"rangemode": "tozero", "nticks": 5, "fixedrange": True},
        "yaxis": {**_named(named, 18), "showgrid": False},
    }
    height = max(220, 70 + 18 * len(named))
    return {"data": traces, "layout": {**layout, **axes, "bargap": 0.3, "height": height}}


def _heatmap(
    title: str, z: Floats, names: list[str], scale: list[list[object]], span: tuple[float, float]
) -> dict[str, object]:
    size = len(names)
    pairs = [[f"{_short(a, 30)} and {_short(b, 30)}" for b in names] for a in names]
    trace = {
        "type": "heatmap",
        "z": z.tolist(),
        "x": list(range(size)),
        "y": list(range(size)),
        "text": pairs,
        "colorscale": scale,
        "zmin": span[0],
        "zmax": span[1],
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "%{text}: %{z:.3f}<extra></extra>",
        "colorbar": {
            "orientation": "h",
            "thickness": 8,
            "y": 1.0,
            "yanchor": "bottom",
            "len": 0.9,
            "nticks": 5,
            "outlinewidth": 0,
        },
    }
    heading = {
        "text": title,
        "font": {"size": 13},
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 1.0,
        "yanchor": "bottom",
        "yshift": 44,
    }
    layout = {
        "annotations": [heading],  # plotly moves a title off the picture, away from the color bar
        "height": 430,
        "margin": {"l": 8, "r": 8, "t": 74, "b": 8},
        "xaxis": {**_named(names, 14), "tickangle": -90, "showgrid": False},
        "yaxis": {**_named(names, 14), "autorange": "reversed", "showgrid": False},
    }
    return {"data": [trace], "layout": layout}


def _binned(tables: Tables, rows: Floats) -> Floats:
    columns = [
        rows[:, j] if tables.categorical[j] else quantile_codes(tables.train[:, j], rows[:, j])
        for j in range(len(tables.names))
    ]
    return np.stack(columns, axis=1)


def _named(names: list[str], length: int) -> dict[str, object]:
    """An axis of named places; numbers carry them, since shortened names may coincide."""
    texts = [_short(name, length) for name in names]
    return {"tickvals": list(range(len(names))), "ticktext": texts, "fixedrange": True, "zeroline": False}


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
