"""Text files by line, whatever holds them."""

from intarsia_domains.tabular._bytes import Source, load_bytes, source_name
from intarsia_domains.tabular._encoding import to_utf8

_MOST_BYTES = 1 << 30


def read_lines(source: Source) -> tuple[str, list[str]]:
    """How messages call the source, and its lines without their ends.

    Raises:
        TableError: there is no such file, it cannot be read, is too large or plainly no text.
    """
    name = source_name(source)
    text, _ = to_utf8(load_bytes(source, _MOST_BYTES), name)
    return name, text.decode("utf-8").splitlines()
