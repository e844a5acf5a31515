"""The exact law of a sampler's finitely many steps, so that its claim can be tested without sampling noise."""

import itertools

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, restrict, times
from intarsia.processes import AbstractFinite, AbstractShuffle, Discrete
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
    if isinstance(sampler, TauLeaping) and not isinstance(process, Discrete):
        raise RequirementError(f"`TauLeaping` needs `Discrete` noise, got {process}")
    seen = None if given is None else _everywhere(given, len(states))
    law = _gather(finite.prior()[None].expand(len(states), -1, -1), states).prod(1)
    law = _moved(law, states, hold(states, seen), finite)
    grid = torch.linspace(1.0, 0.0, sampler.steps + 1, dtype=torch.float64)
    for s, t in zip(grid[1:], grid[:-1], strict=True):
        here, there = (times(u.expand(len(states)), states, seen) for u in (t, s))
        pred = denoiser(states, here, None)
        if isinstance(sampler, TauLeaping):
            assert isinstance(process, Discrete)
            kernel = leap_law(finite, pred, states, here, float(t - s))
        else:
            kernel = finite.kernel(pred, states, there, here)
        law = law @ _joint(_held(kernel, seen), states)
    if isinstance(sampler, TauLeaping) and isinstance(process, Discrete):
        pred = denoiser(states, times(torch.zeros(len(states), dtype=torch.float64), states, seen), None)
        probs = finite.padded(process.classes.log_softmax(pred.double()).exp(), torch.zeros(states.shape))
        still = torch.nn.functional.one_hot(states, max(finite.states)).double()
        masked = states == process.mask_id(states.device)
        law = law @ _joint(torch.where(masked[..., None], probs, still), states)
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


def leap_law(finite: FiniteSites, pred: Tensor, xt: Tensor, t: Tensor, h: float) -> Tensor:
    """Law of a tau-leap from its definition, (rows, sites, states).

    The reversed rate xt → y is Σ p(x0 | xt) R(y → xt) q(y | x0) / q(xt | x0), with the forward rate
    R(y → x) = -alpha'/alpha π(x) (Campbell et al. 2022, prop. 1); jumps happen with probability 1 - exp(-h Σ R).
    """
    process = finite.process
    assert isinstance(process, Discrete)
    rows, most = xt.shape[0], max(finite.states)
    post = finite.padded(process.classes.log_softmax(pred.double()).exp(), torch.zeros(xt.shape, dtype=torch.float64))
    time = t[:, None].expand(xt.shape) if t.ndim == 1 else t
    # where nothing of the data is left, the limit: the rate to a mask's value is finite there
    alpha, dalpha = process.schedule.alpha(time).clamp(min=1e-12), process.schedule.dalpha(time)
    pi = finite.prior()
    delta = torch.eye(most, dtype=torch.float64)
    # (rows, sites, x0, state)
    q = alpha[..., None, None] * delta + (1.0 - alpha)[..., None, None] * pi[:, None]
    q_xt = q.gather(3, xt[..., None, None].expand(*xt.shape, most, 1)).squeeze(3)
    weight = torch.where(q_xt > 0, post / q_xt.clamp(min=1e-300), 0.0)
    clock = torch.where(
        (1.0 - alpha) * _gather(pi[None].expand(rows, -1, -1), xt) > 0, -dalpha / alpha.clamp(min=1e-12), 0.0
    )
    forward = clock * _gather(pi[None].expand(rows, -1, -1), xt)
    rate = forward[..., None] * (weight[..., None] * q).sum(2)
    here = torch.nn.functional.one_hot(xt, most).bool()
    rate = torch.where(here, 0.0, rate)
    total = rate.sum(-1, keepdim=True)
    jump = -torch.expm1(-h * total)
    moved = torch.where(total > 0, jump * rate / total.clamp(min=1e-300), 0.0)
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
