"""Sequences from files: FASTA, FASTQ, delimited text with labels, and BED regions of a genome."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import Alphabet
from intarsia_domains.dna._fasta import collect, iter_fasta, iter_fastq, open_text
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

_FASTA, _FASTQ, _TABLE = (".fa", ".fasta", ".fna", ".ffn"), (".fq", ".fastq"), (".csv", ".tsv", ".txt")
_FLIPPED = str.maketrans("ACGTURYSWKMBDHVNacgturyswkmbdhvn", "TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn")
_ABSENT = ("", "NA", "NaN", "nan", "null", "None")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Sequences and what is known about each.

    Args:
        sequences: the sequences.
        labels: per column of the file a value each: float64 with NaN where it is missing, or texts with None there.
    """

    sequences: Sequences
    labels: dict[str, NDArray[Any]]

    def complete(self, label: str) -> NDArray[Any]:
        """One label of all rows.

        Raises:
            SequenceError: there is no such label, or it is missing for some rows; the first is named.
        """
        if label not in self.labels:
            raise SequenceError(f"there is no label {label!r}; there are {', '.join(self.labels) or 'none'}")
        values = self.labels[label]
        missing = np.flatnonzero([value is None or value != value for value in values])
        if missing.size:
            raise SequenceError(
                f"the label {label!r} is missing for {missing.size} of {len(values)} rows, first for "
                f"{self.sequences.names[int(missing[0])]!r}; fill it in or leave those rows out"
            )
        return values


def read_sequences(path: str | Path, *, alphabet: Alphabet | None = None) -> Sequences:
    """Read FASTA, FASTQ or delimited text, by the suffix of the file (in front of .gz).

    Args:
        path: .fa .fasta .fna .ffn .fq .fastq .csv .tsv .txt, each also gzipped.
        alphabet: DNA or RNA; detected where it is not given.

    Raises:
        SequenceError: the file is not what its suffix says, or a sequence is refused, see `Sequences.of`.
    """
    suffix = _suffix(path)
    if suffix in _TABLE:
        return read_labelled(path, alphabet=alphabet).sequences
    if suffix in _FASTA or suffix in _FASTQ:
        names, texts = collect((iter_fasta if suffix in _FASTA else iter_fastq)(path), path)
        return Sequences.of(texts, names, alphabet)
    raise SequenceError(f"{path}: the suffix {suffix!r} is none of {', '.join((*_FASTA, *_FASTQ, *_TABLE))}")


def read_labelled(path: str | Path, *, column: str | None = None, alphabet: Alphabet | None = None) -> Labelled:
    """Read delimited text with a header; tabs separate where the header has any, commas elsewhere.

    Args:
        path: the file, gzipped or not.
        column: holds the sequences; by default `sequence` or `seq`, or the first column.
        alphabet: DNA or RNA; detected where it is not given.

    Raises:
        SequenceError: no header or no rows, no such column, a row of another width (its line is named), or a
            sequence is refused.
    """
    with open_text(path) as lines:
        first = lines.readline()
        delimiter = "\t" if "\t" in first else ","
        header = next(csv.reader([first], delimiter=delimiter), [])
        if not any(header):
            raise SequenceError(f"{path} is empty; it needs a header line and a row a sequence")
        where = _column(header, column, path)
        rows, reader = list[list[str]](), csv.reader(lines, delimiter=delimiter)
        for row in reader:
            if row and len(row) != len(header):
                raise SequenceError(
                    f"{path}, line {reader.line_num + 1}: {len(row)} cells where the header has {len(header)}"
                )
            if row:
                rows.append(row)
    if not rows:
        raise SequenceError(f"{path} has a header but no rows")
    names = [f"row {number}" for number in range(1, len(rows) + 1)]
    sequences = Sequences.of([row[where] for row in rows], names, alphabet)
    others = [k for k in range(len(header)) if k != where]
    return Labelled(sequences, {header[k]: _values([row[k] for row in rows]) for k in others})


def read_bed(path: str | Path, genome: str | Path, *, alphabet: Alphabet | None = None) -> Sequences:
    """Regions of a genome: 0-based, end exclusive; those on the strand `-` are reverse complemented.

    The genome is read once, a chromosome at a time. Names are column 4 where it is there and tells regions apart, and
    `chrom:start-end(strand)` elsewhere.

    Args:
        path: BED with at least three columns.
        genome: FASTA of the chromosomes.
        alphabet: DNA or RNA; detected where it is not given.

    Raises:
        SequenceError: a line is no region, a chromosome is missing, or a region lies behind its end; the line is named.
    """
    regions = _regions(path)
    wanted = defaultdict[str, list[int]](list)
    for number, region in enumerate(regions):
        wanted[region.chromosome].append(number)
    texts = [""] * len(regions)
    for chromosome, sequence in iter_fasta(genome):
        for number in wanted.pop(chromosome, []):
            region = regions[number]
            if region.end > len(sequence):
                raise SequenceError(
                    f"{path}, line {region.line}: the region ends at {region.end:,}, and {chromosome} has "
                    f"{len(sequence):,} bases in {genome}"
                )
            text = sequence[region.start : region.end]
            texts[number] = text.translate(_FLIPPED)[::-1] if region.flipped else text
    if wanted:
        chromosome, numbers = next(iter(wanted.items()))
        raise SequenceError(f"{path}, line {regions[numbers[0]].line}: {genome} has no chromosome {chromosome!r}")
    names = [region.name for region in regions]
    if len(set(names)) < len(names) or "" in names:
        names = [region.place for region in regions]
    return Sequences.of(texts, names, alphabet)


@dataclass(frozen=True, slots=True)
class _Region:
    line: int
    chromosome: str
    start: int
    end: int
    name: str
    flipped: bool

    @property
    def place(self) -> str:
        return f"{self.chromosome}:{self.start}-{self.end}({'-' if self.flipped else '+'})"


def _regions(path: str | Path) -> list[_Region]:
    regions = list[_Region]()
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            cells = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
            if not cells or not cells[0] or cells[0].startswith(("#", "track", "browser")):
                continue
            if len(cells) < 3 or not (cells[1].isdigit() and cells[2].isdigit()) or int(cells[1]) >= int(cells[2]):
                raise SequenceError(
                    f"{path}, line {number}: a region is chromosome, start and a larger end, got {line.strip()[:40]!r}"
                )
            name = cells[3] if len(cells) > 3 and cells[3] != "." else ""
            flipped = len(cells) > 5 and cells[5] == "-"
            regions.append(_Region(number, cells[0], int(cells[1]), int(cells[2]), name, flipped))
    if not regions:
        raise SequenceError(f"{path} holds no region")
    return regions


def _suffix(path: str | Path) -> str:
    suffixes = [part.lower() for part in Path(path).suffixes]
    return next((part for part in reversed(suffixes) if part != ".gz"), "")


def _column(header: list[str], column: str | None, path: str | Path) -> int:
    lower = [name.strip().lower() for name in header]
    if column is not None:
        if column not in header:
            raise SequenceError(f"{path} has no column {column!r}; it has {', '.join(header)}")
        return header.index(column)
    return next((lower.index(name) for name in ("sequence", "seq") if name in lower), 0)


def _values(cells: list[str]) -> NDArray[Any]:
    """Numbers where all cells are, texts elsewhere."""
    absent = [cell.strip() in _ABSENT for cell in cells]
    try:
        return np.array([np.nan if gone else float(cell) for cell, gone in zip(cells, absent, strict=True)])
    except ValueError:
        values = np.empty(len(cells), dtype=object)
        values[:] = [None if gone else cell for cell, gone in zip(cells, absent, strict=True)]
        return values
