"""Observed sites: conditioning, imputation, inpainting and solving are this one mechanism."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia._types import Clock, State, clock
from intarsia.processes import AbstractJoint, AbstractProcess, Product


@dataclass(frozen=True)
class Evidence:
    """Sites whose values are known. They live at time 0 while the others are generated.

    Args:
        values: a state (batch, *sites), or a dict of them; read only where observed.
        mask: bools of the same shape (or a dict of them), true at observed sites.
    """

    values: Tensor | dict[str, Tensor]
    mask: Tensor | dict[str, Tensor]

    def __post_init__(self) -> None:
        if isinstance(self.values, dict) != isinstance(self.mask, dict):
            raise TypeError("`values` and `mask` must both be tensors, or both dicts of tensors")

    def field(self, name: str | None) -> tuple[Tensor, Tensor] | None:
        """Values and mask of one field of a record (None: of the whole state); None where it has no evidence."""
        if isinstance(self.values, dict) and isinstance(self.mask, dict):
            if name is None:
                raise TypeError("evidence about a record was used with a state that is one tensor")
            return (self.values[name], self.mask[name]) if name in self.mask else None
        if isinstance(self.values, dict) or isinstance(self.mask, dict) or name is not None:
            raise TypeError("evidence about one tensor was used with a record; give dicts with its field names")
        return self.values, self.mask


def hold(x: State, given: Evidence | None) -> State:
    """Put the observed values into a state."""
    if given is None:
        return x
    if isinstance(x, dict):
        return {name: _hold(value, given.field(name)) for name, value in x.items()}
    return _hold(x, given.field(None))


def times(t: Clock, x: State, given: Evidence | None) -> Clock:
    """The time of every site: `t` where it is generated, 0 where it is observed; `t` itself without evidence."""
    if given is None:
        return t
    if isinstance(x, dict):
        return {name: _times(clock(t, name), value, given.field(name)) for name, value in x.items()}
    return _times(clock(t, ""), x, given.field(None))


def restrict(process: AbstractProcess[State], given: Evidence | None) -> tuple[AbstractProcess[State], Evidence | None]:
    """A process and the evidence that is left for its sites.

    A joint state, a permutation, cannot be observed site by site: its evidence goes into the process, which then
    predicts p(x0 | xt, x0 in the event).

    Raises:
        RequirementError: the head of a joint field cannot be restricted to the event.
    """
    if given is None:
        return process, None
    if isinstance(process, AbstractJoint):
        values, mask = given.field(None) or (None, None)
        assert values is not None
        assert mask is not None
        return cast("AbstractProcess[State]", process.given(values, mask)), None
    if not isinstance(process, Product):
        return process, given
    joint = {name: field for name, field in process.fields.items() if isinstance(field, AbstractJoint)}
    seen = {name: pair for name in process.fields if (pair := given.field(name)) is not None}
    fields = {name: field.given(*seen[name]) for name, field in joint.items() if name in seen}
    sites = {name: pair for name, pair in seen.items() if name not in joint}
    left = Evidence({k: values for k, (values, _) in sites.items()}, {k: mask for k, (_, mask) in sites.items()})
    return cast("AbstractProcess[State]", Product({**process.fields, **fields})), left


def _hold(x: Tensor, seen: tuple[Tensor, Tensor] | None) -> Tensor:
    return x if seen is None else torch.where(seen[1], seen[0], x)


def _times(t: Tensor, x: Tensor, seen: tuple[Tensor, Tensor] | None) -> Tensor:
    return t if seen is None else torch.where(seen[1], 0.0, per_site(t, x).expand(x.shape))
