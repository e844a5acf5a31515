"""A tiny joint law of a process, and where its states are in a sample."""

import itertools
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.evidence import Evidence
from intarsia.processes import (
    AbstractFinite,
    AbstractJoint,
    AbstractProcess,
    AbstractShuffle,
    Death,
    Gaussian,
    Jacobi,
    Product,
    Reflected,
)
from intarsia.testing._ensure import leaves
from intarsia.testing._examples import rows_of
from intarsia.testing._finite import FiniteSites, all_states, example_sites

MAX_POINTS = 81


@dataclass(frozen=True)
class Joint:
    """States that have probability (points, *sites), or a dict of them, and their law (points,).

    Fields of `whole` ("" for a state that is one tensor) are one variable each; in those of `shares` the entries of the
    last axis are one.
    """

    support: Any
    law: Tensor
    whole: frozenset[str] = frozenset()
    shares: frozenset[str] = frozenset()

    def shape(self, rows: int) -> Any:
        """The shape of `rows` states."""
        support: Any = self.support
        if isinstance(support, dict):
            fields = cast(dict[str, Tensor], support)
            return {name: (rows, *points.shape[1:]) for name, points in fields.items()}
        return (rows, *cast(Tensor, support).shape[1:])

    def counts(self, x: Any, within: float = 0.1) -> Tensor:
        """How many rows of `x` are each point, and in the last entry how many are none, (points + 1,)."""
        distance = torch.zeros(leaves(x)[0].shape[0], len(self.law), dtype=torch.float64)
        for value, points in zip(leaves(x), leaves(self.support), strict=True):
            gap = value.double().flatten(1)[:, None] - points.double().flatten(1)
            distance = torch.maximum(distance, gap.abs().amax(2))
        nearest = distance.min(1)
        where = torch.where(nearest.values <= within, nearest.indices, len(self.law))
        return torch.bincount(where, minlength=len(self.law) + 1).double()

    def evidence(self, point: int, site: int, rows: int) -> Evidence:
        """Evidence that variable number `site` has the value it has at `point`; see `variables`."""
        values = rows_of(self.support, torch.full((rows,), point))
        seen = self.variables[site]
        if not isinstance(values, dict):
            return Evidence(values, seen[0].expand(rows, *seen[0].shape))
        record = cast(dict[str, Tensor], values)
        masks = {name: mask.expand(rows, *mask.shape) for name, mask in zip(sorted(record), seen, strict=True)}
        return Evidence(record, masks)

    def given(self, point: int, site: int) -> Tensor:
        """The law given that evidence, (points,)."""
        fits = torch.ones(len(self.law), dtype=torch.bool)
        for leaf, mask in zip(leaves(self.support), self.variables[site], strict=True):
            fits &= ((leaf == leaf[point]) | ~mask).flatten(1).all(1)
        law = torch.where(fits, self.law, 0.0)
        return law / law.sum()

    @property
    def variables(self) -> list[list[Tensor]]:
        """Masks of what can be observed at once, through all fields: a site, or in records a field of `whole`."""
        support: Any = self.support
        names = sorted(cast(dict[str, Tensor], support)) if isinstance(support, dict) else [""]
        empty = [torch.zeros_like(leaf[0], dtype=torch.bool) for leaf in leaves(support)]
        found: list[list[Tensor]] = []
        for k, name in enumerate(names):
            size = empty[k].numel()
            joined = size if name in self.whole else empty[k].shape[-1] if name in self.shares else 1
            masks = torch.eye(size // joined).bool().repeat_interleave(joined, 1)
            found += [[*empty[:k], mask.view(empty[k].shape), *empty[k + 1 :]] for mask in masks]
        return found

    @property
    def sites(self) -> int:
        """How many variables there are."""
        return len(self.variables)


def whole_fields(process: AbstractProcess[Any]) -> frozenset[str]:
    """The fields of a record that are one variable each."""
    fields = process.fields if isinstance(process, Product) else dict[str, AbstractProcess[Tensor]]()
    return frozenset(name for name, field in fields.items() if isinstance(field, AbstractJoint))


def share_fields(process: AbstractProcess[Any]) -> frozenset[str]:
    """The fields whose sites are points of a simplex."""
    fields = process.fields if isinstance(process, Product) else {"": process}
    return frozenset(name for name, field in fields.items() if isinstance(field, Jacobi))


def joint_of(process: AbstractProcess[Any], support: Any, law: Tensor) -> Joint:
    """A law of states of `process`."""
    return Joint(support, law, whole_fields(process), share_fields(process))


def example_joint(process: AbstractProcess[Any], seed: int) -> Joint:
    """A law of dependent sites for one of the engine's processes."""
    support = _support(process)
    points = leaves(support)[0].shape[0]
    if points > MAX_POINTS:
        raise RequirementError(f"{process} has {points} states, more than {MAX_POINTS}; give `support` and `log_prob`")
    rng = torch.Generator().manual_seed(seed)
    return joint_of(process, support, torch.randn(points, dtype=torch.float64, generator=rng).softmax(0))


def _support(process: AbstractProcess[Any]) -> Any:
    if isinstance(process, Product):
        parts = {name: cast(Tensor, _support(field)) for name, field in process.fields.items()}
        chosen = torch.tensor(list(itertools.product(*[range(min(len(part), 4)) for part in parts.values()])))
        return {name: part[chosen[:, k]] for k, (name, part) in enumerate(parts.items())}
    if isinstance(process, Gaussian):
        return torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    if isinstance(process, Reflected):
        ends = torch.tensor([process.low, process.high], dtype=torch.float64)
        return ends[torch.tensor([[0, 0], [0, 1], [1, 1]])]
    if isinstance(process, Death):
        return torch.tensor([[0, 0], [0, 2], [3, 1], [5, 4]])
    if isinstance(process, Jacobi):
        return torch.eye(process.num_classes, dtype=torch.float64)[torch.tensor([[0, 0], [0, 1], [1, 1]])]
    if isinstance(process, AbstractFinite):
        return all_states(FiniteSites(process, example_sites(process)).classes)
    if isinstance(process, AbstractShuffle):
        return torch.tensor(list(itertools.permutations(range(process.n))))
    raise RequirementError(f"no example law for {process}; give `support` and `log_prob`")
