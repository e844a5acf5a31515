"""Write frames as CSV, TSV or Parquet: whole or in pieces, and either completely or not at all."""

import gzip
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ._format import csv_header, csv_lines
from ._names import check_unique
from ._table_error import TableError

Format = Literal["csv", "csv.gz", "tsv", "tsv.gz", "parquet"]

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv.gz",
    ".tsv": "tsv",
    ".tsv.gz": "tsv.gz",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_ROWS = 1 << 16  # formatted at a time


def write_table(
    frame: pd.DataFrame,
    path: str | Path,
    *,
    format: Format | None = None,
    missing: str = "",
    escape_formulas: bool = False,
) -> None:
    """Write a frame to a file, without its index; the file appears complete or not at all.

    What `read_table` produces, it reads back equal from what this writes. Formulas are therefore not escaped
    unless asked for: a leading `'` would change the data. Ask for it where a spreadsheet will open the file.

    Args:
        frame: At least one column; names are unique and, in CSV, become text.
        path: Its suffix (.csv, .csv.gz, .tsv, .tsv.gz, .parquet) is the format; `-` is standard output.
        format: Where the suffix does not say it.
        missing: The content of a cell without value in CSV. Pass the same one to `read_table`.
        escape_formulas: Put `'` before text cells of CSV that begin with `=`, `+`, `-`, `@`, tab or return.
    """
    with TableWriter(path, format=format, missing=missing, escape_formulas=escape_formulas) as writer:
        writer.append(frame)


class TableWriter:
    """A table written in pieces, in the memory of one piece. Arguments are those of `write_table`.

    Used as a context manager it commits at the end and, after an exception, leaves what was there before.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "t.csv"
        >>> with TableWriter(target) as writer:
        ...     writer.append(pd.DataFrame({"a": [1, 2]}))
        ...     writer.append(pd.DataFrame({"a": [3]}))
        >>> target.read_text().split()
        ['a', '1', '2', '3']
    """

    def __init__(
        self,
        path: str | Path,
        *,
        format: Format | None = None,
        missing: str = "",
        escape_formulas: bool = False,
    ):
        self._name = "standard output" if str(path) == "-" else str(path)
        self._format = format or _format_of(path)
        if self._format not in _SUFFIXES.values():
            raise ValueError(f"there is no format {self._format!r}; use one of {sorted(set(_SUFFIXES.values()))}")
        self._delimiter = "\t" if self._format.startswith("tsv") else ","
        self._missing = missing
        self._escape_formulas = escape_formulas
        self._names: list[object] | None = None
        self._parquet: Any = None
        with ExitStack() as stack:
            self._file: Any = stack.enter_context(_moved_into_place(path))
            if self._format.endswith(".gz"):
                self._file = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=self._file, mtime=0))
            self._stack = stack.pop_all()

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows. Every piece has the columns of the first, in its order; in Parquet also its types."""
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"a pandas DataFrame is written, got {type(frame).__name__}; convert it first")
        if self._names is None:
            self._begin(frame)
        elif list(frame.columns) != self._names:
            raise TableError(f"{self._name}: a piece has columns {list(frame.columns)}, the first had {self._names}")
        if self._format == "parquet":
            self._append_parquet(frame)
            return
        for start in range(0, len(frame), _ROWS):
            self._file.write(
                csv_lines(
                    frame.iloc[start : start + _ROWS],
                    delimiter=self._delimiter,
                    missing=self._missing,
                    escape_formulas=self._escape_formulas,
                )
            )

    def close(self) -> None:
        """Commit: move the finished file into place."""
        with self._stack:
            if self._names is None:
                raise TableError(f"{self._name}: no piece was appended, so there is nothing to write")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._stack.__exit__(kind, error, trace)

    def _begin(self, frame: pd.DataFrame) -> None:
        _check_columns(frame, self._name)
        self._names = list(frame.columns)
        if self._format == "parquet":
            schema = _arrow(frame, None, self._name).schema
            self._parquet = self._stack.enter_context(pq.ParquetWriter(self._file, schema))
        else:
            self._file.write(csv_header([str(name) for name in self._names], delimiter=self._delimiter))

    def _append_parquet(self, frame: pd.DataFrame) -> None:
        self._parquet.write_table(_arrow(frame, self._parquet.schema, self._name))


@contextmanager
def _moved_into_place(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a new file beside `path` that takes its place, flushed to disk, if the block ends well.

    Links are followed; `-`, devices and pipes are written to directly.
    """
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise TableError(f"{path} is a directory; name a file in it")
    if target.exists() and not target.is_file():
        with target.open("wb") as device:
            yield device
        return
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        file = temporary.open("xb")
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror} ({target.parent})") from error
    try:
        with file:
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync_directory(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync_directory(directory: Path) -> None:
    """Make the new name itself durable, where the system can."""
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _format_of(path: str | Path) -> Format:
    if str(path) == "-":
        return "csv"
    suffixes = [suffix for suffix in _SUFFIXES if str(path).lower().endswith(suffix)]
    if not suffixes:
        raise TableError(f"{path}: the format is not clear from the name; end it in one of {', '.join(_SUFFIXES)}")
    return _SUFFIXES[max(suffixes, key=len)]


def _check_columns(frame: pd.DataFrame, name: str) -> None:
    names = [str(column) for column in frame.columns]
    if not names:
        raise TableError(f"{name}: the frame has no columns, so there is nothing to write")
    check_unique(names, name)
    for column in names:
        if not column.strip():
            raise TableError(f"{name}: a column has the empty name {column!r}; name it, or it cannot be read back")
        if any("\ud800" <= letter <= "\udfff" for letter in column):
            raise TableError(f"{name}: the column name {column!r} has a lone surrogate; replace it")


def _arrow(frame: pd.DataFrame, schema: pa.Schema | None, name: str) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        why = str(error) if isinstance(error, UnicodeError) else "; ".join(map(str, error.args))
        raise TableError(f"{name}: a column does not fit its Parquet type: {why}") from error
