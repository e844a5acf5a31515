"""Where motifs occur, by FIMO, and how often in each sequence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia._extras import require
from intarsia_domains.dna._alphabet import BASES, PAD
from intarsia_domains.dna._motifs import Motif
from intarsia_domains.dna._sequences import Sequences


@dataclass(frozen=True, eq=False)
class Hits:
    """Occurrences of motifs, one entry each, (hits,).

    Args:
        motifs: what was looked for.
        rows: how many sequences were scanned.
        motif: number of the motif.
        row: number of the sequence.
        start: 0-based place of the first letter.
        end: place behind the last letter.
        flipped: whether the motif lies on the other strand.
        p_value: of the score, against uniform bases.
    """

    motifs: tuple[Motif, ...]
    rows: int
    motif: NDArray[np.int64]
    row: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    flipped: NDArray[np.bool_]
    p_value: NDArray[np.float64]

    def counts(self) -> NDArray[np.int64]:
        """Hits of each motif in each sequence, (rows, motifs)."""
        table = np.zeros((self.rows, len(self.motifs)), dtype=np.int64)
        np.add.at(table, (self.row, self.motif), 1)
        return table

    def shares(self) -> NDArray[np.float64]:
        """Share of the sequences with at least one hit, (motifs,)."""
        return (self.counts() > 0).mean(0)

    def together(self) -> NDArray[np.float64]:
        """Share of the sequences with hits of both motifs, (motifs, motifs)."""
        present = (self.counts() > 0).astype(np.float64)
        return present.T @ present / self.rows


def find_motifs(sequences: Sequences, motifs: Sequence[Motif], *, p_value: float = 1e-4) -> Hits:
    """Scan both strands by FIMO (Grant, Bailey and Noble 2011), as memelite implements it.

    A place that is not one base, N and the like, counts as average. Hits that would reach behind the end are left out.

    Args:
        sequences: at least one.
        motifs: at least one.
        p_value: largest p-value of a hit, against uniform bases.

    Raises:
        ValueError: no motif, or a p-value outside of (0, 1).
        MissingExtraError: memelite is not installed.
    """
    if not motifs or not 0 < p_value < 1:
        raise ValueError(f"scanning needs motifs and a p-value in (0, 1), got {len(motifs)} motifs and {p_value}")
    memelite: Any = require("memelite", "dna")
    width = max(sequences.codes.shape[1], max(motif.width for motif in motifs))
    codes = np.full((len(sequences), width), PAD, dtype=np.uint8)
    codes[:, : sequences.codes.shape[1]] = sequences.codes
    onehot = (codes[:, None] == np.arange(BASES)[:, None]).astype(np.int8)
    frames = memelite.fimo({str(k): motif.probs.T for k, motif in enumerate(motifs)}, onehot, threshold=p_value)
    number = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])

    def column(name: str, kind: Any) -> NDArray[Any]:
        return np.concatenate([frame[name].to_numpy() for frame in frames]).astype(kind)

    row, start, end = column("sequence_name", np.int64), column("start", np.int64), column("end", np.int64)
    inside = end <= sequences.lengths[row]
    hits = Hits(
        tuple(motifs), len(sequences), number, row, start, end, column("strand", str) == "-", column("p-value", float)
    )
    order = np.lexsort((hits.motif, hits.start, hits.row))
    order = order[inside[order]]
    parts = (getattr(hits, name)[order] for name in ("motif", "row", "start", "end", "flipped", "p_value"))
    return Hits(hits.motifs, hits.rows, *parts)
