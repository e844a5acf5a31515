"""The factor-graph denoiser: one block with the same weights for every variable, value, constraint and iteration."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia.precision import gains_from_bfloat16

from ._factor_graph import UNIT, FactorGraph, pool_groups, pool_sets, spread_groups, spread_sets

OPEN, EXCLUDED, FIXED, REVEALED, BESIDE = range(5)
"""What is known of an atom: nothing; impossible; observed; set while solving; another value was set while solving."""
KINDS = 5


@dataclass(frozen=True, slots=True)
class Belief:
    """What the network thinks of a batch.

    Args:
        logits: of the values, float32, (batch, variables, values); -inf where a value is impossible.
        settled: logit that the likeliest value of a variable is right, (batch, variables).
        solved: logit that all are, (batch,).
    """

    logits: Tensor
    settled: Tensor
    solved: Tensor

    @property
    def states(self) -> Tensor:
        """The likeliest values, (batch, variables)."""
        return self.logits.argmax(-1)


def marks(domains: Tensor, xt: Tensor, trust: Tensor | None = None) -> Tensor:
    """What is known of every atom: one of five kinds, (batch, variables, values); with `trust`, weights of all five.

    Args:
        domains: which values are possible, Booleans (batch, variables, values); one alone is observed.
        xt: the noised state (batch, variables); anything outside 0 … values - 1 is a mask.
        trust: how much of the noised state is signal, from 0 to 1, (batch, variables).
    """
    values = torch.arange(domains.shape[-1], device=domains.device)
    known = torch.where(domains, OPEN, EXCLUDED)
    chosen = xt.unsqueeze(-1)
    set_here = ((chosen >= 0) & (chosen < domains.shape[-1])) & domains
    told = torch.where(set_here, torch.where(chosen == values, REVEALED, BESIDE), known)
    fixed = domains & (domains.sum(-1, keepdim=True) == 1)
    told = torch.where(fixed, FIXED, told)
    if trust is None:
        return told
    known = torch.where(fixed, FIXED, known)
    return torch.lerp(_kinds(known), _kinds(told), trust[..., None, None].float())


def _kinds(known: Tensor) -> Tensor:
    return functional.one_hot(known, KINDS).float()


class _Node(nn.Module):
    """What a constraint answers to the sum of its atoms."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inlet = nn.Linear(width, width)
        self.outlet = nn.Linear(width, width, bias=False)

    def forward(self, pooled: Tensor) -> Tensor:
        return _linear(self.outlet, functional.silu(_linear(self.inlet, pooled)))


def _linear(layer: nn.Linear, x: Tensor) -> Tensor:
    bias = None if layer.bias is None else layer.bias.to(x.dtype)
    return functional.linear(x, layer.weight.to(x.dtype), bias)


