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
        if error.name != module.split(".")[0]:
            raise  # the library is there and is itself broken: its own message says more
        raise MissingExtraError(
            f"this needs `{error.name}`, which is not installed. Run: pip install 'intarsia[{extra}]'"
        ) from error
