"""FASTA and FASTQ, line by line, gzipped or not: thin readers that name the line of what is wrong."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from intarsia_domains.dna._sequence_error import SequenceError


@contextmanager
def open_text(path: str | Path) -> Iterator[IO[str]]:
    """A text file, unpacked where its first bytes are those of gzip, whatever its name.

    Raises:
        SequenceError: there is no such file, or its gzip stream is damaged.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as raw:
            yield TextIOWrapper(raw, encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise SequenceError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise SequenceError(f"{path} is a directory; name a file in it") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SequenceError(f"{path} is a damaged gzip file ({error}); get it again") from None


def iter_fasta(path: str | Path) -> Iterator[tuple[str, str]]:
    """Names (the first word behind `>`) and sequences of a FASTA file, one after the other.

    Raises:
        SequenceError: text before the first `>`, or a record without name or without letters; the line is named.
    """
    with open_text(path) as lines:
        name, start, parts = "", 0, list[str]()
        for number, line in enumerate(lines, start=1):
            line = line.strip()
            if line.startswith(">"):
                if start:
                    yield name, _joined(path, name, start, parts)
                words = line[1:].split(maxsplit=1)
                if not words:
                    raise SequenceError(f"{path}, line {number}: a record has no name behind '>'; name it")
                name, start, parts = words[0], number, []
            elif line and not line.startswith(";"):
                if not start:
                    raise SequenceError(f"{path}, line {number}: FASTA begins with '>' and a name, got {line[:30]!r}")
                parts.append(line)
        if start:
            yield name, _joined(path, name, start, parts)


def iter_fastq(path: str | Path, *, least_quality: int = 0) -> Iterator[tuple[str, str]]:
    """Names and sequences of a FASTQ file with four lines a record.

    Args:
        path: the file.
        least_quality: letters of a lower Phred quality (ASCII offset 33) become N.

    Raises:
        SequenceError: a record is not of the form @name, letters, +, qualities; the line is named.
    """
    with open_text(path) as lines:
        number = 0
        while header := lines.readline():
            number += 1
            if not header.strip():
                continue
            text, plus, quality = (lines.readline().strip() for _ in range(3))
            where = f"{path}, line {number}"
            if not header.startswith("@") or not header[1:].split():
                raise SequenceError(f"{where}: a FASTQ record begins with '@' and a name, got {header.strip()[:30]!r}")
            name = header[1:].split()[0]
            if not plus.startswith("+"):
                raise SequenceError(f"{where}: the third line of {name!r} must begin with '+', got {plus[:30]!r}")
            if len(text) != len(quality):
                raise SequenceError(f"{where}: {name!r} has {len(text)} letters and {len(quality)} qualities")
            if not text:
                raise SequenceError(f"{where}: {name!r} is an empty sequence; leave it out")
            number += 3
            if least_quality > 0:
                pairs = zip(text, quality, strict=True)
                text = "".join("N" if ord(mark) - 33 < least_quality else letter for letter, mark in pairs)
            yield name, text


def collect(records: Iterable[tuple[str, str]], path: str | Path) -> tuple[list[str], list[str]]:
    """Names and texts of records.

    Raises:
        SequenceError: there is none, or a name is repeated; the name is named.
    """
    places, texts = dict[str, int](), list[str]()
    for number, (name, text) in enumerate(records, start=1):
        if name in places:
            raise SequenceError(
                f"{path}: the name {name!r} is repeated, in records {places[name]} and {number}; give each its own"
            )
        places[name] = number
        texts.append(text)
    if not texts:
        raise SequenceError(f"{path} holds no sequence")
    return list(places), texts


def _joined(path: str | Path, name: str, line: int, parts: list[str]) -> str:
    if not parts:
        raise SequenceError(f"{path}, line {line}: {name!r} is an empty sequence; leave it out")
    return "".join(parts)
