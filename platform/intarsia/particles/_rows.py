"""Rows of states, predictions and conditions: repeated, or chosen."""

from typing import Any, cast

import torch
from torch import Tensor

from intarsia.evidence import Evidence


def take(x: Any, rows: Tensor) -> Any:
    """Some rows of a state or prediction."""
    if isinstance(x, dict):
        return {name: value[rows] for name, value in cast(dict[str, Tensor], x).items()}
    return x[rows]


def repeated(x: Any, times: int) -> Any:
    """Every row `times` times in a row; what is no tensor or dict of tensors holds for all rows and is kept."""
    if isinstance(x, dict):
        return {name: repeated(value, times) for name, value in cast(dict[str, Any], x).items()}
    return x.repeat_interleave(times, 0) if isinstance(x, Tensor) and x.ndim > 0 else x


def repeated_evidence(given: Evidence | None, times: int) -> Evidence | None:
    """Evidence about every row, `times` times."""
    return None if given is None else Evidence(repeated(given.values, times), repeated(given.mask, times))


def with_first(x: Any, first: Any, times: int) -> Any:
    """The state whose every `times`-th row is a row of `first`."""
    if isinstance(x, dict):
        fields = cast(dict[str, Tensor], x)
        return {name: with_first(value, first[name], times) for name, value in fields.items()}
    out = cast(Tensor, x).clone()
    out[torch.arange(0, len(out), times, device=out.device)] = first
    return out


def shape_of(x: Any, times: int) -> Any:
    """The shape of a state with `times` as many rows."""
    if isinstance(x, dict):
        return {name: shape_of(value, times) for name, value in cast(dict[str, Tensor], x).items()}
    return (x.shape[0] * times, *x.shape[1:])


def zero_time(t: Any) -> Any:
    """Time 0 wherever `t` has a time."""
    return {name: value * 0 for name, value in cast(dict[str, Tensor], t).items()} if isinstance(t, dict) else t * 0
