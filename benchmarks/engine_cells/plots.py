"""Pictures of the results as SVG, where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

STYLE = {
    "svg.hashsalt": "intarsia",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 7,
}


def panels(
    path: Path, titles: Sequence[str], draw: Callable[[int, Any], None], *, across: int = 2, height: float = 3.6
) -> bool:
    """Draw one panel for each title into an SVG file; False, and no file, where matplotlib is not installed."""
    if not titles or find_spec("matplotlib") is None:
        return False
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    down = -(-len(titles) // across)
    with matplotlib.rc_context(STYLE):
        figure, axes = pyplot.subplots(down, across, figsize=(5.2 * across, height * down), squeeze=False)
        for i, place in enumerate(axes.flat):
            if i >= len(titles):
                place.set_axis_off()
                continue
            place.set_title(titles[i])
            draw(i, place)
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
    # trailing blanks of the writer would only make noise in the repository's history
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
    return True


def text_curves(path: Path, curves: Mapping[str, Mapping[str, Any]], floors: Mapping[str, float]) -> bool:
    """Bits per character over the seconds of training, with the best n-gram as a line."""
    cases = list(curves)

    def draw(i: int, place: Any) -> None:
        for system, points in curves[cases[i]].items():
            clock = "wall_s" if cases[i].endswith("-gpu") else "cpu_s"
            place.plot([p[clock] for p in points], [p["bpc"] for p in points], label=system, lw=1.2)
        floor = floors.get(cases[i].split("-")[0])
        if floor is not None:
            place.axhline(floor, color="black", ls=":", lw=1, label="n-gram floor")
        place.set_xlabel("wall seconds" if cases[i].endswith("-gpu") else "CPU seconds")
        place.set_ylabel("bits per character, validation")
        place.legend()

    return panels(path, cases, draw)


def orders(path: Path, found: Mapping[str, Mapping[str, Any]]) -> bool:
    """Total variation over the number of steps."""
    cases = list(found)

    def draw(i: int, place: Any) -> None:
        for scheme, values in found[cases[i]].items():
            ls = "--" if "redrawn" in scheme else "-"
            place.loglog(values["steps"], values["tv"], marker="o", ms=3, ls=ls, lw=1.2, label=scheme)
        _doublings(place)
        place.set_xlabel("steps N")
        place.set_ylabel("total variation")
        place.legend()

    return panels(path, [f"{name} law" for name in cases], draw)


def qualities(path: Path, found: Mapping[str, Mapping[str, Any]]) -> bool:
    """The divergence over network calls, a panel for each model, with that of real draws as a line.

    `found` maps a case to {"measure", "floor", "samplers": {name: [(nfe, value), …]}}.
    """
    cases = list(found)

    def draw(i: int, place: Any) -> None:
        case = found[cases[i]]
        for k, (name, points) in enumerate(case["samplers"].items()):
            ordered = sorted(points)
            x, y = [p[0] for p in ordered], [max(p[1], 1e-6) for p in ordered]
            place.loglog(x, y, marker="osv^D"[k // 10 % 5], ms=3, lw=1, color=f"C{k % 10}", label=name)
        _doublings(place)
        place.axhline(case["floor"], color="black", ls=":", lw=1, label="real draws")
        place.set_xlabel("network calls a row")
        place.set_ylabel(case["measure"])
        place.legend(ncols=2, fontsize=5)

    return panels(path, cases, draw, height=4.2)


def _doublings(place: Any) -> None:
    """Mark powers of two on the axis of steps and calls."""
    place.set_xscale("log", base=2)
    place.xaxis.set_major_formatter("{x:g}")
