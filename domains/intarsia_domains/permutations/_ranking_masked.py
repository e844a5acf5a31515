"""Drawing from a head that chooses item by item, inside an event: particles that are only offered what may follow."""

import math

import torch
from torch import Tensor

from intarsia.classes import invert
from intarsia.particles import Systematic
from intarsia.processes import AbstractSequentialHead
from intarsia_domains.permutations._ranking_base import Drawn, missed
from intarsia_domains.permutations._ranking_events import Event, Windows

THRESHOLD = 0.5


def draw_masked(
    head: AbstractSequentialHead, pred: Tensor, event: Event, rng: torch.Generator, particles: int
) -> Drawn:
    """One draw a row of p(x | event), and an estimate of p(event).

    Sequential importance resampling: at every rank a particle chooses among the items that its event allows, and
    its weight is the probability that the head gives to all of these. For prefixes the weights are equal, so that one
    particle is exact; else the estimate of p(event) is unbiased, and draws follow the law as particles grow in number.

    Args:
        head: the law.
        pred: its parameters, (rows, *shape).
        event: of the rows.
        rng: draws everything.
        particles: of each row.
    """
    exact = event.is_prefix
    k = 1 if exact else particles
    rows, n = len(event), event.n
    windows = Windows(event.repeated(k))
    pred = pred.double().repeat_interleave(k, 0)
    x = torch.zeros((rows * k, n), dtype=torch.long, device=pred.device)
    taken = torch.zeros_like(x, dtype=torch.bool)
    log_w = torch.zeros((rows, k), dtype=torch.float64, device=pred.device)
    log_z = torch.zeros_like(log_w[:, 0])
    for rank in range(n):
        logits = head.logits(pred, x[:, :rank]).masked_fill(taken, -torch.inf).log_softmax(1)
        offered = logits.masked_fill(~windows.allowed(taken, rank), -torch.inf)
        mass = offered.logsumexp(1)
        alive = mass > -torch.inf
        u = torch.rand(rows * k, dtype=torch.float64, generator=rng, device=pred.device)
        x[:, rank] = invert(torch.where(alive[:, None], offered, logits), u)
        taken = taken.scatter(1, x[:, rank : rank + 1], True)
        log_w = log_w + mass.view(rows, k)
        if k > 1 and rank < n - 1:
            x, taken, log_w, log_z = _resampled(x, taken, log_w, log_z, rng)
    total = log_w.logsumexp(1)
    if bool((total == -torch.inf).any()):
        raise missed(total == -torch.inf, particles)
    chosen = invert(log_w, torch.rand(rows, dtype=torch.float64, generator=rng, device=pred.device))
    return Drawn(x.view(rows, k, n)[torch.arange(rows, device=x.device), chosen], log_z + total - math.log(k), exact)


def _resampled(
    x: Tensor, taken: Tensor, log_w: Tensor, log_z: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Particles after resampling the rows whose weights have become uneven."""
    rows, k = log_w.shape
    alive = (log_w > -torch.inf).any(1)
    share = torch.where(alive[:, None], log_w, 0.0).softmax(1)
    low = alive & (1.0 / share.square().sum(1) < THRESHOLD * k)
    if not bool(low.any()):
        return x, taken, log_w, log_z
    chosen = torch.arange(rows * k, device=x.device).view(rows, k)
    chosen[low] = chosen[low].gather(1, Systematic().ancestors(share[low], rng))
    log_z = torch.where(low, log_z + log_w.logsumexp(1) - math.log(k), log_z)
    chosen = chosen.flatten()
    return x[chosen], taken[chosen], torch.where(low[:, None], 0.0, log_w), log_z
