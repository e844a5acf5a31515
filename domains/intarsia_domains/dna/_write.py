"""Sequences to files: FASTA, CSV and GenBank with motif hits as features; whole or not at all, gzipped by suffix."""

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from intarsia._atomic import write_atomically
from intarsia_domains.dna._motif_hits import Hits
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

_LINE = 60


def write_fasta(sequences: Sequences, path: str | Path) -> None:
    """Write a record each, 60 letters a line.

    Raises:
        OSError: the directory is missing, or the disk is full; then an older file stays.
    """
    records = zip(sequences.names, sequences.texts(), strict=True)
    _store(path, "".join(f">{name.replace(' ', '_')}\n{_wrapped(text)}\n" for name, text in records))


def write_csv(sequences: Sequences, path: str | Path, columns: Mapping[str, Sequence[Any]] | None = None) -> None:
    """Write a row each: name, sequence, and further columns.

    Args:
        sequences: the sequences.
        path: the file.
        columns: values a row, None for none.

    Raises:
        SequenceError: a column has another number of values, or is called name or sequence.
    """
    columns = {} if columns is None else columns
    for name, values in columns.items():
        if name in ("name", "sequence") or len(values) != len(sequences):
            raise SequenceError(
                f"the column {name!r} must have {len(sequences)} values and another name than name and sequence, "
                f"got {len(values)}"
            )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "sequence", *columns])
    writer.writerows(zip(sequences.names, sequences.texts(), *columns.values(), strict=True))
    _store(path, text.getvalue())


def write_genbank(sequences: Sequences, path: str | Path, hits: Hits | None = None) -> None:
    """Write flat GenBank records, motif hits as features of the kind `protein_bind`.

    Args:
        sequences: the sequences.
        path: the file.
        hits: of `find_motifs` on these sequences.
    """
    kind = "RNA" if sequences.alphabet.last == "U" else "DNA"
    parts = list[str]()
    for row, (name, text) in enumerate(zip(sequences.names, sequences.texts(), strict=True)):
        short = "_".join(name.split())[:16]
        parts.append(f"LOCUS       {short:<16} {len(text):>11} bp    {kind:<6}  linear   SYN 01-JAN-1980\n")
        parts.append(f"DEFINITION  {name}.\nFEATURES             Location/Qualifiers\n")
        parts.append(f"     source          1..{len(text)}\n")
        parts.extend(_features(hits, row))
        parts.append("ORIGIN\n")
        for start in range(0, len(text), _LINE):
            line = text[start : start + _LINE].lower()
            parts.append(f"{start + 1:>9} {' '.join(line[k : k + 10] for k in range(0, len(line), 10))}\n")
        parts.append("//\n")
    _store(path, "".join(parts))


def _features(hits: Hits | None, row: int) -> list[str]:
    if hits is None:
        return []
    lines = list[str]()
    for k in (hits.row == row).nonzero()[0]:
        place = f"{hits.start[k] + 1}..{hits.end[k]}"
        place = f"complement({place})" if hits.flipped[k] else place
        motif = hits.motifs[hits.motif[k]]
        lines.append(f"     protein_bind    {place}\n")
        lines.append(f'                     /bound_moiety="{motif.title}"\n')
        lines.append(f'                     /note="{motif.name}, p = {hits.p_value[k]:.1e}"\n')
    return lines


def _wrapped(text: str) -> str:
    return "\n".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))


def _store(path: str | Path, text: str) -> None:
    path, data = Path(path), text.encode()
    write_atomically(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
