"""Log-likelihoods of absorbing models, by the chain rule along orders of unmasking."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from intarsia.classes import Ragged
from intarsia.processes import Discrete
from intarsia.samplers._first_hitting import absorbing, hitting_times


def chain_log_prob(
    process: Discrete,
    denoiser: Any,
    x0: Tensor,
    *,
    known: Tensor | None = None,
    orders: int = 4,
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
        rng: draws the orders.
    """
    absorbing(process, "chain_log_prob")
    known = torch.ones_like(x0, dtype=torch.bool) if known is None else known
    mask = process.mask_id(x0.device).expand(x0.shape)
    total = torch.zeros(x0.shape[0], dtype=torch.float64, device=x0.device)
    for _ in range(orders):
        hits = hitting_times(process, torch.Size((1, x0.shape[1])), rng, x0.device)[0]
        x = mask.clone()
        for site in map(int, hits.argsort(descending=True)):
            logp = _site_log_prob(process, denoiser, x, hits[site], x0, site)
            total += torch.where(known[:, site], logp, 0.0)
            x[:, site] = torch.where(known[:, site], x0[:, site], mask[:, site])
    return total / orders


def group_log_prob(process: Discrete, denoiser: Any, x0: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """log p(sites of a group | all other sites), nats, (batch, groups); inside a group by the chain rule."""
    absorbing(process, "group_log_prob")
    mask = process.mask_id(x0.device).expand(x0.shape)
    start = torch.zeros((), dtype=torch.float64, device=x0.device)
    columns: list[Tensor] = []
    for group in groups:
        x = x0.clone()
        x[:, list(group)] = mask[:, list(group)]
        total = torch.zeros(x0.shape[0], dtype=torch.float64, device=x0.device)
        for site in group:
            total += _site_log_prob(process, denoiser, x, start, x0, site)
            x[:, site] = x0[:, site]
        columns.append(total)
    return torch.stack(columns, 1) if columns else torch.zeros((x0.shape[0], 0), dtype=torch.float64)


def _site_log_prob(process: Discrete, denoiser: Any, x: Tensor, t: Tensor, x0: Tensor, site: int) -> Tensor:
    head = getattr(denoiser, "site_logits", None)
    time = t.expand(x.shape[0])
    if head is not None:
        logits = head(x, time, None, site)
    else:
        classes = process.classes
        logits = denoiser(x, time, None)
        logits = logits[:, classes.slices()[site]] if isinstance(classes, Ragged) else logits[:, site]
    return logits.double().log_softmax(-1).gather(-1, x0[:, site, None])[:, 0]
