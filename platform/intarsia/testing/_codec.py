"""`check_codec`: what goes in comes out, every state means something, and JSON keeps it."""

import copy
import json
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from intarsia.codecs import AbstractCodec, Codes
from intarsia.testing._ensure import ensure, same, untouched, untouched_randomness


def check_codec(
    codec: AbstractCodec,
    values: Any,
    tolerance: Any = 0.0,
    *,
    valid: Callable[[Any], bool] | None = None,
    seed: int = 0,
) -> None:
    """Fit a codec on `values` and check its laws; raises AssertionError with a sentence at the first failure.

    `decode(encode(x))` is x up to `tolerance`; classes are in range; random states decode to values that are valid
    and can be encoded again; JSON gives back an equal codec; nothing depends on hidden randomness or changes its
    input.

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


def _check_codes(codec: AbstractCodec, codes: Codes, rows: int, name: str) -> None:
    counts = codec.num_classes
    ensure(bool(counts) and min(counts) >= 1, f"`num_classes` of {name} must be at least 1 a site, got {counts}")
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


def _check_states(codec: AbstractCodec, valid: Callable[[Any], bool] | None, seed: int, name: str) -> None:
    rng = _rng(seed + 1)
    counts = codec.num_classes
    codes = np.stack([rng.integers(0, count, 500) for count in counts], 1).astype(np.int64)
    edges = np.array([[0] * len(counts), [count - 1 for count in counts]], dtype=np.int64)
    codes = np.concatenate([codes, edges])
    with untouched(codes, f"`decode` of {name}"):
        values = codec.decode(codes, rng)
    array = cast(Any, np.asarray(values))
    ensure(len(array) == len(codes), f"{name} decodes {len(codes)} states to {len(array)} values")
    if array.dtype.kind == "f":
        ensure(bool(np.isfinite(array).all()), f"{name} decodes some state to a number that is not finite")
    if valid is not None:
        ensure(valid(values), f"{name} decodes some state to an invalid value")
    _check_codes(codec, codec.encode(values), len(codes), name)


def _check_json(codec: AbstractCodec, values: Any, codes: Codes, seed: int, name: str) -> None:
    data = codec.to_json()
    read = json.loads(json.dumps(data, allow_nan=False))
    ensure(same(read, data), f"`to_json` of {name} is not plain JSON: it comes back different")
    back = type(codec).from_json(read)
    ensure(same(back.to_json(), data), f"{name} read from JSON writes other JSON")
    ensure(back.num_classes == codec.num_classes, f"{name} read from JSON has other classes")
    ensure(same(back.encode(values), codes), f"{name} read from JSON encodes differently")
    ensure(
        same(back.decode(codes, _rng(seed)), codec.decode(codes, _rng(seed))),
        f"{name} read from JSON decodes differently",
    )
