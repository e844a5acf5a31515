"""`check_codec`: what goes in comes out, every state means something, and JSON keeps it."""

import copy
import json
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch

from intarsia.codecs import AbstractBitCodec, AbstractCodec, AbstractCoding, AbstractCountCodec, AbstractRealCodec
from intarsia.testing._ensure import ensure, same, untouched, untouched_randomness


def check_codec(
    codec: AbstractCoding[Any],
    values: Any,
    tolerance: Any = 0.0,
    *,
    valid: Callable[[Any], bool] | None = None,
    seed: int = 0,
) -> None:
    """Fit a codec on `values` and check its laws; raises AssertionError with a sentence at the first failure.

    `decode(encode(x))` is x up to `tolerance`; classes are in range, or numbers are finite; random states decode to
    values that are valid and can be encoded again; `canonical` is the word that this writes, and idempotent; JSON
    gives back an equal codec; nothing depends on hidden randomness or changes its input.

    Args:
        codec: an unfitted codec; a copy is fitted.
        values: what it is for, at least one.
        tolerance: largest |decoded - encoded| of numbers, one or one per value; 0 asks for equality.
        valid: says whether decoded values are all valid; by default numbers must be finite.
        seed: of random states and draws.
    """
    ensure(not isinstance(codec, type), f"`check_codec` needs an object, got the class {codec}")
    name = type(codec).__name__
    with untouched_randomness(name), untouched(values, name):
        fitted = copy.deepcopy(codec).fit(values)
        twin = copy.deepcopy(codec).fit(values)
        codes = fitted.encode(values)
        _check_codes(fitted, codes, len(values), name)
        ensure(same(codes, twin.encode(values)), f"{name} fitted twice on the same values encodes differently")
        decoded = fitted.decode(codes, _rng(seed))
        _check_equal(decoded, values, tolerance, name)
        ensure(same(decoded, fitted.decode(codes, _rng(seed))), f"{name} decodes differently for the same `rng`")
        _check_states(fitted, valid, seed, name)
        _check_json(fitted, values, codes, seed, name)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _sites(codec: AbstractCoding[Any], name: str) -> Any:
    """What a codec says of its sites: class counts, or how many numbers there are."""
    kinds = AbstractCodec | AbstractCountCodec | AbstractRealCodec
    ensure(isinstance(codec, kinds), f"{name} must derive from AbstractCodec, AbstractCountCodec or AbstractRealCodec")
    if isinstance(codec, AbstractCountCodec | AbstractRealCodec):
        return codec.width
    return cast(AbstractCodec, codec).num_classes


def _check_codes(codec: AbstractCoding[Any], codes: Any, rows: int, name: str) -> None:
    counts = _sites(codec, name)
    if isinstance(codec, AbstractRealCodec):
        ensure(codes.shape == (rows, counts), f"{name} must encode to {(rows, counts)}, got {codes.shape}")
        ensure(codes.dtype == np.float64, f"{name} must encode to float64, got {codes.dtype}")
        ensure(bool(np.isfinite(codes).all()), f"{name} encodes to numbers that are not finite")
        return
    if isinstance(codec, AbstractCountCodec):
        ensure(codes.shape == (rows, counts), f"{name} must encode to {(rows, counts)}, got {codes.shape}")
        ensure(codes.dtype == np.int64 and bool((codes >= 0).all()), f"{name} must encode to int64 from 0 on")
        return
    ensure(min(counts, default=1) >= 1, f"`num_classes` of {name} must be at least 1 a site, got {counts}")
    ensure(codes.shape == (rows, len(counts)), f"{name} must encode to {(rows, len(counts))}, got {codes.shape}")
    ensure(codes.dtype == np.int64, f"{name} must encode to int64, got {codes.dtype}")
    inside = bool(((codes >= 0) & (codes < np.array(counts))).all())
    ensure(inside, f"{name} encodes to classes outside 0 … num_classes - 1 = {counts}")


