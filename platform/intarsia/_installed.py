"""What installed distributions offer, by entry points; nothing of them is imported."""

import ast
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path


def installed(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group, by name and in its order."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def summary(point: EntryPoint) -> str:
    """One line on a verb, read and not run: of a function's docstring, of the `help` of a group; or where it stands."""
    try:
        body = ast.parse(_source(point.module)).body
    except (ImportError, OSError, SyntaxError, ValueError):
        body = []
    found = next((text for text in (_described(x, point.attr) for x in body) if text), f"From {point.module}.")
    return found.splitlines()[0]


def _source(module: str) -> str:
    """The text of a module, found from its top package: looking it up by its own name would run the packages above."""
    top, *below = module.split(".")
    spec = find_spec(top)
    for depth in range(len(below)):
        folders = spec.submodule_search_locations if spec is not None else None
        spec = PathFinder.find_spec(".".join([top, *below[: depth + 1]]), folders or [])
    return Path(spec.origin).read_text() if spec is not None and spec.origin is not None else ""


def _described(statement: ast.stmt, name: str) -> str | None:
    """What a statement says of the name that it defines."""
    if isinstance(statement, ast.FunctionDef) and statement.name == name:
        return ast.get_docstring(statement)
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        helps = [x.value for x in statement.value.keywords if x.arg == "help"]
        if any(isinstance(x, ast.Name) and x.id == name for x in statement.targets) and helps:
            return ast.literal_eval(helps[0]) if isinstance(helps[0], ast.Constant) else None
    return None
