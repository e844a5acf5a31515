"""The exact law of a sampler's finitely many steps, so that its claim can be tested without sampling noise."""

import itertools

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, restrict, times
from intarsia.processes import AbstractFinite, AbstractShuffle
from intarsia.samplers import AbstractSampler, Ancestral, TauLeaping
from intarsia.testing._finite import FiniteSites, all_states


def enumerated_law(
    sampler: AbstractSampler,
    process: AbstractFinite | AbstractShuffle,
    denoiser: Denoiser,
    sites: int,
    *,
    given: Evidence | None = None,
) -> tuple[Tensor, Tensor]:
    """All states (states, sites), masks included, and the probability that `sampler` ends in each.

    The distribution over the enumerated states is pushed through the product over sites of the step's kernel.

    Args:
        sampler: `Ancestral` or `TauLeaping`.
        process: the noise.
        denoiser: called on all states at every step.
        sites: sites of a state.
        given: evidence of one row, (1, sites).
    """
    if isinstance(process, AbstractShuffle):
        return _shuffled_law(sampler, process, denoiser, given)
    finite = FiniteSites(process, sites)
    states = all_states(finite.states)
    if not isinstance(sampler, Ancestral | TauLeaping):
        raise RequirementError(f"the steps of {sampler} cannot be enumerated; give `Ancestral` or `TauLeaping`")
    sampler.check(process)
    seen = None if given is None else _everywhere(given, len(states))
    law = _gather(finite.prior()[None].expand(len(states), -1, -1), states).prod(1)
    law = _moved(law, states, hold(states, seen), finite)
    grid = torch.linspace(1.0, 0.0, sampler.steps + 1, dtype=torch.float64)
    for s, t in zip(grid[1:], grid[:-1], strict=True):
        here, there = (times(u.expand(len(states)), states, seen) for u in (t, s))
        pred = denoiser(states, here, None)
        if isinstance(sampler, TauLeaping):
            kernel = leap_law(finite, pred, states, here, float(t - s))
        else:
            kernel = finite.kernel(pred, states, there, here)
        law = law @ _joint(_held(kernel, seen), states)
    if isinstance(sampler, TauLeaping) and process.has_mask:
        # what is still masked at time 0 is drawn from the posterior
        end = torch.zeros(len(states), dtype=torch.float64)
        filled = finite.kernel(denoiser(states, times(end, states, seen), None), states, 0.0, 1.0)
        still = torch.nn.functional.one_hot(states, max(finite.states)).double()
        masked = states == torch.tensor(finite.classes)
        law = law @ _joint(torch.where(masked[..., None], filled, still), states)
    return states, law


def _shuffled_law(
    sampler: AbstractSampler, process: AbstractShuffle, denoiser: Denoiser, given: Evidence | None
) -> tuple[Tensor, Tensor]:
    """The same for permutations, whose kernels are one matrix over all of them."""
    if not isinstance(sampler, Ancestral):
        raise RequirementError(f"the steps of {sampler} cannot be enumerated on permutations; give `Ancestral`")
    states = torch.tensor(list(itertools.permutations(range(process.n))))
    rows = len(states)
    inner = restrict(process, None if given is None else _everywhere(given, rows))[0]
    assert isinstance(inner, AbstractShuffle)
    law = torch.full((rows,), 1.0 / rows, dtype=torch.float64)
    grid = torch.linspace(1.0, 0.0, sampler.steps + 1, dtype=torch.float64)
    for s, t in zip(grid[1:], grid[:-1], strict=True):
        pred = denoiser(states, t.expand(rows), None)
        law = law @ inner.reverse_law(pred, states, s.expand(rows), t.expand(rows)).exp()
    return states, law


def reverse_rates(finite: FiniteSites, pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
    """Rates of the reversed chain, (rows, sites, states), as what they are: the slope of its kernel, 0 to xt itself.

    By two short steps, extrapolated; right to about 1e-9 of the largest rate.
    """
    step = 1e-6
    long, short = (finite.kernel(pred, xt, (t - h).clamp(min=0.0), t) for h in (step, step / 2))
    here = torch.nn.functional.one_hot(xt, max(finite.states)).bool()
    return torch.where(here, 0.0, ((4.0 * short - long) / step).clamp(min=0.0))


def leap_law(finite: FiniteSites, pred: Tensor, xt: Tensor, t: Tensor, h: float) -> Tensor:
    """Law of a tau-leap, (rows, sites, states): a jump happens with probability 1 - exp(-h Σ R), to y as R(y)."""
    rate = reverse_rates(finite, pred, xt, t)
    total = rate.sum(-1, keepdim=True)
    jump = -torch.expm1(-h * total)
    moved = torch.where(total > 0, jump * rate / total.clamp(min=1e-300), 0.0)
    here = torch.nn.functional.one_hot(xt, rate.shape[-1]).bool()
    return torch.where(here, 1.0 - jump, moved)


def _gather(values: Tensor, x: Tensor) -> Tensor:
    """Entries of (rows, sites, states) at the states `x` (rows, sites)."""
    return values.gather(2, x[..., None]).squeeze(2)


def _joint(kernel: Tensor, states: Tensor) -> Tensor:
    """Product over sites of (from, sites, values), as (from, to)."""
    out = torch.ones(kernel.shape[0], len(states), dtype=torch.float64)
    for site in range(states.shape[1]):
        out *= kernel[:, site, states[:, site]]
    return out


def _held(kernel: Tensor, seen: Evidence | None) -> Tensor:
    if seen is None:
        return kernel
    values, mask = values_and_mask(seen)
    fixed = torch.nn.functional.one_hot(torch.where(mask, values, 0), kernel.shape[-1]).double()
    return torch.where(mask[..., None], fixed, kernel)


def values_and_mask(given: Evidence) -> tuple[Tensor, Tensor]:
    """The two tensors of evidence about a state that is one tensor."""
    values, mask = given.field(None) or (None, None)
    assert values is not None
    assert mask is not None
    return values, mask


def _everywhere(given: Evidence, rows: int) -> Evidence:
    values, mask = values_and_mask(given)
    return Evidence(values.expand(rows, -1), mask.expand(rows, -1))


def _moved(law: Tensor, states: Tensor, to: Tensor, finite: FiniteSites) -> Tensor:
    """Probability of `states` carried over to the states `to`."""
    place = torch.ones(states.shape[1], dtype=torch.long)
    for site in reversed(range(states.shape[1] - 1)):
        place[site] = place[site + 1] * finite.states[site + 1]
    return torch.zeros_like(law).index_add(0, (to * place).sum(1), law)
