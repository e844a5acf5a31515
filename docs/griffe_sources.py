"""Two things that griffe, which reads the sources for the reference, has to be told about ours.

`from a import b as b` makes a name public: packages load their names lazily and list them in a stub, and griffe reads
`__all__` only where it is a plain list. And what begins with `>>>` is code, though no section says so.
"""

import ast
import re
from pathlib import Path
from typing import Any

import griffe

SESSION = re.compile(r"^( *)>>> .+(?:\n.*\S.*)*", re.MULTILINE)


class Sources(griffe.Extension):
    """Sets what a package exports, and fences the sessions of docstrings."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        for module in _modules(pkg):
            file = module.filepath
            if isinstance(file, Path) and file.stem == "__init__":
                stub = file.with_suffix(".pyi")
                names = _reexported(stub if stub.exists() else file.with_suffix(".py"))
                if names:
                    module.exports = list(names)
        _fence(pkg)


def _fence(part: griffe.Object) -> None:
    if part.docstring is not None:
        part.docstring.value = SESSION.sub(_fenced, part.docstring.value)
    for inner in part.members.values():
        if isinstance(inner, griffe.Object):
            _fence(inner)


def _fenced(session: re.Match[str]) -> str:
    indent = session[1]
    return f"{indent}```pycon\n{session[0]}\n{indent}```"


def _modules(module: griffe.Module) -> list[griffe.Module]:
    inner = [found for name, part in module.modules.items() if not part.is_alias for found in _modules(part)]
    return [module, *inner]


def _reexported(file: Path) -> list[str]:
    nodes = ast.parse(file.read_text(encoding="utf-8")).body
    aliases = [alias for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    return [alias.name for alias in aliases if alias.asname == alias.name]
