"""What a state violates, on the device of the network; only the exact checker decides what counts as solved."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ._factor_graph import FactorGraph, flat_index


@dataclass(frozen=True, slots=True, eq=False)
class Clashes:
    """Violated sets of a batch of states.

    Args:
        sites: variables in a violated set, Booleans (batch, variables).
        none: whether nothing is violated and every variable has a possible value, (batch,).
    """

    sites: Tensor
    none: Tensor


def clashes(graph: FactorGraph, domains: Tensor, states: Tensor) -> Clashes:
    """What full states (batch, variables) violate of the sets of the graph and of the domains."""
    held = functional.one_hot(states, graph.values)
    impossible = ~domains.gather(-1, states.unsqueeze(-1)).squeeze(-1)
    complete, partial, _ = graph.kinds
    incidence = graph.groups[: complete + partial]
    # where values and variables are as many, that none appears twice is that all appear
    crowded = torch.matmul(incidence, held.float()) > 1.5
    sites = impossible | ((torch.matmul(incidence.T, crowded.float()) * held).sum(-1) > 0)
    atoms = held.flatten(1)
    for index, wrong in ((graph.at_most, _more_than_one), (graph.at_least, _none)):
        if index.shape[1]:
            real = (index < graph.variables * graph.values).any(-1)  # whole sets may be padding
            sites |= _members(index, wrong(_counts(index, atoms)) & real, graph)
    return Clashes(sites, ~sites.any(-1))


def _more_than_one(counts: Tensor) -> Tensor:
    return counts > 1


def _none(counts: Tensor) -> Tensor:
    return counts == 0


def _counts(index: Tensor, atoms: Tensor) -> Tensor:
    """How many atoms of each set hold, (batch, sets)."""
    padded = functional.pad(atoms, (0, 1))
    return padded.flatten()[flat_index(index, padded)].view(len(atoms), *index.shape[1:]).sum(-1)


def _members(index: Tensor, wrong: Tensor, graph: FactorGraph) -> Tensor:
    """Variables of the sets that are wrong, (batch, variables)."""
    size = graph.variables * graph.values
    marked = torch.zeros(len(wrong), size + 1, dtype=torch.bool, device=wrong.device)
    each = wrong.unsqueeze(-1).expand(-1, -1, index.shape[2]).flatten()
    flat = flat_index(index, marked)
    marked.view(-1)[flat[each]] = True
    return marked[:, :size].unflatten(1, (graph.variables, graph.values)).any(-1)