class FactorGraphDenoiser(nn.Module):
    """Class logits of every variable of a constraint problem, by iterating one block on a state per atom.

    The state h is (batch, variables, values, width). An iteration adds what is known of the atom, lets variables (over
    their values), all-different groups and what two of them share, and sets of atoms (clauses) answer to the sum of
    their atoms, and updates the atom by a gated MLP: h <- norm(h + W₂(silu(a) · b)), (a, b) = W₁[h + e, messages].
    Constraints of a kind share their weights, so the network commutes with every renaming of values and every
    symmetry of the constraints, and any problem of these kinds and any size can be put to the same weights. States
    start at random (Geng et al. 2026, EqR, arXiv 2605.21488), which breaks the symmetry between atoms.

    It does not read the time, as the posterior under absorbing noise does not depend on it.

    Args:
        width: of the state.
        hidden: of the gated MLP.
        iterations: of a call through the engine's interface.
        noise: standard deviation of what is added to the state when iterations start.
    """

    time_free = True

    def __init__(self, width: int = 48, hidden: int = 96, iterations: int = 32, noise: float = 0.01) -> None:
        super().__init__()
        self.width, self.hidden, self.iterations, self.noise = width, hidden, iterations, noise
        self.known = nn.Embedding(KINDS, width)
        self.variable, self.at_most, self.at_least = _Node(width), _Node(width), _Node(width)
        self.groups = nn.ModuleList(_Node(width) for _ in range(3))
        self.widen = nn.Linear(2 * width, 2 * hidden)
        self.back = nn.Linear(hidden, width, bias=False)
        self.value = nn.Linear(width, 1)
        self.settled = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))
        self.solved = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))
        nn.init.normal_(self.known.weight, std=1.0)

    def start(self, domains: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """A random state for problems with these domains, (batch, variables, values, width)."""
        dtype = torch.bfloat16 if gains_from_bfloat16(domains.device) else torch.float32
        shape = (*domains.shape, self.width)
        return torch.randn(shape, generator=rng, device=domains.device).to(dtype)

    def iterate(
        self, graph: FactorGraph, state: Tensor, known: Tensor, count: int, rng: torch.Generator | None = None
    ) -> Tensor:
        """The state after `count` iterations; `known` is that of `marks`."""
        kinds = self.known.weight.to(state.dtype)
        told = known.to(state.dtype) @ kinds if known.is_floating_point() else functional.embedding(known, kinds)
        if self.noise:
            blur = torch.randn(state.shape, generator=rng, device=state.device, dtype=torch.float32)
            state = state + self.noise * blur.to(state.dtype)
        for _ in range(count):
            state = self._step(graph, state, state + told)
        return state

    def _step(self, graph: FactorGraph, state: Tensor, atoms: Tensor) -> Tensor:
        z = _linear(self.widen, torch.cat([atoms, self._messages(graph, atoms)], -1))
        gate, change = z.chunk(2, -1)
        changed = state + _linear(self.back, functional.silu(gate) * change)
        return functional.layer_norm(changed, (self.width,))

    def _messages(self, graph: FactorGraph, atoms: Tensor) -> Tensor:
        """What the constraints of every atom tell it, (batch, variables, values, width)."""
        total = self.variable(atoms.sum(2, keepdim=True) * UNIT)
        if any(graph.kinds):
            parts = pool_groups(graph, atoms).split(graph.kinds, 1)
            answers = [node(part) for node, part in zip(self.groups, parts, strict=True) if part.shape[1]]
            total = total + spread_groups(graph, torch.cat(answers, 1))
        for node, index in ((self.at_most, graph.at_most), (self.at_least, graph.at_least)):
            if index.shape[1]:
                flat = atoms.flatten(1, 2)
                answer = spread_sets(index, node(pool_sets(index, flat)), flat.shape[1])
                total = total + answer.view_as(atoms)
        return total

    def read(self, state: Tensor, domains: Tensor) -> Belief:
        """What a state says."""
        logits = _linear(self.value, state).squeeze(-1).float()
        cells = state.sum(2).float() * UNIT
        settled = self.settled(cells).squeeze(-1)
        solved = self.solved(cells.mean(1)).squeeze(-1)
        return Belief(logits.masked_fill(~domains, -torch.inf), settled, solved)

    def forward(self, xt: Tensor, t: Any, cond: Any) -> Tensor:
        """Logits (batch, variables, values) of noised states (batch, variables).

        What is unmasked counts as certain, which is what absorbing noise means.

        Args:
            xt: with masks as class `values`.
            t: not read.
            cond: the graph and the domains, `(FactorGraph, Tensor)`, the latter of one row or of as many as `xt` has.
        """
        graph, domains = cond
        values = torch.arange(domains.shape[-1], device=xt.device)
        chosen = xt.unsqueeze(-1)
        domains = domains.expand(len(xt), -1, -1) & ((chosen == values) | (chosen == len(values)))
        rng = torch.Generator(xt.device).manual_seed(0)
        masked = torch.full_like(xt, len(values))
        state = self.iterate(graph, self.start(domains, rng), marks(domains, masked), self.iterations, rng)
        return self.read(state, domains).logits


def parameters_of(network: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(p.numel() for p in network.parameters())
