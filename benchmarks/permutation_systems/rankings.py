"""Rankings: test nats over splits, log loss of what follows in true top-k ballots, divergence from a known law."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from intarsia_domains.permutations import Rankings
from parts import Cell
from permutation_systems._ballot_data import FILES, SYNTHETIC, TEST, TRAIN, ballots, synthetic
from permutation_systems._classical import Law, classical, entropy, nats
from permutation_systems._neural import Neural, neural
from tabular_systems._results import number, table

TOP_K = ("apa-1998-top", "apa-2002-top")
"""The elections again, with all ballots to learn from, and genuine top-k ballots to continue."""
HOLDOUT = 0.2
Cells = Sequence[dict[str, Any]]


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """One wave: every system on every data set that it is for."""
    found = []
    for case in [*FILES, SYNTHETIC, *TOP_K]:
        n = {"agh-2003": 9, "agh-2004": 7, SYNTHETIC: 10}.get(case, 5 if case.startswith("apa") else 4)
        names = [*classical(n), *neural()]
        if case in TOP_K:  # laws that give probabilities to prefixes
            names = [x for x in names if x != "Mallows" and not x.startswith("Lehmer")]
        found += [Cell("rankings", case, name) for name in names]
    return [found]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Fit and score a system on all splits of its data."""
    torch.set_num_threads(1)
    if cell.case == SYNTHETIC:
        return _known_law(cell, options)
    own = cell.case.removesuffix("-top")
    raw = ballots(own, options.data)
    scores, seconds, law = [], [], None
    for split in range(options.splits):
        train, test = _split(raw, cell.case in TOP_K, split)
        law, spent = _fitted(cell, options, train, split)
        seconds.append(spent)
        scores.append(_next_choice(law, test) if cell.case in TOP_K else nats(law, test))
    result = {"nats": scores, "cpu_s": statistics.mean(seconds), "parameters": law.parameters if law else 0}
    if isinstance(law, Neural):
        result |= {"gap": law.gap, "model": law.model.law_.about, "training": law.model.training_}
    shown = raw.complete_rows() if cell.case not in TOP_K else raw
    return result | {"entropy": entropy(shown), "brief": f"{statistics.mean(scores):.4f} nats"}


def _split(raw: Rankings, top: bool, seed: int) -> tuple[Rankings, Rankings]:
    """Training and test ballots: of complete ones; or all to learn from, and true top-2 and top-3 ballots to test."""
    if not top:
        train, test = raw.complete_rows().split(HOLDOUT, seed)
        return train.merge(), test.merge()
    train, test = raw.split(HOLDOUT, seed)
    genuine = (test.lengths > 1) & (test.lengths < raw.n - 1)
    return train.merge(), test.subset(genuine).merge()


def _fitted(cell: Cell, options: argparse.Namespace, train: Rankings, seed: int) -> tuple[Law, float]:
    start = time.process_time()
    known = classical(train.n)
    if cell.system in known:
        law: Law = known[cell.system].fit(train)
    else:
        law = Neural(neural()[cell.system], options.budget, seed).fit(train)
    return law, time.process_time() - start


def _next_choice(law: Law, test: Rankings) -> float:
    """Mean -log p of the last choice that a ballot tells, given those before it."""
    shorter = test.orders.copy()
    shorter[np.arange(len(test)), test.lengths - 1] = -1
    gain = law.log_prob(test.orders) - law.log_prob(shorter)
    return float(-(gain @ test.counts) / test.ballots)


def _known_law(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """KL(truth || model) on fresh rankings, and its standard error."""
    train, _ = synthetic(1, TRAIN)
    test, truth = synthetic(2, TEST)
    law, seconds = _fitted(cell, options, train, 0)
    difference = truth - law.log_prob(test.orders)
    kl, error = float(difference.mean()), float(difference.std() / len(test) ** 0.5)
    result = {"kl": kl, "standard_error": error, "cpu_s": seconds, "parameters": law.parameters}
    if isinstance(law, Neural):
        result |= {"gap": law.gap, "model": law.model.law_.about, "training": law.model.training_}
    return result | {"brief": f"KL {kl:.3f} ± {error:.3f} nats"}


def section(done: Cells) -> list[str]:
    """Markdown of the finished cells, a table for each kind of data."""
    mine = [x for x in done if x["part"] == "rankings" and "error" not in x]
    lines: list[str] = []
    for case in [*FILES, *TOP_K]:
        rows = [x for x in mine if x["case"] == case]
        if rows:
            words = "log loss of the next choice of true top-k ballots" if case in TOP_K else "nats of complete ballots"
            lines += ["", f"### {case}", "", _note(rows, words), "", *_nats_table(rows)]
    known = [x for x in mine if x["case"] == SYNTHETIC]
    if known:
        rows = [[x["system"], f"{x['kl']:.3f} ± {x['standard_error']:.3f}", _gap(x), number(x["cpu_s"])] for x in known]
        lines += ["", "### A known law of ten items", "", f"{TRAIN} rankings to learn from, {TEST} to compare on.", ""]
        lines += table(["system", "KL to the truth", "of it gap", "CPU s"], sorted(rows, key=lambda row: row[1]))
    return lines


def _note(rows: Cells, words: str) -> str:
    splits = max(len(x["nats"]) for x in rows)
    return f"Test {words}, mean over {splits} random splits with {HOLDOUT:.0%} held out, and the range."


def _nats_table(rows: Cells) -> list[list[str]] | list[str]:
    ordered = sorted(rows, key=lambda x: statistics.mean(x["nats"]))
    cells = [
        [
            x["system"],
            f"{statistics.mean(x['nats']):.4f}",
            f"{min(x['nats']):.3f} to {max(x['nats']):.3f}",
            _gap(x),
            number(x["cpu_s"]),
            str(x["parameters"]),
        ]
        for x in ordered
    ]
    return table(["system", "nats", "range", "gap", "CPU s a fit", "parameters"], cells)


def _gap(x: dict[str, Any]) -> str:
    return "exact" if not x.get("gap") else f"{x['gap']:.3f}"
