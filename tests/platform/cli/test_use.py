"""complete, score, report and info."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest


def test_complete_fills_gaps_and_keeps_the_rest(run, data: Path, model: Path, tmp_path: Path) -> None:
    run("complete", model, data / "holdout.csv", "--out", tmp_path / "c.csv")
    before, after = (pd.read_csv(path, keep_default_na=False) for path in (data / "holdout.csv", tmp_path / "c.csv"))
    assert before.isin([""]).any(axis=None)
    assert not after.isin([""]).any(axis=None)
    kept = before["city"] != ""
    assert (before["city"] == after["city"])[kept].all()
    assert (before["code"] == after["code"]).all()


def test_complete_several_times(run, data: Path, model: Path) -> None:
    text = run("complete", model, data / "holdout.csv", "--draws", 3, "--out", "-", "-q").stdout
    table = pd.read_csv(io.StringIO(text))
    assert table["draw"].value_counts().to_dict() == {1: 60, 2: 60, 3: 60}
    assert table.shape == (180, 7)
    once = run("complete", model, data / "holdout.csv", "--out", "-", "-q").stdout
    assert text.splitlines()[1].removeprefix("1,") == once.splitlines()[1]


def test_score_rows_and_cells(run, data: Path, model: Path) -> None:
    result = run("score", model, data / "holdout.csv")
    rows = pd.read_csv(io.StringIO(result.stdout))
    assert list(rows) == ["log_likelihood"]
    assert len(rows) == 60
    assert "lowest in rows" in result.stderr
    cells = pd.read_csv(io.StringIO(run("score", model, data / "holdout.csv", "--per-cell").stdout))
    assert list(cells) == ["age", "city", "income", "member", "since", "code"]
    assert (cells.fillna(0) <= 0).all(axis=None)


def test_other_tables_than_the_model_knows(fails, data: Path, model: Path, tmp_path: Path) -> None:
    table = pd.read_csv(data / "holdout.csv", keep_default_na=False)
    for name, changed, said in (
        ("less", table.drop(columns="age"), "'age'"),
        ("more", table.assign(shoe=1), "'shoe'"),
        ("text", table.assign(age="old"), "'old'"),
        ("unseen", table.assign(city="Bonn"), "'Bonn'"),
    ):
        changed.to_csv(tmp_path / f"{name}.csv", index=False)
        assert said in fails("score", model, tmp_path / f"{name}.csv")
        assert said in fails("complete", model, tmp_path / f"{name}.csv", "--out", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_codes_stay_text_where_the_model_has_text(run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,age,city,income,member,since\n12,33,Ulm,,True,2020-02-03\n")
    text = run("complete", model, tmp_path / "t.csv", "--out", "-").stdout
    assert text.splitlines()[1].startswith("12,33,Ulm,")


def test_report_of_a_model_and_of_a_file(run, fails, data: Path, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("xgboost")
    real = ("--real", data / "train.csv", "--holdout", data / "holdout.csv")
    result = run("report", model, *real, "--out", tmp_path / "r.html")
    assert "<html" in (tmp_path / "r.html").read_text()
    assert "Shape error" in result.stderr
    assert result.stdout == ""
    run("sample", model, "-n", 100, "--out", tmp_path / "s.csv")
    run(
        "report",
        tmp_path / "s.csv",
        *real,
        "--domain",
        "tabular",
        "--target",
        "member",
        "--out",
        tmp_path / "r.json",
        "-q",
    )
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["provenance"]["Target"] == "member"
    assert "foo" in fails(
        "report", tmp_path / "s.csv", *real, "--domain", "tabular", "--target", "foo", "--out", tmp_path / "x.md"
    )
    assert not (tmp_path / "x.md").exists()


def test_bad_reports(fails, data: Path, model: Path, tmp_path: Path) -> None:
    real = ("--real", data / "train.csv", "--holdout", data / "holdout.csv")
    assert ".html" in fails("report", model, *real, "--out", tmp_path / "r.pdf")
    assert "no directory" in fails("report", model, *real, "--out", tmp_path / "no" / "r.html")
    assert "only once" in fails("report", model, "--real", "-", "--holdout", "-")
    assert "say which domain" in fails("report", tmp_path / "s.csv", *real, "--out", tmp_path / "r.html")
    assert "does not exist" in fails(
        "report", tmp_path / "s.csv", *real, "--domain", "tabular", "--out", tmp_path / "r.html"
    )


def test_info(run, model: Path) -> None:
    text = run("info", model).stdout
    for fact in ("200 rows, 6 columns", "income", "20 steps", "datetime", "Köln, São Paulo, Ulm"):
        assert fact in text
