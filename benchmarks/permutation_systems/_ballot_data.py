"""Rankings of the benchmark: PrefLib elections, and a law that is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from intarsia_domains.permutations import Rankings, read_preflib

FILES = {
    "apa-1998": "apa_00028-00000001.soi",
    "apa-2002": "apa_00028-00000005.soi",
    "agh-2003": "agh_2003_9courses.soc",
    "agh-2004": "agh_2004_7courses.soc",
    **{f"dots-{k}": f"dots_{k}.soc" for k in range(1, 5)},
    **{f"puzzle-{k}": f"puzzle_{k}.soc" for k in range(1, 5)},
}
SYNTHETIC = "synthetic"
ITEMS, TRAIN, TEST = 10, 5000, 2000


def ballots(case: str, data: Path) -> Rankings:
    """All ballots of an election, those that lack one item completed."""
    return read_preflib(data / "permutations" / "preflib" / FILES[case]).completed()


def synthetic(seed: int, rows: int) -> tuple[Rankings, NDArray[np.float64]]:
    """Rankings of a known law that no mixture of Plackett-Luce laws has, and their log-probabilities in nats.

    The first choice has a popularity that falls over the items. Every later one is cyclic: best liked is who stands one
    or two places after the last chosen item on a circle, or one or two before it, by the parity of the sum of all
    chosen numbers. So the choice depends on the whole prefix, in a way that no sum of effects of its items has.
    """
    rng = np.random.default_rng(seed)
    x = np.zeros((rows, 0), np.int64)
    for _ in range(ITEMS):
        logits = _choice(x)
        x = np.column_stack([x, (logits + rng.gumbel(size=logits.shape)).argmax(1)])
    return Rankings(tuple(f"item {k}" for k in range(ITEMS)), x), log_truth(x)


def log_truth(orders: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log-probabilities of orders (rows, n) under that law, in nats."""
    row = np.arange(len(orders))
    return sum((_choice(orders[:, :k])[row, orders[:, k]] for k in range(ITEMS)), np.zeros(len(orders)))


def _choice(prefix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log-law of the next item, (rows, n), -inf for those that are chosen."""
    likes = _likes(prefix)
    np.put_along_axis(likes, prefix, -np.inf, 1)
    return log_softmax(likes, axis=1)


def _likes(prefix: NDArray[np.int64]) -> NDArray[np.float64]:
    rows, rank = prefix.shape
    if not rank:
        return np.tile(np.linspace(1.0, -1.0, ITEMS), (rows, 1))
    turn = np.where(prefix.sum(1, keepdims=True) % 2, 1, -1)
    step = turn * (np.arange(ITEMS) - prefix[:, -1:]) % ITEMS
    return 2.0 * np.cos(2 * math.pi * (step - 1.5) / ITEMS)
