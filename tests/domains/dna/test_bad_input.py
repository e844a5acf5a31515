"""Whatever people feed to a designer: read where it has one meaning, refused with its place where it has none."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from intarsia_domains.dna import (
    AbstractConstraint,
    AnalogBits,
    Avoid,
    DilatedCNN,
    GCWindow,
    Keep,
    Length,
    MaxRun,
    Require,
    SequenceDesigner,
    SequenceError,
    read_labelled,
    read_sequences,
)

TEXTS = ["ACGTACGT", "ACGTTCGA", "TTGTACGA", "CCGTACGG"] * 5


def designer(**options: object) -> SequenceDesigner:
    network = DilatedCNN(width=8, blocks=1, kernel=3)
    return SequenceDesigner(steps=3, network=network, threads=1, progress=False, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model() -> SequenceDesigner:
    return designer().fit(TEXTS, {"kind": ["a", "b"] * 10})


@pytest.fixture(scope="module")
def uneven() -> SequenceDesigner:
    return designer().fit([text[: 6 + row % 3] for row, text in enumerate(TEXTS)])


def test_lower_case_and_u_are_letters(model: SequenceDesigner) -> None:
    scores = [model.score_samples([text])[0] for text in ("ACGTACGT", "acgtacgt", "ACGUACGU", "aCgUacgu")]
    assert len(set(scores)) == 1
    rna = designer().fit([text.replace("T", "U") for text in TEXTS])
    made = rna.design(5, constraints=[Require("GUA"), Avoid("UUU")], seed=0).texts()
    assert all("GUA" in text and "UUU" not in text and "T" not in text for text in made)


def test_iupac_codes_are_what_is_known(model: SequenceDesigner) -> None:
    (text,) = model.complete(["ACRTNNGY"], seed=0).texts()
    assert text[:2] == "AC"
    assert text[2] in "AG"
    assert text[7] in "CT"
    assert model.score_samples(["NNNNNNNN"])[0] == pytest.approx(0.0, abs=1e-9)


LETTERS = {
    "gap": (["ACGTACGT", "ACG-ACGT"], r"'sequence 2' has a gap '-' at position 4"),
    "letter": (["ACGTACXT"], r"'sequence 1' has 'X' at position 7"),
    "digit": (["ACGTACG1"], r"'sequence 1' has '1' at position 8"),
    "empty": (["ACGTACGT", ""], r"'sequence 2' is an empty sequence"),
    "both alphabets": (["ACGTACGU"], r"'sequence 1' has both T and U \(U at position 8\)"),
    "none": ([], r"0 sequences"),
    "a single text": ("ACGTACGT", r"must be a list of sequences"),
}


@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize("verb", ["fit", "complete", "score_samples", "edit"])
def test_letters_that_mean_nothing_are_named(model: SequenceDesigner, verb: str, name: str) -> None:
    raw, words = LETTERS[name]
    verbs: dict[str, Callable[[object], object]] = {
        "fit": lambda raw: designer().fit(raw),
        "complete": model.complete,
        "score_samples": model.score_samples,
        "edit": lambda raw: model.edit(raw, target={"kind": "a"}),
    }
    with pytest.raises(SequenceError, match=words):
        verbs[verb](raw)


def test_mixed_alphabets_and_repeated_names_of_files(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    for text, words in (
        (">a\nACGT\n>b\nACGU\n", "mixed alphabets: 'a' has T and 'b' has U"),
        (">a\nACGT\n>b\nGG\n>a\nACGT\n", "the name 'a' is repeated, in records 1 and 3"),
    ):
        path.write_text(text)
        with pytest.raises(SequenceError, match=words):
            read_sequences(path)
    with pytest.raises(SequenceError, match="mixed alphabets"):
        designer().fit(["ACGT", "ACGU"])


def test_lengths_over_the_models(model: SequenceDesigner, uneven: SequenceDesigner) -> None:
    for verb in (model.complete, model.score_samples):
        with pytest.raises(SequenceError, match="'sequence 1' has 9 letters, and the model has sequences of 8 letters"):
            verb(["ACGTACGTA"])
    with pytest.raises(SequenceError, match="'sequence 1' has 9 letters, and the model has 6 to 8 letters"):
        uneven.sample(2, given={"length": 9})
    with pytest.raises(SequenceError, match="a length of 9"):
        uneven.design(2, constraints=[Length(9)])


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ([Require("GAATTC"), Avoid("AATT")], "the required motif GAATTC and the forbidden motif AATT cannot be kept"),
        ([Require("ACGTACGTA")], "the required motif ACGTACGTA needs 9 letters, and a sequence has at most 8"),
        ([Keep("ACGT", 6)], "needs 10 letters"),
        ([Keep("GGGGGG"), GCWindow(0.0, 0.5)], "cannot be kept together"),
        ([Keep("AAAA"), MaxRun(3)], "runs of at most 3"),
        ([Keep("A"), Keep("C")], "cannot be kept together"),
    ],
)
@pytest.mark.parametrize("noise", [None, AnalogBits(2)], ids=["absorbing", "analog-bits"])
def test_contradictions_are_said_before_any_network_is_called(
    monkeypatch: pytest.MonkeyPatch, constraints: list[AbstractConstraint], words: str, noise: AnalogBits | None
) -> None:
    fitted = designer(noise=noise).fit(TEXTS)
    monkeypatch.setattr(fitted.denoiser_, "forward", None)
    monkeypatch.setattr(fitted.denoiser_, "posterior", None)
    with pytest.raises(SequenceError, match=words):
        fitted.design(1000, constraints=constraints)


def test_labels_may_be_missing_for_some_rows_but_not_for_all(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = designer().fit(TEXTS, {"kind": ["a", None] * 10, "level": [1.5, np.nan, 2.0, 3.0] * 5})
    assert len(made.sample(3, given={"kind": "a", "level": None})) == 3
    with pytest.raises(SequenceError, match="missing for all"):
        designer().fit(TEXTS, {"kind": [None] * 20})
    with pytest.raises(SequenceError, match="19 values for 20 sequences"):
        designer().fit(TEXTS, {"kind": ["a"] * 19})
    path = tmp_path / "a.csv"
    path.write_text("sequence,kind\nACGT,a\nACGA,\n")
    with pytest.raises(SequenceError, match="'kind' is missing for 1 of 2 rows, first for 'row 2'"):
        read_labelled(path).complete("kind")
