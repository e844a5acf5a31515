"""Pairs of columns: how close their dependence is."""

import numpy as np
from numpy.typing import ArrayLike

from intarsia.metrics._arrays import Floats, Ints, join_codes
from intarsia.metrics._univariate import label_codes, total_variation


def correlation_similarity(real: ArrayLike, synthetic: ArrayLike) -> float:
    """One minus half the difference of the two Pearson correlations, as SDMetrics' CorrelationSimilarity.

    Rows where either number is missing are left out.

    Args:
        real: two numeric columns, [rows, 2].
        synthetic: the same two columns, [rows, 2].

    Returns:
        A score in [0, 1]; NaN where a column is constant or nearly empty, or the real correlation is exactly
        zero (SDMetrics does not score such pairs).

    Raises:
        ValueError: not two columns.

    >>> round(correlation_similarity([[0, 0], [1, 1], [2, 2]], [[0, 2], [1, 1], [2, 0]]), 9)
    0.0
    """
    tables = [np.asarray(table, dtype=np.float64) for table in (real, synthetic)]
    _two_columns(tables[0].shape, tables[1].shape)
    if any(is_constant(table[:, j]) for table in tables for j in (0, 1)):
        return float("nan")
    return similarity_of_correlations(*(pearson(table[:, 0], table[:, 1]) for table in tables))


def contingency_similarity(real: ArrayLike, synthetic: ArrayLike) -> float:
    """One minus the total variation distance of the joint shares, as SDMetrics' ContingencySimilarity.

    A missing label counts as a category of its own.

    Args:
        real: two columns of labels or codes, [rows, 2].
        synthetic: the same two columns, [rows, 2].

    Returns:
        A score in [0, 1].

    Raises:
        ValueError: not two columns, or no rows.

    >>> contingency_similarity([["a", "x"], ["b", "y"]], [["a", "y"], ["b", "y"]])
    0.5
    """
    tables = [np.asarray(table) for table in (real, synthetic)]
    _two_columns(tables[0].shape, tables[1].shape)
    if not len(tables[0]) or not len(tables[1]):
        raise ValueError("`real` and `synthetic` need at least one row each, got an empty one.")
    codes = [label_codes(tables[0][:, j], tables[1][:, j]) for j in (0, 1)]
    return joint_similarity((codes[0][0], codes[1][0]), (codes[0][1], codes[1][1]))


def joint_similarity(real: tuple[Ints, Ints], synthetic: tuple[Ints, Ints]) -> float:
    """`contingency_similarity` of columns that are already integer codes."""
    (a, b), count = join_codes([real, synthetic])
    return 1.0 - total_variation(a, b, count)


def pearson(x: Floats, y: Floats) -> float:
    """Pearson correlation of the rows where both numbers are present; NaN where it is undefined."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if x.size < 2 or is_constant(x) or is_constant(y) or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return float("nan")
    return float(np.clip(unit(x) @ unit(y), -1.0, 1.0))


def unit(x: Floats) -> Floats:
    """A column centered and scaled to Euclidean length 1."""
    centered = x - x.mean()
    largest = np.abs(centered).max()  # keeps the squares of very large or small numbers finite
    centered = centered / largest if largest > 0 else centered
    return centered / np.linalg.norm(centered)


def is_constant(x: Floats) -> bool:
    """Whether the present values are one value, repeated."""
    present = x[~np.isnan(x)]
    return bool(present.size and present.min() == present.max())


def similarity_of_correlations(real: float, synthetic: float) -> float:
    """1 - |ρ_real - ρ_synthetic| / 2, NaN where SDMetrics gives none."""
    return 1.0 - abs(real - synthetic) / 2 if real != 0 else float("nan")


def _two_columns(*shapes: tuple[int, ...]) -> None:
    for shape in shapes:
        if len(shape) != 2 or shape[1] != 2:
            raise ValueError(f"a pair of columns must be [rows, 2], got shape {shape}. Pass two columns.")
