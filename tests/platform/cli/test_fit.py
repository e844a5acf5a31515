import hashlib
import shutil
from pathlib import Path

import pytest


def hashes(model: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in model.iterdir()}


def test_the_same_seed_gives_the_same_files_from_any_source(run, data: Path, model: Path, tmp_path: Path) -> None:
    arguments = ("--steps", 20, "--target", "income", "-q")
    run("fit", "tabular", "-", "--out", tmp_path / "a", *arguments, stdin=(data / "train.csv").read_bytes())
    run("fit", "tabular", data / "train.csv", "--out", tmp_path / "b", "--seed", 1, *arguments)
    assert hashes(tmp_path / "a") == hashes(model)
    assert hashes(tmp_path / "b") != hashes(model)


def test_it_says_what_it_did_on_standard_error(run, data: Path, tmp_path: Path) -> None:
    result = run("fit", "tabular", data / "train.parquet", "--out", tmp_path / "m", "--steps", 20)
    assert result.stdout == ""
    assert "rows: 200, columns: 6" in result.stderr
    assert "20 steps" in result.stderr
    assert "100%" not in result.stdout
    assert f"intarsia sample {tmp_path / 'm'}" in result.stderr


def test_quiet_is_quiet(run, data: Path, tmp_path: Path) -> None:
    assert run("fit", "tabular", data / "train.csv", "--out", tmp_path / "m", "--steps", 2, "-q").output == ""


def test_kinds_and_missing_texts(run, data: Path, tmp_path: Path) -> None:
    options = ("--kind", "age=category", "--missing", "NA", "--steps", 2, "--threads", 1, "--device", "cpu")
    run("fit", "tabular", data / "train.csv", "--out", tmp_path / "m", *options)
    text = run("info", tmp_path / "m").stdout
    assert [line.split()[1] for line in text.splitlines() if line.startswith("age")] == ["category"]
    assert [line.split()[3] for line in text.splitlines() if line.startswith("code")] == ["learned"]


def test_an_old_model_is_replaced_only_by_force(run, fails, data: Path, model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "m"))
    assert "--force" in fails("fit", "tabular", data / "train.csv", "--out", copy, "--steps", 2)
    assert hashes(copy) == hashes(model)
    run("fit", "tabular", data / "train.csv", "--out", copy, "--steps", 2, "--force", "-q")
    assert hashes(copy) != hashes(model)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "foo"], "'foo'"),
        (["--kind", "age=foo"], "'foo'"),
        (["--kind", "foo=category"], "'foo'"),
        (["--kind", "age"], "COLUMN=KIND"),
        (["--kind", "age=category", "--kind", "age=integer"], "twice"),
        (["--minutes", "-1"], "--minutes"),
        (["--minutes", "nan"], "--minutes"),
        (["--minutes", "1", "--steps", "2"], "--steps"),
        (["--steps", "0"], "--steps"),
        (["--device", "toaster"], "--device toaster"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_bad_options(fails, data: Path, tmp_path: Path, options: list[str], said: str) -> None:
    budget = [] if {"--minutes", "--steps"} & set(options) else ["--steps", "2"]
    assert said in fails("fit", "tabular", data / "train.csv", "--out", tmp_path / "m", *budget, *options)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("a,b\n", "no rows"),
        ("a,a\n1,2\n", "'a'"),
        ("a,b\n1,2\n3\n", "line 3"),
        ('a,b\n"1,2\n', "quote"),
        ("a,b\n1.5,inf\n2.5,1.5\n", "'b'"),
        ("a\0b", ""),
        ("PK\x03\x04 and so on", "zip"),
    ],
)
def test_bad_tables(fails, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert said in fails("fit", "tabular", tmp_path / "t.csv", "--out", tmp_path / "m", "--steps", 2)
    assert not (tmp_path / "m").exists()


def test_one_row_is_enough(run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,x\n")
    run("fit", "tabular", tmp_path / "t.csv", "--out", tmp_path / "m", "--steps", 2, "-q")
    assert run("sample", tmp_path / "m", "-n", 2, "--out", "-").stdout == "a,b\n1,x\n1,x\n"


def test_places_that_cannot_be_used(fails, data: Path, tmp_path: Path) -> None:
    train = data / "train.csv"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("all of it")
    for force in ([], ["--force"]):
        assert "not a saved model" in fails("fit", "tabular", train, "--out", tmp_path / "full", *force)
        assert "not a saved model" in fails("fit", "tabular", train, "--out", train, *force)
    assert "not a directory" in fails("fit", "tabular", train, "--out", train / "m")
    assert "standard output" in fails("fit", "tabular", train, "--out", "-")
    assert "does not exist" in fails("fit", "tabular", data / "nowhere.csv", "--out", tmp_path / "m")
    assert "directory" in fails("fit", "tabular", data, "--out", tmp_path / "m")
    assert "installed: arrangements, dna, permutations" in fails("fit", "tables", train, "--out", tmp_path / "m")


def test_a_disk_that_fills_leaves_the_old_model_whole(
    fails, data: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "m"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    said = fails("fit", "tabular", data / "train.csv", "--out", copy, "--steps", 2, "--force")
    assert f"{copy} cannot be written: no space left on device" in said
    assert hashes(copy) == hashes(model)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
