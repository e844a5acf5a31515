"""Bits as real numbers."""

import copy
from typing import Any, ClassVar, Self

import numpy as np
from torch import Tensor

from intarsia.codecs._base import AbstractRealCodec, Reals
from intarsia.codecs._binary_code import BinaryCode
from intarsia.codecs._bits import AbstractBitCodec
from intarsia.codecs._fixed_point import FixedPoint
from intarsia.codecs._frequency_tree import FrequencyTree
from intarsia.codecs._gray import Gray
from intarsia.codecs._reading import reading, require
from intarsia.codecs._res_bit import ResBit


class AnalogBits(AbstractRealCodec):
    """The words of a bit codec as numbers -1 and 1, read by their sign (Chen 2022, Bit Diffusion, arXiv 2208.04202).

    Args:
        codec: what writes the words; a copy is fitted.
    """

    readable: ClassVar[tuple[type[AbstractBitCodec], ...]] = (BinaryCode, FixedPoint, FrequencyTree, Gray, ResBit)
    """Codecs that `from_json` may make; a subclass can add its own."""

    def __init__(self, codec: AbstractBitCodec) -> None:
        self.codec = codec

    @property
    def width(self) -> int:
        return self.codec_.width

    def fit(self, values: Any) -> Self:
        """Learn the code of the bits."""
        self.codec_ = copy.deepcopy(self.codec).fit(values)
        return self

    def encode(self, values: Any) -> Reals:
        """Numbers -1 and 1 (rows, width)."""
        return 2 * self.codec_.encode(values).astype(np.float64) - 1

    def decode(self, codes: Reals, rng: np.random.Generator) -> Any:
        """Values of any numbers (rows, width)."""
        return self.codec_.decode((codes > 0).astype(np.int64), rng)

    def canonical(self, x: Tensor) -> Tensor:
        """The numbers -1 and 1 that `encode` writes for the value of each row of `x` (*, width)."""
        return 2 * self.codec_.canonical((x > 0).long()).to(x.dtype) - 1

    def to_json(self) -> dict[str, Any]:
        """The bit codec and its name; raises ValueError where `from_json` would not know it."""
        name = type(self.codec_).__name__
        require(type(self.codec_) in self.readable, f"{name} cannot be read back; name it in `readable` of a subclass")
        return {"type": name, "codec": self.codec_.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if the bit codec is unknown or malformed."""
        with reading(cls):
            kinds = {kind.__name__: kind for kind in cls.readable}
            codec = kinds[data["type"]].from_json(data["codec"])
            analog = cls(codec)
            analog.codec_ = codec
            return analog
