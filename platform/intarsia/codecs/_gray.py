"""Labels as reflected Gray code."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.codecs._bits import read_bits, write_bits
from intarsia.codecs._label_bits import AbstractLabelBits


class Gray(AbstractLabelBits):
    """The index i of a label among K sorted ones as the bits of i ⊕ ⌊i/2⌋, ⌈log2 K⌉ of them (Gray 1953).

    Neighbours differ in one bit, so small noise is a small error where labels have an order. Unused words are read
    without their first bit, one flip away; the code is a mirror there, so the label is that of 2^width - 1 - i.
    """

    @property
    def width(self) -> int:
        return (len(self.counts_) - 1).bit_length()

    def _order(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.arange(len(counts))

    def _lay_out(self) -> None:
        pass

    def read(self, bits: Tensor) -> Tensor:
        # a bit of i is the parity of the Gray bits up to it
        i = read_bits(bits.long().cumsum(-1) & 1)
        return torch.where(i < len(self.counts_), i, (1 << self.width) - 1 - i)

    def write(self, indices: Tensor) -> Tensor:
        return write_bits(indices ^ (indices >> 1), self.width)
