"""`check_sampler`: with a perfect denoiser a sampler shows the law that it claims."""

import dataclasses
from dataclasses import replace
from typing import Any, get_args

import torch
from torch import Tensor

from intarsia._types import batch_size
from intarsia.evidence import Evidence, hold
from intarsia.processes import AbstractFinite, AbstractProcess, AbstractShuffle, Product
from intarsia.samplers import AbstractSampler, Ancestral, Claim, TauLeaping
from intarsia.testing._bayes import BayesDenoiser
from intarsia.testing._ensure import ensure, leaves, same, untouched, untouched_randomness
from intarsia.testing._enumerate import enumerated_law, values_and_mask
from intarsia.testing._joint import Joint, example_joint, joint_of
from intarsia.testing._refusal import check_refusal, refused
from intarsia.testing._statistics import MIN_P, chi_square, sampling_noise, total_variation


def check_sampler(
    sampler: AbstractSampler,
    process: AbstractProcess[Any],
    support: Any = None,
    log_prob: Tensor | None = None,
    *,
    n: int = 4000,
    tolerance: float = 0.05,
    seed: int = 0,
) -> None:
    """Check a sampler on a process that it takes; raises AssertionError with a sentence at the first failure.

    A sampler that claims to be exact must pass a chi-square test against the joint law, with and without evidence
    on each site (p >= 1e-4), and with two steps where it has an argument `steps`. Of `Ancestral` and `TauLeaping` on
    finite states the exact law of the steps is enumerated and tested instead, and must come closer to the joint with
    twice the steps. Of others the total variation from the joint may be `tolerance` and the sampling noise; of a
    sampler that claims to be biased only the values are checked, which must be some that the site can have. Observed
    sites keep their values, the denoiser gets `cond`, one seed gives one output, nothing of the caller's changes, and
    what the sampler cannot do it refuses.

    Args:
        sampler: a sampler object.
        process: a process that it takes.
        support: states with probability, as for `BayesDenoiser`; by default a small law of dependent sites.
        log_prob: their log-probabilities.
        n: draws of each law.
        tolerance: allowed total variation where the steps cannot be enumerated.
        seed: of the law and the draws.
    """
    ensure(not isinstance(sampler, type), f"`check_sampler` needs an object, got the class {sampler}")
    claim = getattr(sampler, "claim", None)
    ensure(claim in get_args(Claim), f"`claim` of {sampler} must be one of {get_args(Claim)}, got {claim!r}")
    for other in refused(sampler):
        check_refusal(sampler, other)
    sampler.check(process)
    given = None if support is None or log_prob is None else joint_of(process, support, log_prob.double().softmax(0))
    joint = example_joint(process, seed) if given is None else given
    denoiser = BayesDenoiser(process, joint.support, joint.law.log())
    _check_repeatable(sampler, process, denoiser, joint)
    _check_cond(sampler, process, denoiser, joint)
    if sampler.claim == "exact":
        if dataclasses.is_dataclass(sampler) and hasattr(sampler, "steps"):
            # with few steps, so that a claim that is wrong shows
            sampler = replace(sampler, steps=2)
        ensure(_enumerable(sampler, process) is None, f"{sampler} is of first order, and claims to be exact")
    best = int(joint.law.argmax())
    for site in (None, *range(joint.sites)):
        given = None if site is None else joint.evidence(best, site, n)
        law = joint.law if site is None else joint.given(best, site)
        where = f"{sampler} on {process}" + ("" if site is None else f", site {site} observed")
        rng = torch.Generator().manual_seed(seed + 1)
        x = sampler.sample(process, denoiser, process.prior(joint.shape(n), rng), given=given, rng=rng)
        ensure(same(hold(x, given), x), f"{where}: observed sites lost their values")
        _check_law(sampler, process, denoiser, joint, x, law, given, where, tolerance)


