"""Log-likelihoods of absorbing models, by the chain rule along orders of unmasking."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from intarsia.guidance._heads import site_logits
from intarsia.processes import Discrete
from intarsia.samplers._first_hitting import absorbing, hitting_times


def chain_log_prob(
    process: Discrete,
    denoiser: Any,
    x0: Tensor,
    *,
    known: Tensor | None = None,
    orders: int = 4,
    cond: object = None,
    rng: torch.Generator | None = None,
) -> Tensor:
    """Mean over orders of Σ log p(x_i | sites unmasked before i), nats per row, (batch,).

    The expectation over orders bounds log p(x0) from below and equals minus the continuous-time nelbo (Ou et al.
    2025, theorem 2), with no variance from time or the number of masks. Each order takes a call a site.

    Args:
        process: absorbing noise.
        denoiser: class logits; its `site_logits` is used where it has one.
        x0: states (batch, sites).
        known: sites that are scored and shown; the others stay masked, so they are summed over.
        orders: how many orders are averaged, the same for all rows.
        cond: passed to the denoiser.
        rng: draws the orders.
    """
    absorbing(process, "chain_log_prob")
    terms = (chain.sum(1) for chain in chains(process, denoiser, x0, known, orders, cond, rng))
    return sum(terms, torch.zeros(x0.shape[0], dtype=torch.float64, device=x0.device)) / orders


def importance_bound(
    process: Discrete,
    denoiser: Any,
    x0: Tensor,
    *,
    known: Tensor | None = None,
    orders: int = 16,
    cond: object = None,
    rng: torch.Generator | None = None,
) -> Tensor:
    """log of the mean over orders of Π p(x_i | sites unmasked before i), nats per row, (batch,).

    Its expectation bounds the log-likelihood log E_order Π p(x_i | …) of one-by-one unmasking from below, is at least
    that of `chain_log_prob`, never falls as `orders` grows and tends to the log-likelihood (Burda et al. 2016, theorem
    1, with orders as the latent variable). Where the conditionals fit together all of these are equal.

    Args:
        process: absorbing noise.
        denoiser: class logits; its `site_logits` is used where it has one.
        x0: states (batch, sites).
        known: as for `chain_log_prob`.
        orders: how many orders, the same for all rows.
        cond: passed to the denoiser.
        rng: draws the orders.
    """
    absorbing(process, "importance_bound")
    totals = [chain.sum(1) for chain in chains(process, denoiser, x0, known, orders, cond, rng)]
    return torch.stack(totals).logsumexp(0) - math.log(orders)


def any_order_log_prob(
    process: Discrete, denoiser: Any, x0: Tensor, orders: Sequence[Sequence[int]], *, cond: object = None
) -> Tensor:
    """Σ log p(x_i | sites before i) along each of the given orders, nats, (batch, orders).

    Any-order autoregression of an absorbing model (Ou et al. 2025, arXiv 2406.03736).

    A denoiser that reads the time is told evenly spread quantiles of the hitting times. Sites that an order leaves out
    stay masked, so an order of some sites gives their marginal log-likelihood.

    Args:
        process: absorbing noise.
        denoiser: class logits; its `site_logits` is used where it has one.
        x0: states (batch, sites).
        orders: sites in the order in which they are unmasked, each at most once.
        cond: passed to the denoiser.

    Raises:
        ValueError: an order names a site twice, or one that is not there.
    """
    absorbing(process, "any_order_log_prob")
    sites = x0.shape[1]
    columns: list[Tensor] = []
    for order in orders:
        if len(set(order)) != len(order) or not set(order) <= set(range(sites)):
            raise ValueError(f"an order must name some of the sites 0 to {sites - 1} once each, got {list(order)}")
        u = torch.ones((1, sites), dtype=torch.float64, device=x0.device)
        u[0, list(order)] = (torch.arange(len(order), dtype=torch.float64, device=x0.device) + 0.5) / sites
        times = process.schedule.inverse(u)[0]
        columns.append(along(process, denoiser, x0, None, order, times, cond).sum(1))
    return torch.stack(columns, 1) if columns else torch.zeros((x0.shape[0], 0), dtype=torch.float64)


def chains(
    process: Discrete,
    denoiser: Any,
    x0: Tensor,
    known: Tensor | None,
    orders: int,
    cond: object,
    rng: torch.Generator | None,
) -> Iterator[Tensor]:
    """The terms of the chain rule along each of some random orders, (batch, sites)."""
    if orders < 1:
        raise ValueError(f"`orders` must be at least 1, got {orders}")
    for _ in range(orders):
        hits = hitting_times(process, torch.Size((1, x0.shape[1])), rng, x0.device)[0]
        order = [int(site) for site in hits.argsort(descending=True)]
        yield along(process, denoiser, x0, known, order, hits, cond)


def along(
    process: Discrete,
    denoiser: Any,
    x0: Tensor,
    known: Tensor | None,
    order: Sequence[int],
    times: Tensor,
    cond: object,
) -> Tensor:
    """log p(x_i | sites before i in `order`), each at its time of `times` (sites,); 0 if not known, (batch, sites)."""
    mask = process.mask_id(x0.device).expand(x0.shape)
    known = torch.ones_like(x0, dtype=torch.bool) if known is None else known
    x = mask.clone()
    out = torch.zeros(x0.shape, dtype=torch.float64, device=x0.device)
    for site in order:
        logp = site_log_prob(process, denoiser, x, times[site], x0, site, cond)
        out[:, site] = torch.where(known[:, site], logp, 0.0)
        x[:, site] = torch.where(known[:, site], x0[:, site], mask[:, site])
    return out


def group_log_prob(
    process: Discrete, denoiser: Any, x0: Tensor, groups: Sequence[Sequence[int]], *, cond: object = None
) -> Tensor:
    """log p(sites of a group | all other sites), nats, (batch, groups); inside a group by the chain rule.

    With one group a site this is the pseudo-likelihood: how surprising each value is given everything else.
    """
    absorbing(process, "group_log_prob")
    mask = process.mask_id(x0.device).expand(x0.shape)
    start = torch.zeros((), dtype=torch.float64, device=x0.device)
    columns: list[Tensor] = []
    for group in groups:
        x = x0.clone()
        x[:, list(group)] = mask[:, list(group)]
        total = torch.zeros(x0.shape[0], dtype=torch.float64, device=x0.device)
        for site in group:
            total += site_log_prob(process, denoiser, x, start, x0, site, cond)
            x[:, site] = x0[:, site]
        columns.append(total)
    return torch.stack(columns, 1) if columns else torch.zeros((x0.shape[0], 0), dtype=torch.float64)


def site_log_prob(
    process: Discrete, denoiser: Any, x: Tensor, t: Tensor, x0: Tensor, site: int, cond: object
) -> Tensor:
    """log p(x0 at `site` | x) at one time, (batch,)."""
    logits = site_logits(process, denoiser, x, t.expand(x.shape[0]), cond, site)
    return logits.double().log_softmax(-1).gather(-1, x0[:, site, None])[:, 0]
