"""What `fit` and its like take for sequences: texts, arrays of texts, `Sequences`, or a file with its labels."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from intarsia_domains.dna._alphabet import Alphabet
from intarsia_domains.dna._conditions import usable
from intarsia_domains.dna._read import Labelled
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

ONE_LABEL = "label"
"""What labels are called that come without a name."""


@dataclass(frozen=True, eq=False)
class Rows(Labelled):
    """Sequences with their labels, which can be counted and divided."""

    def __len__(self) -> int:
        return len(self.sequences)

    def take(self, rows: Any) -> "Rows":
        """Some rows, by their numbers."""
        return Rows(self.sequences[rows], {name: np.asarray(own)[rows] for name, own in self.labels.items()})


def rows_of(raw: Any, labels: Any = None, alphabet: Alphabet | None = None) -> Rows:
    """Sequences and labels.

    Args:
        raw: texts, `Sequences`, or sequences with labels.
        labels: values by name, or one value each, which is called "label"; None keeps those of `raw`.
        alphabet: DNA or RNA; detected where it is not given.

    Raises:
        SequenceError: sequences or labels that cannot be read.
    """
    own: Mapping[str, Any] = raw.labels if isinstance(raw, Labelled) else {}
    sequences = raw.sequences if isinstance(raw, Labelled) else raw
    if not isinstance(sequences, Sequences):
        sequences = Sequences.of(sequences if isinstance(sequences, str) else list(sequences), alphabet=alphabet)
    if labels is not None:
        own = labels if isinstance(labels, Mapping) else {ONE_LABEL: labels}
    for name, values in own.items():
        if len(values) != len(sequences):
            raise SequenceError(f"the label {name!r} has {len(values)} values for {len(sequences)} sequences")
    return Rows(sequences, dict(own))


def chosen_labels(rows: Rows, target: str | None, *, named: bool) -> Rows:
    """The rows with the label `target` alone, with the labels that were named, or with a file's that can be conditions.

    Raises:
        SequenceError: there is no such label.
    """
    if target is not None:
        if target not in rows.labels:
            raise SequenceError(f"there is no label {target!r}; there are {', '.join(rows.labels) or 'none'}")
        return Rows(rows.sequences, {target: rows.labels[target]})
    if named:
        return rows
    kept, dropped = usable(rows.labels)
    if dropped:
        warnings.warn(f"columns that cannot be conditions are left out: {', '.join(dropped)}", stacklevel=3)
    return Rows(rows.sequences, kept)