def _check_law(
    sampler: AbstractSampler,
    process: AbstractProcess[Any],
    denoiser: BayesDenoiser,
    joint: Joint,
    x: Any,
    law: Tensor,
    given: Evidence | None,
    where: str,
    tolerance: float,
) -> None:
    if sampler.claim == "biased":
        ensure(_occur(x, joint.support), f"{where}: draws have values that the law rules out at their site")
        return
    counts = joint.counts(x)
    n = batch_size(x)
    declared = torch.cat([law, torch.zeros(1, dtype=torch.float64)])
    steps = _enumerable(sampler, process)
    if steps is not None:
        assert isinstance(process, AbstractFinite | AbstractShuffle)
        # what alpha(1) leaves in the prior no number of steps removes
        left = float(process.prior_kl(joint.support).sum(1).max())
        finite = steps, replace(steps, steps=2 * steps.steps)
        declared, finer = (_declared(one, process, denoiser, joint, given) for one in finite)
        target = torch.cat([law, torch.zeros(1, dtype=torch.float64)])
        coarse, fine = total_variation(declared, target), total_variation(finer, target)
        ensure(
            coarse <= 1e-9 + left or fine <= 0.8 * coarse,
            f"{where}: twice the steps must halve the total variation from the joint, {coarse:.3g} → {fine:.3g}",
        )
    if steps is not None or sampler.claim == "exact":
        p = chi_square(counts, declared)
        ensure(p >= MIN_P, f"{where}: draws do not follow the law, p = {p:.2g}, {_compare(counts / n, declared)}")
        return
    distance = total_variation(counts / n, declared)
    bound = tolerance + sampling_noise(len(declared), n)
    ensure(
        distance <= bound,
        f"{where}: total variation {distance:.3f} from the law exceeds {bound:.3f}, {_compare(counts / n, declared)}",
    )


def _enumerable(sampler: AbstractSampler, process: AbstractProcess[Any]) -> Ancestral | TauLeaping | None:
    if isinstance(sampler, TauLeaping) and isinstance(process, AbstractFinite):
        return sampler
    return sampler if isinstance(sampler, Ancestral) and isinstance(process, AbstractFinite | AbstractShuffle) else None


def _declared(
    sampler: Ancestral | TauLeaping,
    process: AbstractFinite | AbstractShuffle,
    denoiser: BayesDenoiser,
    joint: Joint,
    given: Evidence | None,
) -> Tensor:
    """The law of the sampler's steps over the points of the joint, and over everything else, (points + 1,)."""
    one = None
    if given is not None:
        values, mask = values_and_mask(given)
        one = Evidence(values[:1], mask[:1])
    states, law = enumerated_law(sampler, process, denoiser, joint.sites, given=one)
    same_state = (states[:, None] == joint.support.flatten(1)).all(2).double()
    points = law @ same_state
    return torch.cat([points, (law.sum() - points.sum()).clamp(min=0.0)[None]])


def _check_cond(sampler: AbstractSampler, process: AbstractProcess[Any], denoiser: BayesDenoiser, joint: Joint) -> None:
    """Every call of the denoiser gets the condition."""
    asked, seen = object(), list[object]()

    def recorded(xt: Any, t: Any, cond: Any) -> Any:
        seen.append(cond)
        return denoiser(xt, t, cond)

    rng = torch.Generator().manual_seed(8)
    sampler.sample(process, recorded, process.prior(joint.shape(4), rng), cond=asked, rng=rng)
    ensure(all(cond is asked for cond in seen), f"{sampler} does not hand `cond` on to the denoiser")


def _check_repeatable(
    sampler: AbstractSampler, process: AbstractProcess[Any], denoiser: BayesDenoiser, joint: Joint
) -> None:
    x1 = process.prior(joint.shape(64), torch.Generator().manual_seed(9))

    def draw(seed: int) -> Any:
        return sampler.sample(process, denoiser, x1, rng=torch.Generator().manual_seed(seed))

    with untouched_randomness(f"{sampler}"), untouched(x1, f"`sample` of {sampler}"):
        first, again, other = draw(1), draw(1), draw(2)
    ensure(same(first, again), f"{sampler} gives other draws for the same seed")
    fixed = all(leaf.is_floating_point() for leaf in leaves(x1)) and not isinstance(process, Product)
    ensure(fixed or not same(first, other), f"{sampler} gives the same draws for every seed")


def _occur(x: Any, support: Any) -> bool:
    """Whether every site has a value that it has at some point; reals are passed over."""
    for value, points in zip(leaves(x), leaves(support), strict=True):
        site = value.flatten(1)[:, None] == points.flatten(1)
        if not value.is_floating_point() and not bool(site.any(1).all()):
            return False
    return True


def _compare(got: Tensor, expected: Tensor) -> str:
    worst = int((got - expected).abs().argmax())
    return f"e.g. state {worst}: expected {float(expected[worst]):.4f}, got {float(got[worst]):.4f}"
