"""Exact copies of training rows."""

import numpy as np
from numpy.typing import ArrayLike

from intarsia.metrics._arrays import Floats, as_tables


def duplicate_rate(train: ArrayLike, rows: ArrayLike) -> float:
    """Share of `rows` that occur in `train`, value for value (missing values are equal to each other).

    Args:
        train: table, [rows, columns].
        rows: table with the same columns.

    Raises:
        ValueError: shapes that do not fit together.

    >>> duplicate_rate([[0, 1], [2, 3]], [[2, 3], [0, 3]])
    0.5
    """
    width = np.asarray(train).shape[-1] if np.ndim(train) else 0
    _, (a, b) = as_tables(np.zeros(width, dtype=np.bool_), train=train, rows=rows)
    return float(np.isin(_keys(b), _keys(a)).mean())


def _keys(table: Floats) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    same = np.where(np.isnan(table), np.nan, table) + 0.0  # one NaN, and one zero
    return np.ascontiguousarray(same).view(f"V{same.itemsize * same.shape[1]}").ravel()
