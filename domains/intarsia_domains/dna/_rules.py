"""Constraints compiled for a length, and the product law of sites conditioned on all of them, exactly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from intarsia_domains.dna import _forward_backward as exact
from intarsia_domains.dna._alphabet import BASES, PAD, Bools, Codes
from intarsia_domains.dna._automaton import DEAD, Automaton, build
from intarsia_domains.dna._constraints import AbstractConstraint
from intarsia_domains.dna._sequence_error import SequenceError

Floats = NDArray[np.float64]
_SMALLEST = 1e-250  # what is lost to underflow is smaller than this by many orders


@dataclass(frozen=True, eq=False)
class Rules:
    """What `compile_constraints` makes: an automaton, allowed bases a site, and a window for the count of C and G.

    A law here is a product over sites: probs (rows, length, 4), or (rows, length, 5) where the last class is the
    padding behind the end of shorter sequences.

    Args:
        constraints: what was compiled, for messages.
        length: number of sites.
        shortest: fewest letters.
        automaton: reads the letters.
        sites: which bases each site may have, (length, 4).
        gc: fewest and most C and G in sequences of 0 to `length` letters, (length + 1, 2).
    """

    constraints: tuple[AbstractConstraint, ...]
    length: int
    shortest: int
    automaton: Automaton
    sites: Bools
    gc: NDArray[np.int32]

    @property
    def counts(self) -> int:
        """How many different counts of C and G have to be told apart."""
        return int(self.gc[self.shortest :, 1].max()) + 1 if self.counted else 1

    @cached_property
    def counted(self) -> bool:
        """Whether C and G have to be counted at all."""
        letters = np.arange(self.length + 1)[self.shortest :]
        return bool((self.gc[self.shortest :, 0] > 0).any() or (self.gc[self.shortest :, 1] < letters).any())

    @cached_property
    def alive(self) -> Bools:
        """States from which a sequence can still end well, by site, (length + 1, states); without counting."""
        step, accepts = self.automaton.step, self.automaton.accepts
        alive = np.zeros((self.length + 1, len(accepts)), dtype=bool)
        alive[self.length] = accepts
        for site in range(self.length - 1, -1, -1):
            reached = (step >= 0) & alive[site + 1][step] & self.sites[site]
            alive[site] = reached.any(1) | (accepts & (site >= self.shortest))
        return alive

    def log_prob(self, probs: ArrayLike) -> Floats:
        """log P(all constraints hold) under each product law on the bases its sites may have, (rows,).

        -inf where they cannot hold.

        Raises:
            SequenceError: a site may have none of the bases that its law allows.
        """
        law = self._law(probs)
        total = kernel().totals(self, law)
        result = np.log(np.maximum(total, _SMALLEST))
        for row in np.flatnonzero(total < _SMALLEST):
            result[row] = exact.backward(self, law[row])[0, 0, 0]
        return result

    def sample(self, probs: ArrayLike, seed: int | np.random.Generator = 0) -> Codes:
        """Draw whole sequences from the product laws conditioned on all constraints, (rows, length) uint8.

        Exact: a backward pass gives the probability that the rest can be kept from each state, a forward pass draws.

        Raises:
            SequenceError: a law excludes every sequence that keeps the constraints; the row is named.
        """
        law = self._law(probs)
        seeds = np.random.default_rng(seed).integers(0, 2**64, len(law), dtype=np.uint64)
        codes, total = kernel().draw(self, law, seeds)
        for row in np.flatnonzero(total < _SMALLEST):
            table = exact.backward(self, law[row])
            if not np.isfinite(table[0, 0, 0]):
                raise self._impossible(int(row))
            codes[row] = exact.draw(self, law[row], table, np.random.default_rng(seeds[row]).random(self.length))
        return codes

    def marginals(self, probs: ArrayLike) -> Floats:
        """Law of every site given all constraints, of the shape of `probs`.

        Raises:
            SequenceError: as `sample`.
        """
        law = self._law(probs)
        result, total = kernel().marginals(self, law)
        for row in np.flatnonzero(total < _SMALLEST):
            table = exact.backward(self, law[row])
            if not np.isfinite(table[0, 0, 0]):
                raise self._impossible(int(row))
            result[row] = exact.marginals(self, law[row], table)
        return result[..., : np.shape(probs)[-1]]

    def holds(self, codes: ArrayLike) -> Bools:
        """Whether each of the padded codes (rows, length) keeps all constraints, (rows,)."""
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.shape[1] != self.length:
            raise ValueError(f"codes are (rows, {self.length}), got {codes.shape}")
        rows = len(codes)
        state, letters, strong = (np.zeros(rows, dtype=np.int64) for _ in range(3))
        good, open_ = np.ones(rows, dtype=bool), np.ones(rows, dtype=bool)
        for site, code in enumerate(codes.T):
            reads = code < BASES
            base = np.where(reads, code, 0).astype(np.int64)
            good &= np.where(reads, open_ & self.sites[site][base], code == PAD)
            open_ &= reads
            after = self.automaton.step[np.maximum(state, 0), base]
            state = np.where(reads, np.where(state < 0, DEAD, after), state)
            letters, strong = letters + reads, strong + (reads & ((base == 1) | (base == 2)))
        window = self.gc[letters]
        ends = (state >= 0) & self.automaton.accepts[np.maximum(state, 0)] & (letters >= self.shortest)
        return good & ends & (window[:, 0] <= strong) & (strong <= window[:, 1])

    @cached_property
    def possible(self) -> bool:
        """Whether any sequence keeps all constraints."""
        law = np.zeros((1, self.length, BASES + 1))
        law[..., :BASES] = self.sites
        law[:, self.shortest :, PAD] = 1.0
        law /= np.maximum(law.sum(-1, keepdims=True), 1.0)
        return bool(kernel().totals(self, law)[0] >= _SMALLEST) or self.log_count() > -math.inf

    def log_count(self) -> float:
        """Log of the number of sequences that keep all constraints; -inf if none does."""
        law = np.full((self.length, BASES + 1), 1.0)
        law[: self.shortest, PAD] = 0.0
        law[:, :BASES] *= self.sites
        return float(exact.backward(self, law)[0, 0, 0])

    def _law(self, probs: ArrayLike) -> Floats:
        """The laws 5 classes wide, on the bases that the sites may have; each site sums to 1."""
        probs = np.asarray(probs, dtype=np.float64)
        if probs.ndim != 3 or probs.shape[1] != self.length or probs.shape[2] not in (BASES, BASES + 1):
            raise ValueError(f"probs are (rows, {self.length}, 4 or 5), got {probs.shape}")
        law = np.zeros((*probs.shape[:2], BASES + 1))
        law[..., : probs.shape[2]] = probs
        law[..., :BASES] *= self.sites
        law[:, : self.shortest, PAD] = 0.0
        total = law.sum(-1, keepdims=True)
        bad = np.flatnonzero(~(total > 0).all((1, 2)))
        if bad.size:
            raise self._impossible(int(bad[0]))
        return law / total

    def _impossible(self, row: int) -> SequenceError:
        parts = _listed([str(part) for part in self.constraints]) if self.constraints else "its own letters"
        return SequenceError(
            f"row {row}: what is known of it leaves no sequence of {_span(self.shortest, self.length)} letters that "
            f"keeps {parts}; free some of its letters or relax a constraint"
        )


def kernel() -> Any:
    """The machine code of the passes; it brings numba, so it is imported when it is first needed."""
    return import_module("intarsia_domains.dna._kernel")


def compile_constraints(
    constraints: Sequence[AbstractConstraint], length: int, *, shortest: int | None = None
) -> Rules:
    """Compile constraints for sequences of at most `length` letters, and find contradictions before sampling.

    Args:
        constraints: all of them have to hold.
        length: number of sites of the model.
        shortest: fewest letters of sequences that may end early; by default none does.

    Raises:
        SequenceError: no sequence keeps them all; the message names the fewest parts that contradict each other.
    """
    constraints = tuple(constraints)
    wrong = next((part for part in constraints if not isinstance(part, AbstractConstraint)), None)
    if wrong is not None:
        raise TypeError(f"constraints are objects such as Avoid('GAATTC'), got {wrong!r}")
    for part in constraints:
        if (reason := part.refusal(length)) is not None:
            raise SequenceError(f"{part} {reason}")
    low = length if shortest is None else shortest
    rules = _compile(constraints, length, low)
    if rules is not None and rules.possible:
        return rules
    culprits = list(constraints)
    for part in constraints:  # what can be left out without resolving the contradiction has no part in it
        fewer = [other for other in culprits if other is not part]
        left = _compile(fewer, length, low)
        if left is None or not left.possible:
            culprits = fewer
    names = [str(part) for part in culprits]
    held = f"{names[0]} cannot be kept" if len(names) == 1 else f"{_listed(names)} cannot be kept together"
    raise SequenceError(f"{held} by a sequence of {_span(low, length)} letters; relax or leave out one of them")


def _compile(constraints: Sequence[AbstractConstraint], length: int, shortest: int) -> Rules | None:
    """None where the lengths alone contradict each other."""
    spans = [part.lengths() for part in constraints]
    shortest = max([shortest, 1, *(low for low, _ in spans)])
    longest = min([length, *(high for _, high in spans if high is not None)])
    if longest < shortest:
        return None
    sites = np.ones((length, BASES), dtype=bool)
    gc = np.stack([np.zeros(length + 1), np.arange(length + 1)], 1).astype(np.int32)
    for part in constraints:
        own = part.sites(length)
        sites = sites if own is None else sites & own
        windows = np.array([part.gc(letters) for letters in range(length + 1)])
        gc = np.stack([np.maximum(gc[:, 0], windows[:, 0]), np.minimum(gc[:, 1], windows[:, 1])], 1).astype(np.int32)
    sites[longest:] = False
    banned = list(chain.from_iterable(part.banned() for part in constraints))
    wanted = [group for part in constraints if (group := part.wanted())]
    return Rules(tuple(constraints), length, shortest, build(banned, wanted), sites, gc)


def _span(low: int, high: int) -> str:
    return str(high) if low >= high else f"{low} to {high}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
