"""Labels as words of bits: what all codes share, plain and Gray bits."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from intarsia.codecs import AbstractLabelBits, AnalogBits, BinaryCode, FrequencyTree, Gray, ResBit
from intarsia.testing import check_codec

CODES = [BinaryCode, FrequencyTree, Gray, ResBit]
each = pytest.mark.parametrize("code", CODES)


def all_words(width: int) -> Tensor:
    return torch.tensor(list(itertools.product((0, 1), repeat=width)), dtype=torch.long).view(2**width, width)


@each
@given(values=st.lists(st.text(max_size=3), min_size=1, max_size=40))
def test_text(code: type[AbstractLabelBits], values: list[str]) -> None:
    labels = np.array(values, dtype=object)
    check_codec(code(), labels, valid=lambda x: set(x) <= set(values))
    check_codec(AnalogBits(code()), labels, valid=lambda x: set(x) <= set(values))


@each
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_reals(code: type[AbstractLabelBits], values: list[float]) -> None:
    check_codec(code(), np.array(values), valid=lambda x: bool(np.isin(x, values).all()))


@each
def test_one_label_needs_no_bits(code: type[AbstractLabelBits]) -> None:
    codec = code().fit(np.array(["only", "only"]))
    assert codec.width == 0
    assert codec.num_classes == ()
    assert codec.decode(np.zeros((3, 0), dtype=np.int64), np.random.default_rng(0)).tolist() == ["only"] * 3
    check_codec(code(), np.array(["only"]))


@each
def test_every_word_means_a_class_and_every_class_has_one_canonical_word(code: type[AbstractLabelBits]) -> None:
    rng = np.random.default_rng(0)
    for num_classes in range(1, 34):
        codec = code.of(rng.integers(1, 30, num_classes))
        words = all_words(codec.width)
        indices = codec.read(words)
        assert set(indices.tolist()) == set(range(num_classes))
        word = codec.canonical(words)
        assert torch.equal(word, codec.write(indices))
        assert torch.equal(codec.canonical(word), word)
        assert torch.equal(codec.read(word), indices)


@each
def test_no_cell_of_a_table_is_invalid_for_random_bits(code: type[AbstractLabelBits]) -> None:
    """A table of 12 columns of 1 to 10,000 labels, as one tensor of random bits."""
    rng = np.random.default_rng(0)
    labels = [np.array([f"{k}é" for k in range(count)]) for count in (1, 2, 3, 5, 9, 22, 42, 50, 51, 100, 1000, 10_000)]
    codecs = [code().fit(np.concatenate([column, column[:7]])) for column in labels]
    ends = np.cumsum([0, *(codec.width for codec in codecs)])
    bits = rng.integers(0, 2, (5_000, ends[-1]))
    cells = 0
    for codec, column, start, end in zip(codecs, labels, ends, ends[1:], strict=False):
        decoded = codec.decode(bits[:, start:end], rng)
        cells += int(np.isin(decoded, column).sum())
        assert (codec.encode(decoded) == codec.canonical(torch.as_tensor(bits[:, start:end])).numpy()).all()
    assert cells == 12 * 5_000


@pytest.mark.parametrize("code", [BinaryCode, Gray])
@pytest.mark.parametrize("num_classes", [3, 5, 9, 33, 50, 100])
def test_unused_words_are_read_one_flip_away_and_do_not_pile_up(
    code: type[AbstractLabelBits], num_classes: int
) -> None:
    codec = code.of(np.ones(num_classes))
    words = all_words(codec.width)
    flips = (words != codec.canonical(words)).sum(1)
    assert int(flips.max()) == 1
    assert int((flips == 1).sum()) == 2**codec.width - num_classes
    assert set(codec.read(words).bincount().tolist()) == {1, 2}


@pytest.mark.parametrize("num_classes", [2, 3, 8, 50, 1000])
def test_binary_words_are_binary_numbers(num_classes: int) -> None:
    words = BinaryCode.of(np.ones(num_classes)).write(torch.arange(num_classes)).tolist()
    width = (num_classes - 1).bit_length()
    assert ["".join(map(str, word)) for word in words] == [f"{k:0{width}b}" for k in range(num_classes)]


@pytest.mark.parametrize("num_classes", [2, 3, 8, 50, 1000])
def test_gray_neighbours_differ_in_one_bit(num_classes: int) -> None:
    words = Gray.of(np.ones(num_classes)).write(torch.arange(num_classes))
    assert (words[1:] != words[:-1]).sum(1).tolist() == [1] * (num_classes - 1)


def test_gray_words_of_three_bits() -> None:
    words = Gray.of(np.ones(8)).write(torch.arange(8)).tolist()
    assert ["".join(map(str, word)) for word in words] == ["000", "001", "011", "010", "110", "111", "101", "100"]


@pytest.mark.parametrize("code", [BinaryCode, Gray])
def test_order_is_that_of_the_labels(code: type[AbstractLabelBits]) -> None:
    assert code().fit(np.array([30, 10, 10, 20, 20, 20])).labels_.values_.tolist() == [10, 20, 30]


@each
def test_of_takes_counts_of_classes(code: type[AbstractLabelBits]) -> None:
    codec = code.of([3, 1, 5])
    values = np.array([0] * 3 + [1] + [2] * 5)
    assert codec.to_json() == code().fit(values).to_json()


@each
@pytest.mark.parametrize("counts", [[], [1, 0], [-1]])
def test_counts_start_at_one(code: type[AbstractLabelBits], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"count|at least one"):
        code.of(counts)


@each
def test_unknown_labels_are_refused(code: type[AbstractLabelBits]) -> None:
    with pytest.raises(ValueError, match="'z'"):
        code().fit(np.array(["a", "b"])).encode(np.array(["a", "z"]))
