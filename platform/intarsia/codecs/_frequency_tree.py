"""Labels as paths of a tree by frequency."""

import heapq

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.codecs._bits import read_bits, write_bits
from intarsia.codecs._label_bits import AbstractLabelBits, frequent_first

DEEPEST = 62


class FrequencyTree(AbstractLabelBits):
    """The path to a label in a Huffman tree of the counts: bit j is the turn at depth j (Huffman 1952).

    Words are as wide as the deepest path. Bits behind a leaf mean nothing and are 0 in canonical words; `on_path` says
    which ones count, and the log-likelihood of a label is the sum over those alone. Every word runs into a leaf.
    Fair bits draw a label with probability 2^-depth, near its share of the data, so pure noise is near the marginal.

    Paths are numbered as in a canonical Huffman code: frequent labels first, so that reading is a binary search.
    """

    @property
    def width(self) -> int:
        return int(self._depths[-1])

    def _order(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        return frequent_first(counts)

    def _lay_out(self) -> None:
        depths = huffman_depths(self.counts_.tolist())
        if depths[-1] > DEEPEST:
            raise ValueError(f"a path of {depths[-1]} bits is too long; at most {DEEPEST} are supported")
        self._depths = torch.tensor(depths)
        # words of a leaf are a range of binary numbers, and the ranges lie side by side
        sizes = 1 << (self.width - self._depths)
        self._starts = sizes.cumsum(0) - sizes

    def read(self, bits: Tensor) -> Tensor:
        return torch.searchsorted(self._starts.to(bits.device), read_bits(bits), right=True) - 1

    def write(self, indices: Tensor) -> Tensor:
        return write_bits(self._starts.to(indices.device)[indices], self.width)

    def on_path(self, bits: Tensor) -> Tensor:
        """Which bits of words (*, width) lie on the path to their leaf, as bools of the same shape."""
        depth = self._depths.to(bits.device)[self.read(bits)]
        return torch.arange(self.width, device=bits.device) < depth.unsqueeze(-1)


def huffman_depths(counts: list[int]) -> list[int]:
    """Depths of the leaves of a Huffman tree, ascending; the k-th belongs to the k-th largest count."""
    parents = [0] * (2 * len(counts) - 1)
    # of equal weights the older node is joined first, which keeps the tree flat
    heap = [(count, node) for node, count in enumerate(counts)]
    heapq.heapify(heap)
    for node in range(len(counts), len(parents)):
        (a, left), (b, right) = heapq.heappop(heap), heapq.heappop(heap)
        parents[left] = parents[right] = node
        heapq.heappush(heap, (a + b, node))
    depths = [0] * len(parents)
    for node in reversed(range(len(parents) - 1)):
        depths[node] = depths[parents[node]] + 1
    return sorted(depths[: len(counts)])
