"""Sequences on the command line: files in and out, conditions as texts, and `design` with its constraints."""

import io
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from intarsia_domains.dna import Avoid, DilatedCNN, GCWindow, Keep, MaxRun, Require, SequenceDesigner, SequenceError
from intarsia_domains.dna._verbs import _constraints, design

COMMAND = SequenceDesigner.command()


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dna")
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 10 + row % 2)) for row in range(60)]
    lines = [f"{text},{'ab'[row % 2]},{row / 7:.3f},{row}x" for row, text in enumerate(texts)]
    (folder / "train.csv").write_text("sequence,kind,activity,name\n" + "\n".join(lines) + "\n")
    (folder / "train.fasta").write_text("".join(f">s{row}\n{text}\n" for row, text in enumerate(texts)))
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> SequenceDesigner:
    raw = COMMAND.read(str(folder / "train.csv"), say=quiet)
    network = DilatedCNN(width=8, blocks=1, kernel=3)
    with pytest.warns(UserWarning, match="left out: name"):
        made = SequenceDesigner(steps=5, network=network, threads=1, progress=False).fit(raw)
    made.save(folder / "model")
    return made


def test_tables_and_fasta_are_read(folder: Path) -> None:
    said: list[str] = []
    raw = COMMAND.read(str(folder / "train.csv"), say=said.append)
    assert (len(raw), list(raw.labels)) == (60, ["kind", "activity", "name"])
    assert said == ["60 DNA sequences of 10 to 11 letters; labels kind, activity, name"]
    assert len(COMMAND.read(str(folder / "train.fasta"), say=quiet)) == 60
    with pytest.raises(SequenceError, match="leave out --missing"):
        COMMAND.read(str(folder / "train.csv"), missing=["NA"], say=quiet)


def test_standard_input_is_known_by_its_first_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (">a\nACGU\n", "@a\nACGU\n+\nIIII\n", "sequence\nACGU\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert COMMAND.read("-", say=quiet).sequences.texts() == ["ACGU"]


def test_conditions_are_texts(model: SequenceDesigner) -> None:
    given = COMMAND.parse_given(model, {"kind": "a", "activity": "2.5", "length": "11"}, quiet)
    assert given == {"kind": "a", "activity": 2.5, "length": 11.0}
    assert set(model.sample(4, given=given).lengths) == {11}
    assert COMMAND.parse_given(model, {"kind": ""}, quiet) == {"kind": None}
    for texts, words in (
        ({"kind": "c"}, "one of a, b"),
        ({"activity": "much"}, "is a number"),
        ({"length": "x"}, "is a number"),
        ({"length": "2.5"}, "whole number"),
        ({"size": "1"}, "no condition 'size'"),
    ):
        with pytest.raises(SequenceError, match=words):
            COMMAND.parse_given(model, texts, quiet)


def test_what_is_written_can_be_read(folder: Path, model: SequenceDesigner, capsys: pytest.CaptureFixture[str]) -> None:
    made = model.sample(3, seed=0)
    for suffix in (".fasta", ".csv", ".fa.gz"):
        with COMMAND.writer(str(folder / f"out{suffix}")) as write:
            write(made)
        assert COMMAND.read(str(folder / f"out{suffix}"), say=quiet).sequences.texts() == made.texts()
    with COMMAND.writer("-") as write:
        write(made)
    assert capsys.readouterr().out.splitlines()[1] == f"sample 1,{made.texts()[0]}"
    with pytest.raises(SequenceError, match="change the ending"), COMMAND.writer(str(folder / "out.xyz")):
        pass
    with pytest.raises(FileNotFoundError, match="no directory"), COMMAND.writer(str(folder / "no" / "out.csv")):
        pass


def test_scores_and_completions_are_columns(folder: Path, model: SequenceDesigner) -> None:
    raw = COMMAND.read(str(folder / "train.csv"), like=model, say=quiet)
    said: list[str] = []
    scores = COMMAND.scores(model, raw, per_cell=False, say=said.append)
    assert scores.labels["log_likelihood"].shape == (60,)
    assert "nats a sequence" in said[0]
    with (
        pytest.raises(SequenceError, match=r"scores are written as \.csv"),
        COMMAND.writer(str(folder / "s.fasta")) as write,
    ):
        write(scores)
    stacked = COMMAND.stack([model.complete(raw, seed=seed) for seed in (0, 1)])
    assert stacked.labels["draw"].tolist() == [1.0] * 60 + [2.0] * 60


def test_splits_are_parts_and_models_are_described(folder: Path, model: SequenceDesigner) -> None:
    raw = COMMAND.read(str(folder / "train.csv"), say=quiet)
    train, held = COMMAND.split(raw, 0.25, 0)
    assert (len(train), len(held)) == (45, 15)
    assert sorted(train.sequences.names + held.sequences.names) == sorted(raw.sequences.names)
    report = COMMAND.describe(model)
    assert report.provenance["Learned from"] == "60 DNA sequences, 10 to 11 letters"
    assert [row[:2] for row in report.tables[0].rows] == [["kind", "class"], ["activity", "scalar"]]


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(design)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_design_keeps_what_is_asked(folder: Path, model: SequenceDesigner) -> None:
    out = folder / "made.csv"
    asked = "--motif GATTA --motif R@1 --forbid CC --gc 20-60 --max-run 2 --target kind=a --target length=11"
    result = run(folder / "model", "-n", 12, *asked.split(), "--guidance", 2, "--out", out)
    assert result.exit_code == 0, result.output
    texts = COMMAND.read(str(out), say=quiet).sequences.texts()
    assert len(texts) == 12
    for text in texts:
        assert "GATTA" in text
        assert text[0] in "AG"
        assert "CC" not in text
        assert "GG" not in text
        assert "AAA" not in text
        assert 0.2 <= sum(letter in "CG" for letter in text) / 11 <= 0.6


def test_constraints_are_read() -> None:
    found = _constraints(["TATA", "NNG@3"], ["GAATTC"], "40-60", 4, either=True)
    assert found == [Require("TATA", both_strands=True), Keep("NNG", 2), Avoid("GAATTC"), GCWindow(0.4, 0.6), MaxRun(4)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--motif", "TA@0"], "sites from 1"),
        (["--gc", "much"], "a range in percent"),
        (["--gc", "60-40"], "GC window"),
        (["--motif", "GATTACA", "--forbid", "ATTA"], "cannot be kept together"),
        (["--motif", "A" * 20], "needs 20 letters"),
        (["--motif", "TAX"], "'X' at position 3"),
        (["--target", "kind"], "LABEL=VALUE"),
        (["--target", "kind=z"], "one of a, b"),
    ],
)
def test_what_cannot_be_designed_is_said(folder: Path, model: SequenceDesigner, options: list[str], words: str) -> None:
    result = run(folder / "model", *options)
    assert result.exit_code != 0
    assert isinstance(result.exception, ValueError)
    assert words in str(result.exception)
