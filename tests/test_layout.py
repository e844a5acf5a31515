"""The house: what lies where, what may import what, how heavy an import is, how long a file may get."""

import ast
import importlib
import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "platform/intarsia", ROOT / "domains/intarsia_domains", ROOT / "datasets/intarsia_datasets")
SOURCES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
HEAVY = (
    "torch",
    "numpy",
    "pandas",
    "plotly",
    "matplotlib",
    "sklearn",
    "scipy",
    "pyarrow",
    "polars",
    "xgboost",
    "numba",
    "ortools",
)


def run(code: str, cwd: Path = ROOT) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after `code`."""
    names = json.loads(run(f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))").splitlines()[-1])
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("folder", ["platform", "domains", "datasets"])
def test_roots_are_no_packages(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("folder", ["tests", "notebooks"])
def test_nothing_below_is_a_package(folder: str) -> None:
    assert not list((ROOT / folder).rglob("__init__.py"))


@pytest.mark.parametrize("folder", [".", "platform"])
def test_the_platform_of_the_standard_library_wins(folder: str) -> None:
    file = run("import platform; platform.system(); print(platform.__file__)", ROOT / folder).strip()
    assert not Path(file).is_relative_to(ROOT / "platform")


def test_the_engine_loads_nothing_that_it_does_not_need() -> None:
    extra = loaded("import intarsia") & {*HEAVY, "typer", "rich", "intarsia_domains", "intarsia_datasets"}
    assert not extra, f"`import intarsia` loads {sorted(extra)}"


def test_the_whole_engine_knows_no_domain_and_no_table() -> None:
    everything = "import intarsia\nfor name in dir(intarsia): getattr(intarsia, name)"
    extra = loaded(everything) & {"intarsia_domains", "intarsia_datasets", "pandas", "plotly", "matplotlib", "sklearn"}
    assert not extra, f"the public names of the engine load {sorted(extra)}"


def test_help_loads_nothing_heavy() -> None:
    code = "from intarsia.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    extra = loaded(code) & {*HEAVY, "intarsia_domains", "intarsia_datasets"}
    assert not extra, f"`intarsia --help` loads {sorted(extra)}"


@pytest.mark.parametrize(
    ("before", "what", "budget"),
    [
        ("pass", "import intarsia", 0.3),
        ("import torch", "import intarsia\nfor name in dir(intarsia): getattr(intarsia, name)", 0.3),
        ("pass", "from intarsia.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass", 0.5),
    ],
    ids=["import", "all names, beside torch", "help"],
)
def test_imports_are_quick(before: str, what: str, budget: float) -> None:
    # CPU seconds, and the best of several: other work on the machine does not count
    code = f"import time\n{before}\nstart = time.process_time()\n{what}\nprint(time.process_time() - start)"
    best = min(float(run(code).splitlines()[-1]) for _ in range(3))
    assert best < budget, f"took {best:.2f} CPU seconds, may take {budget}"


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    long = [f"{path.relative_to(ROOT)} has {lines} lines" for path, lines in lengths.items() if lines > 500]
    assert not long, long
    assert statistics.median(lengths.values()) <= 150


def test_nothing_runs_code_out_of_files() -> None:
    """No pickle in any guise, no `eval` or `exec`, no `torch.load`."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {what}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (what := _forbidden(node)) is not None and isinstance(node, ast.expr | ast.stmt)
    ]
    assert not found, found


def _forbidden(node: ast.AST) -> str | None:
    modules = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"}
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names]
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
        return next((f"import {name}" for name in names if name.partition(".")[0] in modules), None)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        name = f"{node.value.id}.{node.attr}"
        return name if name in {"torch.load", "torch.save"} or node.attr in {"read_pickle", "to_pickle"} else None
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec", "__import__"}:
            return f"{node.func.id}()"
        unpickles = any(word.arg in {"allow_pickle", "weights_only"} for word in node.keywords)
        return "allow_pickle or weights_only" if unpickles else None
    return None


def test_layers_hold() -> None:
    pytest.importorskip("importlinter")
    code = "from importlinter.cli import lint_imports\nraise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "package", ["intarsia", *(f"intarsia_domains.{name}" for name in ("tabular", "permutations", "reasoning", "dna"))]
)
def test_public_names_are_there_and_typed(package: str) -> None:
    """A lazy `__init__` and its stub list the same names, and each exists."""
    module = importlib.import_module(package)
    stub = ast.parse(Path(str(module.__file__)).with_suffix(".pyi").read_text(encoding="utf-8"))
    typed = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed - {"__version__"} == set(dir(module))
    for name in typed:
        assert getattr(module, str(name)) is not None
