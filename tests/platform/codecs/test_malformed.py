"""JSON that describes no codec, and codecs that break the laws of bits and reals."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.codecs import (
    AbstractCoding,
    AbstractRealCodec,
    AnalogBits,
    BinaryCode,
    Datetime,
    Digits,
    FixedPoint,
    FrequencyTree,
    Gray,
    KMer,
    Labels,
    QuantileNormal,
    ResBit,
)
from intarsia.testing import check_codec

numbers, words = np.array([1, 5, 6, 6]), np.array(["a", "b", "b", "c", "é"])
FITTED: list[AbstractCoding[Any]] = [
    *(code().fit(words) for code in (BinaryCode, FrequencyTree, Gray, Labels, ResBit)),
    *(code().fit(numbers) for code in (Digits, FixedPoint, QuantileNormal)),
    *(code().fit(numbers / np.pi) for code in (FixedPoint, QuantileNormal)),
    AnalogBits(ResBit()).fit(words),
    Datetime().fit(np.array(["2020-01-31", "2021-02-03T05"], dtype="M8[s]")),
    KMer().fit(np.array(["ACGT", "A"])),
]
each = pytest.mark.parametrize("codec", FITTED, ids=lambda codec: type(codec).__name__)
leaves = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
)


@each
@settings(max_examples=100)
@given(data=st.data())
def test_malformed_json_is_refused_with_a_value_error_or_usable(
    codec: AbstractCoding[Any], data: st.DataObject
) -> None:
    """One part replaced by anything: a ValueError that names the codec, or a codec that decodes every state."""
    parts = json.loads(json.dumps(codec.to_json()))
    parts[data.draw(st.sampled_from(sorted(parts)))] = data.draw(anything)
    try:
        read = type(codec).from_json(parts)
    except ValueError as error:
        message = str(error)
    else:
        message = ""
        _check_usable(read)
    assert not message or type(codec).__name__ in message


def _check_usable(read: AbstractCoding[Any]) -> None:
    rng = np.random.default_rng(0)
    if isinstance(read, AbstractRealCodec):
        states = rng.normal(size=(20, read.width))
    else:
        states = rng.integers(0, np.array(read.num_classes, dtype=np.int64), (20, len(read.num_classes)))
    values = read.decode(states, rng)
    assert len(values) == 20
    assert values.dtype.kind != "f" or np.isfinite(values).all()


@each
@pytest.mark.parametrize("data", [None, [], {}, 3, "text"], ids=repr)
def test_other_json_is_refused(codec: AbstractCoding[Any], data: Any) -> None:
    with pytest.raises(ValueError, match=f"no {type(codec).__name__}"):
        type(codec).from_json(data)


@each
def test_every_missing_part_is_noticed(codec: AbstractCoding[Any]) -> None:
    whole = codec.to_json()
    for name in whole:
        with pytest.raises(ValueError, match=name):
            type(codec).from_json({key: value for key, value in whole.items() if key != name})


class Lazy(BinaryCode):
    """Leaves unused words as they are."""

    def canonical(self, bits):
        return bits


class Widening(BinaryCode):
    def canonical(self, bits):
        return super().canonical(bits).long()


class HalfPrecision(QuantileNormal):
    def encode(self, values):
        return super().encode(values).astype(np.float32)


class Infinite(QuantileNormal):
    def encode(self, values):
        return np.where(values[:, None] == values.max(), np.inf, super().encode(values))

    def decode(self, codes, rng):
        return super().decode(np.nan_to_num(codes), rng)


class TooWide(QuantileNormal):
    @property
    def width(self) -> int:
        return 2


class Neither(AbstractCoding[Any]):
    """A codec of no known kind of state."""

    def fit(self, values):
        return self

    def encode(self, values):
        return values

    def decode(self, codes, rng):
        return codes

    def to_json(self):
        return {}

    @classmethod
    def from_json(cls, data):
        return cls()


@pytest.mark.parametrize(
    ("codec", "law"),
    [
        (Lazy(), "must be the word that `encode` writes"),
        (Widening(), "keep the dtype"),
        (HalfPrecision(), "must encode to float64"),
        (Infinite(), "not finite"),
        (TooWide(), "must encode to"),
        (Neither(), "must derive from"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_broken_codecs_are_caught(codec: AbstractCoding[Any], law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_codec(codec, np.array([1.5, 2.5, 7.0]))
