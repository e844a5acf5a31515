"""Late import of optional libraries, so that importing the engine stays fast and light."""

import importlib
from typing import Any


def require(module: str, extra: str) -> Any:
    """Import an optional library when it is first needed.

    Args:
        module: dotted name of the module.
        extra: the extra of this distribution that brings it.

    Raises:
        MissingExtraError: it is not installed.
    """
    from intarsia.errors import MissingExtraError

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.split(".")[0]
        if error.name is None or error.name.split(".")[0] != library:
            raise  # the library is there, but something that it needs is not: its own message says more
        raise MissingExtraError(
            f"this needs `{library}`, which is not installed. Run: pip install 'intarsia[{extra}]'"
        ) from error
