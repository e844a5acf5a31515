"""The exact log-likelihood of one-by-one unmasking, by dynamic programming over sets of sites."""

from typing import Any

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.classes import Ragged
from intarsia.errors import RequirementError
from intarsia.processes import Discrete
from intarsia.samplers._first_hitting import absorbing
from intarsia.schedules import Staged

MAX_SITES = 16


def exact_log_prob(process: Discrete, denoiser: Denoiser, x0: Tensor, *, cond: object = None) -> Tensor:
    """log E_order Π p(x_i | sites before i): the law that `FirstHitting` draws from, nats per row, (batch,).

    Of that the nelbo is the bound by Jensen's inequality (Ou et al. 2025, arXiv 2406.03736, theorem 2).

    The sum over all orders is f(all sites) with f(∅) = 1 and f(S) = Σ_{i in S} p(i is next after S - i) f(S - i)
    p(x_i | x of S - i), so 2^sites calls are enough for sites! orders. It is at least every bound of this package (in
    expectation), and equal to them where the conditionals fit together.

    Args:
        process: absorbing noise, with one schedule for all sites or `Staged` ones.
        denoiser: class logits that do not depend on the time; it is called at time 1/2.
        x0: states (batch, sites), at most 16 sites.
        cond: passed to the denoiser.

    Raises:
        RequirementError: sites have schedules of their own, so that the order depends on the time.
        ValueError: there are too many sites.
    """
    absorbing(process, "exact_log_prob")
    rows, sites = x0.shape
    if sites > MAX_SITES:
        raise ValueError(f"{sites} sites have 2^{sites} subsets; `exact_log_prob` takes at most {MAX_SITES} sites")
    stage = _stages(process, sites)
    mask = process.mask_id(x0.device).expand(x0.shape)
    time = torch.full((rows,), 0.5, dtype=torch.float64, device=x0.device)
    log_f: dict[int, Tensor] = {0: torch.zeros(rows, dtype=torch.float64, device=x0.device)}
    for subset in range(2**sites - 1):
        reached = log_f.pop(subset, None)
        if reached is None:  # no order goes through it
            continue
        left = [site for site in range(sites) if not subset >> site & 1]
        first = min(stage[site] for site in left)
        following = [site for site in left if stage[site] == first]
        shown = torch.tensor([bool(subset >> site & 1) for site in range(sites)], device=x0.device)
        logp = _log_probs(process, denoiser(torch.where(shown, x0, mask), time, cond), x0)
        step = torch.tensor(float(len(following)), dtype=torch.float64).log().to(x0.device)
        for site in following:
            after, term = subset | 1 << site, reached + logp[:, site] - step
            log_f[after] = torch.logaddexp(log_f[after], term) if after in log_f else term
    return log_f[2**sites - 1]


def _log_probs(process: Discrete, pred: Any, x0: Tensor) -> Tensor:
    """log p(x0) of every site, without the others' help, (batch, sites)."""
    classes = process.classes
    if isinstance(classes, Ragged):
        parts = [pred[:, part].double().log_softmax(-1) for part in classes.slices()]
        return torch.stack([part.gather(-1, x0[:, k, None])[:, 0] for k, part in enumerate(parts)], 1)
    return pred.double().log_softmax(-1).gather(-1, x0[..., None])[..., 0]


def _stages(process: Discrete, sites: int) -> list[int]:
    """Groups of sites that are unmasked one after the other, in random order inside each."""
    schedule = process.schedule
    if isinstance(schedule, Staged):
        return list(schedule.stages)
    t = torch.linspace(0.0, 1.0, 17, dtype=torch.float64)[:, None].expand(-1, sites)
    alpha = schedule.alpha(t).expand(17, sites)
    if not torch.allclose(alpha, alpha[:, :1]):
        raise RequirementError(f"sites with schedules of their own have no exact sum over orders, got {schedule}")
    return [0] * sites
