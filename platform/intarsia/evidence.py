"""Observed sites: conditioning, imputation, inpainting and solving are this one mechanism."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia._types import Clock, State, clock
from intarsia.errors import RequirementError
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
    predicts p(x0 | xt, x0 in the event). In a record the other fields would not hear of that event, so there a joint
    field is observed as a whole or not at all; then it lives at time 0 like any site, and they see it.

    Raises:
        RequirementError: the prediction cannot be restricted to the event, or a joint field is observed in part.
    """
    if given is None:
        return process, None
    if isinstance(process, AbstractJoint):
        values, mask = given.field(None) or (None, None)
        assert values is not None
        assert mask is not None
        return cast("AbstractProcess[State]", process.given(values, mask)), None
    fields = process.fields if isinstance(process, Product) else dict[str, AbstractProcess[Tensor]]()
    for name, field in fields.items():
        seen = given.field(name) if isinstance(field, AbstractJoint) else None
        if seen is not None and bool((seen[1].any(1) & ~seen[1].all(1)).any()):
            raise RequirementError(
                f"the field {name!r} is one variable, and the rest of the record would not hear of a part of it; "
                "observe it as a whole, or steer to the event with `FeynmanKac`"
            )
    return cast("AbstractProcess[State]", process), given


def _hold(x: Tensor, seen: tuple[Tensor, Tensor] | None) -> Tensor:
    return x if seen is None else torch.where(seen[1], seen[0], x)


def _times(t: Tensor, x: Tensor, seen: tuple[Tensor, Tensor] | None) -> Tensor:
    return t if seen is None else torch.where(seen[1], 0.0, per_site(t, x).expand(x.shape))
