"""Keep notebooks small and comparable: no outputs, no counts, numbered cells, one layout of the JSON.

python notebooks/tidy.py                      tidies every notebook in this folder
python notebooks/tidy.py --check              only says which are not tidy
python notebooks/tidy.py script.py dna.ipynb  makes a notebook of a script whose cells begin with `# %%`;
                                              the comment after `# %% [markdown]` is text
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def tidy(notebook: dict[str, Any]) -> str:
    """A notebook's JSON without what running it leaves behind."""
    cells = [
        _cell(f"cell-{number}", cell["cell_type"], "".join(cell["source"]).strip("\n"))
        for number, cell in enumerate(notebook["cells"], start=1)
    ]
    whole = {"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def from_script(script: str) -> dict[str, Any]:
    """A notebook of a script in the percent format."""
    cells: list[dict[str, Any]] = []
    for part in re.split(r"^# %%", script, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        kind = "markdown" if "[markdown]" in head else "code"
        text = re.sub(r"^# ?", "", body, flags=re.MULTILINE) if kind == "markdown" else body
        cells.append({"cell_type": kind, "source": text.strip("\n")})
    return {"cells": cells}


def _cell(name: str, kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def main(arguments: list[str]) -> int:
    """See the top of the file; the exit code is 1 where something is not tidy."""
    if len(arguments) == 2:
        made = tidy(from_script(Path(arguments[0]).read_text(encoding="utf-8")))
        Path(arguments[1]).write_text(made, encoding="utf-8")
        return 0
    untidy = 0
    for path in sorted(Path(__file__).parent.glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        clean = tidy(json.loads(text))
        if clean != text:
            untidy += 1
            print(f"{path.name} is not tidy")
            if "--check" not in arguments:
                path.write_text(clean, encoding="utf-8")
    return int(untidy > 0 and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
