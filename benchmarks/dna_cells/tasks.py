"""The data: training rows, rows for a judge that no generator sees, and rows held out from both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intarsia_domains.dna import disjoint_parts, read_labelled
from intarsia_domains.dna._raw import Rows

SHARES = (0.7, 0.12, 0.18)
MOST_HELD = 6000
"""Rows held out at most; halves of 3,000 are what published floors are of. `--samples` takes fewer."""


@dataclass(frozen=True)
class Data:
    """Disjoint rows.

    Args:
        train: of the generator.
        judge: of an oracle.
        held: of the comparison.
        condition: the label that is asked for, or None.
    """

    train: Rows
    judge: Rows
    held: Rows
    condition: str | None


def load(name: str, folder: Path, seed: int) -> Data:
    """Read and divide: equal sequences, and chromosomes where there are any, stay in one part."""
    task = TASKS[name]
    path = folder / "dna" / f"{task.file}.csv.gz"
    if not path.exists():
        raise FileNotFoundError(f"there is no {path.name} in {path.parent}; say where the data is with --data PATH")
    found = read_labelled(path)
    rows = Rows(found.sequences, found.labels)
    rows = rows.take(np.flatnonzero(rows.sequences.is_known()))
    if task.counts is not None:
        return _counted(rows, rows.labels[task.counts], seed)
    groups = None if task.group is None else task.group(rows)
    parts = disjoint_parts(rows.sequences, task.shares, groups=groups, seed=seed)
    rng = np.random.default_rng(seed)
    train, judge, held = (rng.permutation(part) for part in parts)  # files are ordered
    kept = () if task.condition is None else (task.condition,)
    rows = Rows(rows.sequences, {name: rows.labels[name] for name in kept})
    return Data(rows.take(train), rows.take(judge), rows.take(held[:MOST_HELD]), task.condition)


@dataclass(frozen=True)
class Task:
    """A file and what is done with it.

    Args:
        file: its name.
        condition: the label that sequences are asked to have.
        group: rows that stay together.
        counts: the label that says how often a sequence occurs.
        shares: of the rows for training, for the judge, and held out.
        budget: share of the budget of a training, by how much there is to learn.
        length: letters of a sequence, for the expected cost.
        reference: sequences in half of the holdout, for the expected cost.
    """

    file: str
    condition: str | None = None
    group: Callable[[Rows], list[Any]] | None = None
    counts: str | None = None
    shares: tuple[float, float, float] = SHARES
    budget: float = 1.0
    length: int = 100
    reference: int = 3000


def _chromosomes(rows: Rows) -> list[Any]:
    return [str(region).partition(":")[0] for region in rows.labels["region"]]


def _counted(rows: Rows, counts: Any, seed: int) -> Data:
    """Occurrences in random order: a tenth is held out, and sequences may stand on both sides, as they should."""
    every = np.repeat(np.arange(len(rows)), np.asarray(counts).astype(int))
    every = np.random.default_rng(seed).permutation(every)
    out = len(every) // 10
    bare = Rows(rows.sequences, {})
    return Data(bare.take(every[2 * out :]), bare.take(every[out : 2 * out]), bare.take(every[:out]), None)


TASKS: dict[str, Task] = {
    "sites": Task("human_5ss_counts_9nt", counts="count", budget=1 / 3, length=9),
    "splice": Task("uci_splice", "class", budget=0.15, length=60, reference=270),
    "promoters": Task("ecoli_promoters_81bp", "promoter", budget=0.2, length=81, reference=515),
    "enhancers": Task("ienhancer_200bp", "enhancer", budget=0.25, length=200, reference=267),
    "peaks": Task("ctcf_pu1_peaks_100bp", "factor", _chromosomes),
    # a random library: its judge needs as many rows as its generator
    "yeast": Task(
        "yeast_random_promoters_dream_demo",
        "expression",
        shares=(0.5, 0.35, 0.15),
        budget=0.45,
        length=110,
        reference=475,
    ),
    "tata": Task("epd_tata_promoters_300bp", "species", budget=0.45, length=300, reference=541),
}


def halves(data: Data, seed: int, most: int = MOST_HELD // 2) -> tuple[Rows, Rows]:
    """The reference, and real sequences that are compared with it as any others are; each of at most `most` rows."""
    order = np.random.default_rng(seed).permutation(len(data.held))
    n = min(len(order) // 2, most)
    return data.held.take(order[:n]), data.held.take(order[n : 2 * n])
