"""Bytes of a table, whatever holds them: a path, an open file, standard input, gzip or not."""

import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import IO, Any

from ._table_error import TableError

Source = str | Path | IO[Any]

_GZIP = b"\x1f\x8b"
_FOREIGN = {  # first bytes -> what it is and what to do
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"%PDF": "a PDF document; export the table as CSV",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x7fELF": "a program",
    b"BZh": "compressed by bzip2; decompress it or use gzip",
    b"\xfd7zXZ": "compressed by xz; decompress it or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; decompress it or use gzip",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
    b"ARROW1": "an Arrow IPC file; save it as Parquet",
}


def source_name(source: Source) -> str:
    """How messages call a source."""
    if isinstance(source, str | Path):
        return "standard input" if str(source) == "-" else str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "the open file"


def load_bytes(source: Source, max_bytes: int) -> bytes:
    """Read a source whole and undo gzip, which is recognized by its first bytes, not by its name.

    Raises:
        TableError: if there is no such file, it is a directory, unreadable, larger than `max_bytes` (also
            after decompression), a broken gzip stream or plainly another kind of file.
    """
    name = source_name(source)
    data = _limited(_raw(source, name, max_bytes), name, max_bytes)
    if data.startswith(_GZIP):
        data = _limited(_gunzip(data, name, max_bytes), name, max_bytes)
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise TableError(f"{name} is no table: it is {what}")
    return data


def _raw(source: Source, name: str, max_bytes: int) -> bytes:
    if not isinstance(source, str | Path):
        if not hasattr(source, "read"):
            raise TypeError(f"read_table needs a path, an open file or '-', got {type(source).__name__}")
        data = source.read(max_bytes + 1)
        return data.encode("utf-8") if isinstance(data, str) else bytes(data)
    if str(source) == "-":
        return sys.stdin.buffer.read(max_bytes + 1)
    path = Path(source)
    if path.is_dir():
        raise TableError(f"{name} is a directory; name one file in it")
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except FileNotFoundError:
        raise TableError(f"{name} does not exist; check the path") from None
    except (OSError, ValueError) as error:
        raise TableError(f"{name} cannot be opened: {error}") from error


def _gunzip(data: bytes, name: str, max_bytes: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return stream.read(max_bytes + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise TableError(f"{name} is a damaged gzip file ({error}); fetch or compress it again") from error


def _limited(data: bytes, name: str, max_bytes: int) -> bytes:
    if len(data) > max_bytes:
        raise TableError(
            f"{name} holds more than {max_bytes:,} bytes; raise max_bytes, or split the file or use Parquet"
        )
    return data
