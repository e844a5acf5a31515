"""Drawing solutions one value at a time from what the network predicts."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ._arrays import domains, given_state
from ._check import check
from ._denoiser import FactorGraphDenoiser, marks
from ._ladder import probabilities
from ._problem import Problem
from ._propagate import Propagator, decided
from ._stack import shared_graph

_BATCH = 128
_WASTED = 8
"""Batches without anything new after which drawing ends."""


def draw_solutions(
    network: FactorGraphDenoiser,
    problem: Problem,
    n: int,
    *,
    distinct: bool,
    seed: int,
    device: str,
    iterations: int = 4,
) -> np.ndarray:
    """Verified solutions as indices of values, (n, variables).

    Variables are set in random order, each to a draw from the network's prediction, with what propagation excludes
    ruled out; draws that end in a contradiction are thrown away.

    Args:
        network: predicts the next value.
        problem: with what is given.
        n: how many.
        distinct: no solution twice.
        seed: of everything.
        device: where the network is.
        iterations: of the network for every value that is set; its state is carried on.

    Raises:
        ValueError: so many were not found; it says how many were.
    """
    rng = torch.Generator(device).manual_seed(seed)
    given = np.array(given_state(problem))
    rows: list[np.ndarray] = []
    seen: set[bytes] = set()
    wasted = 0
    while len(rows) < n:
        states, _ = draw_once(network, problem, min(_BATCH, n), iterations, rng, device)
        valid = states[check(problem, states, given).valid]
        before = len(rows)
        for state in valid:
            if not distinct or state.tobytes() not in seen:
                seen.add(state.tobytes())
                rows.append(state)
        wasted = 0 if len(rows) > before else wasted + 1
        if wasted >= _WASTED:
            kind = "different solutions" if distinct else "solutions"
            raise ValueError(
                f"found {len(rows)} {kind} of the {n} that were asked for; ask for fewer, or solve exactly"
            )
    return np.array(rows[:n], dtype=np.int64).reshape(n, len(problem))


@torch.no_grad()
def draw_once(
    network: FactorGraphDenoiser, problem: Problem, rows: int, iterations: int, rng: torch.Generator, device: str
) -> tuple[np.ndarray, int]:
    """States (rows, variables), -1 where a draw was stuck, and how often the network was called."""
    graph, narrow = problem.derived(shared_graph).to(device), problem.derived(Propagator)
    possible = narrow(torch.from_numpy(domains([problem]))).expand(rows, -1, -1).to(device)
    state = network.start(possible, rng)
    masked = torch.full(possible.shape[:2], graph.values, device=device)
    calls = 0

    def choose(possible: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal state, calls
        state = network.iterate(graph, state, marks(possible, masked), iterations if calls else 4 * iterations, rng)
        calls += 1
        return _choose(possible, network.read(state, possible).logits, rng)

    return decided(set_values(possible, narrow, choose)).cpu().numpy(), calls


def set_values(
    possible: Tensor, narrow: Callable[[Tensor], Tensor], choose: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Tensor:
    """Set one variable of every row after another, and propagate, until none is open.

    A value that leads to a contradiction at once is struck instead; a row without any way on is given up: it is left
    without values.

    Args:
        possible: Booleans (batch, variables, values).
        narrow: strikes what is impossible.
        choose: of such Booleans an open variable of each row and its value, (batch,) each.
    """
    while bool((possible.sum(-1) > 1).any()):
        site, value = choose(possible)
        after = narrow(_put(possible, site, value, only=True))
        stuck = ~after.any(-1).all(-1)
        if bool(stuck.any()):
            other = narrow(_put(possible[stuck], site[stuck], value[stuck], only=False))
            after[stuck] = other & other.any(-1).all(-1)[:, None, None]
        possible = after
    return possible


def _choose(possible: Tensor, logits: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random open variable of each row and a draw of its value; any of both where nothing is open."""
    open_ = possible.sum(-1) > 1
    chance = torch.rand(open_.shape, generator=rng, device=possible.device)
    site = torch.where(open_, chance, -1.0).argmax(-1)
    rows = torch.arange(len(site), device=site.device)
    law = probabilities(logits[rows, site])
    law = torch.where(law.sum(-1, keepdim=True) > 0, law, 1.0)
    return site, torch.multinomial(law, 1, generator=rng).squeeze(-1)


def _put(possible: Tensor, site: Tensor, value: Tensor, *, only: bool) -> Tensor:
    """Leave one variable of each row that value only, or every other one; rows with nothing open stay."""
    rows = torch.arange(len(site), device=site.device)
    out = possible.clone()
    kept = torch.nn.functional.one_hot(value, possible.shape[-1]).bool()
    out[rows, site] &= kept if only else ~kept
    done = ~(possible.sum(-1) > 1).any(-1)
    return torch.where(done[:, None, None], possible, out)
