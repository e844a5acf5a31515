"""From finished cells to one Markdown page and one JSON file."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from tabular_systems import _targets

COSTS = ("fit_cpu_s", "fit_wall_s", "sample_cpu_s", "rows_per_s", "peak_rss_mb")


def aggregate(
    cells: Sequence[dict[str, Any]], tables: Iterable[str], systems: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Mean and standard deviation over seeds: `{table: {system: {"metrics", "costs", "errors", …}}}`."""
    order = list(systems)
    results: dict[str, dict[str, Any]] = {}
    for table in tables:
        for system in order:
            mine = [x for x in cells if x["table"] == table and x["system"] == system]
            good = [x for x in mine if "error" not in x]
            if mine:
                results.setdefault(table, {})[system] = {
                    "seeds": [x["seed"] for x in good],
                    "metrics": _metrics(good),
                    "costs": {k: _over_seeds([x.get(k) for x in good]) for k in COSTS},
                    "errors": [f"seed {x['seed']}: {x['error']}" for x in mine if "error" in x],
                    "budgets_cpu_s": sorted({x.get("system_budget_cpu_s", x["budget_cpu_s"]) for x in mine}),
                    "threads": sorted({x["threads"] for x in mine}),
                    "schedules": sorted({_schedule(x) for x in good if x.get("schedule")}),
                    "versions": good[-1].get("versions", {}) if good else {},
                    "finished": sorted(x.get("finished", "") for x in mine),
                }
    return results


def page(
    title: str,
    note: str,
    results: dict[str, dict[str, Any]],
    summaries: dict[str, dict[str, Any]],
    machines: Sequence[dict[str, Any]],
    commands: Sequence[str],
    generative: Sequence[str],
    verdicts: Sequence[dict[str, Any]],
) -> str:
    """The page of results of the tabular benchmark."""
    lines = [f"# {title}", "", note, "", "Commands:", "", *(f"    {x}" for x in commands), ""]
    lines += [f"Machine: {x['cpu']}, {x['cores']} cores, {x['memory_gib']} GiB, {x['system']}." for x in machines]
    for table, systems in results.items():
        about = summaries.get(table, {})
        lines += ["", f"## {table}", "", _about(about), ""]
        lines += [*quality(systems, generative), "", *costs(systems)]
        errors = [f"- {s}: {e}" for s, x in systems.items() for e in x["errors"]]
        lines += ["", "Failed:", "", *errors] if errors else []
    lines += ["", "## Targets", "", *_targets_table(verdicts)] if verdicts else []
    lines += ["", "## Versions", ""]
    seen = {s: x["versions"] for systems in results.values() for s, x in systems.items() if x["versions"]}
    lines += [f"- {s}: {', '.join(f'{k} {v}' for k, v in versions.items())}" for s, versions in seen.items()]
    return "\n".join(lines).rstrip() + "\n"


def quality(systems: dict[str, Any], generative: Sequence[str]) -> list[str]:
    """Metrics in columns, systems in rows, the best generative system of a column in bold."""
    names = list(dict.fromkeys(name for x in systems.values() for name in x["metrics"]))
    best = {name: _best(name, systems, generative) for name in names}
    units = {name: stat["unit"] for x in systems.values() for name, stat in x["metrics"].items()}
    rows = []
    for system, x in systems.items():
        row = [system, str(len(x["seeds"]))]
        for name in names:
            text = spread(x["metrics"].get(name), error=not x["seeds"])
            row.append(f"**{text}**" if system in best[name] else text)
        rows.append(row)
    return table(["system", "seeds", *(f"{x} {units[x] or ''}".strip() for x in names)], rows)


def costs(systems: dict[str, Any]) -> list[str]:
    """What each system took, and its fit in multiples of ours."""
    ours = _targets.value(systems.get("intarsia"), "fit_cpu_s")
    head = ["system", "budget CPU s", "threads", "fit CPU s", "fit / ours", "fit wall s", "sample CPU s", "rows/s"]
    rows = []
    for system, x in systems.items():
        c, fit = x["costs"], _targets.value(x, "fit_cpu_s")
        ratio = f"{fit / ours:.2f}" if fit is not None and ours else "–"
        row = [system, _join(x["budgets_cpu_s"]), _join(x["threads"]), spread(c.get("fit_cpu_s")), ratio]
        row += [spread(c.get(k)) for k in ("fit_wall_s", "sample_cpu_s", "rows_per_s", "peak_rss_mb")]
        rows.append([*row, "; ".join(x["schedules"]) or "–"])
    return table([*head, "peak RSS MB", "share of the published schedule"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return ["| " + " | ".join(str(x).replace("|", "\\|") for x in line) + " |" for line in lines]


def spread(stat: dict[str, Any] | None, *, error: bool = False) -> str:
    """Mean, and the deviation where there are several seeds."""
    if stat is None or stat["mean"] is None:
        return "error" if error else "–"
    mean = number(stat["mean"])
    return mean if stat["sd"] is None else f"{mean} ± {stat['sd']:.2g}"


def number(x: float) -> str:
    """Four significant digits, never in powers of ten for what people read."""
    if x == 0 or not math.isfinite(x):
        return f"{x:g}"
    digits = max(0, 3 - math.floor(math.log10(abs(x))))
    return f"{x:.{min(digits, 5)}f}"


def _metrics(cells: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for metric in (m for x in cells for m in x["metrics"]):
        found.setdefault(metric["name"], {k: metric[k] for k in ("better", "target", "unit", "note")})
    for name, entry in found.items():
        entry |= _over_seeds([m["value"] for x in cells for m in x["metrics"] if m["name"] == name])
    return found


def _over_seeds(values: Sequence[float | None]) -> dict[str, Any]:
    known = [float(x) for x in values if x is not None]
    mean = statistics.fmean(known) if known else None
    return {"mean": mean, "sd": statistics.stdev(known) if len(known) > 1 else None, "n": len(known)}


def _best(name: str, systems: dict[str, Any], generative: Sequence[str]) -> set[str]:
    stats = {s: x["metrics"][name] for s, x in systems.items() if s in generative and name in x["metrics"]}
    stats = {s: x for s, x in stats.items() if x["mean"] is not None}
    signs = {"lower": 1, "higher": -1}
    losses = {
        s: abs(x["mean"] - x["target"]) if x["better"] == "target" else signs[x["better"]] * x["mean"]
        for s, x in stats.items()
    }
    return {s for s, x in losses.items() if x == min(losses.values())} if len(set(losses.values())) > 1 else set()


def _schedule(cell: dict[str, Any]) -> str:
    share = cell.get("share_of_schedule")
    return cell["schedule"] if share is None else f"{100 * share:.0f} %: {cell['schedule']}"


def _about(x: dict[str, Any]) -> str:
    if not x:
        return ""
    return (
        f"{x['train_rows']:,} training rows, {x['holdout_rows']:,} holdout rows, {x['columns']} columns; target "
        f"`{x['target']}`; split: {x['split']}."
    )


def _targets_table(verdicts: Sequence[dict[str, Any]]) -> list[str]:
    words = {True: "yes", False: "**no**", None: "not measured"}
    rows = [
        [v["table"], v["system"], v["target"], "–" if v["measured"] is None else number(v["measured"]), words[v["met"]]]
        for v in verdicts
    ]
    return table(["table", "system", "target", "measured", "met"], rows)


def _join(values: Sequence[float]) -> str:
    return ", ".join(f"{x:g}" for x in values)
