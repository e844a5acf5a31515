"""How far apart orders are: Kendall, Spearman's footrule, and what sorting and jigsaws are scored by.

Orders are complete, best first, as integer arrays (…, n) that broadcast against each other. All distances are between
ranks of items, so the numbering of the items does not matter.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from intarsia.processes.permutations import inversions, relative

_CELLS = 1 << 24  # of pairs of items looked at together


def kendall_distance(first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
    """How many pairs of items the two orders have the other way round, 0 … n (n - 1) / 2, (…)."""
    a, b = _both(first, second)
    shape, n = a.shape[:-1], a.shape[-1]
    flat = [torch.tensor(x.reshape(-1, n)) for x in (a, b)]
    rows = max(1, _CELLS // n**2)
    parts = [inversions(relative(p, q)) for p, q in zip(*(x.split(rows) for x in flat), strict=True)]
    return torch.cat(parts).numpy().reshape(shape)


def kendall_tau(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Kendall's tau from -1, the reversal, to 1, (…): 1 - 2 distance / pairs."""
    a, b = _both(first, second)
    return 1 - 4 * kendall_distance(a, b) / (a.shape[-1] * (a.shape[-1] - 1))


def footrule(first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
    """Spearman's footrule, Σ over the items of how many ranks they are apart, 0 … ⌊n² / 2⌋, (…)."""
    a, b = _both(first, second)
    return np.abs(np.argsort(a, -1) - np.argsort(b, -1)).sum(-1)


def exact_share(first: ArrayLike, second: ArrayLike) -> float:
    """Share of orders that agree at every rank ("accuracy")."""
    a, b = _both(first, second)
    return float((a == b).all(-1).mean())


def correct_share(first: ArrayLike, second: ArrayLike) -> float:
    """Share of ranks at which the orders have the same item ("correct")."""
    a, b = _both(first, second)
    return float((a == b).mean())


def _both(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    a, b = np.asarray(first), np.asarray(second)
    if not (a.ndim and b.ndim) or a.shape[-1] != b.shape[-1]:
        raise ValueError(f"orders of the same items are compared, got shapes {a.shape} and {b.shape}")
    n = a.shape[-1]
    if n < 2 or not a.size or not b.size:
        raise ValueError(f"at least one order of at least two items, got shapes {a.shape} and {b.shape}")
    for x in (a, b):
        wrong = np.argwhere((np.sort(x, -1) != np.arange(n)).any(-1).reshape(-1))
        if len(wrong):
            row = int(wrong[0, 0])
            raise ValueError(
                f"row {row}: not an order of the items 0 … {n - 1}, got {x.reshape(-1, n)[row].tolist()[:20]}; "
                "leave out rows that are not complete"
            )
    a, b = np.broadcast_arrays(a, b)
    return a, b
