"""Every notebook runs from top to bottom, at the size of CI, and is kept without outputs.

The convention:

- `notebooks/NAME.ipynb`, one per domain. `python notebooks/tidy.py` takes outputs off and fixes the layout; the same
  file makes a notebook of a `# %%` script. A notebook is linted by ruff like any module.
- Sizes depend on one environment variable, `INTARSIA_NOTEBOOK_SIZE`, which is `ci` or `full` (the default, for
  people). The first code cell reads it, and later cells ask only that name:

      small = os.environ.get("INTARSIA_NOTEBOOK_SIZE", "full") == "ci"
      steps = 50 if small else 5_000

- At the size `ci` a notebook takes under two minutes of CPU, better 30 seconds; it reads no file that is not in the
  distribution, asks no network, and writes only into the directory that it runs in.
- Cells are plain Python: no magics, no `display`, no IPython. What a cell ends in is shown, so end it in a figure, a
  table or an object with `_repr_html_`. Do not call `plt.show()`.
- A test of a notebook's own claims is an `assert` in the notebook.

Cells run in a plain interpreter (`notebooks/run.py`) and not in a Jupyter kernel: nbclient and ipykernel bring 31
packages, among them a debugger and a socket library, into the development environment, and run the same code.
"""

import importlib.util
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CPU_SECONDS = 120.0
ENVIRONMENT = {
    "INTARSIA_NOTEBOOK_SIZE": "ci",
    "MPLBACKEND": "agg",
    "PLOTLY_RENDERER": "json",
    "OMP_NUM_THREADS": "1",
}


def execute(path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-W", "error::FutureWarning", FOLDER / "run.py", path],
        cwd=cwd,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = execute(path, tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < CPU_SECONDS, f"{path.name} took {spent:.0f} CPU seconds at the size of CI"


def test_notebooks_are_tidy() -> None:
    done = subprocess.run([sys.executable, FOLDER / "tidy.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}run `python notebooks/tidy.py`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_sizes_follow_the_variable_and_cells_are_plain(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    assert "INTARSIA_NOTEBOOK_SIZE" in sources[0], "the first code cell reads INTARSIA_NOTEBOOK_SIZE"
    magics = [line for source in sources for line in source.splitlines() if line.lstrip().startswith(("%", "!"))]
    assert not magics, magics


def test_a_failing_cell_is_named(tmp_path: Path) -> None:
    tidy = _module("tidy")
    notebook = tmp_path / "broken.ipynb"
    notebook.write_text(tidy.tidy(tidy.from_script("# %%\nx = 1\n# %% [markdown]\n# text\n# %%\nx\n1 / 0\n")))
    done = execute(notebook, tmp_path)
    assert done.returncode == 1
    assert "broken.ipynb, code cell 2" in done.stderr
    assert "1 / 0" in done.stderr


def test_what_a_cell_ends_in_is_shown(tmp_path: Path) -> None:
    tidy = _module("tidy")
    notebook = tmp_path / "shows.ipynb"
    notebook.write_text(tidy.tidy(tidy.from_script("# %%\n40 + 2\n# %%\n1 + 1;\n# %%\nNone\n")))
    assert execute(notebook, tmp_path).stdout == "42\n"


def test_tidying_takes_outputs_off() -> None:
    tidy = _module("tidy")
    cell = {"cell_type": "code", "id": "x", "source": ["a\n", "b"], "execution_count": 3, "outputs": [{"text": "c"}]}
    clean = json.loads(tidy.tidy({"cells": [cell], "metadata": {"widgets": {}}}))
    assert clean["cells"][0]["outputs"] == []
    assert clean["cells"][0]["execution_count"] is None
    assert "".join(clean["cells"][0]["source"]) == "a\nb"
    assert tidy.tidy(clean) == tidy.tidy(json.loads(tidy.tidy(clean)))


def _module(name: str):
    spec = importlib.util.spec_from_file_location(f"notebooks_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
