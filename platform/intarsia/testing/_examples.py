"""States and predictions to try a process on."""

from typing import Any

import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.processes import AbstractProcess, Discrete, Gaussian, Product, Xor
from intarsia.testing._bayes import IMPOSSIBLE
from intarsia.testing._finite import FiniteSites, example_sites


def example_states(process: AbstractProcess[Any], rows: int, rng: torch.Generator) -> Any:
    """Random data for one of the engine's processes."""
    if isinstance(process, Product):
        return {name: example_states(field, rows, rng) for name, field in process.fields.items()}
    if isinstance(process, Gaussian):
        return torch.randn((rows, 2), generator=rng, dtype=torch.float64)
    if isinstance(process, Discrete | Xor):
        counts = FiniteSites(process, example_sites(process)).classes
        return torch.stack([torch.randint(count, (rows,), generator=rng) for count in counts], 1)
    raise RequirementError(f"no example data for {process}; give `x0` and `pred`")


def example_prediction(process: AbstractProcess[Any], x0: Any, rng: torch.Generator, dtype: torch.dtype) -> Any:
    """An arbitrary prediction for one of the engine's processes."""
    if isinstance(process, Product):
        return {name: example_prediction(field, x0[name], rng, dtype) for name, field in process.fields.items()}
    if isinstance(process, Discrete):
        shape = process.classes.is_class(x0).shape
    elif isinstance(process, Gaussian | Xor):
        shape = x0.shape
    else:
        raise RequirementError(f"no example prediction for {process}; give `x0` and `pred`")
    return torch.randn(shape, generator=rng, dtype=torch.float64).to(dtype)


def perfect_prediction(process: AbstractProcess[Any], x0: Any) -> Any:
    """The prediction that is sure of `x0`, or None for a process that is not the engine's."""
    if isinstance(process, Product):
        return {name: perfect_prediction(field, x0[name]) for name, field in process.fields.items()}
    if isinstance(process, Discrete):
        return torch.where(process.classes.is_class(x0), 0.0, IMPOSSIBLE).double()
    if isinstance(process, Xor):
        return (2.0 * x0.double() - 1.0) * -IMPOSSIBLE
    return x0.clone() if isinstance(process, Gaussian) else None


def rows_of(x: Any, rows: Tensor | slice) -> Any:
    """Some rows of a state."""
    return {name: value[rows] for name, value in x.items()} if isinstance(x, dict) else x[rows]  # pyright: ignore[reportUnknownVariableType]
