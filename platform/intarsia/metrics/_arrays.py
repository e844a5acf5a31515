"""The array convention of this package, and the checks that every function makes first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def as_vector(values: ArrayLike, name: str) -> Floats:
    """Values of one column as float64, [rows].

    Raises:
        ValueError: `values` is not one-dimensional.
    """
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"`{name}` must have one dimension, got shape {vector.shape}. Pass one column.")
    return vector


def as_tables(categorical: ArrayLike, **tables: ArrayLike) -> tuple[Mask, list[Floats]]:
    """The mask and the tables of a call, checked against each other.

    Raises:
        ValueError: a table is not two-dimensional, is empty, or has another number of columns than the mask.
    """
    mask = np.asarray(categorical, dtype=np.bool_)
    checked: list[Floats] = []
    for name, values in tables.items():
        table = np.asarray(values, dtype=np.float64)
        if table.ndim != 2 or mask.shape != (table.shape[1],):
            raise ValueError(
                f"`{name}` must be [rows, columns] with one entry of `categorical` per column, got shape "
                f"{table.shape} and a mask of shape {mask.shape}. Encode all tables with the same columns."
            )
        if not len(table):
            raise ValueError(f"`{name}` has no rows. Pass at least one.")
        checked.append(table)
    return mask, checked


def draw(table: Floats, count: int, rng: np.random.Generator) -> Floats:
    """`count` different rows in random order, or the table itself where it has no more than that."""
    if len(table) <= count:
        return table
    return table[rng.choice(len(table), size=count, replace=False)]


def join_codes(columns: Sequence[tuple[Ints, ...]]) -> tuple[list[Ints], int]:
    """Number the combinations that occur in several samples.

    Args:
        columns: per sample, one integer code array per column; codes need not be small or dense.

    Returns:
        Per sample the code of each row's combination, and how many codes there are (some may be unused).
    """
    width = len(columns[0])
    joint = [np.zeros(len(sample[0]), dtype=np.int64) for sample in columns]
    total = 1
    for index in range(width):
        parts = [sample[index] for sample in columns]
        low = min((int(part.min()) for part in parts if part.size), default=0)
        count = max((int(part.max()) for part in parts if part.size), default=0) - low + 1
        joint = [codes * count + (part - low) for codes, part in zip(joint, parts, strict=True)]
        total *= count
        rows = sum(part.size for part in parts)
        if total > 4 * rows + 4096:  # keep the counts that follow O(rows)
            _, flat = np.unique(np.concatenate(joint), return_inverse=True)
            joint = np.split(flat.astype(np.int64), np.cumsum([codes.size for codes in joint])[:-1])
            total = int(flat.max(initial=-1)) + 1
    return joint, total
