import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest


def test_formats_and_seeds(run, model: Path, tmp_path: Path) -> None:
    def drawn(name: str, *options: object) -> Path:
        run("sample", model, "-n", 20, "--out", tmp_path / name, *options)
        return tmp_path / name

    first = drawn("a.csv").read_bytes()
    assert drawn("b.csv").read_bytes() == first
    assert drawn("c.csv", "--seed", 7).read_bytes() != first
    assert run("sample", model, "-n", 20, "--out", "-").stdout.encode() == first
    table = pd.read_parquet(drawn("d.parquet"))
    assert table.shape == (20, 6)
    assert str(table["since"].dtype) == "datetime64[ns]"
    assert set(table["code"]) <= {"007", "12", "NA"}


def test_conditions_of_every_type(run, model: Path) -> None:
    given = {"age": "33", "city": "São Paulo", "income": "", "member": "true", "since": "2020-02-03", "code": "007"}
    options = [part for name, value in given.items() for part in ("--given", f"{name}={value}")]
    text = run("sample", model, "-n", 3, "--out", "-", *options).stdout
    assert text.splitlines() == ["age,city,income,member,since,code"] + 3 * ["33,São Paulo,,True,2020-02-03,007"]


def test_no_rows_are_a_header(run, model: Path) -> None:
    assert run("sample", model, "-n", 0, "--out", "-").stdout == "age,city,income,member,since,code\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("town=Ulm", "'town'"),
        ("City=Ulm", "did you mean 'city'?"),
        ("city=Ullm", "did you mean 'Ulm'?"),
        ("city", "COLUMN=VALUE"),
        ("=Ulm", "COLUMN=VALUE"),
        ("age=old", "whole numbers"),
        ("age=3.5", "whole numbers"),
        ("age=1000", "outside"),
        ("age=", "no missing values"),
        ("income=nan", "numbers"),
        ("income=much", "numbers"),
        ("member=perhaps", "'perhaps'"),
        ("since=yesteryear", "times"),
        ("since=2031-01-01", "outside"),
    ],
)
def test_bad_conditions(fails, model: Path, tmp_path: Path, given: str, said: str) -> None:
    assert said in fails("sample", model, "-n", 3, "--out", tmp_path / "s.csv", "--given", given)
    assert list(tmp_path.iterdir()) == []


def test_bad_targets(fails, model: Path, tmp_path: Path) -> None:
    for out, said in (("s.xlsx", ".parquet"), ("no/s.csv", "cannot be written"), (".", "format")):
        assert said in fails("sample", model, "-n", 3, "--out", f"{tmp_path}/{out}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(fails, model: Path, tmp_path: Path) -> None:
    (tmp_path / "s.csv").symlink_to("/dev/full")
    said = fails("sample", model, "-n", 3, "--out", tmp_path / "s.csv")
    assert "no space left on device" in said


def test_an_old_file_survives_a_failure(fails, model: Path, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("old\n")
    fails("sample", model, "-n", 3, "--out", tmp_path / "s.csv", "--given", "age=1000")
    assert (tmp_path / "s.csv").read_text() == "old\n"


@pytest.mark.parametrize("name", ["config.json", "codec.json", "weights.safetensors"])
def test_damaged_models(fails, model: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "m"))
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2])
    assert name in fails("sample", copy, "-n", 3, "--out", "-")
    (copy / name).unlink()
    assert name in fails("info", copy)


def test_no_model(fails, data: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path, data / "train.csv"):
        fails("sample", path, "-n", 3, "--out", "-")


def test_pipes_of_real_processes(model: Path) -> None:
    """One process samples into a pipe, another completes what comes, a reader leaves early: nobody complains."""
    program = [sys.executable, "-m", "intarsia.cli"]
    first = subprocess.Popen(
        [*program, "sample", str(model), "-n", "20000", "--out", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert first.stdout is not None
    assert first.stderr is not None
    header = first.stdout.readline()
    first.stdout.close()
    said = first.stderr.read().decode()
    first.stderr.close()
    assert header == b"age,city,income,member,since,code\n"
    assert first.wait(60) == 141
    assert "Traceback" not in said
    assert "Broken" not in said
    second = subprocess.run(
        [*program, "complete", str(model), "-", "--out", "-"],
        input=header + b"33,,,True,2020-02-03,007\n",
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert second.returncode == 0
    completed = pd.read_csv(io.BytesIO(second.stdout), dtype=str, keep_default_na=False)
    assert completed.loc[0, "age"] == "33"
    assert (completed != "").all(axis=None)
