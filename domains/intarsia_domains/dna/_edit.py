"""Few changes toward a target: doubtful letters are drawn again, what helps is kept, what did not help is undone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import BASES, Bools, Codes

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Redraw = Callable[[Numbers, Codes, Bools, int], Codes]
"""`(row numbers, codes, sites to draw again, seed) -> codes`."""
Score = Callable[[Numbers, Codes], Floats]
"""`(row numbers, codes) -> number` of each row, or of each of its sites."""


@dataclass(frozen=True, kw_only=True)
class Edits:
    """How sequences are changed.

    Args:
        most: sites that may differ from the original, at most.
        goal: score at which a sequence is done; None for as high as it gets.
        rounds: of proposals.
        tries: proposals a sequence and round.
        greed: how much a site's doubt counts in choosing sites; 0 chooses them at random.
    """

    most: int
    goal: float | None = None
    rounds: int = 12
    tries: int = 4
    greed: float = 1.0

    def __post_init__(self) -> None:
        if self.most < 1 or self.rounds < 1 or self.tries < 1:
            raise ValueError(f"`most`, `rounds` and `tries` must be at least 1, got {self}")


def edited(
    codes: Codes,
    fixed: Bools,
    redraw: Redraw,
    doubt: Score,
    score: Score,
    edits: Edits,
    seed: int,
) -> tuple[Codes, Floats]:
    """Sequences with few changes, and their scores.

    In every round a few sites of each sequence that is not done are drawn again from the model, given all others and
    the target: sites whose letter the target's law doubts come first (Gumbel-top-k). The best of several proposals
    replaces the sequence if it scores higher. At the end each change whose undoing keeps the goal, or does not lower
    the score, is undone.

    Args:
        codes: (rows, length), padded.
        fixed: sites that may not change, (rows, length).
        redraw: draws sites from the model.
        doubt: -log p(letter | the others, target) of every site, (rows, length).
        score: what should rise, (rows,).
        edits: limits.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    original, best, scores = codes, codes.copy(), score(np.arange(len(codes)), codes)
    free = ~fixed & (codes < BASES)
    for _ in range(edits.rounds):
        active = np.flatnonzero(_open(scores, edits.goal) & free.any(1))
        if not active.size:
            break
        rows = np.repeat(active, edits.tries)
        priority = edits.greed * np.repeat(doubt(active, best[active]), edits.tries, 0)
        sites = _chosen(priority, best[rows] != original[rows], free[rows], edits.most, rng)
        proposed = redraw(rows, best[rows], sites, int(rng.integers(2**62)))
        values = score(rows, proposed).reshape(-1, edits.tries)
        top = values.argmax(1)
        better = values[np.arange(len(active)), top] > scores[active]
        winners = (np.arange(len(active)) * edits.tries + top)[better]
        best[active[better]], scores[active[better]] = proposed[winners], values.reshape(-1)[winners]
    return _undone(original, best, scores, score, edits.goal)


def _open(scores: Floats, goal: float | None) -> Bools:
    return np.ones(len(scores), dtype=bool) if goal is None else scores < goal


def _chosen(priority: Floats, changed: Bools, free: Bools, most: int, rng: np.random.Generator) -> Bools:
    """1 to `most` sites a row, such that with those that differ already there are at most `most`."""
    noise = rng.gumbel(size=priority.shape)
    score = np.where(free, priority + noise, -np.inf)
    count = 1 + np.floor(rng.random(len(score)) ** 2 * min(most, free.shape[1])).astype(np.int64)
    order = np.argsort(-score, axis=1)
    # a site that differs already may be drawn again at no cost
    cost = np.take_along_axis(~changed & free, order, 1).cumsum(1)
    rank = np.arange(score.shape[1])
    open_ = np.isfinite(np.take_along_axis(score, order, 1))
    keep = open_ & (rank < count[:, None]) & (cost <= most - changed.sum(1, keepdims=True))
    out = np.zeros_like(keep)
    np.put_along_axis(out, order, keep, 1)
    return out


def _undone(original: Codes, best: Codes, scores: Floats, score: Score, goal: float | None) -> tuple[Codes, Floats]:
    """Take changes back, site by site, where the score stays at the goal, or does not fall."""
    best, scores = best.copy(), scores.copy()
    needed = scores.copy() if goal is None else np.where(scores >= goal, goal, scores)
    for site in np.flatnonzero((best != original).any(0)):
        rows = np.flatnonzero(best[:, site] != original[:, site])
        back = best[rows].copy()
        back[:, site] = original[rows, site]
        values = score(rows, back)
        keeps = values >= needed[rows]
        best[rows[keeps]], scores[rows[keeps]] = back[keeps], values[keeps]
    return best, scores
