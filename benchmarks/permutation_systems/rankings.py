"""Rankings: test nats over splits, log loss of what follows in true top-k ballots, divergence from a known law."""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from engine_cells.cell import Verdict, of_part
from intarsia_domains.permutations import Rankings
from parts import Cell
from permutation_systems._ballot_data import FILES, SYNTHETIC, TEST, TRAIN, ballots, synthetic
from permutation_systems._classical import Law, classical, entropy, nats
from permutation_systems._neural import Neural, neural
from tabular_systems._results import number, table

TOP_K = ("apa-1998-top", "apa-2002-top")
"""The elections again, with all ballots to learn from, and genuine top-k ballots to continue."""
HOLDOUT = 0.2
OURS = "default"
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
        result |= _of_model(law)
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
        result |= _of_model(law)
    return result | {"brief": f"KL {kl:.3f} ± {error:.3f} nats"}


def _of_model(law: Neural) -> dict[str, Any]:
    gap = law.gap if math.isfinite(law.gap) else "not known"
    return {"gap": gap, "model": law.model.law_.about, "training": law.model.training_}


def section(done: Cells) -> list[str]:
    """Markdown of the finished cells, a table for each kind of data."""
    mine = of_part(done, "rankings")
    lines: list[str] = []
    for case in [*FILES, *TOP_K]:
        rows = [x for x in mine if x["case"] == case]
        if rows:
            words = "log loss of the next choice of true top-k ballots" if case in TOP_K else "nats of complete ballots"
            lines += ["", f"### {case}", "", _note(rows, words), "", *_nats_table(rows)]
    known = [x for x in mine if x["case"] == SYNTHETIC]
    if known:
        known.sort(key=lambda x: x["kl"])
        rows = [[x["system"], f"{x['kl']:.3f} ± {x['standard_error']:.3f}", _gap(x), number(x["cpu_s"])] for x in known]
        lines += ["", "### A known law of ten items", "", f"{TRAIN} rankings to learn from, {TEST} to compare on.", ""]
        lines += table(["system", "KL to the truth", "of it gap", "CPU s"], rows)
    return lines


def verdicts(done: Cells) -> list[Verdict]:
    """What was asked for, and the difference to the best classical law where nothing was."""
    mine = {(x["case"], x["system"]): x for x in of_part(done, "rankings")}
    found = [*_apa(mine)]
    for case in TOP_K:
        ours, other = mine.get((case, OURS)), mine.get((case, "Plackett-Luce"))
        target = f"{case}: log loss of what follows below Plackett-Luce's"
        found.append(_below(target, ours, other, 0.0))
    ours, other = (mine.get((SYNTHETIC, name)) for name in (OURS, "mixture of 6 PL"))
    target = "known law: KL at most half of that of the mixture of 6 PL"
    if ours is None or other is None:
        found.append(Verdict(target, "–", None))
    else:
        found.append(Verdict(target, f"{ours['kl']:.3f} against {other['kl']:.3f}", ours["kl"] <= other["kl"] / 2))
    for case in ("agh-2003", "agh-2004"):
        rivals = [x for (name, system), x in mine.items() if name == case and system in classical(4)]
        best = min(rivals, key=lambda x: statistics.mean(x["nats"]), default=None)
        found.append(_below(f"{case}: below the best classical law", mine.get((case, OURS)), best, 0.0))
    return found


def _apa(mine: dict[tuple[str, str], dict[str, Any]]) -> list[Verdict]:
    ours, histogram, gpl = (mine.get(("apa-1998", name)) for name in (OURS, "histogram", "static GPL"))
    found = [_below("apa-1998: within .01 nats of the smoothed histogram", ours, histogram, 0.01)]
    if ours is None or gpl is None:
        return [*found, Verdict("apa-1998: below static GPL on every split", "–", None)]
    better = sum(a < b for a, b in zip(ours["nats"], gpl["nats"], strict=False))
    count = min(len(ours["nats"]), len(gpl["nats"]))
    found.append(Verdict("apa-1998: below static GPL on every split", f"{better} of {count}", better == count))
    return [*found, Verdict("apa-1998: a fit within 180 CPU s", f"{ours['cpu_s']:.0f} s", ours["cpu_s"] < 180)]


def _below(target: str, ours: dict[str, Any] | None, other: dict[str, Any] | None, slack: float) -> Verdict:
    """Whether the mean over splits is lower than that of the other system, with the difference's interval."""
    if ours is None or other is None:
        return Verdict(target, "–", None)
    gain = [a - b for a, b in zip(ours["nats"], other["nats"], strict=False)]
    low, high = interval(gain, HOLDOUT)
    words = f"{statistics.mean(gain):+.4f} ({low:+.4f} to {high:+.4f}) to {other['system']}, {len(gain)} splits"
    return Verdict(target, words, statistics.mean(gain) <= slack)


def interval(gain: Sequence[float], holdout: float) -> tuple[float, float]:
    """95 % interval of a mean difference over random splits, whose training parts overlap (Nadeau & Bengio 2003)."""
    if len(gain) < 2:
        return -math.inf, math.inf
    from scipy.stats import t

    spread = statistics.variance(gain) * (1 / len(gain) + holdout / (1 - holdout))
    half = float(t.ppf(0.975, len(gain) - 1)) * math.sqrt(spread)
    return statistics.mean(gain) - half, statistics.mean(gain) + half


def _note(rows: Cells, words: str) -> str:
    splits = max(len(x["nats"]) for x in rows)
    seen = rows[0]["case"].startswith(("apa", "dots", "puzzle")) and rows[0]["case"] not in TOP_K
    floor = f" The ballots' own entropy is {rows[0]['entropy']:.4f}." if seen else ""  # else most orders are unique
    return f"Test {words}, mean over {splits} random splits with {HOLDOUT:.0%} held out, and the range.{floor}"


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
    gap = x.get("gap")
    return "exact" if not gap else gap if isinstance(gap, str) else f"{gap:.3f}"
