"""Files inside installed packages, found by path: the package itself, which may be heavy, is not imported."""

from importlib.util import find_spec
from pathlib import Path


class MissingDatasetError(ImportError):
    """The table is not on this machine; the message says how to get it."""


def packaged_file(package: str, inside: str, *, dataset: str, install: str) -> Path:
    """Where a file of an installed top-level package lies.

    Args:
        package: name of the import package.
        inside: path of the file in it.
        dataset: what the message calls the table.
        install: what to give to `pip install`.

    Raises:
        MissingDatasetError: the package, or the file in it, is not there.
    """
    spec = find_spec(package)
    for directory in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(directory, inside)
        if path.is_file():
            return path
    if spec is None:
        raise MissingDatasetError(
            f"the data set {dataset!r} comes with `{package}`, which is not installed. Run: pip install '{install}'"
        )
    raise MissingDatasetError(
        f"the installed `{package}` no longer holds {inside}, from which the data set {dataset!r} is read; "
        f"install another version of `{package}`"
    )
