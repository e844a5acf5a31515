"""The page of results: a table a task, means over seeds with their range, and the targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dna_cells.systems import SYSTEMS
from dna_cells.targets import targets
from dna_cells.tasks import TASKS
from tabular_systems._results import table

Cells = Sequence[dict[str, Any]]
COLUMNS: dict[str, Callable[[dict[str, Any]], float]] = {
    "nats a base": lambda x: x["nats_per_base"],
    "3-mer / floor": lambda x: x["made"]["js3"] / x["real"]["js3"],
    "6-mer / floor": lambda x: x["made"]["js6"] / x["real"]["js6"],
    "6-mer": lambda x: x["made"]["js6"],
    "floor": lambda x: x["real"]["js6"],
    "places": lambda x: x["made"]["places"],
    "AUC": lambda x: x["made"]["auc"],
    "near copies": lambda x: x["made"]["near_copies"],
    "real ones": lambda x: x["real"]["near_copies"],
    "steps": lambda x: x["training"].get("steps", 0),
}


def page(done: Cells) -> str:
    """Markdown of all that is finished."""
    good = [x for x in done if "error" not in x]
    budgets = sorted({f"{x['budget_cpu_s']:g}" for x in good})
    lines = [
        "# Sequences",
        "",
        f"Command: python benchmarks/dna.py --budget {', '.join(budgets)}, of which a task gets a share. CPU seconds "
        f"of all cells: {sum(x.get('cpu_s', 0.0) for x in good):,.0f}.",
        "",
        *(_machine(good)),
        "Every noise has the same network (`DilatedCNN()`), split, batches and budget. Nats are the held-out bound "
        "(exact for the baselines). k-mer distances are Jensen-Shannon distances (root, base 2) to one half of the "
        "holdout; the floor is the other half at the same n. Means over seeds, with their range. D3 has its own "
        "network at the width of ours, its own loss and 64 steps of its sampler; ours take 128 at most.",
        "",
        "## Targets",
        "",
        *targets(good),
    ]
    for task in TASKS:
        own = [x for x in good if x["task"] == task]
        lines += ["", f"## {task}", "", *_task(own)] if own else []
    failed = [f"- {x['task']} {x['system']} {x['seed']}: {x['error']}" for x in done if "error" in x]
    lines += ["", "## Failed", "", *failed] if failed else []
    return "\n".join(lines).rstrip() + "\n"


def _machine(done: Cells) -> list[str]:
    machines = {str(x["machine"]): x["machine"] for x in done}.values()
    return [f"Machine: {x['cpu']}, {x['cores']} cores, {x['memory_gib']} GiB.\n" for x in machines]


def _task(done: Cells) -> list[str]:
    rows = list[list[str]]()
    for system in SYSTEMS:
        own = [x for x in done if x["system"] == system]
        if own:
            rows.append([system, str(len(own)), *(_range([f(x) for x in own]) for f in COLUMNS.values())])
    lines = table(["system", "seeds", *COLUMNS], rows)
    parts = {
        "sites": _sites,
        "motifs": _motifs,
        "expression": _expression,
        "steering": _steering,
        "constraints": _kept,
    }
    for title, more in parts.items():
        own = [x for x in done if title in x]
        lines += ["", *more(own)] if own else []
    return lines


def _range(values: list[float]) -> str:
    mean = sum(values) / len(values)
    spread = f" ({min(values):.3g} to {max(values):.3g})" if len(values) > 1 else ""
    return f"{mean:.3g}{spread}"


def _sites(done: Cells) -> list[str]:
    rows = [
        [
            x["system"],
            str(x["seed"]),
            f"{x['sites']['entropy']:.4f}",
            f"{x['sites']['kl']:.4f}" if "kl" in x["sites"] else "–",
            f"{x['sites']['held_kl']:.4f}" + (f" ± {x['sites']['error']:.4f}" if "error" in x["sites"] else ""),
            f"{x['sites']['own_nats']:.3f} ± {x['sites']['own_error']:.3f}",
            f"{x['sites']['model_entropy']:.3f}" if "model_entropy" in x["sites"] else "–",
            x["sites"]["how"],
        ]
        for x in done
    ]
    words = (
        "All 4^9 sites, nats: entropy of the counts, KL(counts, model), and the same over held-out occurrences; the "
        "model's own samples by its own score, which is the entropy of its law where the score is exact."
    )
    columns = ["system", "seed", "entropy", "KL", "held-out KL", "own samples", "own entropy", "how"]
    return [words, "", *table(columns, rows)]


def _motifs(done: Cells) -> list[str]:
    names = list(dict.fromkeys(part for x in done for part in x["motifs"]))
    first = next(iter(done[0]["motifs"].values()))
    rows = [
        [
            x["system"],
            str(x["seed"]),
            *(f"{x['motifs'][n][m]:.0f}" if n in x["motifs"] else "–" for n in names for m in first),
        ]
        for x in done
    ]
    columns = [f"{name}: {motif}" for name in names for motif in first]
    words = "Sequences with a motif, per 1,000 (FIMO, p < 1e-4); made ones by the scale of guidance:"
    return [words, "", *table(["system", "seed", *columns], rows)]


def _expression(done: Cells) -> list[str]:
    scales = sorted({scale for x in done for scale in x["expression"]})
    rows = [
        [
            x["system"],
            str(x["seed"]),
            f"{x['oracle']:.3f}",
            *(f"{x['expression'][s]:.3f}" if s in x["expression"] else "–" for s in scales),
        ]
        for x in done
    ]
    words = (
        "Spearman correlation of asked expression and that of an oracle that no generator saw, by guidance scale; "
        "`oracle` is its own on held-out measurements, whose noise bounds it and `real`:"
    )
    return [words, "", *table(["system", "seed", "oracle", *scales], rows)]


def _steering(done: Cells) -> list[str]:
    rows = [
        [str(x["seed"]), name, f"{x['steering']['limit']:.2f}", *(f"{value:.3f}" for value in part.values())]
        for x in done
        for name, part in x["steering"].items()
        if isinstance(part, dict)
    ]
    words = (
        "Designs of high expression, asked for and steered by particles, as the held-out oracle sees them; `limit` is "
        "its 99th percentile of training sequences, `motifs` the correlation of motif hits with the best tenth of them:"
    )
    columns = ["seed", "set", "limit", "median activity", "share above", "motifs", "distinct"]
    return [words, "", *table(columns, rows)]


def _kept(done: Cells) -> list[str]:
    lines = list[str]()
    for x in done:
        own = x["constraints"]
        lines.append(
            f"Designs that keep all constraints: {own['kept']} of {own['of']}, {own['of'] / own['cpu_s']:.0f} a CPU "
            f"second (twice that on two cores; {own['of'] / own['wall_s']:.0f} a second here)."
        )
    return lines
