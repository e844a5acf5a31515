"""Sequences to fill or to score: what each letter may be, lengths and conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia_domains.dna._alphabet import BASES, PAD, SETS, Bools, Codes
from intarsia_domains.dna._conditions import Conditions
from intarsia_domains.dna._constraints import AbstractConstraint
from intarsia_domains.dna._lengths import Lengths
from intarsia_domains.dna._raw import Rows
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

LENGTH = "length"
"""The name under which conditions fix the number of letters."""


@dataclass(frozen=True, eq=False)
class Slots:
    """Rows of sites.

    Args:
        allowed: letters that each site may have, (rows, length, 4).
        lengths: sites of each, (rows,).
        features: conditions, (rows, length, channels).
    """

    allowed: Bools
    lengths: NDArray[np.int64]
    features: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def inside(self) -> Bools:
        """Sites of each sequence, (rows, length)."""
        return np.arange(self.allowed.shape[1]) < self.lengths[:, None]

    def take(self, rows: NDArray[np.int64], length: int | None = None) -> "Slots":
        """Some rows, cut to `length`."""
        return Slots(self.allowed[rows, :length], self.lengths[rows], self.features[rows, :length])

    def without_conditions(self) -> "Slots":
        """The same, told nothing."""
        return Slots(self.allowed, self.lengths, np.zeros_like(self.features))

    def turned(self) -> "Slots":
        """The other strands; signals along the sites turn around too."""
        place = np.arange(self.allowed.shape[1])
        source = self.lengths[:, None] - 1 - place
        source = np.where(source >= 0, source, place)[..., None]
        allowed = np.take_along_axis(self.allowed, source, 1)[..., ::-1]
        return Slots(allowed.copy(), self.lengths, np.take_along_axis(self.features, source, 1))

    def tensors(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Allowed letters, sites that are inside, and conditions."""
        allowed, inside, features = (torch.from_numpy(x) for x in (self.allowed, self.inside, self.features))
        return allowed.to(device), inside.to(device), features.to(device)


def new_slots(
    lengths: Lengths,
    conditions: Conditions,
    n: int,
    given: Mapping[str, Any],
    seed: int,
    constraints: Sequence[AbstractConstraint] = (),
) -> Slots:
    """Slots of new sequences: lengths drawn by their law among those that can keep the constraints, or given.

    Raises:
        TypeError, ValueError: `n` is no number of sequences.
        SequenceError: a condition or length that the model does not have.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TypeError(f"`n` must be a whole number of sequences, got {n!r}")
    if n < 0:
        raise ValueError(f"`n` must not be negative, got {n}")
    if LENGTH in given:
        own = _given_lengths(lengths, given[LENGTH], n)
    else:
        own = lengths.draw(n, np.random.default_rng([seed, 1]), _possible(lengths, constraints))
    told = {name: value for name, value in given.items() if name != LENGTH}
    inside = np.arange(lengths.longest) < own[:, None]
    allowed = np.repeat(inside[..., None], BASES, -1)
    return Slots(allowed, own, conditions.encode(told, n, lengths.longest))


def known_slots(lengths: Lengths, conditions: Conditions, rows: Rows, given: Mapping[str, Any] | None) -> Slots:
    """Slots of sequences that are there, with what is known of their letters.

    Args:
        lengths: the model's.
        conditions: the model's.
        rows: sequences and labels.
        given: conditions; by default the labels that the model knows.

    Raises:
        SequenceError: a length or a condition that the model does not have.
    """
    sequences = rows.sequences
    lengths.check(sequences.lengths, sequences.names)
    own = {k: v for k, v in rows.labels.items() if k in conditions.parts} if given is None else given
    codes = padded(sequences, lengths.longest)
    return Slots(SETS[codes], sequences.lengths, conditions.encode(own, len(rows), lengths.longest))


def padded(sequences: Sequences, length: int) -> Codes:
    """Codes (rows, length), padded with 4."""
    codes = np.full((len(sequences), length), PAD, dtype=np.uint8)
    width = min(length, sequences.codes.shape[1])
    codes[:, :width] = sequences.codes[:, :width]
    return codes


def _given_lengths(lengths: Lengths, given: Any, n: int) -> NDArray[np.int64]:
    try:
        own = np.broadcast_to(np.asarray(given).astype(np.int64), (n,)).copy()
    except (TypeError, ValueError):
        raise SequenceError(f"{LENGTH!r} is a whole number of letters, or {n} of them, got {given!r}") from None
    lengths.check(own, [f"sequence {row + 1}" for row in range(n)])
    return own


def _possible(lengths: Lengths, constraints: Sequence[AbstractConstraint]) -> list[int] | None:
    """Lengths that no constraint excludes by itself."""
    if not constraints:
        return None
    for part in constraints:
        if (reason := part.refusal(lengths.longest)) is not None:
            raise SequenceError(f"{part} {reason}")
    spans = [part.lengths() for part in constraints]
    low = max(lengths.shortest, *(low for low, _ in spans))
    high = min([lengths.longest, *(high for _, high in spans if high is not None)])
    if low > high:
        names = " and ".join(str(part) for part in constraints)
        raise SequenceError(f"{names} cannot be kept: the model has {lengths.about()}; relax or leave out one of them")
    return list(range(low, high + 1))
