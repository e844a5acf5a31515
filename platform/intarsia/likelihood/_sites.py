"""How much each site adds to the negative log-likelihood of its row."""

from typing import Any, cast

import torch
from torch import Tensor

from intarsia._types import Denoiser, batch_size, device_of
from intarsia.likelihood._chain import chains
from intarsia.objectives import low_discrepancy
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers._first_hitting import absorbing


def chain_site_scores(
    process: Discrete,
    denoiser: Any,
    x0: Tensor,
    *,
    known: Tensor | None = None,
    orders: int = 4,
    cond: object = None,
    rng: torch.Generator | None = None,
) -> Tensor:
    """Mean over orders of log p(x_i | sites unmasked before i), nats, (batch, sites); rows sum to `chain_log_prob`.

    Each site is seen early (against its marginal) and late (given nearly everything), so a value is low here if it is
    rare or fits its row badly. `group_log_prob` asks only for the second.
    """
    absorbing(process, "chain_site_scores")
    terms = chains(process, denoiser, x0, known, orders, cond, rng)
    return sum(terms, torch.zeros(x0.shape, dtype=torch.float64, device=x0.device)) / orders


def site_nelbo(
    process: AbstractProcess[Any],
    denoiser: Denoiser,
    x0: Any,
    *,
    samples: int = 16,
    cond: object = None,
    rng: torch.Generator | None = None,
) -> Any:
    """The continuous-time nelbo site by site, nats, (batch, *sites), or a dict of them for records; for every process.

    For absorbing noise the summands of Shi et al. 2024, arXiv 2406.04329, eq. 4.

    Prior, diffusion and reconstruction together, over `samples` draws of time and noise; the sum over sites is an
    estimate of `Diffusion.nelbo(x0).total`.
    """
    rows, device = batch_size(x0), device_of(x0)
    with torch.no_grad():
        total: Any = process.prior_kl(x0)
        for _ in range(samples):
            t = low_discrepancy(rows, device, rng)
            xt = process.corrupt(x0, t, rng)
            total = _added(total, process.loss(denoiser(xt, t, cond), x0, xt, t), 1.0 / samples)
        start = torch.zeros(rows, dtype=torch.float64, device=device)
        xt = process.corrupt(x0, start, rng)
        return _added(total, process.reconstruction(denoiser(xt, start, cond), x0, xt), 1.0)


def _added(a: Any, b: Any, weight: float) -> Any:
    if isinstance(a, dict):
        return {name: _added(value, b[name], weight) for name, value in cast(dict[str, Tensor], a).items()}
    return a.double() + weight * b.double()
