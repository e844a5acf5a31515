"""Shapes, dtypes and determinism of a process."""

from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import batch_size
from intarsia.processes import AbstractJoint, AbstractProcess, Product
from intarsia.testing._ensure import ensure, leaves, same
from intarsia.testing._examples import rows_of


def shape_of(x: Any) -> Any:
    """The shape that `prior` takes for states like `x`."""
    if isinstance(x, dict):
        return {name: tuple(value.shape) for name, value in cast(dict[str, Tensor], x).items()}
    return tuple(cast(Tensor, x).shape)


def full(rows: int, t: float) -> torch.Tensor:
    """The time `t` for every row, float64."""
    return torch.full((rows,), t, dtype=torch.float64)


def check_shapes(process: AbstractProcess[Any], x0: Any, pred: Any) -> None:
    """States keep shape and dtype; quantities per site have the shape of the state; none is NaN."""
    for rows in (batch_size(x0), 1):
        data, guess = rows_of(x0, slice(rows)), rows_of(pred, slice(rows))
        s, t = full(rows, 0.3), full(rows, 0.6)
        rng = torch.Generator().manual_seed(0)
        xt = process.corrupt(data, t, rng)
        states = {
            "prior": process.prior(shape_of(data), rng),
            "corrupt": xt,
            "bridge": process.bridge(data, xt, s, t, rng),
            "reverse": process.reverse(guess, xt, s, t, rng),
        }
        numbers = {
            "log_q": process.log_q(xt, data, t),
            "loss": process.loss(guess, data, xt, t),
            "loss with s": process.loss(guess, data, xt, t, s),
            "prior_kl": process.prior_kl(data),
            "reconstruction": process.reconstruction(guess, data, xt),
        }
        for name, value in {**states, **numbers}.items():
            for got, wanted in zip(leaves(value), leaves(data), strict=True):
                shape = (rows, 1) if isinstance(process, AbstractJoint) and name in numbers else tuple(wanted.shape)
                ensure(got.shape == shape, f"`{name}` of {process} must have the shape {shape}, got {tuple(got.shape)}")
                ensure(not bool(got.isnan().any()), f"`{name}` of {process} is NaN somewhere")
                if name in states and name != "prior":
                    ensure(got.dtype == wanted.dtype, f"`{name}` of {process} turns {wanted.dtype} into {got.dtype}")
                if name in numbers:
                    ensure(got.is_floating_point(), f"`{name}` of {process} must be real numbers, got {got.dtype}")
    ensure(process.reverse_is in ("exact", "first order"), f"`reverse_is` of {process} is {process.reverse_is!r}")


def check_determinism(process: AbstractProcess[Any], x0: Any, pred: Any) -> None:
    """The same generator gives the same draws, another seed gives others."""
    rows = batch_size(x0)
    s, t = full(rows, 0.2), full(rows, 0.9)

    def draws(seed: int) -> list[Any]:
        rng = torch.Generator().manual_seed(seed)
        xt = process.corrupt(x0, t, rng)
        return [xt, process.bridge(x0, xt, s, t, rng), process.reverse(pred, xt, s, t, rng)]

    first, again, other = draws(1), draws(1), draws(2)
    for k, name in enumerate(("corrupt", "bridge", "reverse")):
        ensure(same(first[k], again[k]), f"`{name}` of {process} gives other draws for the same seed")
        ensure(
            isinstance(process, Product) or not same(first[k], other[k]),
            f"`{name}` of {process} gives the same draws for every seed",
        )
