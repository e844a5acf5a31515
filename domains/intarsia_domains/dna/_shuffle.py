"""Shuffled sequences as a baseline: the same letters, or the same pairs of neighbouring letters, in random order."""

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import BASES, Codes
from intarsia_domains.dna._sequences import Sequences


def shuffled(sequences: Sequences, seed: int = 0) -> Sequences:
    """The letters of each sequence in random order."""
    rng = np.random.default_rng(seed)
    places = np.arange(sequences.codes.shape[1])
    keys = np.where(places < sequences.lengths[:, None], rng.random(sequences.codes.shape), 2.0 + places)
    codes = np.take_along_axis(sequences.codes, keys.argsort(1), 1)
    return Sequences(sequences.names, codes, sequences.lengths, sequences.alphabet)


def pair_shuffled(sequences: Sequences, seed: int = 0) -> Sequences:
    """Each sequence in random order with the same pairs of neighbouring letters, uniform over all such orders.

    Random Eulerian paths (Altschul and Erickson 1985): the last edge out of each letter is drawn until they all lead to
    the last letter, the other edges are shuffled, and the path is walked; for all rows at once.

    Args:
        sequences: of bases alone.
        seed: of the order.

    Raises:
        SequenceError: no sequence is of bases alone; those that are not are left out.
    """
    known, rng = sequences.known(), np.random.default_rng(seed)
    codes = known.codes.copy()
    if codes.shape[1] < 3:
        return known
    edges = _edges(codes, known.lengths, rng)
    rows, source = np.arange(len(codes)), codes[:, :-1].astype(np.int64)
    real = np.arange(codes.shape[1] - 1) < known.lengths[:, None] - 1
    # where the edges of each letter begin in the sorted order
    sizes = np.stack([(real & (source == base)).sum(1) for base in range(BASES)], 1)
    place = np.cumsum(sizes, 1) - sizes
    letter = codes[:, 0].astype(np.int64)
    result = codes.copy()
    for step in range(1, codes.shape[1]):
        on = step < known.lengths
        edge = edges[rows, np.where(on, place[rows, letter], 0)]
        place[rows, letter] += on
        letter = np.where(on, codes[rows, edge + 1], letter)
        result[on, step] = letter[on]
    return Sequences(known.names, result, known.lengths, known.alphabet)


def _edges(codes: Codes, lengths: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Edges (places of their first letter) by letter, in random order, the last of each letter leading to the end."""
    source, target = codes[:, :-1].astype(np.int64), codes[:, 1:].astype(np.int64)
    real = np.arange(source.shape[1]) < lengths[:, None] - 1
    end = codes[np.arange(len(codes)), lengths - 1].astype(np.int64)
    keys, open_ = np.zeros(source.shape), np.arange(len(codes))
    while len(open_):
        keys[open_] = rng.random((len(open_), source.shape[1]))
        good = _leads_home(source[open_], target[open_], real[open_], keys[open_], end[open_])
        open_ = open_[~good]
    return np.where(real, source + keys, BASES + 1.0).argsort(1)


def _leads_home(
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    real: NDArray[np.bool_],
    keys: NDArray[np.float64],
    end: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether the last edges, those of the largest key of each letter, form a tree into the last letter of the row."""
    rows = np.arange(len(source))
    after, used = np.tile(end[:, None], BASES), np.zeros((len(source), BASES), dtype=bool)
    for base in range(BASES):
        own = np.where(real & (source == base), keys, -1.0)
        used[:, base] = own.max(1) >= 0
        after[:, base] = np.where(used[:, base], target[rows, own.argmax(1)], end)
    after[rows, end] = end
    reached = after
    for _ in range(2):  # four steps are enough for four letters
        reached = np.take_along_axis(reached, reached, 1)
    return (~used | (reached == end[:, None])).all(1)
