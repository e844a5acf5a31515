"""Paths of a Huffman tree."""

import heapq
import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from intarsia.codecs import FrequencyTree
from intarsia.codecs._frequency_tree import huffman_depths
from intarsia.testing import check_codec

counts_of_classes = st.lists(st.integers(1, 10**6), min_size=1, max_size=30)


def all_words(width: int) -> Tensor:
    return torch.tensor(list(itertools.product((0, 1), repeat=width)), dtype=torch.long).view(2**width, width)


def least_cost(counts: list[int]) -> int:
    """Σ count · depth of the best tree: the sum of its inner nodes (Huffman 1952)."""
    heap = list(counts)
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        total += (node := heapq.heappop(heap) + heapq.heappop(heap))
        heapq.heappush(heap, node)
    return total


@given(counts_of_classes)
def test_depths_are_those_of_a_best_full_tree(counts: list[int]) -> None:
    depths = huffman_depths(counts)
    assert sum(c * d for c, d in zip(sorted(counts, reverse=True), depths, strict=True)) == least_cost(counts)
    assert sum(Fraction(1, 2**depth) for depth in depths) == 1


@given(counts_of_classes)
def test_paths_are_a_prefix_code_in_which_bits_behind_a_leaf_are_zero(counts: list[int]) -> None:
    codec = FrequencyTree.of(counts)
    words = codec.write(torch.arange(len(counts)))
    on_path = codec.on_path(words)
    assert not words[~on_path].any()
    paths = ["".join(str(int(b)) for b in w[m]) for w, m in zip(words, on_path, strict=True)]
    assert [len(path) for path in paths] == huffman_depths(counts)
    assert not any(a != b and b.startswith(a) for a in paths for b in paths)


def test_bits_behind_a_leaf_mean_nothing() -> None:
    codec = FrequencyTree.of([50, 20, 20, 5, 5])
    words = all_words(codec.width)
    on_path = codec.on_path(words)
    noise = torch.randint(2, words.shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(codec.read(torch.where(on_path, words, noise)), codec.read(words))
    assert torch.equal(codec.canonical(words), torch.where(on_path, words, 0))


def test_fair_bits_draw_dyadic_shares_exactly() -> None:
    """Shares 1/2, 1/4, 1/8, 1/8: the noise of fair bits is the marginal."""
    codec = FrequencyTree.of([1, 4, 1, 2])
    assert codec.labels_.values_.tolist() == [1, 3, 0, 2]
    assert codec.width == 3
    assert codec.read(all_words(3)).bincount().tolist() == [4, 2, 1, 1]


def test_independent_bits_give_any_law_exactly() -> None:
    """With the conditional of each inner node, the product along the path is the share of the label."""
    counts = np.array([50, 20, 20, 7, 3])
    codec = FrequencyTree.of(counts)
    words = codec.write(torch.arange(5))
    for k in range(5):
        share = Fraction(1)
        for depth in range(int(codec.on_path(words)[k].sum())):
            same = (words[:, :depth] == words[k, :depth]).all(1).numpy()
            further = same & (words[:, depth] == words[k, depth]).numpy()
            share *= Fraction(int(codec.counts_[further].sum()), int(codec.counts_[same].sum()))
        assert share == Fraction(int(codec.counts_[k]), 100)


def test_equal_counts_give_a_flat_tree() -> None:
    assert huffman_depths([1] * 16) == [4] * 16
    assert set(huffman_depths([7] * 50)) == {5, 6}


def test_depth_grows_with_the_logarithm_of_the_rows() -> None:
    """Fibonacci counts make the deepest tree: log_φ of the rows."""
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(sum(fibonacci[-2:]))
    assert FrequencyTree.of(fibonacci).width == 39
    assert sum(fibonacci) > 2 * 10**8
    check_codec(FrequencyTree(), np.repeat(np.arange(20), fibonacci[:20]))


def test_paths_too_long_for_a_number_are_refused() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 70:
        fibonacci.append(sum(fibonacci[-2:]))
    with pytest.raises(ValueError, match="path of 69 bits"):
        FrequencyTree.of(fibonacci)


def test_ten_thousand_labels() -> None:
    labels = np.random.default_rng(0).zipf(1.3, 200_000) % 10_000
    codec = FrequencyTree().fit(labels)
    assert codec.width <= 26
    assert (codec.decode(codec.encode(labels), np.random.default_rng(0)) == labels).all()