def _check_equal(got: Any, expected: Any, tolerance: Any, name: str) -> None:
    a, b = cast(Any, np.asarray(got)), cast(Any, np.asarray(expected))
    ensure(a.shape == b.shape, f"{name} decodes {b.shape} to {a.shape}")
    ensure(a.dtype == b.dtype, f"{name} decodes {b.dtype} to {a.dtype}")
    if a.dtype.kind in "iu":  # differences of large integers must not overflow or be rounded
        gap = np.array([abs(int(x) - int(y)) for x, y in zip(a.ravel(), b.ravel(), strict=True)], dtype=object)
    elif a.dtype.kind == "f":
        gap = np.where(a.ravel() == b.ravel(), 0.0, np.abs(a.ravel() - b.ravel()))
    else:
        gap = np.array([0.0 if same(x, y) else np.inf for x, y in zip(a.ravel(), b.ravel(), strict=True)])
    allowed = np.broadcast_to(np.asarray(tolerance), gap.shape)
    wrong = [int(i) for i in np.flatnonzero(np.array(~(gap <= allowed), dtype=bool))]
    if wrong:
        i = wrong[0]
        ensure(
            False,
            f"decode(encode(x)) of {name} must be x up to {allowed[i]}: expected {b.ravel()[i]!r}, got "
            f"{a.ravel()[i]!r} (value {i}, and {len(wrong) - 1} more)",
        )


def _states(codec: AbstractCoding[Any], rng: np.random.Generator, name: str) -> Any:
    """Random states and extreme ones."""
    counts = _sites(codec, name)
    if isinstance(codec, AbstractRealCodec):
        edges = np.array([[-1e6], [0.0], [1e6]]) + np.zeros(counts)
        return np.concatenate([3 * rng.normal(size=(500, counts)), edges])
    if isinstance(codec, AbstractCountCodec):
        return rng.poisson(10.0 ** rng.uniform(0, 9, (500, counts)))
    edges = np.array([[0] * len(counts), [count - 1 for count in counts]], dtype=np.int64)
    return np.concatenate([rng.integers(0, edges[1] + 1, (500, len(counts))), edges])


def _check_states(codec: AbstractCoding[Any], valid: Callable[[Any], bool] | None, seed: int, name: str) -> None:
    rng = _rng(seed + 1)
    codes = _states(codec, rng, name)
    with untouched(codes, f"`decode` of {name}"):
        values = codec.decode(codes, rng)
    array = cast(Any, np.asarray(values))
    ensure(len(array) == len(codes), f"{name} decodes {len(codes)} states to {len(array)} values")
    if array.dtype.kind == "f":
        ensure(bool(np.isfinite(array).all()), f"{name} decodes some state to a number that is not finite")
    if valid is not None:
        ensure(valid(values), f"{name} decodes some state to an invalid value")
    again = codec.encode(values)
    _check_codes(codec, again, len(codes), name)
    if isinstance(codec, AbstractBitCodec):
        _check_canonical(codec, codes, again, name)


def _check_canonical(codec: AbstractBitCodec, codes: Any, again: Any, name: str) -> None:
    bits = torch.as_tensor(codes)
    word = codec.canonical(bits)
    ensure(same(word, torch.as_tensor(again)), f"`canonical` of {name} must be the word that `encode` writes")
    ensure(same(codec.canonical(word), word), f"`canonical` of {name} must be idempotent")
    small = bits.to(torch.int8).view(2, len(bits) // 2, codec.width)
    ensure(
        same(codec.canonical(small), word.to(torch.int8).view(small.shape)),
        f"`canonical` of {name} must take any leading axes and keep the dtype",
    )


def _check_json(codec: AbstractCoding[Any], values: Any, codes: Any, seed: int, name: str) -> None:
    data = codec.to_json()
    read = json.loads(json.dumps(data, allow_nan=False))
    ensure(same(read, data), f"`to_json` of {name} is not plain JSON: it comes back different")
    back = type(codec).from_json(read)
    ensure(same(back.to_json(), data), f"{name} read from JSON writes other JSON")
    ensure(_sites(back, name) == _sites(codec, name), f"{name} read from JSON has other classes")
    ensure(same(back.encode(values), codes), f"{name} read from JSON encodes differently")
    ensure(
        same(back.decode(codes, _rng(seed)), codec.decode(codes, _rng(seed))),
        f"{name} read from JSON decodes differently",
    )
