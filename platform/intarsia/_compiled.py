"""Machine code for loops that numpy cannot express."""

from collections.abc import Callable
from typing import Any, TypeVar

from intarsia._extras import require

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(extra: str) -> Callable[[Function], Function]:
    """A decorator: compile by numba at the first call, without the interpreter's lock.

    The code is kept on disk where that can be written. numba is imported when the module of the function is.

    Args:
        extra: of this distribution, which brings numba.

    Raises:
        MissingExtraError: numba is not installed.
    """
    numba = require("numba", extra)

    def decorate(function: Function) -> Function:
        try:
            return numba.njit(cache=True, nogil=True)(function)
        except RuntimeError:  # neither beside the file nor in the user's cache can be written
            return numba.njit(nogil=True)(function)

    return decorate
