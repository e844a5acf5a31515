"""One cell: train, draw as many sequences as the reference has with its labels, and compare."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from dna_cells import extras
from dna_cells.cell import Cell
from dna_cells.plan import SCORED
from dna_cells.systems import SYSTEMS
from dna_cells.tasks import Data, halves, load
from intarsia_domains.dna import Sequences, js_distance, k_mer_counts, nearest_edit
from intarsia_domains.dna._metrics import discriminator_auc, place_error
from intarsia_domains.dna._shuffle import pair_shuffled
from tabular_systems._job import cpu_seconds

NEAR = 0.1


def run(cell: Cell, folder: Path, budget: float, threads: int, samples: int) -> dict[str, Any]:
    """All that is measured of a cell; plain JSON."""
    data = load(cell.task, folder, cell.seed)
    reference, other = halves(data, cell.seed, samples)
    wall, cpu = time.perf_counter(), cpu_seconds()
    model = SYSTEMS[cell.system](data, cell.task, budget, threads, cell.seed)
    trained = {"cpu_s": cpu_seconds() - cpu, "wall_s": time.perf_counter() - wall, **model.training}
    cpu = cpu_seconds()
    made = model.sample(len(reference), reference.labels, cell.seed)
    sampled = {"cpu_s": cpu_seconds() - cpu, "n": len(made)}
    scored = data.held.take(np.arange(min(SCORED, len(data.held))))
    nats = -np.asarray(model.score(scored))
    known = np.flatnonzero(np.isfinite(nats))  # the peer scores sequences of one length
    scored, nats = scored.take(known), nats[known]
    result = {
        "n": len(reference),
        "trained_for_s": budget,
        "training": trained,
        "sampling": sampled,
        "nats": float(nats.mean()),
        "nats_error": float(nats.std() / np.sqrt(len(nats))),
        "nats_per_base": float((nats / scored.sequences.lengths).mean()),
        "made": compared(reference.sequences, made, data, cell.seed),
        "real": compared(reference.sequences, other.sequences, data, cell.seed),
        "shuffled": compared(
            reference.sequences, pair_shuffled(other.sequences, cell.seed), data, cell.seed, near=False
        ),
        **extras.measured(cell, data, model, folder),
    }
    result["cpu_s"] = cpu_seconds()
    js = result["made"]["js6"] / result["real"]["js6"]
    result["brief"] = f"{result['nats']:.3f} nats, 6-mer distance {js:.2f} of the floor, {trained['cpu_s']:.0f} CPU s"
    return result


def compared(reference: Sequences, part: Sequences, data: Data, seed: int, *, near: bool = True) -> dict[str, float]:
    """Distances of a set to the reference, at the same n."""
    part = part[np.arange(min(len(part), len(reference)))]
    values = {f"js{k}": js_distance(k_mer_counts(reference, k), k_mer_counts(part, k)) for k in (3, 6)}
    values["places"] = place_error(reference, part)
    values["auc"] = max(0.5, discriminator_auc(reference, part, seed))
    values["distinct"] = len(set(part.texts())) / len(part)
    if near:
        some = part[np.arange(min(len(part), 1000))]
        values["near_copies"] = float((nearest_edit(some, data.train.sequences) <= NEAR * some.lengths).mean())
    return {name: float(value) for name, value in values.items()}
