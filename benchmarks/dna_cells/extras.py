"""What is measured on single tasks: all 9-letter sites, motifs of the asked factor, expression, constraints."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np

from dna_cells.cell import Cell
from dna_cells.systems import Autoregressive, Designer, Markov
from dna_cells.tasks import Data
from intarsia_domains.dna import (
    Avoid,
    GCWindow,
    Keep,
    MaxRun,
    NetworkOracle,
    Require,
    Sequences,
    find_motifs,
    read_motifs,
    train_network_oracle,
    train_oracle,
)
from intarsia_domains.dna._oracle import ranks
from intarsia_domains.dna._raw import Rows

MOTIFS = {"ctcf": "MA0139.2", "pu1": "MA0080.7"}
ASKED, STEERED = 400, 100
SCALES = (1.0, 2.0, 4.0)
ORACLE_STEPS = 700
REWARD = 4.0
"""Nats of a unit of predicted expression."""
FORBIDDEN = ("GAATTC", "GGATCC", "AAGCTT")


def measured(cell: Cell, data: Data, model: Any, folder: Path) -> dict[str, Any]:
    """More of a cell of some tasks."""
    if cell.task == "sites":
        return {"sites": _sites(data, model, cell.seed) | _own(model, cell.seed)}
    if cell.task == "peaks":
        found: dict[str, Any] = {"motifs": _motifs(data, model, folder, cell.seed)}
        if cell.system == "absorbing":
            found["constraints"] = _constraints(model, cell.seed)
        return found
    if cell.task == "yeast":
        judge = _judge(data.judge, cell.seed)
        found = {"oracle": judge.calibration.score, "expression": _expression(data, model, judge, cell.seed)}
        if cell.system == "absorbing":
            found["steering"] = _steering(data, model, judge, folder, cell.seed)
        return found
    return {}


def _law(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Shares of all occurrences of the data among the 4^9 sites, and of the held-out ones."""
    counts = [np.bincount(_numbers(part.sequences), minlength=4**9) for part in (data.train, data.judge, data.held)]
    total = counts[0] + counts[1] + counts[2]
    return total / total.sum(), counts[2] / counts[2].sum()


def _numbers(sequences: Sequences) -> np.ndarray:
    return sequences.codes.astype(np.int64) @ (4 ** np.arange(8, -1, -1))


def _sites(data: Data, model: Any, seed: int) -> dict[str, Any]:
    """KL of the empirical law to the model, by enumeration where the model's law is known, and to its bound."""
    law, held = _law(data)
    entropy = float(-(law[law > 0] * np.log(law[law > 0])).sum())
    if isinstance(model, Designer) and model.model.noise_.name == "absorbing":
        log_p, how = model.model.enumerate(), "exact, of one-by-one sampling"
    elif isinstance(model, Autoregressive | Markov):
        every = Sequences.of(
            ["".join(x) for x in itertools.product("ACGU", repeat=9)], alphabet=data.train.sequences.alphabet
        )
        log_p, how = np.asarray(model.score(Rows(every, {}))), "exact"
    else:
        return _bounded(law, entropy, data, model, seed)
    seen = held > 0
    share = np.exp(log_p)
    excess = np.log(law[seen]) - log_p[seen]
    return {
        "entropy": entropy,
        "kl": float((law[law > 0] * (np.log(law[law > 0]) - log_p[law > 0])).sum()),
        "held_kl": float((held[seen] * excess).sum()),
        "mass": float(share.sum()),
        "model_entropy": float(-(share * log_p).sum()),
        "how": how,
    }


def _own(model: Any, seed: int) -> dict[str, float]:
    """Nats of the model's samples by its own score: where that is exact, the entropy of its law."""
    nats = -np.asarray(model.score(Rows(model.sample(2000, {}, seed + 1), {})))
    return {"own_nats": float(nats.mean()), "own_error": float(nats.std() / np.sqrt(len(nats)))}


def _bounded(law: np.ndarray, entropy: float, data: Data, model: Any, seed: int) -> dict[str, Any]:
    rows = data.held.take(np.random.default_rng(seed).permutation(len(data.held))[:5000])
    excess = np.log(law[_numbers(rows.sequences)]) - np.asarray(model.score(rows))
    error = float(excess.std() / np.sqrt(len(excess)))
    return {"entropy": entropy, "held_kl": float(excess.mean()), "error": error, "how": "bound"}


def _motifs(data: Data, model: Any, folder: Path, seed: int) -> dict[str, Any]:
    """Hits of both motifs per 1,000 sequences that were asked to be one or the other, and per 1,000 real ones."""
    path = folder / "dna" / "JASPAR2026_CORE_vertebrates_latest.meme"
    motifs = [motif for motif in read_motifs(path) if motif.name in MOTIFS.values()]
    labels = np.asarray(data.held.labels["factor"])
    result: dict[str, Any] = {}
    for factor in MOTIFS:
        real = data.held.sequences[np.flatnonzero(labels == factor)[:1000]]
        parts = {f"real {factor}": real}
        for scale in (1.0, 2.0) if isinstance(model, Designer) else (1.0,):
            parts[f"made {factor} at {scale:g}"] = model.sample(ASKED, {"factor": factor}, seed, guidance=scale)
        for name, part in parts.items():
            hits = find_motifs(part, motifs)
            result[name] = {m.name: float(1000 * share) for m, share in zip(motifs, hits.shares(), strict=True)}
    return result


