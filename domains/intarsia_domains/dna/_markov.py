"""Markov chains of letters: the baseline that needs no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import BASES, PAD, Alphabet, Codes
from intarsia_domains.dna._lengths import Lengths
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

Floats = NDArray[np.float64]
_MOST_CELLS = 2**24


@dataclass(frozen=True, eq=False)
class MarkovModel:
    """p(letter | the `order` letters before it), the same at all sites or one for each; `fit_markov` chooses.

    Orders back off to the one below: p_k(x | c) = (n(c, x) + strength p_{k-1}(x | c without its first letter)) /
    (n(c) + strength), down to the uniform law (Witten & Bell's form with a fixed strength; MacKay & Peto 1995). The
    first letters of a sequence have the letters that there are in front of them.

    Args:
        tables: by order from 0, counts (places, 4^order, 4); one place, or one a site.
        strength: pseudocounts of the order below.
        lengths: law of lengths.
        alphabet: of samples.
        held_out: mean log-likelihood on the rows that chose it, nats a sequence; NaN where nothing was chosen.
    """

    tables: tuple[NDArray[np.int64], ...]
    strength: float
    lengths: Lengths
    alphabet: Alphabet
    held_out: float = float("nan")

    @property
    def order(self) -> int:
        """Letters in front that count."""
        return len(self.tables) - 1

    @property
    def aligned(self) -> bool:
        """Whether each site has a law of its own."""
        return len(self.tables[0]) > 1

    @cached_property
    def laws(self) -> list[Floats]:
        """p(letter | context) by order, (places, 4^order, 4)."""
        laws = list[Floats]()
        below = np.full((len(self.tables[0]), 1, BASES), 1.0 / BASES)
        for order, table in enumerate(self.tables):
            # a context is a number whose first letter counts most: its tail is what is left modulo 4^(order - 1)
            tail = np.arange(BASES**order) % max(BASES ** (order - 1), 1)
            prior = self.strength * below[:, tail]
            below = (table + prior) / (table.sum(-1, keepdims=True) + self.strength)
            laws.append(below)
        return laws

    def score_samples(self, sequences: Sequences) -> Floats:
        """Log-likelihood, nats a sequence, (rows,).

        Raises:
            SequenceError: a letter that is not known, or a length that was not seen.
        """
        unknown = np.flatnonzero(~sequences.is_known())
        if unknown.size:
            raise SequenceError(f"{sequences.names[int(unknown[0])]!r} has letters other than A, C, G, T; leave it out")
        total = self.lengths.log_prob(sequences.lengths, sequences.names)
        context = np.zeros(len(sequences), dtype=np.int64)
        for site in range(sequences.codes.shape[1]):
            code = sequences.codes[:, site].astype(np.int64)
            law = self._law(site)[context]
            inside = code < BASES
            total += np.where(inside, np.log(law[np.arange(len(code)), np.where(inside, code, 0)]), 0.0)
            context = self._pushed(context, np.where(inside, code, 0), site)
        return total

    def sample(self, n: int, *, seed: int = 0) -> Sequences:
        """Draw sequences."""
        rng = np.random.default_rng(seed)
        lengths = self.lengths.draw(n, rng)
        codes = np.full((n, self.lengths.longest), PAD, dtype=np.uint8)
        context = np.zeros(n, dtype=np.int64)
        for site in range(self.lengths.longest):
            law = self._law(site)[context].cumsum(-1)
            code = (rng.random((n, 1)) * law[:, -1:] >= law).sum(-1)
            codes[:, site] = np.where(site < lengths, code, PAD)
            context = self._pushed(context, code, site)
        return Sequences(tuple(f"Markov {k + 1}" for k in range(n)), codes, lengths, self.alphabet)

    def _law(self, site: int) -> Floats:
        law = self.laws[min(site, self.order)]
        return law[site if self.aligned else 0]

    def _pushed(self, context: NDArray[np.int64], code: NDArray[np.int64], site: int) -> NDArray[np.int64]:
        return (context * BASES + code) % BASES ** min(site + 1, self.order)


def fit_markov(
    sequences: Sequences,
    *,
    orders: Sequence[int] = (0, 1, 2, 3, 4, 5, 6),
    strengths: Sequence[float] = (1.0, 4.0, 16.0, 64.0),
    held_out: float = 0.1,
    seed: int = 0,
) -> MarkovModel:
    """Count letters, choosing order, strength and whether sites differ by the likelihood of held-out rows.

    Args:
        sequences: rows with other letters than A, C, G, T are left out.
        orders: to choose from.
        strengths: to choose from.
        held_out: share of the rows that choose; what is chosen is counted on all rows.
        seed: of the split.

    Raises:
        SequenceError: fewer than two sequences without other letters.
    """
    known = sequences.known()
    if len(known) < 2:
        raise SequenceError("a Markov model needs at least two sequences")
    order = np.random.default_rng(seed).permutation(len(known))
    out = max(1, round(held_out * len(known)))
    chooses, counted = known[order[:out]], known[order[out:]]
    lengths = Lengths.fit(known.lengths)
    best: tuple[float, int, float, bool] | None = None
    for aligned in (False, True):
        most = max(orders) if aligned is False else _most_order(orders, lengths.longest)
        tables = _counts(counted.codes, most, aligned)
        for own in (k for k in orders if k <= most):
            for strength in strengths:
                model = MarkovModel(tables[: own + 1], strength, lengths, known.alphabet)
                value = float(model.score_samples(chooses).mean())
                best = max(best, (value, own, strength, aligned)) if best else (value, own, strength, aligned)
    assert best is not None
    value, own, strength, aligned = best
    tables = _counts(known.codes, own, aligned)
    return MarkovModel(tables, strength, lengths, known.alphabet, value)


def _most_order(orders: Sequence[int], length: int) -> int:
    return max((k for k in orders if length * BASES ** (k + 1) <= _MOST_CELLS), default=min(orders))


def _counts(codes: Codes, order: int, aligned: bool) -> tuple[NDArray[np.int64], ...]:
    """Counts by order, (places, 4^order, 4); an order counts from the site that has so many letters in front."""
    sites = codes.shape[1]
    tables = list[NDArray[np.int64]]()
    for k in range(order + 1):
        places = sites if aligned else 1
        table = np.zeros((places, BASES**k * BASES), dtype=np.int64)
        for site in range(k, sites):
            inside = codes[:, site] < BASES
            word = np.zeros(int(inside.sum()), dtype=np.int64)
            for column in codes[inside, site - k : site + 1].T:
                word = word * BASES + column
            table[site if aligned else 0] += np.bincount(word, minlength=table.shape[1])
        tables.append(table.reshape(places, BASES**k, BASES))
    return tuple(tables)
