"""Dependence of any two columns on one scale: normalized mutual information."""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from intarsia.metrics._arrays import Floats, Ints, as_tables, join_codes
from intarsia.metrics._univariate import label_codes


def normalized_mutual_information(a: ArrayLike, b: ArrayLike) -> float:
    """2 I(a; b) / (H(a) + H(b)) of two columns of labels or codes, a missing label being one more.

    Args:
        a: labels of any kind, [rows].
        b: labels of any kind, [rows].

    Returns:
        A number in [0, 1]; 0 where both are constant.

    Raises:
        ValueError: the lengths differ, or there are no rows.

    >>> normalized_mutual_information(["a", "a", "b", "b"], [1, 1, 0, 0])
    1.0
    """
    first, second = np.asarray(a), np.asarray(b)
    if first.shape != second.shape or not first.size:
        raise ValueError(f"`a` and `b` must be equally long and not empty, got {first.shape} and {second.shape}.")
    codes = [label_codes(column, column[:0])[0] for column in (first, second)]
    return float(_matrix(codes)[0, 1])


def nmi_matrix(codes: ArrayLike) -> Floats:
    """`normalized_mutual_information` of all pairs of columns.

    Args:
        codes: whole numbers (NaN: missing), [rows, columns].

    Returns:
        Symmetric matrix with ones on the diagonal, [columns, columns].
    """
    table = np.asarray(codes, dtype=np.float64)
    return _matrix([np.where(np.isnan(x), -1, x).astype(np.int64) for x in table.T])


def quantile_codes(reference: ArrayLike, values: ArrayLike, bins: int = 10) -> Floats:
    """Bin `values` at the quantiles of `reference`; a value that fills whole bins has one to itself.

    Args:
        reference: numbers that the edges are taken from, [rows]; NaN and infinities are left out.
        values: numbers to bin, [rows].
        bins: number of bins, fewer where values repeat.

    Returns:
        Bin of each value, NaN where it is missing.
    """
    known, raw = np.asarray(reference, dtype=np.float64), np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return np.where(np.isnan(raw), np.nan, 0.0)
    levels = np.quantile(known, np.linspace(0, 1, bins + 1), method="lower")
    cuts, repeats = np.unique(levels, return_counts=True)
    atoms = cuts[repeats > 1]
    inner = cuts[(repeats == 1) & (cuts > levels[0]) & (cuts < levels[-1])]
    edges = np.unique(np.concatenate([inner, atoms, np.nextafter(atoms, np.inf)]))
    return np.where(np.isnan(raw), np.nan, np.searchsorted(edges, raw, side="right"))


def nmi_error(real: ArrayLike, synthetic: ArrayLike, *, categorical: ArrayLike, bins: int = 10) -> float:
    """Weighted L1 difference of the two matrices of normalized mutual information.

    Σ w |N_real - N_synthetic| / Σ w over pairs of columns, w = N_real + N_synthetic: pairs that depend on
    each other in either table count most (TabPC, arXiv 2603.23016). Numbers are cut at the real table's
    quantiles (TabPC: ten equal bins), since equal bins leave almost everything in one bin where tails are
    long.

    Args:
        real: table, [rows, columns].
        synthetic: table with the same columns.
        categorical: which columns hold codes, [columns].
        bins: number of quantile bins.

    Returns:
        An error in [0, 1]; 0 where no pair depends on each other in either table, NaN for a single column.

    Raises:
        ValueError: shapes that do not fit together.
    """
    mask, (a, b) = as_tables(categorical, real=real, synthetic=synthetic)
    if mask.size < 2:
        return float("nan")
    binned = [
        np.stack([t[:, j] if mask[j] else quantile_codes(a[:, j], t[:, j], bins) for j in range(mask.size)], axis=1)
        for t in (a, b)
    ]
    return weighted_l1(nmi_matrix(binned[0]), nmi_matrix(binned[1]))


def weighted_l1(real: Floats, synthetic: Floats) -> float:
    """`nmi_error` of two matrices that are already there."""
    below = np.tril_indices_from(real, k=-1)
    weights = real[below] + synthetic[below]
    if weights.sum() == 0:
        return 0.0
    return float((weights * np.abs(real[below] - synthetic[below])).sum() / weights.sum())


def _matrix(columns: list[Ints]) -> Floats:
    entropies = [_entropy(join_codes([(column,)])[0][0]) for column in columns]
    result = np.eye(len(columns))
    for i, j in combinations(range(len(columns)), 2):
        joint = _entropy(join_codes([(columns[i], columns[j])])[0][0])
        total = entropies[i] + entropies[j]
        information = max(0.0, total - joint)
        result[i, j] = result[j, i] = min(1.0, 2 * information / total) if total > 0 else 0.0
    return result


def _entropy(codes: Ints) -> float:
    """Entropy in nats of the shares of the codes."""
    counts = np.bincount(codes)
    shares = counts[counts > 0] / codes.size
    return float(-(shares * np.log(shares)).sum())
