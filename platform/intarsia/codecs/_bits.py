"""The contract of a codec whose sites are bits, and binary numbers as tensors."""

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from intarsia.codecs._base import AbstractCodec, Codes


class AbstractBitCodec(AbstractCodec):
    """Raw values ↔ words of bits (rows, width), for `Xor` noise or, through `AnalogBits`, Gaussian noise.

    Several words may stand for a value. Law: `canonical` is idempotent, keeps the value, and is the word that
    `encode` writes: encode(decode(bits)) = canonical(bits).
    """

    @property
    @abstractmethod
    def width(self) -> int:
        """Bits of a word."""

    @property
    def num_classes(self) -> tuple[int, ...]:
        """Two classes a bit."""
        return (2,) * self.width

    @abstractmethod
    def canonical(self, bits: Tensor) -> Tensor:
        """The word that `encode` writes for the value of each word of `bits` (*, width), of the same dtype.

        It runs on the device of `bits`, as a projection of x0 at every step.
        """


def write_bits(numbers: Tensor, width: int) -> Tensor:
    """Words (*, width) of int64 numbers (*), most significant bit first; `width` is at most 63."""
    return (numbers.unsqueeze(-1) >> _shifts(width, numbers.device)) & 1


def read_bits(bits: Tensor) -> Tensor:
    """The inverse of `write_bits`: int64 numbers (*) of words (*, width)."""
    return (bits.long() << _shifts(bits.shape[-1], bits.device)).sum(-1)


def nearest(numbers: Tensor, top: int) -> Tensor:
    """Numbers 0 … `top` of any words as wide as that of `top`.

    A word that stands for a larger number loses its first bit. That is as near as a used word can be, one flip away,
    and unused words do not pile up on one number.
    """
    return torch.where(numbers <= top, numbers, numbers - (1 << max(top.bit_length() - 1, 0)))


def to_tensor(codes: Codes) -> Tensor:
    """A copy of classes as a tensor."""
    return torch.as_tensor(np.array(codes, dtype=np.int64))


def _shifts(width: int, device: torch.device) -> Tensor:
    return torch.arange(width - 1, -1, -1, device=device)
