"""Mixed rows prepared for distances, and the nearest neighbor search over them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.metrics._arrays import Floats, Ints, Mask

_BLOCK = 1 << 19  # distances held at a time; a block of them stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Records:
    """Rows with numbers scaled by the reference table's range and everything else as codes.

    A missing number is 0 and differs from a present one by an extra code, so it is as far from every number
    as one category is from another.

    Attributes:
        numbers: [numeric columns, rows], contiguous.
        codes: [code columns, rows], contiguous.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]

    def __len__(self) -> int:
        return self.numbers.shape[1]

    def take(self, rows: slice | Ints) -> "Records":
        """The chosen rows."""
        return Records(np.ascontiguousarray(self.numbers[:, rows]), np.ascontiguousarray(self.codes[:, rows]))


def as_records(tables: Sequence[Floats], mask: Mask) -> list[Records]:
    """Prepare tables alike; numbers are shifted and scaled so that the first table covers [0, 1]."""
    finite = np.where(np.isfinite(tables[0]), tables[0], np.nan)
    numeric = ~mask & ~np.isnan(finite).all(axis=0)
    low = np.nanmin(finite[:, numeric], axis=0) if numeric.any() else np.zeros(0)
    span = np.nanmax(finite[:, numeric], axis=0) - low if numeric.any() else np.zeros(0)
    span = np.where(span > 0, span, 1.0)
    partial = ~mask & np.any([np.isnan(table).any(axis=0) for table in tables], axis=0)
    prepared: list[Records] = []
    for table in tables:
        numbers = np.clip((table[:, numeric] - low) / span, -1e6, 1e6)
        codes = np.where(np.isnan(table), -1.0, table)[:, mask]
        codes = np.concatenate([codes, np.isnan(table[:, partial])], axis=1)
        prepared.append(
            Records(
                np.ascontiguousarray(np.nan_to_num(numbers, nan=0.0).T, dtype=np.float32),
                np.ascontiguousarray(codes.T, dtype=np.int32),
            )
        )
    return prepared


def nearest(
    queries: Records, references: Records, *, power: int, mismatch: float, itself: bool = False
) -> tuple[Floats, Ints]:
    """Nearest reference of each query under Σ |numbers|^power + mismatch · #(codes that differ).

    Takes O(queries x references x columns) time and bounded memory.

    Args:
        queries: rows to look up.
        references: rows to look in, at least one.
        power: 1 for the L1 metric, 2 for the square of the L2 metric.
        mismatch: cost of a differing code: 1 for half the L1 distance of one-hot vectors, 2 for their squared
            L2 distance.
        itself: the two are the same rows, and a row must not find itself.

    Returns:
        The distance (for power 2, its square) and the index of the nearest reference, one per query.
    """
    distances, indices = np.empty(len(queries)), np.empty(len(queries), dtype=np.int64)
    step = max(1, _BLOCK // len(references))
    shape = (step, len(references))
    total, term = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    differs, count = np.empty(shape, dtype=np.bool_), np.empty(shape, dtype=np.uint16)
    for start in range(0, len(queries), step):
        block = queries.take(slice(start, start + step))
        n = len(block)
        total[:n], count[:n] = 0, 0
        for own, other in zip(block.numbers, references.numbers, strict=True):
            np.subtract(own[:, None], other[None], out=term[:n])
            (np.abs if power == 1 else np.square)(term[:n], out=term[:n])
            np.add(total[:n], term[:n], out=total[:n])
        for own, other in zip(block.codes, references.codes, strict=True):
            np.not_equal(own[:, None], other[None], out=differs[:n])
            np.add(count[:n], differs[:n].view(np.uint8), out=count[:n])
        np.multiply(count[:n], np.float32(mismatch), out=term[:n])
        np.add(total[:n], term[:n], out=total[:n])
        if itself:
            total[np.arange(n), np.arange(start, start + n)] = np.inf
        best = total[:n].argmin(axis=1)
        distances[start : start + n], indices[start : start + n] = total[np.arange(n), best], best
    return distances, indices
