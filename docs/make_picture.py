"""Draw docs/images/diamonds.png, the picture of README.md: real beside synthetic diamonds (`make picture`)."""

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.axes
import numpy as np
import pandas as pd

from intarsia_datasets import diamonds
from intarsia_domains.tabular import TabularSynthesizer

REAL, SYNTHETIC, SURFACE, INK, MUTED = "#2a78d6", "#eb6834", "#fcfcfb", "#0b0b0b", "#8a897f"
CLARITIES = ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"]
LABELS = {"carat": "carat", "price": "price, $", "depth": "depth, %", "table": "table, %"}
RANGES = {"carat": (0.2, 3.0), "price": (300, 19_000), "depth": (57, 67), "table": (52, 66)}
TICKS = {"carat": [0.2, 0.5, 1, 2], "price": [500, 2000, 10_000]}


def main() -> None:
    """Fit (or load) a model of the diamonds and draw it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=5.0, help="of training")
    options.add_argument("--model", type=Path, help="a saved model instead of training")
    options.add_argument("--out", type=Path, default=Path(__file__).parent / "images" / "diamonds.png")
    chosen = options.parse_args()
    real = diamonds()
    if chosen.model is None:
        model = TabularSynthesizer(minutes=chosen.minutes).fit(real, target="price")
    else:
        model = TabularSynthesizer.load(chosen.model)
    chosen.out.parent.mkdir(exist_ok=True)
    draw(real, model.sample(len(real)), chosen.out)


def draw(real: pd.DataFrame, synthetic: pd.DataFrame, out: Path) -> None:
    """Marginals above; below, a pair of columns in real rows and in synthetic ones, on the same scale."""
    mpl.use("agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.edgecolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED})
    figure, axes = plt.subplots(2, 4, figsize=(10.5, 5.2), facecolor=SURFACE, layout="constrained")
    for axis, column in zip(axes[0], ("carat", "price", "table", "clarity"), strict=True):
        _marginal(axis, real, synthetic, column)
    for place, (x, y) in enumerate((("carat", "price"), ("depth", "table"))):
        most = _joint(axes[1, 2 * place], real, x, y, f"real {x} and {y}", REAL, None)
        _joint(axes[1, 2 * place + 1], synthetic, x, y, f"synthetic {x} and {y}", SYNTHETIC, most)
    axes[0, 0].legend(frameon=False, loc="upper right", labelcolor=INK)
    figure.savefig(out, dpi=100, facecolor=SURFACE, pil_kwargs={"optimize": True})


def _dress(axis: mpl.axes.Axes, title: str) -> None:
    axis.set_facecolor(SURFACE)
    axis.set_title(title, loc="left", color=INK, fontsize=10)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)


def _marginal(axis: mpl.axes.Axes, real: pd.DataFrame, synthetic: pd.DataFrame, column: str) -> None:
    looks = (("real", real[column], REAL, 1.8, "-"), ("synthetic", synthetic[column], SYNTHETIC, 1.8, "--"))
    if column in RANGES:
        _dress(axis, LABELS[column])
        low, high = RANGES[column]
        edges = np.geomspace(low, high, 61) if column in TICKS else np.arange(low - 0.5, high + 0.6)
        for label, values, color, width, style in looks:
            shares = np.histogram(values.astype(float), edges)[0] / len(values)
            axis.stairs(shares, edges, color=color, linewidth=width, linestyle=style, label=label)
        _scale(axis.xaxis, axis.set_xscale, column)
    else:
        _dress(axis, column)
        places = np.arange(len(CLARITIES))
        for shift, (label, values, color, _, _) in zip((-0.21, 0.21), looks, strict=True):
            shares = values.value_counts(normalize=True).reindex(CLARITIES)
            axis.bar(places + shift, shares, width=0.38, color=color, label=label)
        axis.set_xticks(places, CLARITIES, rotation=45)
    axis.set_yticks([])
    axis.set_ylim(bottom=0)


def _scale(ticks: mpl.axis.Axis, set_scale: object, column: str) -> None:
    if column in TICKS and callable(set_scale):
        set_scale("log")
        ticks.set_major_locator(mpl.ticker.FixedLocator(TICKS[column]))
        ticks.set_major_formatter(lambda value, _: f"{value:,g}")
        ticks.set_minor_locator(mpl.ticker.NullLocator())


def _joint(
    axis: mpl.axes.Axes, table: pd.DataFrame, x: str, y: str, title: str, color: str, most: float | None
) -> float:
    _dress(axis, title)
    edges = [
        np.geomspace(*RANGES[name], 80) if name in TICKS else np.arange(RANGES[name][0], RANGES[name][1] + 0.1, step)
        for name, step in ((x, 0.2), (y, 1.0))
    ]
    counts = np.histogram2d(table[x].astype(float), table[y].astype(float), edges)[0].T
    most = float(np.sqrt(counts.max())) if most is None else most
    ramp = mpl.colors.LinearSegmentedColormap.from_list("ramp", [SURFACE, color, "#101018"])
    axis.pcolormesh(*edges, np.sqrt(counts), cmap=ramp, vmin=0, vmax=most, rasterized=True)
    _scale(axis.xaxis, axis.set_xscale, x)
    _scale(axis.yaxis, axis.set_yscale, y)
    return most


if __name__ == "__main__":
    main()
