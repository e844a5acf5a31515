"""What flows through the engine: states, their clocks, and the shapes they have."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

from torch import Tensor

State = TypeVar("State", Tensor, dict[str, Tensor])
"""One field (batch, *sites), or a record of named fields."""

Clock: TypeAlias = Any
"""A tensor of times, per row (batch,) or per site (batch, *sites); for a record optionally a dict of them."""

Denoiser: TypeAlias = Callable[[Any, Any, Any], Any]
"""`(xt, t, cond) -> pred`: class logits, bit logits or means, one tensor or a dict like the state."""


def clock(t: Clock, name: str) -> Tensor:
    """The time of one field."""
    return cast(dict[str, Tensor], t)[name] if isinstance(t, dict) else t


def batch_size(x: Tensor | dict[str, Tensor]) -> int:
    """Number of rows of a state."""
    return next(iter(x.values())).shape[0] if isinstance(x, dict) else x.shape[0]


def device_of(x: Tensor | dict[str, Tensor]) -> Any:
    """Device of a state."""
    return next(iter(x.values())).device if isinstance(x, dict) else x.device
