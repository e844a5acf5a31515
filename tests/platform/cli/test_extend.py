"""What other distributions add by entry points: verbs, data sets, domains that are broken or need more."""

from pathlib import Path

import pandas as pd
import pytest

VERBS = """
import typer
def solve(name: str, hard: bool = False):
    '''Crack a riddle.

    Or two.
    '''
    if name == "none":
        raise ValueError("there is nothing to solve")
    if name == "wait":
        raise KeyboardInterrupt
    typer.echo(f"solved {name}")
sub = typer.Typer(help='Talk to it.')
@sub.command()
def ask(what: str):
    typer.echo(f"asked {what}")
@sub.command()
def tell():
    typer.echo("told")
def tiny():
    import pandas
    return pandas.DataFrame({"price": range(200), "kind": ["a", "b"] * 100})
"""
POINTS = """
[intarsia.commands]
crack = acme_verbs:solve
talk = acme_verbs:sub
broken = acme_nowhere:solve
[intarsia.domains]
broken = acme_verbs:Nothing
[intarsia.datasets]
tiny = acme_verbs:tiny
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    info = folder / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "acme_verbs.py").write_text(VERBS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(folder)


@pytest.mark.usefixtures("acme")
def test_a_verb_is_listed_unloaded_and_runs(run, fails) -> None:
    text = run("--help").stdout
    assert "crack" in text
    assert "Crack a riddle." in text
    assert "Talk to it." in text
    assert "acme_nowhere" in text  # where there is nothing to read
    assert run("crack", "sudoku").stdout == "solved sudoku\n"
    assert run("talk", "ask", "why").stdout == "asked why\n"
    assert "--hard" in run("crack", "--help").stdout
    assert "nothing to solve" in fails("crack", "none")
    assert "interrupted" in run("crack", "wait", code=130).stderr
    assert "see intarsia crack --help" in fails("crack")


@pytest.mark.usefixtures("acme")
def test_broken_extensions_are_named_and_harm_nobody(run, fails, data: Path, tmp_path: Path) -> None:
    run("--help")
    run("domains")
    assert "acme" in fails("broken")
    assert "acme" in fails("fit", "broken", data / "train.csv", "--out", tmp_path / "m")


@pytest.mark.usefixtures("acme")
def test_demo(run, fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xgboost")
    from intarsia.command import Demonstration
    from intarsia_domains.tabular import TabularSynthesizer

    command = type(TabularSynthesizer.command())
    monkeypatch.setattr(command, "demonstration", Demonstration("tiny", {"target": "price"}))
    result = run("demo", "--minutes", 0.03, "--out", tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "synthetic.csv")) == 180
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "model",
        "report.html",
        "report.json",
        "report.md",
        "synthetic.csv",
    ]
    for name in ("synthetic.csv", "report.html", "model"):
        assert str(tmp_path / "out" / name) in result.stderr
    assert "--minutes" in fails("demo", "--minutes", 0, "--out", tmp_path / "other")
    monkeypatch.setattr(command, "demonstration", None)
    assert "has no demo" in fails("demo", "tabular", "--out", tmp_path / "other")
    assert not (tmp_path / "other").exists()
