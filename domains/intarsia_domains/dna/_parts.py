"""Disjoint parts of a set: for the generator, for the oracle that judges it, and held out from both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences


def disjoint_parts(
    sequences: Sequences, shares: Sequence[float], *, groups: Sequence[object] | None = None, seed: int = 0
) -> list[NDArray[np.int64]]:
    """Row numbers of parts of about the given shares, such that equal sequences, and groups, stay in one part.

    Args:
        sequences: all rows.
        shares: of the parts, adding up to at most 1.
        groups: one each, such as its chromosome; by default rows only stay together where they are equal.
        seed: of the draw.

    Raises:
        SequenceError: shares that are none, a group a row missing, or fewer groups than parts.
    """
    if not len(shares) or min(shares) <= 0 or sum(shares) > 1 + 1e-9:
        raise SequenceError(f"shares are positive and add up to at most 1, got {list(shares)}")
    if groups is not None and len(groups) != len(sequences):
        raise SequenceError(f"got {len(groups)} groups for {len(sequences)} sequences")
    keys = sequences.texts() if groups is None else [str(group) for group in groups]
    _, number = np.unique(np.array(keys), return_inverse=True)
    sizes = np.bincount(number)
    if len(sizes) < len(shares):
        raise SequenceError(f"{len(shares)} parts need as many different groups, got {len(sizes)}")
    order = np.random.default_rng(seed).permutation(len(sizes))
    middle = (np.cumsum(sizes[order]) - sizes[order] / 2) / len(sequences)
    part = np.searchsorted(np.cumsum(shares), middle, side="right")
    part_of = np.empty(len(sizes), dtype=np.int64)
    part_of[order] = part
    return [np.flatnonzero(part_of[number] == k) for k in range(len(shares))]
