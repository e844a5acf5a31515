"""One kind of error for JSON that describes no codec."""

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def reading(codec: type) -> Generator[None, None, None]:
    """Turn what malformed JSON does to the block into a ValueError that names the codec."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"this JSON is no {codec.__name__}: {error}") from error


def require(holds: bool, what: str) -> None:
    """Raise ValueError unless `holds`."""
    if not holds:
        raise ValueError(what)
