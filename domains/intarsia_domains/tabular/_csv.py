"""Delimited text to a frame: the strict grammar, Arrow's fast parser, and types of our own."""

from collections.abc import Callable, Collection, Sequence
from itertools import islice

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from ._dialect import DELIMITERS, Dialect, sniff_delimiter
from ._encoding import line_of
from ._infer import Uniques, infer_column, proves_decimal_comma
from ._names import check_unique
from ._table_error import TableError

_MAX_BLOCK = 1 << 30  # one block: cells of any size fit, and Arrow still converts the columns in parallel


def read_csv(
    data: bytes,
    name: str,
    *,
    missing: Sequence[str],
    delimiter: str | None,
    text: Collection[str],
    max_rows: int | None,
    encoding: str,
    say: Callable[[str], None],
) -> pd.DataFrame:
    """Read UTF-8 bytes; `encoding` is only what to say it was."""
    if not data.strip():
        raise TableError(f"{name} is empty; a table needs a header line and at least one row")
    dialect = Dialect(delimiter or sniff_delimiter(data, name))
    records = dialect.records(data, name)
    header = next(records)
    names = dialect.cells(data, header)
    _check_names(names, f"{name}, line {line_of(data, header.start)}")
    end = len(data)
    if max_rows is not None:
        end = max((record.next for record in islice(records, max_rows)), default=header.next)
    body = data[header.next : end]
    if not body.strip(b"\r\n"):
        raise TableError(f"{name} has a header but no rows below line {line_of(data, header.start)}")
    if max_rows is None and not dialect.quotes_are_regular(data, header.next):
        for _ in records:  # raises at a broken quote; stray quotes inside of cells pass
            pass
    try:
        columns = _parse(body, len(names), dialect.delimiter, missing)
    except pa.ArrowInvalid as error:
        raise _ragged(dialect, data, name, len(names), str(error)) from None
    words = DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
    say(f"{name}: CSV, {encoding}, {words}-separated; rows: {len(columns[0].codes):,}, columns: {len(names)}")
    comma = dialect.delimiter == ";" and any(proves_decimal_comma(column.values) for column in columns)
    if comma:
        say(f"{name}: numbers are written with a decimal comma")
    series = {}
    for key, column in enumerate(columns):
        keep = names[key] in text
        series[key], note = (column.text(), None) if keep else infer_column(column, decimal_comma=comma)
        if note:
            say(f"{name}, column {names[key]!r}: {note}")
    frame = pd.DataFrame(series)
    frame.columns = pd.Index(names)
    return frame


def _parse(body: bytes, width: int, delimiter: str, missing: Sequence[str]) -> list[Uniques]:
    """Every column as text, dictionary encoded."""
    keys = [str(key) for key in range(width)]
    text = pa.dictionary(pa.int32(), pa.string())
    table = arrow_csv.read_csv(
        pa.BufferReader(body),
        read_options=arrow_csv.ReadOptions(column_names=keys, block_size=min(len(body) + 1, _MAX_BLOCK)),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, double_quote=True, newlines_in_values=b'"' in body),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(keys, text),
            null_values=list(missing),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return [Uniques.of(column) for column in table.unify_dictionaries().columns]


def _check_names(names: Sequence[str], where: str) -> None:
    empty = [at for at, name in enumerate(names, start=1) if not name.strip()]
    if empty:
        raise TableError(
            f"{where}: column {empty[0]} of {len(names)} has no name in the header; name it "
            "(a nameless first column is often a saved row index: write the file without it)"
        )
    check_unique(names, where)


def _ragged(dialect: Dialect, data: bytes, name: str, width: int, otherwise: str) -> TableError:
    for record in dialect.records(data, name):
        got = len(dialect.cells(data, record))
        if got != width:
            cells = "1 cell" if got == 1 else f"{got} cells"
            return TableError(
                f"{name}, line {line_of(data, record.start)}: {cells} where the header has {width}; "
                "mend the line, quote a cell that holds the delimiter, or name another delimiter"
            )
    return TableError(f"{name} cannot be parsed as CSV: {otherwise}")
