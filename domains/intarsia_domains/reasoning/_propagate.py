"""What follows without search, for a batch of problems that share their constraints."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ._all_different import AllDifferent
from ._arrays import Arrays, arrays
from ._equal import Equal
from ._linear import Linear
from ._problem import Problem
from ._table import Table


class Rule(Protocol):
    """Strikes values that no solution has, from (batch, variables, values) Booleans; never strikes others."""

    def __call__(self, possible: Tensor) -> Tensor:
        """The values that are left."""
        ...


class Propagator:
    """Applies rules until nothing changes.

    A contradiction leaves some variable without a value. Masks only ever lose values, and every solution that agrees
    with the input agrees with the output.

    Args:
        problem: its constraints become rules: naked and hidden singles, unit clauses, supported rows of tables,
            bounds of sums and what equal variables share.
        rules: instead of all that apply, such as `[NakedSingles(arrays(problem))]`.
    """

    def __init__(self, problem: Problem, rules: Sequence[Rule] | None = None) -> None:
        self.rules = rules_of(problem) if rules is None else list(rules)

    def __call__(self, possible: Any, *, rounds: int | None = None) -> Tensor:
        """The values that are left after at most so many rounds, (batch, variables, values)."""
        now = torch.as_tensor(possible, dtype=torch.bool)
        while rounds is None or rounds > 0:
            before = now
            for rule in self.rules:
                now = rule(now)
            if torch.equal(now, before):
                break
            rounds = None if rounds is None else rounds - 1
        return now


def rules_of(problem: Problem) -> list[Rule]:
    """The rules that a problem's constraints give."""
    shapes = problem.derived(arrays)
    rules: list[Rule] = []
    if shapes.groups.size:
        rules += [NakedSingles(shapes), HiddenSingles(shapes)]
    if shapes.shifted.size:
        rules.append(AtMostOne(shapes))
    if shapes.clauses.size:
        rules.append(UnitClauses(shapes, problem.values.index(True)))
    for c in problem.constraints:
        if not isinstance(c, AllDifferent):
            table = c if isinstance(c, Table) else getattr(c, "table", None)
            rules += [Supported(table)] if isinstance(table, Table) else []
            rules += [Same(c.scope)] if isinstance(c, Equal) else []
            rules += [Bounds(c, problem.values)] if isinstance(c, Linear) and c.relation != "!=" else []
    return rules


def decided(possible: Tensor) -> Tensor:
    """The state of each variable that has one value left, -1 for others, (batch, variables)."""
    single = possible.sum(-1) == 1
    return torch.where(single, possible.to(torch.uint8).argmax(-1), -1)


def contradicted(possible: Tensor) -> Tensor:
    """Whether some variable has no value left, (batch,)."""
    return ~possible.any(-1).all(-1)


class _Groups:
    """Gathers (batch, variables, values) by group, and brings what is left back to the variables."""

    def __init__(self, members: np.ndarray, variables: int) -> None:
        self.members = torch.from_numpy(np.maximum(members, 0))
        self.real = torch.from_numpy(members >= 0)
        places: list[list[int]] = [[] for _ in range(variables)]
        for place, i in enumerate(members.reshape(-1)):
            if i >= 0:
                places[i].append(place)
        width = max(map(len, places))
        self.places = torch.tensor([row + [members.size] * (width - len(row)) for row in places])

    def gather(self, possible: Tensor) -> Tensor:
        """(batch, groups, size, values); padding has no value."""
        return possible[:, self.members.to(possible.device)] & self.real.to(possible.device)[..., None]

    def scatter(self, kept: Tensor) -> Tensor:
        """What all groups of a variable keep, (batch, variables, values)."""
        flat = kept.flatten(1, 2)
        flat = torch.cat([flat, flat.new_ones(len(flat), 1, flat.shape[-1])], 1)
        return flat[:, self.places.to(flat.device)].all(2)


class NakedSingles:
    """A value that one variable of a group has for certain is struck from the others."""

    def __init__(self, shapes: Arrays) -> None:
        self._groups = _Groups(shapes.groups, shapes.domains.shape[1])

    def __call__(self, possible: Tensor) -> Tensor:
        members = self._groups.gather(possible)
        taken = members & (members.sum(-1, keepdim=True) == 1)
        by_others = taken.sum(2, keepdim=True) - taken.to(torch.int64) > 0
        return possible & self._groups.scatter(~by_others)


