"""k-mer spectra: how often each word of k letters occurs, and how far two spectra are apart."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._sequences import Sequences

Counts = NDArray[np.int64]
_CHUNK = 1 << 22  # letters at a time


def k_mer_counts(sequences: Sequences, k: int) -> Counts:
    """Occurrences of each k-mer over all sequences, (4^k,), in the order AA…A, AA…C, …; words of bases only."""
    rows = max(1, _CHUNK // sequences.codes.shape[1])
    total = np.zeros(BASES**k, dtype=np.int64)
    for start in range(0, len(sequences), rows):
        words, inside = _words(sequences.codes[start : start + rows], k)
        total += np.bincount(words[inside], minlength=BASES**k)
    return total


def k_mer_table(sequences: Sequences, k: int) -> NDArray[np.float32]:
    """Occurrences of each k-mer in each sequence, (rows, 4^k)."""
    words, inside = _words(sequences.codes, k)
    flat = (np.arange(len(sequences))[:, None] * BASES**k + words)[inside]
    size = len(sequences) * BASES**k
    return np.bincount(flat, minlength=size).reshape(len(sequences), -1).astype(np.float32)


def js_distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Jensen-Shannon distance of two spectra: the root of the divergence in bits, 0 to 1; NaN if one is empty.

    With natural logarithms, as some report it, it is smaller by the factor sqrt(ln 2) = 1 / 1.2011.
    """
    if not (a.sum() > 0 and b.sum() > 0):
        return float("nan")
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2

    def half(x: NDArray[np.float64]) -> float:
        some = x > 0
        return float((x[some] * np.log2(x[some] / middle[some])).sum())

    return math.sqrt(max(0.0, (half(p) + half(q)) / 2))


def js_floor(k: int, windows_a: float, windows_b: float) -> float:
    """What `js_distance` of two samples of one source is about, from so many k-mers each: it is never 0.

    sqrt((4^k - 1) (1 / N1 + 1 / N2) / (8 ln 2)), the second-order expansion of the divergence.
    """
    return math.sqrt((BASES**k - 1) * (1 / windows_a + 1 / windows_b) / (8 * math.log(2)))


def spectrum_correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Pearson correlation of the shares of two spectra; NaN where one is constant."""
    x, y = (counts / max(float(counts.sum()), 1.0) for counts in (a, b))
    x, y = x - x.mean(), y - y.mean()
    size = math.sqrt(float((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 else float("nan")


def mirrored(counts: Counts) -> Counts:
    """The spectrum of the other strands."""
    k = round(math.log(len(counts), BASES))
    # reverse the letters (axes) and complement each (flip of an axis)
    return np.ascontiguousarray(np.flip(counts.reshape((BASES,) * k).transpose(range(k - 1, -1, -1)))).reshape(-1)


def strand_asymmetry(counts: Counts) -> float:
    """Jensen-Shannon distance of a spectrum to that of the other strands: 0 where the strands are alike."""
    return js_distance(counts, mirrored(counts))


def _words(codes: NDArray[np.uint8], k: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Number of the word at each place, (rows, length - k + 1), and whether it is of bases only."""
    places = max(codes.shape[1] - k + 1, 0)
    words, inside = np.zeros((len(codes), places), dtype=np.int64), np.ones((len(codes), places), dtype=bool)
    for offset in range(k):
        letters = codes[:, offset : offset + places]
        words = words * BASES + letters
        inside &= letters < BASES
    return words, inside
