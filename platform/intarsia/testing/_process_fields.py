"""Constructor arguments of a process: defaults construct, and none is without effect."""

import dataclasses
from typing import Any, cast

import torch

from intarsia._types import batch_size
from intarsia.processes import (
    AbstractNoiseLevel,
    AbstractProcess,
    AbstractShuffle,
    Discrete,
    Mixing,
    Product,
    Ramp,
    Structured,
    VarianceExploding,
    VariancePreserving,
)
from intarsia.schedules import AbstractSchedule, Polynomial
from intarsia.testing._ensure import ensure, leaves, same
from intarsia.testing._process_shapes import full, shape_of


def check_fields(process: AbstractProcess[Any], x0: Any, pred: Any, variants: dict[str, object]) -> None:
    """A class whose arguments all have defaults constructs; another value of any argument changes some output."""
    if not dataclasses.is_dataclass(process) or isinstance(process, Product):
        return
    fields = [field for field in dataclasses.fields(process) if field.init]
    if all(_has_default(field) for field in fields):
        type(process)()
    before = _outputs(process, x0, pred)
    for field in fields:
        if field.name not in variants:
            if _shapes_the_state(process, field.name):
                continue
            variants[field.name] = _another(process, field.name)
        changed = dataclasses.replace(process, **{field.name: variants[field.name]})
        ensure(
            not same(before, _outputs(changed, x0, pred)),
            f"`{field.name}` of {process} changes nothing: {variants[field.name]!r} gives the same outputs",
        )


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _shapes_the_state(process: AbstractProcess[Any], name: str) -> bool:
    """Arguments that say how large a state or a prediction is, and the law of a noise that only masks."""
    masks = isinstance(process, Discrete) and process.mask == 1
    return name in ("num_classes", "width", "n", "head") or (masks and name == "law")


def _another(process: AbstractProcess[Any], name: str) -> object:
    value = getattr(process, name)
    if isinstance(value, AbstractSchedule):
        return Polynomial(1.7)
    if isinstance(value, AbstractNoiseLevel):
        preserving = isinstance(value, VariancePreserving)
        return VarianceExploding() if preserving else VariancePreserving()
    if isinstance(process, Discrete) and name == "law":
        counts = process.num_classes
        return tuple(map(_ramp, counts)) if isinstance(counts, tuple) else _ramp(counts)
    if isinstance(process, Discrete) and name == "mask":
        return 0.5 if process.mask in (0.0, 1.0) else 1.0
    if isinstance(process, Structured) and name == "matrix":
        return 1.5 * process.matrix
    if isinstance(process, AbstractShuffle) and name == "shuffles":
        return tuple(2 * count for count in process.counts)
    if isinstance(process, Mixing) and name in ("share", "law"):
        return Ramp(0.2, 0.9) if name == "share" else _ramp(cast(int, process.num_classes))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 if value else 1
    raise AssertionError(
        f"give another value of `{name}` of {process} in `variants`, so that its effect can be checked"
    )


def _ramp(count: int) -> tuple[float, ...]:
    return tuple((k + 1) / (count * (count + 1) / 2) for k in range(count))


def _outputs(process: AbstractProcess[Any], x0: Any, pred: Any) -> list[Any]:
    rows = batch_size(x0)
    rng = torch.Generator().manual_seed(2)
    s, t = full(rows, 0.3), full(rows, 0.65)
    xt = process.corrupt(x0, t, rng)
    kept = [process.prior(shape_of(x0), rng), xt, process.log_q(xt, x0, t), process.reverse(pred, xt, s, t, rng)]
    return [leaf for value in kept for leaf in leaves(value)]
