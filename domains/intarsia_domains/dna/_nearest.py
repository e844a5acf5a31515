"""Edit distances to the nearest training sequence: is a design new, or a copy?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia._extras import require
from intarsia_domains.dna._k_mers import k_mer_table
from intarsia_domains.dna._sequences import Sequences

_PAIRS = 2_000_000  # more than these are not compared letter by letter
_WORD, _CANDIDATES, _ROWS = 5, 16, 256


def nearest_edit(sequences: Sequences, reference: Sequences) -> NDArray[np.int64]:
    """Edit (Levenshtein) distance of each sequence to the closest of the reference, (rows,).

    Up to two million pairs are all compared. Of more, those of each sequence that share the most 5-mers and those that
    agree in the most places are: an upper bound, and exact for copies with few edits.

    Raises:
        MissingExtraError: rapidfuzz is not installed.
    """
    distance: Any = require("rapidfuzz.distance", "dna").Levenshtein.distance
    ours, theirs = sequences.texts(), reference.texts()
    if len(ours) * len(theirs) <= _PAIRS:
        process: Any = require("rapidfuzz.process", "dna")
        pieces = [
            process.cdist(ours[start : start + _ROWS], theirs, scorer=distance, dtype=np.int32).min(1)
            for start in range(0, len(ours), _ROWS)
        ]
        return np.concatenate(pieces).astype(np.int64)
    likely = _candidates(sequences, reference)
    rows = zip(ours, likely, strict=True)
    return np.array([min(distance(text, theirs[k]) for k in few) for text, few in rows], dtype=np.int64)


def near_copies(sequences: Sequences, reference: Sequences, share: float = 0.1) -> float:
    """Share of the sequences whose closest reference is within `share` of their length in edits."""
    return float((nearest_edit(sequences, reference) <= share * sequences.lengths).mean())


def pairwise_edit(sequences: Sequences, pairs: int = 2000, seed: int = 0) -> float:
    """Mean edit distance of random pairs, by the longer length; 0 where all are alike, NaN for one sequence."""
    distance: Any = require("rapidfuzz.distance", "dna").Levenshtein.distance
    if len(sequences) < 2:
        return float("nan")
    rng, texts = np.random.default_rng(seed), sequences.texts()
    first = rng.integers(0, len(texts), pairs)
    second = (first + rng.integers(1, len(texts), pairs)) % len(texts)
    drawn = zip(first, second, strict=True)
    return float(np.mean([distance(texts[a], texts[b]) / max(len(texts[a]), len(texts[b])) for a, b in drawn]))


def _candidates(sequences: Sequences, reference: Sequences) -> NDArray[np.int64]:
    """Rows of the reference that may be closest, (rows, candidates)."""
    words = np.sqrt(k_mer_table(reference, _WORD))
    width = min(sequences.codes.shape[1], reference.codes.shape[1])
    letters = _one_hot(reference, width)
    count = min(_CANDIDATES, len(reference))
    parts = list[NDArray[np.int64]]()
    for start in range(0, len(sequences), _ROWS):
        some = sequences[start : start + _ROWS]
        scores = (np.sqrt(k_mer_table(some, _WORD)) @ words.T, _one_hot(some, width) @ letters.T)
        best = [np.argpartition(-score, count - 1, axis=1)[:, :count] for score in scores]
        parts.append(np.concatenate(best, 1))
    return np.concatenate(parts)


def _one_hot(sequences: Sequences, width: int) -> NDArray[np.float32]:
    codes = sequences.codes[:, :width, None]
    return (codes == np.arange(4)).astype(np.float32).reshape(len(sequences), -1)
