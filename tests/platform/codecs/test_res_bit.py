"""Residual bits: the facts of the paper's algorithm, for every cardinality up to 20,000."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from intarsia.codecs import BinaryCode, ResBit
from intarsia.codecs._res_bit import block_lengths
from intarsia.testing import check_codec

FACTS = {
    1: ([], 0, 0, 0.0),
    2: ([1], 1, 1, 0.0),
    3: ([1, 1], 2, 2, 25.0),
    9: ([3, 1], 4, 4, 43.8),
    22: ([4, 2, 2], 8, 5, 31.3),
    42: ([5, 3, 2], 10, 6, 34.4),
    50: ([5, 4, 2], 11, 6, 21.9),
    51: ([5, 4, 2, 1], 12, 6, 20.3),
    100: ([6, 5, 2, 1, 1], 15, 7, 21.9),
    196: ([7, 6, 2, 1, 1], 17, 8, 23.4),
    512: ([9], 9, 9, 0.0),
    1_000: ([9, 8, 7, 6, 5, 3, 2, 1, 1], 42, 10, 2.3),
    10_000: ([13, 10, 9, 8, 4, 2, 1], 47, 14, 39.0),
    10_942: ([13, 11, 9, 7, 6, 1, 1], 48, 14, 33.2),
}
"""Blocks, their bits, bits of a plain code, and its invalid words in percent, by cardinality."""


def residual(num_classes: int) -> ResBit:
    return ResBit.of(np.ones(num_classes, dtype=np.int64))


def all_words(width: int) -> Tensor:
    return torch.tensor(list(itertools.product((0, 1), repeat=width)), dtype=torch.long).view(2**width, width)


@pytest.mark.parametrize("num_classes", FACTS)
def test_block_lengths_are_those_of_the_table(num_classes: int) -> None:
    blocks, bits, plain, invalid = FACTS[num_classes]
    assert block_lengths(num_classes) == blocks
    assert residual(num_classes).width == bits
    assert BinaryCode.of(np.ones(num_classes, dtype=np.int64)).width == plain
    # the table rounds halves up
    assert 100 * (2**plain - num_classes) / 2**plain == pytest.approx(invalid, abs=0.051)


def test_block_lengths_are_those_of_the_author() -> None:
    """From the text of the binary number: its length where it is all ones, one less otherwise."""
    for num_classes in range(1, 20_001):
        rest, lengths = num_classes - 1, []
        while rest:
            text = f"{rest:b}"
            lengths.append(len(text) - ("0" in text))
            rest -= 2 ** lengths[-1] - 1
        assert block_lengths(num_classes) == lengths
        assert sum(2**n - 1 for n in lengths) == num_classes - 1


def test_every_word_of_every_cardinality_to_20_000_is_a_class_and_every_class_has_a_word() -> None:
    """The decoder is a sum of weights. It stays below K as the weights sum to K - 1, and it leaves no gap as each
    weight, in rising order, is at most one more than the sum of those before it (Brown 1961): complete for all words.
    """
    ones = np.ones(20_000, dtype=np.int64)
    for num_classes in range(1, 20_001):
        codec = ResBit()
        codec.counts_ = ones[:num_classes]
        codec._lay_out()  # without the labels, which would take most of the time
        reach = 0
        for weight in sorted(codec.read(torch.eye(codec.width, dtype=torch.long)).tolist()):
            assert 1 <= weight <= reach + 1
            reach += weight
        assert reach == num_classes - 1
        classes = torch.tensor([0, 17 * num_classes // 31, num_classes - 1])
        assert torch.equal(codec.read(codec.write(classes)), classes)


@pytest.mark.parametrize("num_classes", [50, 1_000, 10_000, 20_000])
def test_reading_is_a_sum_of_weights(num_classes: int) -> None:
    codec = residual(num_classes)
    words = torch.randint(2, (1_000, codec.width), generator=torch.Generator().manual_seed(0))
    weights = codec.read(torch.eye(codec.width, dtype=torch.long))
    assert torch.equal(codec.read(words), (words * weights).sum(1))


def test_all_words_of_small_cardinalities() -> None:
    for num_classes in [k for k in range(1, 120) if sum(block_lengths(k)) <= 13]:
        codec = residual(num_classes)
        words = all_words(codec.width)
        classes = codec.read(words)
        assert set(classes.tolist()) == set(range(num_classes))
        word = codec.canonical(words)
        assert torch.equal(codec.canonical(word), word)
        assert torch.equal(codec.read(word), classes)
        assert len(set(map(tuple, word.tolist()))) == num_classes


def test_words_are_filled_greedily() -> None:
    """v_i = min(rest, 2^n_i - 1), for every class, written most significant bit first."""
    for num_classes in [*range(1, 200), 511, 512, 513, 1_999, 10_000, 10_942, 2**14, 20_000]:
        codec = residual(num_classes)
        classes = torch.arange(num_classes)
        words, start, rest = codec.write(classes), 0, classes.clone()
        for n in block_lengths(num_classes):
            block = (words[:, start : start + n] * 2 ** torch.arange(n - 1, -1, -1)).sum(1)
            assert torch.equal(block, rest.clamp(max=2**n - 1))
            rest, start = rest - block, start + n
        assert not rest.any()
        assert torch.equal(codec.read(words), classes)


def test_fair_bits_are_not_uniform_over_50_classes() -> None:
    counts = residual(50).read(all_words(11)).bincount()
    assert int(counts.min()) == 1  # 1/2048 = .00049
    assert float(counts.max()) / 2048 == 0.03125
    assert int(counts.sum()) == 2048


def test_no_random_word_is_out_of_index_where_plain_bits_are() -> None:
    """Plain bits leave 21.9 % of 50's words and 39 % of 10,000's without a class."""
    rng = torch.Generator().manual_seed(0)
    for num_classes, width, share in ((50, 6, 14 / 64), (10_000, 14, 6384 / 16384)):
        plain = (torch.randint(2, (20_000, width), generator=rng) * 2 ** torch.arange(width)).sum(1)
        assert float((plain >= num_classes).double().mean()) == pytest.approx(share, abs=0.01)
        codec = residual(num_classes)
        classes = codec.read(torch.randint(2, (20_000, codec.width), generator=rng))
        assert 0 <= int(classes.min()) <= int(classes.max()) < num_classes


def test_frequent_labels_come_first_and_equal_ones_in_order() -> None:
    codec = ResBit().fit(np.array(["c", "a", "b", "b", "d", "d", "d"]))
    assert codec.labels_.values_.tolist() == ["d", "b", "a", "c"]
    assert codec.encode(np.array(["d", "b", "a", "c"])).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_memory_grows_with_bits_and_not_with_classes() -> None:
    codec = ResBit().fit(np.arange(100_000))
    assert codec.width == sum(block_lengths(100_000)) < 150
    assert codec.decode(codec.encode(np.array([99_999])), np.random.default_rng(0)).tolist() == [99_999]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40))
def test_labels_of_any_size(values: list[int]) -> None:
    check_codec(ResBit(), np.array(values), valid=lambda x: bool(np.isin(x, values).all()))


def test_there_is_at_least_one_class() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        block_lengths(0)
