"""All pairs of columns of a table (SDMetrics' "Column Pair Trends")."""

from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from intarsia.metrics._arrays import Floats, Ints, Mask, as_tables
from intarsia.metrics._pairs import is_constant, joint_similarity, pearson, similarity_of_correlations, unit

_BINS = 10


def trend_scores(
    real: ArrayLike,
    synthetic: ArrayLike,
    *,
    categorical: ArrayLike,
    edges: Literal["own", "real"] = "own",
) -> Floats:
    """Similarity of every pair of columns: correlations of numbers, joint shares of everything else.

    Two numeric columns are compared by `correlation_similarity`, two categorical ones by
    `contingency_similarity`, a mixed pair by the latter after the numbers are cut into ten equal bins.

    SDMetrics' QualityReport scored all pairs alike for years, as here; from its own defaults in 0.32 on, it leaves
    out pairs whose real correlation is at most 0.5 or whose real Cramér's V is at most 0.3. On Adult that keeps 13
    of 105 pairs, so numbers of the two kinds must not be compared.

    Args:
        real: table, [rows, columns].
        synthetic: table with the same columns.
        categorical: which columns hold codes, [columns].
        edges: whose range is cut into bins. SDMetrics 0.32 cuts each table over its *own* range, so one
            extreme synthetic value shifts all bins; `"real"` uses the real table's range for both, as its
            documentation describes it.

    Returns:
        Symmetric matrix, [columns, columns]; NaN on the diagonal and where a pair has no score.

    Raises:
        ValueError: shapes that do not fit together.
    """
    mask, (a, b) = as_tables(categorical, real=real, synthetic=synthetic)
    scores = np.full((mask.size, mask.size), np.nan)
    real_rho, synthetic_rho = _correlations(a, mask), _correlations(b, mask)
    codes = [_codes(a[:, j], b[:, j], bool(mask[j]), edges) for j in range(mask.size)]
    for i, j in combinations(range(mask.size), 2):
        first, second = codes[i], codes[j]
        if not mask[i] and not mask[j]:
            scores[i, j] = similarity_of_correlations(real_rho[i, j], synthetic_rho[i, j])
        elif first is not None and second is not None:
            scores[i, j] = joint_similarity((first[0], second[0]), (first[1], second[1]))
        scores[j, i] = scores[i, j]
    return scores


def _correlations(table: Floats, mask: Mask) -> Floats:
    """Pearson correlations of the numeric columns, NaN elsewhere and for constant columns."""
    rho = np.full((mask.size, mask.size), np.nan)
    usable = [j for j in np.flatnonzero(~mask) if not is_constant(table[:, j])]
    complete = [j for j in usable if np.isfinite(table[:, j]).all()]
    if complete and len(table) > 1:
        units = np.stack([unit(table[:, j]) for j in complete])
        rho[np.ix_(complete, complete)] = np.clip(units @ units.T, -1.0, 1.0)
    for i, j in combinations(usable, 2):
        if np.isnan(rho[i, j]):
            rho[i, j] = rho[j, i] = pearson(table[:, i], table[:, j])
    return rho


def _codes(a: Floats, b: Floats, category: bool, edges: Literal["own", "real"]) -> tuple[Ints, Ints] | None:
    """Integer codes of a column in both tables; None where its numbers cannot be binned (an infinity)."""
    if category:
        return _whole(a), _whole(b)
    if np.isinf(a).any() or np.isinf(b).any():
        return None
    real_edges = np.histogram_bin_edges(a[~np.isnan(a)], _BINS)
    other = real_edges if edges == "real" else np.histogram_bin_edges(b[~np.isnan(b)], _BINS)
    # np.digitize puts NaN into the last bin, beside the maximum; SDMetrics does the same
    return np.digitize(a, real_edges).astype(np.int64), np.digitize(b, other).astype(np.int64)


def _whole(codes: Floats) -> Ints:
    return np.where(np.isnan(codes), -1, codes).astype(np.int64)
