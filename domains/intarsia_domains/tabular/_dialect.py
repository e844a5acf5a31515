r"""Records and cells of delimited text: one strict grammar for sniffing, checking and line numbers.

The grammar is RFC 4180 with three allowances: lines end in ``\n``, ``\r\n`` or ``\r``; empty lines are
skipped; and a quote inside a cell that does not begin with one is a letter (``5" pipe``). Text after a
closing quote and a quote that is never closed are errors.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ._encoding import line_of
from ._table_error import TableError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_QUOTED = rb'"(?:[^"]++|"")*+"'
_NEWLINES = b"\r\n"
_SNIFF_BYTES = 1 << 18
_SNIFF_RECORDS = 200


class Record(NamedTuple):
    """Byte positions of one record: `end` is before its line end, `next` after it."""

    start: int
    end: int
    next: int


class Dialect:
    """The grammar with one delimiter, over UTF-8 bytes."""

    def __init__(self, delimiter: str):
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
            raise ValueError(f"a delimiter is one ASCII character, no quote or line end, got {delimiter!r}")
        self.delimiter = delimiter
        mark = re.escape(delimiter.encode())
        cell = rb"(?:%b(?=[%b\r\n]|\Z)|(?!\")[^%b\r\n]*+)" % (_QUOTED, mark, mark)
        self._cell = re.compile(cell)
        self._record = re.compile(rb"(%b(?:%b%b)*+)(?:\r\n?|\n|\Z)" % (cell, mark, cell))

    def records(self, data: bytes, name: str, start: int = 0) -> Iterator[Record]:
        """Yield the records from a position on; raise `TableError` at the first broken quote."""
        while start < len(data):
            found = self._record.match(data, start)
            if found is None:
                raise self._quote_error(data, name, start)
            if data[start] not in _NEWLINES:
                yield Record(start, found.end(1), found.end())
            start = found.end()

    def cells(self, data: bytes, record: Record) -> list[str]:
        """Return the cells of a record, unquoted."""
        found, at = [], record.start
        while at <= record.end:
            cell = self._cell.match(data, at, record.end)
            if cell is None:  # `records` has checked the quotes
                raise ValueError("not a record of this dialect")
            text = cell.group().decode("utf-8")
            found.append(text[1:-1].replace('""', '"') if text.startswith('"') else text)
            at = cell.end() + 1
        return found

    def quotes_are_regular(self, data: bytes, start: int = 0) -> bool:
        """Say quickly whether quotes only ever enclose whole cells; if not, `records` has to look.

        They do if each odd one stands after a delimiter, line end or quote, and each even one before one.
        """
        codes = np.frombuffer(data, np.uint8)[start:]
        quotes = np.flatnonzero(codes == ord('"'))
        if len(quotes) % 2:
            return False
        border = np.zeros(256, dtype=bool)
        border[np.frombuffer(self.delimiter.encode() + b'\r\n"', np.uint8)] = True
        opens, closes = quotes[::2], quotes[1::2]
        before = border[codes[opens - 1]] | (opens == 0)
        after = border[codes[np.minimum(closes + 1, len(codes) - 1)]]  # at the end: the quote itself
        return bool(before.all() and after.all())

    def _quote_error(self, data: bytes, name: str, at: int) -> TableError:
        while (cell := self._cell.match(data, at)) is not None:
            at = cell.end() + 1
        line = line_of(data, at)
        if re.compile(_QUOTED).match(data, at) is None:
            return TableError(f"{name}, line {line}: a quote is opened and never closed; close or double it")
        return TableError(
            f"{name}, line {line}: a cell goes on after its closing quote; double the quotes inside of it"
        )


def sniff_delimiter(data: bytes, name: str) -> str:
    """Choose the delimiter that splits the header, if possible every record of a sample alike.

    Among several, the one with most columns; a comma if none splits the header, so a table of one column. A
    ragged file keeps the delimiter of its header, so that its error names the ragged line.
    """
    sample = data[:_SNIFF_BYTES]
    best, best_score = ",", (False, False, 0, 0.0)
    for delimiter in DELIMITERS:
        widths, clean = _widths(Dialect(delimiter), sample, len(sample) < len(data), name)
        if not widths or widths[0] == 1:
            continue
        agreeing = sum(width == widths[0] for width in widths) / len(widths)
        alike = agreeing == 1.0
        score = (alike, clean, widths[0] if alike else 0, agreeing)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _widths(dialect: Dialect, sample: bytes, cut: bool, name: str) -> tuple[list[int], bool]:
    """Cells of each record, and whether all quotes enclose whole cells: the wrong delimiter cuts quoted cells."""
    widths: list[int] = []
    clean = True
    try:
        for record in dialect.records(sample, name):
            if (cut and record.next == len(sample)) or len(widths) == _SNIFF_RECORDS:
                break
            widths.append(len(dialect.cells(sample, record)))
            clean = clean and dialect.quotes_are_regular(sample[record.start : record.end])
    except TableError:
        clean = False
    return widths, clean
