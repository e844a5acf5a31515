"""Labels as residual bits."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.codecs._label_bits import AbstractLabelBits, frequent_first


class ResBit(AbstractLabelBits):
    """An index as a sum of blocks of bits that can reach each of 0 … K - 1 and nothing else (arXiv 2309.17196).

    Block j of n_j bits is a binary number, most significant bit first; the index is the sum of the blocks. As
    Σ (2^n_j - 1) = K - 1, every word is the sum of some index: no code is unused, at O(log² K) bits. Canonical words
    fill blocks from the first, v_j = min(rest, 2^n_j - 1).

    Low indices have the most words, so the labels seen most often come first.
    """

    @property
    def width(self) -> int:
        return len(self._shift)

    def _order(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        return frequent_first(counts)

    def _lay_out(self) -> None:
        blocks = block_lengths(len(self.counts_))
        full = [(1 << n) - 1 for n in blocks]
        # of every bit: its place in the block, what the block can hold, and what the blocks before it hold
        self._shift = torch.tensor([i for n in blocks for i in reversed(range(n))], dtype=torch.long)
        self._full = torch.tensor([full[j] for j, n in enumerate(blocks) for _ in range(n)], dtype=torch.long)
        self._before = torch.tensor([sum(full[:j]) for j, n in enumerate(blocks) for _ in range(n)], dtype=torch.long)

    def read(self, bits: Tensor) -> Tensor:
        return (bits.long() << self._shift.to(bits.device)).sum(-1)

    def write(self, indices: Tensor) -> Tensor:
        shift, full, before = (table.to(indices.device) for table in (self._shift, self._full, self._before))
        return ((indices.unsqueeze(-1) - before).clamp(min=0).minimum(full) >> shift) & 1


def block_lengths(num_classes: int) -> list[int]:
    """Bits of each block for so many classes: of what is left, the largest 2^n - 1; none for one class."""
    if num_classes < 1:
        raise ValueError(f"`num_classes` must be at least 1, got {num_classes}")
    lengths: list[int] = []
    rest = num_classes - 1
    while rest:
        lengths.append((rest + 1).bit_length() - 1)
        rest -= (1 << lengths[-1]) - 1
    return lengths
