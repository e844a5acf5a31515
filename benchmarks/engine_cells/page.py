"""The page of results: a section for each part, and the targets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine_cells import classes, nfe, order, overhead, plots, text, texts
from engine_cells.cell import Verdict, of_part
from engine_cells.noises import MEANING, NOISES
from engine_cells.samplers import SAMPLERS, absent
from engine_cells.tasks import TASKS
from tabular_systems._results import number, table

Cells = Sequence[dict[str, Any]]


def page(done: Cells, commands: Sequence[str], folder: Path) -> tuple[str, list[Verdict]]:
    """Markdown of all that is finished; pictures go to `folder`."""
    verdicts = [*text_verdicts(done), *overhead.verdicts(done), *nfe.verdicts(done)]
    lines = ["# The engine", "", "Commands:", "", *(f"    {x}" for x in commands), ""]
    machines = {str(x["machine"]): x["machine"] for x in done}.values()
    lines += [f"Machine: {x['cpu']}, {x['cores']} cores, {x['memory_gib']} GiB, {x['system']}." for x in machines]
    for title, part in SECTIONS.items():
        section = part(done, folder)
        lines += ["", f"## {title}", "", *section] if section else []
    lines += ["", "## Targets", "", *targets(verdicts)]
    failed = [f"- {x['part']} {x['case']} {x['system']}: {x['error']}" for x in done if "error" in x]
    lines += ["", "## Failed", "", *failed] if failed else []
    return "\n".join(lines).rstrip() + "\n", verdicts


def targets(verdicts: Sequence[Verdict]) -> list[str]:
    """What was asked for, and whether it is so."""
    words = {True: "yes", False: "**no**", None: "not measured"}
    return table(["target", "measured", "met"], [[v.target, v.measured, words[v.met]] for v in verdicts])


def floors_of(done: Cells) -> dict[str, float]:
    """The best n-gram of every text, bits per character."""
    return {x["case"]: min(x["ngrams"]) for x in of_part(done, "text") if x["system"] == "floors"}


def text_verdicts(done: Cells) -> list[Verdict]:
    """Floors as published, and the best noise of each text against them."""
    rows, cells = [], of_part(done, "text")
    for x in cells:
        if "as_published" in x:
            words = ", ".join(f"{b:.3f}" for b in x["ngrams"])
            rows.append(Verdict(f"n-grams of {x['case']} as published", words, x["as_published"]))
    floors = floors_of(done)
    for name in texts.FILES:
        mine = [x for x in cells if x["case"] == f"{name}-gpu" and "test" in x]
        best = min((x["test"]["bpc"] for x in mine), default=None)
        floor = floors.get(name)
        asked = f"{name}: below the n-gram floor with a GPU{'' if floor is None else f' ({floor:.3f})'}"
        met = None if best is None or floor is None else best < floor
        rows.append(Verdict(asked, "–" if best is None else f"{best:.3f}", met))
    return rows


def _text(done: Cells, folder: Path) -> list[str]:
    longer = [{**x, "case": f"{x['case']}-hour"} for x in of_part(done, "hour")]
    cells = of_part(done, "text") + longer
    if not cells:
        return []
    lines = [
        "Bits per character of the test part. For noises it is the continuous-time nelbo with the averaged weights, at "
        "low-discrepancy times, ± its standard error; windows share nothing, and nothing before a window is seen, as "
        "an n-gram sees it. Every noise has the same network (residual convolutions on a CPU, "
        "a transformer on a GPU), optimizer, batches and budget; `hour` is one of them with more of all.",
    ]
    floors = {x["case"]: x for x in cells if x["system"] == "floors"}
    if floors:
        orders = range(text.ORDERS + 1)
        rows = [[name, *(f"{b:.3f}" for b in x["ngrams"])] for name, x in floors.items()]
        lines += ["", "Interpolated Witten-Bell n-grams by order, counted on the training part:", ""]
        lines += table(["text", *map(str, orders)], rows)
        names = list(next(iter(floors.values()))["compressors"])
        head = ["text", *(f"{c}, {how}" for c in names for how in ("alone", "after the training part"))]
        rows = [[n, *(f"{b:.3f}" for c in names for b in x["compressors"][c])] for n, x in floors.items()]
        lines += ["", *table(head, rows), ""]
        lines += [
            f"- {n}: {x['characters']['train']:,} / {x['characters']['valid']:,} / {x['characters']['test']:,} "
            f"characters; {x['split']}."
            for n, x in floors.items()
        ]
    for case in dict.fromkeys(x["case"] for x in cells if "test" in x):
        lines += ["", *_trained(case, [x for x in cells if x["case"] == case and "test" in x], floors_of(done))]
    curves = {case: dict(sorted(x.items())) for case, x in text.curves(cells).items()}
    if plots.text_curves(folder / "engine_text.svg", curves, floors_of(done)):
        lines += ["", "![Bits per character over the time of training](engine_text.svg)"]
    shown = [f"- {x}: {MEANING[x]}" for x in ("mdlm", *NOISES) if any(y["system"] == x for y in cells)]
    return [*lines, "", *shown] if shown else lines


def _trained(case: str, cells: Cells, floors: dict[str, float]) -> list[str]:
    floor = floors.get(case.split("-")[0])
    first = cells[0]
    scale, test = first["scale"], first["test"]
    about = (
        f"{first['device']}; windows of {scale['sites']}, width {scale['width']}, depth {scale['depth']}, about "
        f"{first['parameters'] / 1e6:.1f} M parameters, batches of {scale['batch']}; tested on {test['windows']:,} "
        f"windows, {test['samples']} draws of time and noise each."
    )
    rows = []
    for x in sorted(cells, key=lambda x: x["test"]["bpc"]):
        quarter = next((p["bpc"] for p in x["curve"] if p[_clock(x)] >= 0.25 * x["train_s"]), math.nan)
        bits = x["test"]["bpc"]
        row = [x["system"], f"{bits:.3f} ± {x['test']['standard_error']:.3f}"]
        row += ["–" if floor is None else f"{bits - floor:+.3f}", f"{quarter:.3f}", f"{x['steps']:,}"]
        rows.append([*row, f"{x['train_s']:.0f} {x['clock']}", f"{x['threads']}", number(x["peak_rss_mb"] or 0.0)])
    head = ["noise", "bits per character", "less the n-gram floor", "after a quarter of the time (validation)"]
    return [
        f"### {case}",
        "",
        about,
        "",
        *table([*head, "steps", "seconds of training", "threads", "peak RSS MiB"], rows),
    ]


def _clock(x: dict[str, Any]) -> str:
    return "wall_s" if x["clock"] == "wall" else "cpu_s"


def _overhead(done: Cells, folder: Path) -> list[str]:
    cells = of_part(done, "overhead")
    if not cells:
        return []
    rows, parts = [], []
    for x in cells:
        rows.append([x["case"], x["system"], *_seconds(x)])
        for name, part in x["parts"].items():
            if "by_hand" in part:
                parts.append([x["case"], x["system"], name, *_seconds(part)])
            else:
                ours = part["ours"]
                parts.append([x["case"], x["system"], name, _ms(ours["wall_s"]), "the same", "–", "–", "–"])
    middle = overhead.CASES["text"]
    head = [
        "ours, wall ms",
        "by hand, wall ms",
        "ratio",
        "ratio of CPU seconds",
        "ratio of neighbours: median (middle half)",
    ]
    lines = [
        "A step of ours and a step of MDLM by hand (`engine_cells/mdlm.py`) in turns: medians. Sampling is per step of "
        f"{overhead.SAMPLING_STEPS}; `sampling-cached` lets both skip calls. `text` is a transformer of "
        f"width {middle.width} and depth {middle.depth} on windows of {middle.sites}, `small` one whose own cost hides "
        "less.",
        "",
        *table(["network", "step", *head], rows),
    ]
    return [*lines, "", "With the network's answer given:", "", *table(["network", "step", "what", *head], parts)]


def _seconds(x: dict[str, Any]) -> list[str]:
    ours, theirs = x["ours"], x["by_hand"]
    cpu = ours["cpu_s"] / theirs["cpu_s"] if theirs["cpu_s"] > 0 else math.nan
    words = [_ms(ours["wall_s"]), _ms(theirs["wall_s"]), f"{x['ratio']:.3f}", f"{cpu:.3f}"]
    low, high = x["quartiles_of_ratio"]
    return [*words, f"{x['ratio_of_neighbours']:.3f} ({low:.2f} to {high:.2f})"]


def _ms(seconds: float) -> str:
    return number(1000.0 * seconds)


def _nfe(done: Cells, folder: Path) -> list[str]:
    cells = of_part(done, "nfe")
    if not cells:
        return []
    models = {x["case"]: x for x in cells if x["system"] == "model"}
    lines = [
        "`nfe` counts the rows that went through the network for a sample, so calls that caching spares do not count. "
        "Real draws of the same number stand beside: nothing can be told from the truth below their divergence."
    ]
    pictures: dict[str, Any] = {}
    for case, model in models.items():
        measures = list(model["measures"])
        runs = {x["system"]: x for x in cells if x["case"] == case and "points" in x}
        runs = {name: runs[name] for name in SAMPLERS if name in runs}
        rows = [["real draws", "–", *(f"{model['floor'][m]:.4f}" for m in measures), "–"]]
        for name, x in runs.items():
            rows += [
                [name, f"{p['nfe']:.1f}", *(f"{p['quality'][m]:.4f}" for m in measures), f"{p['cpu_s']:.1f}"]
                for p in x["points"]
            ]
        about = f"{model['rows']:,} samples; the network was trained for {model['steps']:,} steps."
        lines += ["", f"### {case}", "", about]
        lines += ["", *table(["sampler", "nfe", *measures, "CPU s"], rows)]
        series = {n: [(p["nfe"], p["quality"][measures[0]]) for p in x["points"]] for n, x in runs.items()}
        pictures[case] = {"measure": measures[0], "floor": model["floor"][measures[0]], "samplers": series}
    for name in TASKS:
        found = next((m["measures"] for c, m in models.items() if c.startswith(name)), {})
        lines += ["", *(f"- {name}, {key}: {meaning}." for key, meaning in found.items())] if found else []
    if plots.qualities(folder / "engine_nfe.svg", pictures):
        lines += ["", "![Divergence over network calls](engine_nfe.svg)"]
    missing = absent()
    lines += ["", f"Samplers of the engine that are not compared here: {', '.join(missing)}."] if missing else []
    return [*lines, *_exact(cells, folder)]


def _exact(cells: Cells, folder: Path) -> list[str]:
    """The order of leaping schemes, and what caching spares."""
    lines: list[str] = []
    for x in (x for x in cells if x["case"] == "t5"):
        lines += ["", "### Orders, from exact laws", "", order.SETTING]
        for law, schemes in x["orders"].items():
            rows = [
                [name, *(f"{v:.2e}" for v in y["tv"]), ", ".join(f"{s:.2f}" for s in y["slopes"])]
                for name, y in schemes.items()
            ]
            lines += ["", f"Total variation after N steps, {law} law:", ""]
            steps = next(iter(schemes.values()))["steps"]
            lines += table(["scheme", *(f"N = {n}" for n in steps), "slopes"], rows)
        if plots.orders(folder / "engine_order.svg", x["orders"]):
            lines += ["", "![Total variation over steps](engine_order.svg)"]
    for x in (x for x in cells if x["case"] == "t8"):
        rows = [
            [f"{y['sites']}", f"{y['steps']}", f"{y['calls']:.3f}", f"{y['expected']:.3f}", f"{100 * y['off']:+.2f} %"]
            for y in x["caching"]
        ]
        lines += ["", "### Calls that caching leaves", ""]
        lines += table(["sites", "steps", "calls a row", "N (1 - (1 - 1/N)^L)", "off"], rows)
    return lines


def _classes(done: Cells, folder: Path) -> list[str]:
    cells = {(int(x["case"]), x["system"]): x for x in of_part(done, "classes")}
    if not cells:
        return []
    rows = []
    for count in classes.COUNTS:
        for name in classes.SYSTEMS:
            row = [f"{count:,}", name]
            for phase in classes.PHASES:
                x = cells.get((count, f"{name}-{phase}"))
                row += ["–"] * 3 if x is None else [_ms(x["wall_s"]), *_memory(x)]
            rows.append(row)
    head = [f"{phase} {what}" for phase in classes.PHASES for what in ("wall ms", "peak RSS MiB", "of it by steps")]
    return [
        f"{classes.ROWS} rows of {classes.SITES} sites, a transformer of width {classes.WIDTH} and depth 1, every cell "
        "a fresh process; a training step holds the optimizer's. `one-hot` is multinomial diffusion as it is usually "
        "written (`engine_cells/onehot.py`), with a discrete-time loss. The last column is what the steps add to what "
        "torch and the network take.",
        "",
        *table(["classes", "noise", *head], rows),
    ]


def _memory(x: dict[str, Any]) -> list[str]:
    if x["peak_rss_mb"] is None or x["before_mb"] is None:
        return ["–", "–"]
    return [f"{x['peak_rss_mb']:,.0f}", f"{max(0.0, x['peak_rss_mb'] - x['before_mb']):,.0f}"]


SECTIONS: dict[str, Callable[[Cells, Path], list[str]]] = {
    "Text: bits per character": _text,
    "Overhead": _overhead,
    "Quality against network calls": _nfe,
    "Many classes": _classes,
}
