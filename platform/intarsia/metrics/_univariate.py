"""Single columns: how close the marginals are (SDMetrics' "Column Shapes")."""

import numpy as np
from numpy.typing import ArrayLike

from intarsia.metrics._arrays import Floats, Ints, as_tables, as_vector

_DECIMALS = 14  # SDMetrics rounds to sys.float_info.dig - 1 decimals before it compares


def ks_complement(real: ArrayLike, synthetic: ArrayLike) -> float:
    """One minus the two-sample Kolmogorov-Smirnov statistic, sup |F_real - F_synthetic|.

    Missing values (NaN) are left out, as in SDMetrics' KSComplement.

    Args:
        real: numbers, [rows].
        synthetic: numbers, [rows]; the two lengths may differ.

    Returns:
        A score in [0, 1], 1 for equal samples; NaN where a sample has no value at all.

    >>> ks_complement([1, 2, 3, 4], [3, 4, 5, 6])
    0.5
    """
    a, b = (np.sort(_rounded(as_vector(x, n))) for x, n in ((real, "real"), (synthetic, "synthetic")))
    if not a.size or not b.size:
        return float("nan")
    points = np.concatenate([a, b])
    gap = np.searchsorted(a, points, side="right") / a.size - np.searchsorted(b, points, side="right") / b.size
    return 1.0 - float(np.abs(gap).max())


def tv_complement(real: ArrayLike, synthetic: ArrayLike) -> float:
    """One minus the total variation distance, ½ Σ |p_real - p_synthetic|.

    Missing values (NaN, None) are left out, as in SDMetrics' TVComplement. SDMetrics also gives categories
    that only the synthetic sample has a pseudo-count of 1e-6 in the real one; that is not done here, and the
    two differ by less than 1e-6 times the number of such categories over the number of real rows.

    Args:
        real: labels of any kind, or codes, [rows].
        synthetic: labels of the same kind, [rows].

    Returns:
        A score in [0, 1], 1 for equal shares; NaN where a sample has no value at all.

    >>> tv_complement(["a", "a", "b", "c"], ["a", "a", "b", "b"])
    0.75
    """
    a, b = label_codes(real, synthetic)
    a, b = a[a >= 0], b[b >= 0]
    if not a.size or not b.size:
        return float("nan")
    count = int(max(a.max(), b.max())) + 1
    return 1.0 - total_variation(a, b, count)


def shape_scores(real: ArrayLike, synthetic: ArrayLike, *, categorical: ArrayLike) -> Floats:
    """`tv_complement` of the categorical columns and `ks_complement` of the others.

    Args:
        real: table, [rows, columns].
        synthetic: table with the same columns.
        categorical: which columns hold codes, [columns].

    Returns:
        One score per column; NaN where a column has no value in a table.

    Raises:
        ValueError: shapes that do not fit together.
    """
    mask, (a, b) = as_tables(categorical, real=real, synthetic=synthetic)
    scores = [(tv_complement if mask[j] else ks_complement)(a[:, j], b[:, j]) for j in range(mask.size)]
    return np.asarray(scores, dtype=np.float64)


def total_variation(a: Ints, b: Ints, count: int) -> float:
    """½ Σ |p_a - p_b| of two samples of codes below `count`."""
    gap = np.bincount(a, minlength=count) / a.size - np.bincount(b, minlength=count) / b.size
    return float(np.abs(gap).sum() / 2)


def label_codes(real: ArrayLike, synthetic: ArrayLike) -> tuple[Ints, Ints]:
    """Number the labels of two samples alike from 0; missing ones become -1.

    Raises:
        ValueError: a sample is not one-dimensional.
    """
    samples = [np.asarray(real), np.asarray(synthetic)]
    for name, sample in zip(("real", "synthetic"), samples, strict=True):
        if sample.ndim != 1:
            raise ValueError(f"`{name}` must have one dimension, got shape {sample.shape}. Pass one column.")
    if all(sample.dtype.kind in "biuf" for sample in samples):
        values, codes = np.unique(np.concatenate(samples).astype(np.float64), return_inverse=True)
        codes = np.where(np.isnan(values)[codes], -1, codes)
    else:
        seen: dict[object, int] = {}
        both: list[object] = [*samples[0].tolist(), *samples[1].tolist()]
        codes = np.array([-1 if _missing(x) else seen.setdefault(x, len(seen)) for x in both], dtype=np.int64)
    return codes[: len(samples[0])].astype(np.int64), codes[len(samples[0]) :].astype(np.int64)


def _missing(value: object) -> bool:
    return value is None or bool(isinstance(value, float) and np.isnan(value))


def _rounded(values: Floats) -> Floats:
    values = values[~np.isnan(values)]
    small = np.abs(values) < 100  # above it, 14 decimals are beyond the precision of a double
    values[small] = np.round(values[small], _DECIMALS)
    return values
