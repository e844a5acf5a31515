"""Every block of README.md that follows `<!-- run -->` is run, in order, with small budgets and small data."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- run -->\n```(python|bash)\n(.*?)```", README, re.DOTALL)
SMALL = [
    (r"minutes=[\d.]+", "steps=20"),
    (r"--minutes [\d.]+", "--steps 20"),
    (r"range\(300\)", "range(3)"),
    (r"-n 1000\b", "-n 50"),
]


def test_readme_has_both_languages() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "bash"}
    assert README.count("<!-- run -->") == len(BLOCKS), "`<!-- run -->` must stand right before a block"


def test_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    datasets = pytest.importorskip("intarsia_datasets")
    few = datasets.diamonds().sample(6000, random_state=0, ignore_index=True)
    monkeypatch.setattr(datasets, "diamonds", few.copy)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for language, block in BLOCKS:
        code = block
        for pattern, small in SMALL:
            code = re.sub(pattern, small, code)
        if language == "python":
            exec(compile(code, "README.md", "exec"), names)
        else:
            _shell(code)
    assert capsys.readouterr().out
    assert (tmp_path / "report.html").stat().st_size
    assert (tmp_path / "synthetic.csv").read_text(encoding="utf-8").count("\n") == 51


def _shell(code: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_links_of_the_documents_lead_somewhere() -> None:
    root = Path(__file__).parents[1]
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("benchmarks/*.md")]
    broken = [
        f"{page.relative_to(root)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken, broken
