"""States and predictions to try a process on."""

from typing import Any

import torch
from torch import Tensor

from intarsia._types import batch_size
from intarsia.errors import RequirementError
from intarsia.processes import (
    AbstractFinite,
    AbstractProcess,
    AbstractShuffle,
    Death,
    Gaussian,
    Jacobi,
    Product,
    Reflected,
)
from intarsia.testing._finite import FiniteSites, example_sites


def example_states(process: AbstractProcess[Any], rows: int, rng: torch.Generator) -> Any:
    """Random data for one of the engine's processes."""
    if isinstance(process, Product):
        return {name: example_states(field, rows, rng) for name, field in process.fields.items()}
    if isinstance(process, Gaussian):
        return torch.randn((rows, 2), generator=rng, dtype=torch.float64)
    if isinstance(process, AbstractFinite):
        counts = FiniteSites(process, example_sites(process)).classes
        return torch.stack([torch.randint(count, (rows,), generator=rng) for count in counts], 1)
    if isinstance(process, Death):
        return torch.randint(20, (rows, 2), generator=rng)
    if isinstance(process, Reflected):
        return process.prior((rows, 2), rng).double()
    if isinstance(process, Jacobi):
        chosen = torch.randint(process.num_classes, (rows, 2), generator=rng)
        return torch.nn.functional.one_hot(chosen, process.num_classes).double()
    if isinstance(process, AbstractShuffle):
        return process.prior((rows, process.n), rng)
    raise RequirementError(f"no example data for {process}; give `x0`")


def example_prediction(process: AbstractProcess[Any], x0: Any, rng: torch.Generator) -> Any:
    """A prediction that spreads over the states `x0`, differently in every row."""
    rows = batch_size(x0)
    return process.prediction(x0, (3.0 * torch.randn((rows, rows), generator=rng, dtype=torch.float64)).softmax(1))


def perfect_prediction(process: AbstractProcess[Any], x0: Any, xt: Any, t: Any) -> Any:
    """The prediction at `xt` that is sure of `x0`."""
    return process.prediction_at(x0, torch.eye(batch_size(x0), dtype=torch.float64), xt, t)


def rows_of(x: Any, rows: Tensor | slice) -> Any:
    """Some rows of a state."""
    return {name: value[rows] for name, value in x.items()} if isinstance(x, dict) else x[rows]  # pyright: ignore[reportUnknownVariableType]