def _judge(rows: Rows, seed: int) -> NetworkOracle:
    """An oracle of expression; whole numbers are those of cells in one bin, so their rows were measured least."""
    activity = np.asarray(rows.labels["expression"], dtype=float)
    worth = np.where(activity == np.round(activity), 0.5, 1.0)
    return train_network_oracle(
        rows.sequences, activity, weights=worth, networks=2, steps=ORACLE_STEPS, both_strands=False, seed=seed
    )


def _expression(data: Data, model: Any, judge: NetworkOracle, seed: int) -> dict[str, Any]:
    """Rank correlation of asked and predicted expression, by the scale of guidance."""
    asked = np.asarray(data.held.labels["expression"], dtype=float)[:ASKED]
    result: dict[str, Any] = {"real": spearman(asked, judge(data.held.sequences[np.arange(len(asked))]))}
    for scale in SCALES if isinstance(model, Designer) else SCALES[:1]:
        made = model.sample(len(asked), {"expression": asked}, seed, guidance=scale)
        result[f"made {scale:g}"] = spearman(asked, judge(made))
    return result


def _steering(data: Data, model: Designer, judge: NetworkOracle, folder: Path, seed: int) -> dict[str, Any]:
    """Designs that an oracle of the training rows rewards, judged by one that was trained on others."""
    activity = np.asarray(data.train.labels["expression"], dtype=float)
    steer = train_oracle(data.train.sequences, activity, both_strands=False, seed=seed + 1)
    top = float(np.quantile(activity, 0.99))
    asked = {"expression": top, "length": int(np.median(data.train.sequences.lengths))}
    options: dict[str, Any] = {"target": asked, "guidance": 2.0, "seed": seed}
    start = time.process_time()
    made = {
        "asked": model.model.design(STEERED, **options),
        "steered": model.model.design(
            STEERED, reward=lambda rows: REWARD * steer(rows), particles=16, **options
        ),
    }  # fmt: skip
    seconds = time.process_time() - start
    motifs = read_motifs(folder / "dna" / "JASPAR2026_CORE_fungi_latest.meme")
    best = np.argsort(-activity)[: len(activity) // 10]
    first, second = data.train.sequences[best[::2]], data.train.sequences[best[1::2]]
    real = judge(data.train.sequences)
    limit = float(np.quantile(real, 0.99))
    wanted = find_motifs(first, motifs).counts().mean(0)
    sets = {"real": second, **made}
    return {
        "limit": limit,
        "training": float(np.median(real)),
        "cpu_s": seconds,
        **{
            name: {
                "activity": float(np.median(judge(part))),
                "above": float((judge(part) > limit).mean()),
                "motifs": float(np.corrcoef(wanted, find_motifs(part, motifs).counts().mean(0))[0, 1]),
                "distinct": len(set(part.texts())) / len(part),
            }
            for name, part in sets.items()
        },
    }


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation."""
    return float(np.corrcoef(ranks(a), ranks(np.asarray(b)))[0, 1])


def _constraints(model: Designer, seed: int) -> dict[str, Any]:
    """A thousand designs that keep everything at once, checked by scanning their texts."""
    asked = [Require("CCGCGNGGNGGCAG"), Keep("NNR"), GCWindow(0.45, 0.6), MaxRun(5), *map(Avoid, FORBIDDEN)]
    start = time.perf_counter(), time.process_time()
    made = model.model.design(1000, target={"factor": "ctcf"}, constraints=asked, guidance=1.5, seed=seed)
    seconds = time.perf_counter() - start[0], time.process_time() - start[1]
    kept = sum(map(_keeps, made.texts()))
    return {
        "kept": kept,
        "of": len(made),
        "wall_s": seconds[0],
        "cpu_s": seconds[1],
        "distinct": len(set(made.texts())),
    }


def _keeps(text: str) -> bool:
    """Read letter by letter, with nothing of the compiler of constraints."""
    flipped = text[::-1].translate(str.maketrans("ACGT", "TGCA"))
    wanted = "CCGCGNGGNGGCAG"
    hit = any(
        all(w in ("N", c) for w, c in zip(wanted, text[k:], strict=False)) for k in range(len(text) - len(wanted) + 1)
    )
    runs = max(len(list(group)) for _, group in itertools.groupby(text)) <= 5
    strong = sum(letter in "CG" for letter in text) / len(text)
    free = not any(site in text or site in flipped for site in FORBIDDEN)
    return hit and runs and free and text[2] in "AG" and 0.45 <= strong <= 0.6
