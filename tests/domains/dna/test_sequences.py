"""Letters to codes and back, the other strand, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia_domains.dna._alphabet import COMPLEMENT, DNA, PAD, RNA, SETS, reverse_complement
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

OTHER = {"A": "T", "C": "G", "G": "C", "T": "A", "R": "Y", "Y": "R", "S": "S", "W": "W", "K": "M", "M": "K"}
OTHER |= {"B": "V", "D": "H", "H": "D", "V": "B", "N": "N"}


@given(st.lists(st.text("ACGTRYSWKMBDHVNacgtryn", min_size=1, max_size=30), min_size=1, max_size=8))
def test_text_comes_back_in_upper_case_and_the_other_strand_of_the_other_strand_too(texts: list[str]) -> None:
    read = Sequences.of(texts)
    assert read.texts() == [text.upper() for text in texts]
    assert read.reverse_complement().texts() == ["".join(OTHER[c] for c in text.upper()[::-1]) for text in texts]
    assert read.reverse_complement().reverse_complement().texts() == read.texts()
    assert Sequences.from_codes(read.codes).texts() == read.texts()


def test_codes_are_bases_padding_and_sets() -> None:
    read = Sequences.of(["ACGT", "GN"])
    assert read.codes.tolist() == [[0, 1, 2, 3], [2, 15, PAD, PAD]]
    assert read.lengths.tolist() == [4, 2]
    assert read.is_known().tolist() == [True, False]
    assert read.known().names == ("sequence 1",)
    assert read.allowed()[1].tolist() == [[False, False, True, False], [True] * 4, [False] * 4, [False] * 4]
    assert read.gc().tolist() == [0.5, 1.0]
    assert read[[1]].texts() == ["GN"]
    assert len(read[1:]) == 1
    assert (SETS[COMPLEMENT] == SETS[:, ::-1]).all()
    assert reverse_complement(DNA.encode("AACG")).tolist() == DNA.encode("CGTT").tolist()


def test_rna_is_told_by_its_letter_and_written_with_it() -> None:
    read = Sequences.of(["augcN", "CC"])
    assert read.alphabet is RNA
    assert read.texts() == ["AUGCN", "CC"]
    assert read.reverse_complement().texts() == ["NGCAU", "GG"]
    assert Sequences.of(["AUG"], alphabet=DNA).texts() == ["ATG"]
    assert Sequences.of(["AUG", "ATG"], alphabet=DNA).texts() == ["ATG", "ATG"]


@pytest.mark.parametrize(
    ("texts", "names", "message"),
    [
        (["ACGT", "ACXT"], ["a", "b"], "'b' has 'X' at position 3"),
        (["ACGT", "AC1"], None, "'sequence 2' has '1' at position 3"),
        (["AC-GT"], ["a"], "'a' has a gap '-' at position 3"),
        (["ACé"], ["a"], "'a' has 'é' at position 3"),
        (["AC\u20ac"], ["a"], "'a' has '\u20ac' at position 3"),
        (["AC GT"], ["a"], "'a' has ' ' at position 3"),
        (["AC*"], ["a"], "has '\\*' at position 3"),
        (["ACGT", ""], ["a", "b"], "'b' is an empty sequence"),
        (["ACG", "  "], ["a", "b"], "'b' is an empty sequence"),
        (["ACGT", "ACGU"], ["a", "b"], "mixed alphabets: 'a' has T and 'b' has U"),
        ([], None, "0 sequences"),
        (["A"], ["a", "b"], "1 sequences and 2 names"),
        (["A", None], None, "'sequence 2' must be a text, got NoneType"),
        ("ACGT", None, "must be a list of sequences"),
    ],
)
def test_refusals_name_the_sequence_and_the_position(texts: list[str], names: list[str] | None, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        Sequences.of(texts, names)


def test_one_text_with_both_t_and_u_is_refused_whatever_the_alphabet() -> None:
    with pytest.raises(SequenceError, match=r"'b' has both T and U \(U at position 2\)"):
        Sequences.of(["UU", "TUA"], ["a", "b"], alphabet=RNA)


@pytest.mark.parametrize(
    ("codes", "message"),
    [([[0, PAD, 1]], "padding before its end"), ([[0, 16]], "0 to 15"), ([[PAD, PAD]], "empty"), ([0, 1], "rows")],
)
def test_codes_that_are_no_sequences_are_refused(codes: list, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        Sequences.from_codes(np.array(codes))


def test_some_rows_are_as_wide_as_the_longest_of_them() -> None:
    read = Sequences.of(["ACG", "ACGTA", "AC"])
    assert read[[0, 2]].codes.shape == (2, 3)
    assert read[[0, 2]].equals(Sequences.of(["ACG", "AC"], ["sequence 1", "sequence 3"]))
    assert read[[]].codes.shape == (0, 5)
