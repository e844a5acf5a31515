"""What the project wants of sequences, and whether the finished cells show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dna_cells.systems import NOISES
from dna_cells.tasks import TASKS
from tabular_systems._results import table

Cells = Sequence[dict[str, Any]]
ASKED, OTHER = {"ctcf": "MA0139.2", "pu1": "MA0080.7"}, {"ctcf": "MA0080.7", "pu1": "MA0139.2"}


def targets(done: Cells) -> list[str]:
    """A row for each target that some cell speaks of."""
    rows = [*_sites(done), *_spectra(done), *_motifs(done), *_expression(done), *_designs(done)]
    return table(["target", "got", "met"], [[words, got, "yes" if met else "no"] for words, got, met in rows])


Row = tuple[str, str, bool]


def _of(done: Cells, task: str, key: str | None = None) -> Cells:
    return [x for x in done if x["task"] == task and (key is None or key in x)]


def _sites(done: Cells) -> list[Row]:
    own = [x for x in _of(done, "sites", "sites") if x["system"] in NOISES]
    if not own:
        return []
    best = min(own, key=lambda x: x["sites"].get("kl", x["sites"]["held_kl"]))
    value = best["sites"].get("kl", best["sites"]["held_kl"])
    # what the counts themselves are away from the law that they are drawn from: states over twice the draws
    error = 10_227 / (2 * 298_479)
    words = f"5' splice sites: KL of the best noise at most 0.05 nats and the sampling error {error:.3f}"
    return [(words, f"{best['system']} {value:.4f}", value <= 0.05 + error)]


def _spectra(done: Cells) -> list[Row]:
    rows = list[Row]()
    for task in TASKS:
        own = _of(done, task)
        for k in ("js3", "js6"):
            ratios = {
                system: [x["made"][k] / x["real"][k] for x in own if x["system"] == system]
                for system in (*NOISES, "autoregressive", "d3")
            }
            means = {system: float(np.mean(values)) for system, values in ratios.items() if values}
            noises = {system: value for system, value in means.items() if system in NOISES}
            if not noises:
                continue
            best = min(noises, key=lambda system: noises[system])
            rows.append((f"{task}: {k} at most 1.3 of the floor", f"{best} {noises[best]:.2f}", noises[best] <= 1.3))
            for peer in ("autoregressive", "d3"):
                if peer in means:
                    # small sets may tie: worse only where the intervals over seeds are apart
                    met = min(ratios[best]) <= max(ratios[peer])
                    rows.append((f"{task}: {k} not behind {peer}", f"{noises[best]:.2f} to {means[peer]:.2f}", met))
        copies = [x for x in own if x["system"] in NOISES]
        if copies:
            most = max(copies, key=lambda x: x["made"]["near_copies"] - x["real"]["near_copies"])
            made, real, n = most["made"]["near_copies"], most["real"]["near_copies"], min(most["n"], 1000)
            slack = 2 * float(np.sqrt(2 * max(real, 1 / n) * (1 - min(real, 1 - 1 / n)) / n))
            got = f"{most['system']} {made:.3f} to {real:.3f}"
            rows.append((f"{task}: no more near-copies than real ones (two errors)", got, made <= real + slack))
    return rows


def _motifs(done: Cells) -> list[Row]:
    rows = list[Row]()
    own = [x for x in _of(done, "peaks", "motifs") if x["system"] in NOISES]
    for factor in ASKED:
        found = list[tuple[bool, float, str]]()
        for x in own:
            real = x["motifs"][f"real {factor}"]
            for name, made in x["motifs"].items():
                if name.startswith(f"made {factor}"):
                    share = made[ASKED[factor]] / real[ASKED[factor]]
                    other = made[OTHER[factor]] / max(real[OTHER[factor]], 1.0)
                    words = f"{x['system']} {x['seed']}, {name}: {share:.2f} and {other:.2f}"
                    found.append((share >= 0.9 and other <= 1.5, share, words))
        if found:
            met, _, words = max(found)
            rows.append((f"peaks: {factor}'s motif at least 0.9 of real, the other at most 1.5", words, met))
    return rows


def _expression(done: Cells) -> list[Row]:
    own = [x for x in _of(done, "yeast", "expression") if x["system"] in NOISES]
    found = [
        (value, f"{x['system']} {x['seed']}, {name}: {value:.3f}")
        for x in own
        for name, value in x["expression"].items()
        if name.startswith("made")
    ]
    if not found:
        return []
    value, words = max(found)
    return [("yeast: Spearman of asked and predicted expression at least 0.8", words, value >= 0.8)]


def _designs(done: Cells) -> list[Row]:
    rows = list[Row]()
    for x in _of(done, "peaks", "constraints"):
        own = x["constraints"]
        rate = 2 * own["of"] / own["cpu_s"]
        got = f"{own['kept']} of {own['of']}, {rate:.0f} a second"
        words = f"seed {x['seed']}: 1,000 designs keep all constraints, 50 a second on two cores"
        rows.append((words, got, own["kept"] == own["of"] and rate >= 50))
    for x in _of(done, "yeast", "steering"):
        made = x["steering"]["steered"]
        got = f"{made['activity']:.2f} to {x['steering']['limit']:.2f}, motifs {made['motifs']:.2f}"
        met = made["activity"] > x["steering"]["limit"] and made["motifs"] >= 0.85
        rows.append((f"seed {x['seed']}: steered above the top percentile, motif correlation 0.85", got, met))
    return rows
