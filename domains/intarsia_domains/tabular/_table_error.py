"""The one exception of reading, writing and converting tables."""

from intarsia.errors import IntarsiaError


class TableError(IntarsiaError, ValueError):
    """A table that cannot be read, written or converted as it stands.

    The message is one sentence that says where (file, line or column), what was got and what to do.
    """
