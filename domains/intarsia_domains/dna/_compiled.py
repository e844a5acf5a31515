"""Machine code for loops that numpy cannot express; numba is imported when the first kernel is."""

from collections.abc import Callable
from typing import Any, TypeVar

from intarsia._extras import require

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile by numba at the first call, without the interpreter's lock; kept on disk where that can be written."""
    numba = require("numba", "dna")
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither beside this file nor in the user's cache can be written
        return numba.njit(nogil=True)(function)
