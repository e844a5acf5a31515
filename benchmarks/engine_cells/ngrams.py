"""Floors for bits per character: an interpolated Witten-Bell n-gram, and compressors."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable

import numpy as np


def witten_bell(train: np.ndarray, test: np.ndarray, orders: int, symbols: int) -> list[float]:
    """Bits per character of `test` for orders 0 to `orders`, each counted from `train` alone.

    p_n(c | h) = (count(h c) + kinds(h) p_{n-1}(c | h')) / (count(h) + kinds(h)), with kinds(h) the number of different
    characters that follow h, h' the context without its first character, and p_{-1} uniform (Witten & Bell 1991,
    method C, interpolated as in Chen & Goodman 1999). A context that was never seen says nothing: p_n = p_{n-1}.

    By hand: in "aab" the order 0 is (2 + 2/2) / (3 + 2) = 3/5 for a; after one a come a and b once each, so the order 1
    is (1 + 2 · 2/5) / (2 + 2) = 9/20 for b.

    >>> a, b = 0, 1
    >>> bits = witten_bell(np.array([a, a, b]), np.array([a, b]), 1, 2)
    >>> [round(x, 6) for x in bits]
    [1.029447, 0.944484]
    >>> [round(float(-(np.log2(3 / 5) + np.log2(p)) / 2), 6) for p in (2 / 5, 9 / 20)]
    [1.029447, 0.944484]
    """
    prob = np.full(len(test), 1.0 / symbols)
    bits = []
    for order in range(orders + 1):
        grams, counts = np.unique(_codes(train, order + 1, symbols), return_counts=True)
        contexts, first, kinds = np.unique(grams // symbols, return_index=True, return_counts=True)
        totals = np.add.reduceat(counts, first)
        asked = _codes(test, order + 1, symbols)
        seen, place = _find(contexts, asked // symbols)
        known, at = _find(grams, asked)
        hits = np.where(known, counts[at], 0)
        lower = prob[order:]
        mixed = (hits + kinds[place] * lower) / (totals[place] + kinds[place])
        prob = np.concatenate([prob[:order], np.where(seen, mixed, lower)])
        bits.append(float(-np.log2(prob).mean()))
    return bits


def _codes(ids: np.ndarray, length: int, symbols: int) -> np.ndarray:
    """Every run of `length` symbols as one number, the last symbol in its last digit."""
    codes = np.zeros(len(ids) - length + 1, dtype=np.int64)
    for k in range(length):
        codes = codes * symbols + ids[k : len(ids) - length + 1 + k]
    return codes


def _find(sorted_codes: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each code asked for is there, and where (anywhere if it is not)."""
    place = np.searchsorted(sorted_codes, asked).clip(max=len(sorted_codes) - 1)
    return sorted_codes[place] == asked, place


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": lambda raw: zlib.compress(raw, 9),
    "bz2": lambda raw: bz2.compress(raw, 9),
    "xz": lambda raw: lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME),
}


def compressed(train: bytes, test: bytes) -> dict[str, list[float]]:
    """Bits per character of the test alone, and of what it adds to the size of the compressed training text."""
    found = {}
    for name, press in COMPRESSORS.items():
        added = len(press(train + test)) - len(press(train))
        found[name] = [8 * len(press(test)) / len(test), 8 * added / len(test)]
    return found
