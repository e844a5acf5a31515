"""Letters in groups."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.codecs import KMer
from intarsia.testing import check_codec

RNG = np.random.default_rng(0)
alphabets = st.lists(st.characters(exclude_characters="\0"), min_size=1, max_size=6, unique=True).map("".join)


@given(st.data(), alphabets, st.integers(1, 4))
def test_sequences_come_back(data: st.DataObject, letters: str, k: int) -> None:
    texts = data.draw(st.lists(st.text(letters, max_size=10), min_size=1, max_size=20))
    lengths = [len(text) for text in texts]

    def valid(sequences: np.ndarray) -> bool:
        return all(set(s) <= set(letters) and min(lengths) <= len(s) <= max(lengths) for s in sequences)

    check_codec(KMer(k, letters), np.array(texts), valid=valid)


def test_groups_of_one_length() -> None:
    codec = KMer(3).fit(np.array(["ACGTAC", "TTTTTT"]))
    assert codec.num_classes == (64, 64)
    assert codec.encode(np.array(["ACGTAC", "AAATTT"])).tolist() == [[6, 49], [0, 63]]


def test_a_last_group_of_fewer_letters_needs_no_padding() -> None:
    codec = KMer(3).fit(np.array(["ACGTACG"]))
    assert codec.num_classes == (64, 64, 4)
    assert codec.encode(np.array(["ACGTACG"])).tolist() == [[6, 49, 2]]


def test_lengths_that_differ_add_classes_only_where_sequences_end() -> None:
    """Of 4 to 8 letters: the second group holds 1 to 3, the third 0 to 2."""
    codec = KMer(3).fit(np.array(["ACGT", "ACGTACGT"]))
    assert codec.num_classes == (64, 64 + 16 + 4, 16 + 4 + 1)
    assert codec.encode(np.array(["ACGT", "AAAAC", "AAAAAAT"])).tolist() == [
        [6, 64 + 16 + 3, 20],
        [0, 65, 20],
        [0, 0, 19],
    ]


def test_every_state_is_a_sequence_and_every_sequence_a_state() -> None:
    codec = KMer(2, "01").fit(np.array(["0", "00000"]))
    states = np.array(list(itertools.product(*map(range, codec.num_classes))))
    decoded = codec.decode(states, RNG)
    expected = {"".join(word) for n in range(1, 6) for word in itertools.product("01", repeat=n)}
    assert set(decoded.tolist()) == expected
    again = codec.encode(decoded)
    assert len(np.unique(again, axis=0)) == len(expected)
    assert np.array_equal(codec.decode(again, RNG), decoded)


def test_a_sequence_ends_with_the_first_group_that_is_not_full() -> None:
    codec = KMer(2, "01").fit(np.array(["0", "00000"]))
    one_letter = 4
    assert codec.decode(np.array([[one_letter, 3, 1], [3, one_letter + 1, 1]]), RNG).tolist() == ["0", "111"]


def test_order_of_letters_is_kept() -> None:
    codec = KMer(1, "TGCA").fit(np.array(["ACGT"]))
    assert codec.encode(np.array(["ACGT"])).tolist() == [[3, 2, 1, 0]]


def test_empty_sequences_have_no_sites() -> None:
    check_codec(KMer(), np.array(["", ""]))
    assert KMer().fit(np.array([""])).num_classes == ()


@pytest.mark.parametrize(
    ("k", "letters", "message"),
    [
        (0, "ACGT", "at least 1"),
        (3, "", "different"),
        (3, "AA", "different"),
        (2, "A\0", "different"),
        (16, "ACGT", "lower"),
    ],
)
def test_groups_and_letters(k: int, letters: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KMer(k, letters)


def test_unknown_letters_and_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="'N' in sequence 1"):
        KMer().fit(np.array(["ACG", "ANG"]))
    with pytest.raises(ValueError, match="at least one"):
        KMer().fit(np.array([], dtype=str))
    codec = KMer().fit(np.array(["ACG", "ACGT"]))
    with pytest.raises(ValueError, match="5 letters, where 3 to 4"):
        codec.encode(np.array(["ACGTA"]))
