"""Fidelity and diversity: α-precision and β-recall."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from intarsia.metrics._arrays import Floats, as_tables, draw
from intarsia.metrics._records import Records, as_records, nearest

_LEVELS = np.linspace(0.0, 1.0, 30)


@dataclass(frozen=True, kw_only=True, slots=True)
class PrecisionRecall:
    """Integrated α-precision and β-recall.

    Attributes:
        alpha_precision: in [0, 1]; below 1 where synthetic rows lie too far out, or huddle in the center.
        beta_recall: in [0, 1]; the share of the real law that synthetic rows come close to. A second sample
            of the real law scores near 0.5, not 1.
        n: rows on each side.
    """

    alpha_precision: float
    beta_recall: float
    n: int


def alpha_precision_beta_recall(
    real: ArrayLike, synthetic: ArrayLike, *, categorical: ArrayLike, seed: int, cap: int = 5000
) -> PrecisionRecall:
    """How many synthetic rows lie in the bulk of the real ones, and how much of that bulk they reach.

    Alaa et al. 2022, arXiv 2102.08921, in the variant without an embedding that synthcity calls *naive*:
    numbers scaled to the real range beside one-hot categories, Euclidean distances, 30 levels. P(α) is the
    share of synthetic rows within the α-quantile of real distances from the real center. R(β) is the share of
    real rows that have a synthetic row as near as their nearest real one, that row being within the
    β-quantile around the synthetic center. Each is reported as 1 - Σ|P(α) - α| / Σα.

    Args:
        real: table, [rows, columns].
        synthetic: table with the same columns.
        categorical: which columns hold codes, [columns].
        seed: of the subsamples.
        cap: rows used on each side at most; time grows with its square. β-recall depends on the number of
            rows, so compare only values of the same `n`.

    Raises:
        ValueError: shapes that do not fit together, or fewer than two rows on a side.
    """
    mask, (a, b) = as_tables(categorical, real=real, synthetic=synthetic)
    n = min(len(a), len(b), cap)
    if n < 2:
        raise ValueError(f"α-precision needs at least two rows on each side, got {n}.")
    rng = np.random.default_rng(seed)
    rows, fakes = as_records([draw(a, n, rng), draw(b, n, rng)], mask)
    radii = np.quantile(_spread(rows, rows), _LEVELS)
    precision = (_spread(fakes, rows)[:, None] <= radii).mean(axis=0)

    to_real, _ = nearest(rows, rows, power=2, mismatch=2.0, itself=True)
    to_fake, which = nearest(rows, fakes, power=2, mismatch=2.0)
    closest = _spread(fakes, fakes)[which]
    inside = closest[:, None] <= np.quantile(closest, _LEVELS)
    recall = ((to_fake <= to_real)[:, None] & inside).mean(axis=0)
    return PrecisionRecall(alpha_precision=_integrated(precision), beta_recall=_integrated(recall), n=n)


def _integrated(curve: Floats) -> float:
    return float(1 - np.abs(_LEVELS - curve).sum() / _LEVELS.sum())


def _spread(rows: Records, center_of: Records) -> Floats:
    """Euclidean distance of each row to the mean of `center_of`, with categories one-hot."""
    squares = np.zeros(len(rows))
    for own, other in zip(rows.numbers, center_of.numbers, strict=True):
        squares += np.square(own.astype(np.float64) - other.mean(dtype=np.float64))
    for own, other in zip(rows.codes, center_of.codes, strict=True):
        size = int(max(own.max(), other.max())) + 2  # -1 is a missing value
        shares = np.bincount(other + 1, minlength=size) / other.size
        squares += 1 - 2 * shares[own + 1] + np.square(shares).sum()  # |one-hot - shares|²
    return np.sqrt(squares)
