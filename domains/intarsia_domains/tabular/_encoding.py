"""Text encodings: recognize the usual ones and turn them into UTF-8, the only one parsed further on."""

import codecs
import re

from ._table_error import TableError

_BOMS = (  # UTF-32 first: its little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_HEAD = 1 << 16
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_END = re.compile(rb"\r\n?|\n")


def to_utf8(data: bytes, name: str, encoding: str | None = None) -> tuple[bytes, str]:
    """Return the text as UTF-8 without a byte order mark, and what the encoding was, in words.

    Without `encoding`: a byte order mark decides; else UTF-16 if every second byte is NUL; else UTF-8, if
    valid; else Windows-1252 (Latin-1 if that leaves bytes undefined), unless control bytes abound.
    """
    if encoding is not None:
        return _decoded(data, name, encoding), encoding
    if data.startswith(codecs.BOM_UTF8):
        return _decoded(data, name, "utf-8"), "UTF-8 with a byte order mark"
    for mark, codec, words in _BOMS:
        if data.startswith(mark):
            return _decoded(data, name, codec), f"{words} with a byte order mark"
    if codec := _utf16_without_mark(data[:4096]):
        return _decoded(data, name, codec), codec.upper()
    bad = first_bad_utf8(data)
    if bad is None:
        return data, "UTF-8"
    if len(_CONTROL.findall(data[:_HEAD])) > 0.01 * min(len(data), _HEAD):
        raise TableError(
            f"{name} is not text: line {line_of(data, bad)} is no UTF-8 and control characters abound; "
            "give a CSV or Parquet file, or name its encoding"
        )
    try:
        return _decoded(data, name, "cp1252"), "Windows-1252 (not valid UTF-8)"
    except TableError:
        return _decoded(data, name, "latin-1"), "Latin-1 (not valid UTF-8)"


def line_of(data: bytes, position: int) -> int:
    """Number, from 1, of the line of the file that holds a byte position."""
    return 1 + sum(1 for _ in _LINE_END.finditer(data, 0, position))


def first_bad_utf8(data: bytes) -> int | None:
    """Position of the first byte that is not UTF-8; None if all are. Works in pieces, in little memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    step = 1 << 24
    for start in range(0, len(data), step):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + step], final=start + step >= len(data))
        except UnicodeDecodeError as error:
            return start - held + error.start
    return None


def _decoded(data: bytes, name: str, encoding: str) -> bytes:
    try:
        text = data.decode(encoding)
        return text.removeprefix("\ufeff").encode("utf-8")
    except LookupError:
        raise TableError(f"{name}: there is no encoding {encoding!r}; use a name such as 'utf-8' or 'cp1252'") from None
    except UnicodeError as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        raise TableError(
            f"{name}, line {line_of(data, at)}: not valid {encoding}; name the right encoding or leave it out"
        ) from error


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 of mostly Latin letters without its mark: NUL in every second byte, and hardly elsewhere."""
    if len(head) < 8:
        return None
    half = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 0.8 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.8 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None
