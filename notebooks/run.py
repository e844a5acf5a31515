"""Run notebooks as plain Python: every code cell in order, in a fresh interpreter, without Jupyter.

    INTARSIA_NOTEBOOK_SIZE=ci python notebooks/run.py notebooks/reasoning.ipynb

What a cell ends in is shown as text, and its HTML, where it has one, is made and thrown away.
"""

import ast
import json
import linecache
import sys
import traceback
from pathlib import Path
from typing import Any


def code_cells(path: Path) -> list[str]:
    """The sources of the code cells of a notebook, in order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(path: Path) -> dict[str, Any]:
    """The names that a notebook has defined in the end; a cell that fails raises with its own lines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, source in enumerate(code_cells(path), start=1):
        name = f"{path.name}, code cell {number}"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        body = ast.parse(source, name).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";") else None
        exec(compile(ast.Module(body, []), name, "exec"), names)  # noqa: S102
        if isinstance(last, ast.Expr):
            _show(eval(compile(ast.Expression(last.value), name, "eval"), names))  # noqa: S307
    return names


def _show(value: Any) -> None:
    if value is None:
        return
    print(value)
    html = getattr(value, "_repr_html_", None)
    if html is not None:
        html()


def main(paths: list[str]) -> int:
    """Run notebooks; the exit code is 1 where a cell fails, after its traceback with the lines of the cell."""
    for path in paths:
        try:
            run(Path(path))
        except Exception:
            traceback.print_exc()
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
