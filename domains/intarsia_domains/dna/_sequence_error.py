"""The one exception of reading, writing and coding sequences."""

from intarsia.errors import IntarsiaError


class SequenceError(IntarsiaError, ValueError):
    """Sequences that cannot be read, written or coded as they stand.

    The message is one sentence that says where (file, line, sequence, position), what was got and what to do.
    """
