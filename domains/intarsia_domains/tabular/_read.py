"""Read a table from a file: CSV, TSV or Parquet, recognized by what is in it."""

from collections.abc import Callable, Collection, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ._arrow import arrow_to_pandas
from ._bytes import Source, load_bytes, source_name
from ._csv import read_csv
from ._encoding import to_utf8
from ._table_error import TableError

__all__ = ["TableError", "read_table"]

_PARQUET = b"PAR1"


def read_table(
    path: Source,
    *,
    missing: Sequence[str] = ("",),
    delimiter: str | None = None,
    encoding: str | None = None,
    text: Collection[str] = (),
    max_rows: int | None = None,
    max_bytes: int = 1 << 32,
    report: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    r"""Read CSV (also gzipped), TSV or Parquet into a frame with a `RangeIndex`, strictly.

    A column of text gets a type only if all of its cells allow it without loss (the rules stand in
    `_infer`): integers are exact and nullable, `00123` stays text, and `NA`, `null`, `None` are labels like
    any others unless listed in `missing`. Text is `object` with None where missing. A cell is missing if its
    content, quoted or not, is in `missing`. Parquet keeps its own types; `missing`, `delimiter` and
    `encoding` do not concern it.

    Args:
        path: A file, an open file (binary or text), or `-` for standard input.
        missing: The contents of a cell that mean that there is no value.
        delimiter: One character; by default found among comma, semicolon, tab and pipe.
        encoding: A Python codec; by default a byte order mark, UTF-8, UTF-16 or Windows-1252 is recognized.
        text: Names of columns of CSV that stay text, whatever is in them.
        max_rows: Keep the first rows only. What follows is not checked.
        max_bytes: Refuse more bytes than that, before or after decompression.
        report: Is called with one plain line about the file, and one per column with something to know.

    Raises:
        TableError: One sentence with the file, the line or column, what is wrong and what to do.

    Example:
        >>> import io
        >>> frame = read_table(io.StringIO("zip,n,seen\n00501,1,2024-05-01\n98101,,2024-06-01\n"))
        >>> [str(dtype) for dtype in frame.dtypes]
        ['object', 'Int64', 'datetime64[ns]']
    """
    if isinstance(missing, str):
        raise TypeError(f"missing is a sequence of strings, got the string {missing!r}; write ({missing!r},)")
    if max_rows is not None and max_rows < 1:
        raise ValueError(f"max_rows is at least 1, got {max_rows}")
    say = report or (lambda line: None)
    name = source_name(path)
    data = load_bytes(path, max_bytes)
    if data.startswith(_PARQUET) and data.endswith(_PARQUET) and len(data) > 2 * len(_PARQUET):
        return _read_parquet(data, name, max_rows, say)
    if name.lower().endswith((".parquet", ".pq")):
        raise TableError(f"{name} is no Parquet file, or is cut off: it does not begin and end with 'PAR1'")
    utf8, found = to_utf8(data, name, encoding)
    return read_csv(
        utf8, name, missing=missing, delimiter=delimiter, text=text, max_rows=max_rows, encoding=found, say=say
    )


def _read_parquet(data: bytes, name: str, max_rows: int | None, say: Callable[[str], None]) -> pd.DataFrame:
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{name} is a damaged Parquet file ({error}); fetch or write it again") from error
    table = table if max_rows is None else table.slice(0, max_rows)
    frame = arrow_to_pandas(table, name)
    if frame.empty:
        raise TableError(f"{name} has {len(frame)} rows and {frame.shape[1]} columns; a table needs some of both")
    say(f"{name}: Parquet; rows: {len(frame):,}, columns: {frame.shape[1]}")
    return frame
