"""Failing with a sentence, and what may not change while something is checked."""

import copy
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor


def ensure(holds: bool, sentence: str) -> None:
    """Raise AssertionError with `sentence` unless it `holds`."""
    if not holds:
        raise AssertionError(sentence)


def ensure_raises(kinds: type[Exception], call: Callable[[], object], what: str) -> None:
    """Raise AssertionError unless `call` raises one of `kinds`."""
    try:
        call()
    except kinds:
        return
    except Exception as error:
        raise AssertionError(f"{what} must raise {kinds.__name__}, got {type(error).__name__}: {error}") from error
    raise AssertionError(f"{what} must raise {kinds.__name__}, and raised nothing")


def ensure_close(got: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Raise AssertionError unless two tensors agree to an absolute `tolerance`; NaN agrees with nothing."""
    ensure(got.shape == expected.shape, f"{what}: expected shape {tuple(expected.shape)}, got {tuple(got.shape)}")
    if not got.numel():
        return
    error = (got.double() - expected.double()).abs()
    worst = int(torch.where(error.isnan(), torch.inf, error).flatten().argmax())
    ensure(
        bool((error <= tolerance).all()),
        f"{what}: expected {float(expected.flatten()[worst]):.10g}, got {float(got.flatten()[worst]):.10g} "
        f"(entry {worst}, tolerance {tolerance:g})",
    )


def leaves(x: Any) -> list[Tensor]:
    """The tensors of a state, prediction or loss: itself, or the fields of a record in order of their names."""
    return [x[name] for name in sorted(cast(dict[str, Tensor], x))] if isinstance(x, dict) else [cast(Tensor, x)]


def same(a: Any, b: Any) -> bool:
    """Whether two raw objects (frames, arrays, tensors, containers, plain values) are equal, NaN to NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and bool(torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)))
    if isinstance(a, np.ndarray):
        arrays = cast(Any, a), b
        kinds = "fc" if arrays[0].dtype.kind in "fc" else ""
        return arrays[0].dtype == arrays[1].dtype and bool(np.array_equal(arrays[0], arrays[1], equal_nan=bool(kinds)))
    if isinstance(a, dict):
        left, right = cast(dict[Any, Any], a), cast(dict[Any, Any], b)
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(a, list | tuple):
        items, others = cast(list[Any], a), cast(list[Any], b)
        return len(items) == len(others) and all(same(x, y) for x, y in zip(items, others, strict=True))
    equals = getattr(a, "equals", None)
    if callable(equals):  # pandas, polars and Arrow frames
        return bool(equals(b))
    return bool(a == b) or bool(a != a and b != b)


@contextmanager
def untouched_randomness(what: str) -> Generator[None, None, None]:
    """Raise AssertionError if the block moves a global generator of torch, numpy or `random`."""
    before = _generators()
    yield
    for name, state in _generators().items():
        ensure(same(before[name], state), f"{what} drew from the global generator of {name}; take `rng` or `seed`")


@contextmanager
def untouched(value: Any, what: str) -> Generator[None, None, None]:
    """Raise AssertionError if the block changes `value` in place."""
    before = copy.deepcopy(value)
    yield
    ensure(same(before, value), f"{what} changed the data of its caller")


def _generators() -> dict[str, Any]:
    numpy_state = cast(tuple[Any, ...], np.random.get_state())  # noqa: NPY002 - it is the global state that is watched
    return {"torch": torch.get_rng_state(), "numpy": numpy_state, "random": random.getstate()}
