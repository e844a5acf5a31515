"""The examples of README.md and of the documents run: all Python and bash blocks of a page, in order, as one session.

Python blocks share their names, bash blocks the working directory. Budgets and sizes are made small on the way. Only
blocks that begin with `make` or `pip` are left to people: they set up an environment.
"""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import intarsia.processes
from intarsia import Discrete, TauLeaping, testing
from intarsia.cli._app import app
from intarsia.codecs import QuantileDigits

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs/index.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WRITTEN = re.compile(r'(?:--out |save\(|write_\w+\(\w+, |to_\w+\()"?([\w-]+\.\w+)')
SMALL = (
    (r"minutes=[\d.]+", "steps=5"),
    (r"--minutes [\d.]+", "--steps 5"),
    (r"\bsteps=\d{3,}", "steps=5"),
    (r"range\(300\)", "range(3)"),
    (r"-n 1000\b", "-n 50"),
    (r"sample\(20_000", "sample(3_000"),
    (r"lunch_ballots\(\)", "lunch_ballots().head(300)"),
    (r"diamonds\(\)", "diamonds().sample(3_000, random_state=0)"),
    (r"\b5_000\b", "500"),
)
"""What is replaced by what."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in BLOCK.finditer(text):
        language, code = block.groups()
        for pattern, smaller in SMALL:
            code = re.sub(pattern, smaller, code)
        if language == "python":
            before = "\n" * text[: block.start(2)].count("\n")  # so that errors name the line of the page
            exec(compile(before + code, page.name, "exec"), names)
        elif language == "bash" and not code.startswith(("make ", "pip ")):
            for line in code.splitlines():
                command(line)
    for file in WRITTEN.findall(text):
        assert (tmp_path / file).stat().st_size, file


@pytest.mark.slow
def test_acceptance_lines_of_the_recipes_run() -> None:
    datasets, tabular = pytest.importorskip("intarsia_datasets"), pytest.importorskip("intarsia_domains.tabular")
    process, support = Discrete.absorbing((2, 2)), testing.all_states([2, 2])
    log_prob = torch.tensor([0.4, 0.1, 0.1, 0.4], dtype=torch.float64).log()
    perfect, table = testing.BayesDenoiser(process, support, log_prob), datasets.penguins()
    names: dict[str, Any] = (
        vars(testing) | vars(intarsia.processes) | {"TabularSynthesizer": tabular.TabularSynthesizer}
    )
    names |= {"MyNoise": Discrete.uniform, "x0": torch.arange(16).reshape(8, 2) % 5, "MySampler": TauLeaping}
    names |= {"MyCodec": QuantileDigits, "values": np.linspace(0, 1, 50)}
    names |= {
        "process": process,
        "support": support,
        "log_prob": log_prob,
        "net": SimpleNamespace(eval=lambda: perfect),
    }
    names |= {
        "MyDomain": tabular.TabularSynthesizer,
        "raw": table,
        "incomplete": table.head(9),
        "my_dataset": lambda: table,
    }
    for language, code in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        if language == "python":
            exec(code, names)


def command(line: str) -> None:
    """Run a command in this process: starting one takes seconds."""
    program, *arguments = shlex.split(line, comments=True)
    assert program == "intarsia", line
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, f"{line}: {result.output} {result.exception!r}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_say_their_language(page: Path) -> None:
    languages = {language for language, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert "python" in languages
    assert languages <= {"python", "bash", "text"}


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    """All documents."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]
    return {page: page.read_text(encoding="utf-8") for page in pages}


def test_links_of_the_documents_lead_somewhere(texts: dict[Path, str]) -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page, text in texts.items()
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
        if not (page.parent / target).exists()
    ]
    assert not broken, broken


def test_tests_that_documents_name_are_there(texts: dict[Path, str]) -> None:
    there = {f"/{path.relative_to(ROOT).as_posix()}" for path in ROOT.glob("tests/**/test_*.py")}
    named = {name for text in texts.values() for name in re.findall(r"`([\w/]*test_\w+\.py)`", text)}
    missing = {name for name in named if not any(path.endswith(f"/{name}") for path in there)}
    assert named
    assert not missing, missing
