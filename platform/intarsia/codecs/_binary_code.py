"""Labels as plain binary numbers."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from intarsia.codecs._bits import nearest, read_bits, write_bits
from intarsia.codecs._label_bits import AbstractLabelBits


class BinaryCode(AbstractLabelBits):
    """The index of a label among K sorted ones as ⌈log2 K⌉ bits, most significant first (Chen 2022, Bit Diffusion).

    The 2^width - K unused words are read without their first bit: no other used word is nearer, and no label gets
    more than two words.
    """

    @property
    def width(self) -> int:
        return self._top.bit_length()

    def _order(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.arange(len(counts))

    def _lay_out(self) -> None:
        self._top = len(self.counts_) - 1

    def read(self, bits: Tensor) -> Tensor:
        return nearest(read_bits(bits), self._top)

    def write(self, indices: Tensor) -> Tensor:
        return write_bits(indices, self.width)
