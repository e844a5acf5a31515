"""Bits as real numbers."""

import itertools

import numpy as np
import pytest
import torch

from intarsia.codecs import AnalogBits, BinaryCode, FixedPoint, Gray, ResBit
from intarsia.testing import check_codec

RNG = np.random.default_rng(0)


class Reversed(Gray):
    """A code that `AnalogBits` does not know."""


class MoreAnalogBits(AnalogBits):
    readable = (*AnalogBits.readable, Reversed)


def test_bits_are_minus_one_and_one() -> None:
    codec = AnalogBits(BinaryCode()).fit(np.arange(4))
    assert codec.encode(np.arange(4)).tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert codec.width == 2


def test_numbers_are_read_by_their_sign() -> None:
    codec = AnalogBits(BinaryCode()).fit(np.arange(4))
    assert codec.decode(np.array([[-9.0, 1e-9], [0.0, -0.0], [0.3, -0.3]]), RNG).tolist() == [1, 0, 2]


@pytest.mark.parametrize("inner", [BinaryCode(), ResBit(), FixedPoint()], ids=lambda c: type(c).__name__)
def test_canonical_numbers_are_what_encode_writes(inner) -> None:
    values = np.arange(22)
    codec = AnalogBits(inner).fit(values)
    x = torch.randn(500, codec.width, generator=torch.Generator().manual_seed(0))
    word = codec.canonical(x)
    assert word.dtype == x.dtype
    assert np.array_equal(word.numpy(), codec.encode(codec.decode(x.double().numpy(), RNG)))
    assert torch.equal(codec.canonical(word), word)
    check_codec(AnalogBits(inner), values, valid=lambda v: bool(np.isin(v, values).all()))


def test_the_codec_that_was_passed_is_not_fitted() -> None:
    inner = BinaryCode()
    AnalogBits(inner).fit(np.arange(4))
    assert not vars(inner)


def test_a_strange_codec_can_be_used_and_named_for_reading() -> None:
    values = np.arange(6)
    strange = AnalogBits(Reversed()).fit(values)
    assert strange.decode(strange.encode(values), RNG).tolist() == values.tolist()
    with pytest.raises(ValueError, match="Reversed cannot be read back"):
        strange.to_json()
    check_codec(MoreAnalogBits(Reversed()), values)


def test_all_signs_of_a_residual_code_are_classes() -> None:
    codec = AnalogBits(ResBit()).fit(np.arange(9))
    signs = np.array(list(itertools.product((-0.1, 2.0), repeat=codec.width)))
    assert set(codec.decode(signs, RNG).tolist()) == set(range(9))