class HiddenSingles:
    """In a group with as many values as variables, a value that fits one variable only belongs there."""

    def __init__(self, shapes: Arrays) -> None:
        self._groups = _Groups(shapes.groups, shapes.domains.shape[1])
        self._complete = torch.from_numpy(shapes.complete)

    def __call__(self, possible: Tensor) -> Tensor:
        members = self._groups.gather(possible)
        once = (members.sum(2, keepdim=True) == 1) & self._complete.to(possible.device)[:, None, None]
        own = members & once
        return possible & self._groups.scatter(own | ~own.any(-1, keepdim=True))


class AtMostOne:
    """Of (variable, value) pairs that meet, such as a diagonal of queens, a certain one strikes the others."""

    def __init__(self, shapes: Arrays) -> None:
        self._pairs = _Groups(shapes.shifted, shapes.domains.shape[1] * shapes.domains.shape[2])

    def __call__(self, possible: Tensor) -> Tensor:
        certain = possible & (possible.sum(-1, keepdim=True) == 1)
        members = self._pairs.gather(certain.flatten(1)[..., None])
        by_others = members.sum(2, keepdim=True) - members.to(torch.int64) > 0
        return possible & self._pairs.scatter(~by_others)[..., 0].view_as(possible)


class UnitClauses:
    """Where all literals of a clause but one are false, that one is true."""

    def __init__(self, shapes: Arrays, true: int) -> None:
        self._groups = _Groups(np.where(shapes.clauses == 0, -1, np.abs(shapes.clauses) - 1), shapes.domains.shape[1])
        self._positive = torch.from_numpy(shapes.clauses > 0)
        self._true = true

    def __call__(self, possible: Tensor) -> Tensor:
        members = self._groups.gather(possible)
        positive = self._positive.to(possible.device)
        can_be_true = torch.where(positive, members[..., self._true], members[..., 1 - self._true])
        alone = can_be_true & (can_be_true.sum(-1, keepdim=True) == 1)
        keep = torch.ones_like(members)
        keep[..., 1 - self._true] = ~(alone & positive)
        keep[..., self._true] = ~(alone & ~positive)
        keep &= can_be_true.any(-1)[..., None, None]  # a clause that is false leaves nothing
        return possible & self._groups.scatter(keep)


@dataclass(frozen=True)
class Supported:
    """Values of a table's variables that occur in no possible row are struck."""

    table: Table

    def __call__(self, possible: Tensor) -> Tensor:
        rows = torch.from_numpy(self.table.array).to(possible.device)
        scope = torch.tensor(self.table.scope, device=possible.device)
        alive = possible.new_ones(len(possible), len(rows))
        for i, listed in zip(self.table.scope, rows.T, strict=True):
            alive &= possible[:, i][:, listed]
        left = torch.zeros_like(possible[:, scope], dtype=torch.int64)
        for column, listed in enumerate(rows.T):
            left[:, column].scatter_add_(1, listed.expand(len(possible), -1), alive.to(torch.int64))
        out = possible.clone()
        out[:, scope] &= left > 0
        return out


@dataclass(frozen=True)
class Same:
    """Variables that are equal keep what all of them can be."""

    scope: tuple[int, ...]

    def __call__(self, possible: Tensor) -> Tensor:
        scope = torch.tensor(self.scope, device=possible.device)
        out = possible.clone()
        out[:, scope] = possible[:, scope].all(1, keepdim=True)
        return out


@dataclass(frozen=True)
class Bounds:
    """Values of a sum's variables that the extremes of the others cannot make up for are struck."""

    linear: Linear
    values: tuple[Any, ...]

    def __call__(self, possible: Tensor) -> Tensor:
        device = possible.device
        scope = torch.tensor(self.linear.scope, device=device)
        weights = torch.tensor(self.linear.weights, device=device)
        codes = [value if isinstance(value, int) else 0 for value in self.values]
        terms = weights[:, None] * torch.tensor(codes, device=device)
        mine = possible[:, scope]
        far = int(terms.abs().max()) * (len(scope) + 1) + abs(self.linear.total) + 1
        low = terms.expand_as(mine).masked_fill(~mine, far).amin(-1)
        high = terms.expand_as(mine).masked_fill(~mine, -far).amax(-1)
        least = low.sum(1, keepdim=True)[..., None] - low[..., None] + terms
        most = high.sum(1, keepdim=True)[..., None] - high[..., None] + terms
        keep = torch.ones_like(mine)
        if self.linear.relation in ("==", "<="):
            keep &= least <= self.linear.total
        if self.linear.relation in ("==", ">="):
            keep &= most >= self.linear.total
        out = possible.clone()
        out[:, scope] &= keep
        return out
