"""The constraints of a problem as the network sees them: which (variable, value) atoms exclude or need each other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ._arrays import Arrays

UNIT = 1.0 / 3.0
"""Scale of pooled sums. Sums and not means: that one candidate is left looks the same in units of every size."""


@dataclass(frozen=True, slots=True, eq=False)
class FactorGraph:
    """Nodes over the atoms of a problem, or of a batch of problems; atom = variable · values + value.

    Args:
        variables: how many.
        values: how many.
        groups: 0/1 incidence of sets of variables, one node for each value, (groups, variables): first the
            all-different groups in which every value appears, then the others, then what two groups share.
        kinds: how many groups are of each of these three kinds.
        at_most: sets of atoms of which at most one holds, (1, sets, size), padded by variables · values.
        at_least: sets of atoms of which at least one holds, such as clauses, (1 or batch, sets, size), padded alike.
    """

    variables: int
    values: int
    groups: Tensor
    kinds: tuple[int, int, int]
    at_most: Tensor
    at_least: Tensor

    @classmethod
    def of(cls, arrays: Arrays, booleans: tuple[int, int] = (0, 1)) -> Self:
        """The graph of problems that share a structure; `booleans` are the indices of False and True."""
        _, variables, values = arrays.domains.shape
        sets = [frozenset(group[group >= 0].tolist()) for group in arrays.groups]
        complete = [group for group, every in zip(sets, arrays.complete, strict=True) if every]
        partial = [group for group, every in zip(sets, arrays.complete, strict=True) if not every]
        shared = _shared(sets)
        incidence = torch.zeros(len(sets) + len(shared), variables)
        for row, group in zip(incidence, (*complete, *partial, *shared), strict=True):
            row[sorted(group)] = 1.0
        padding = variables * values
        at_most = np.where(arrays.shifted < 0, padding, arrays.shifted)
        kinds = (len(complete), len(partial), len(shared))
        clauses = clause_atoms(arrays.clauses[None], values, padding, booleans)
        return cls(variables, values, incidence, kinds, torch.from_numpy(at_most)[None], clauses)

    def to(self, device: torch.device | str) -> Self:
        """The same graph on another device."""
        return replace(
            self,
            groups=self.groups.to(device),
            at_most=self.at_most.to(device),
            at_least=self.at_least.to(device),
        )

    def rows(self, chosen: Tensor) -> Self:
        """The graph of some of the problems of a batch."""
        return replace(self, at_least=self.at_least[chosen]) if len(self.at_least) > 1 else self

    def with_sets(self, at_least: Tensor) -> Self:
        """The graph with other sets of which at least one atom holds, for one problem or for each of a batch."""
        return replace(self, at_least=at_least)


def clause_atoms(clauses: np.ndarray, values: int, padding: int, booleans: tuple[int, int] = (0, 1)) -> Tensor:
    """Signed literals (batch, clauses, width), padded by 0, as the atoms that satisfy them, padded by `padding`."""
    false, true = booleans
    atom = (np.abs(clauses) - 1) * values + np.where(clauses > 0, true, false)
    return torch.from_numpy(np.where(clauses == 0, padding, atom).astype(np.int64))


def _shared(groups: list[frozenset[int]]) -> list[frozenset[int]]:
    """What two groups have in common, where that is more than one variable and less than either.

    Such are the three cells of a row and a box. A network whose units only add up what is in them cannot see that
    all candidates of a box stand in one row; with these sets it can.
    """
    found: dict[frozenset[int], None] = {}
    for one, other in combinations(groups, 2):
        both = one & other
        if 1 < len(both) < min(len(one), len(other)):
            found[both] = None
    return list(found)


def pool_groups(graph: FactorGraph, atoms: Tensor) -> Tensor:
    """Sums over the variables of each group, value by value: (batch, variables, values, d) to (batch, groups, …)."""
    return torch.matmul(graph.groups.to(atoms.dtype) * UNIT, atoms.flatten(2)).unflatten(2, atoms.shape[2:])


def spread_groups(graph: FactorGraph, nodes: Tensor) -> Tensor:
    """Sums over the groups of each variable, the transpose of `pool_groups`."""
    return torch.matmul(graph.groups.to(nodes.dtype).T, nodes.flatten(2)).unflatten(2, nodes.shape[2:])


def pool_sets(index: Tensor, atoms: Tensor) -> Tensor:
    """Sums over sets of atoms: (batch, atoms, d) to (batch, sets, d)."""
    padded = functional.pad(atoms, (0, 0, 0, 1))
    picked = padded.flatten(0, 1)[flat_index(index, padded)]
    return picked.unflatten(0, (len(atoms), *index.shape[1:])).sum(2) * UNIT


def spread_sets(index: Tensor, nodes: Tensor, atoms: int) -> Tensor:
    """Sums over the sets of each atom: (batch, sets, d) to (batch, atoms, d)."""
    out = nodes.new_zeros(len(nodes), atoms + 1, nodes.shape[-1])
    each = nodes.unsqueeze(2).expand(-1, -1, index.shape[2], -1).reshape(-1, nodes.shape[-1])
    return out.flatten(0, 1).index_add(0, flat_index(index, out), each).view_as(out)[:, :atoms]


def flat_index(index: Tensor, padded: Tensor) -> Tensor:
    """Where the atoms of sets stand in a flattened batch of padded rows (batch, atoms + 1, …)."""
    start = torch.arange(len(padded), device=padded.device).view(-1, 1, 1) * padded.shape[1]
    return (index + start).flatten()


def batches(rows: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` rows."""
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
