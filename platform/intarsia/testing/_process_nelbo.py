"""The nelbo of a single site with the true posterior is -log p: exactly on a grid, by quadrature in continuous time."""

import math
from itertools import pairwise

import torch
from torch import Tensor

from intarsia.processes import AbstractFinite, Gaussian
from intarsia.schedules import Staged
from intarsia.testing._ensure import ensure_close
from intarsia.testing._finite import FiniteSites, example_sites
from intarsia.testing._process_finite import random_laws
from intarsia.testing._process_shapes import full

_NODES = (0.0694318442029737, 0.3300094782075719, 0.6699905217924281, 0.9305681557970263)
_WEIGHTS = (0.1739274225687269, 0.3260725774312731, 0.3260725774312731, 0.1739274225687269)


def quadrature(edges: Tensor) -> tuple[list[float], list[float]]:
    """Nodes and weights of the four-point Gauss-Legendre rule on every panel between `edges`."""
    ends = [float(edge) for edge in edges]
    panels = list(pairwise(ends))
    times = [a + (b - a) * node for a, b in panels for node in _NODES]
    return times, [(b - a) * weight for a, b in panels for weight in _WEIGHTS]


def expected_loss(finite: FiniteSites, laws: Tensor, t: float, s: float | None = None) -> Tensor:
    """E[loss | x0] over q(xt | x0) with the true posterior of independent sites, (sites, classes)."""
    x0, xt, valid = finite.pairs()
    post = finite.posterior(laws, t)
    probs = torch.stack([post[site, xt[:, site]] for site in range(finite.sites)], 1)
    start = None if s is None else full(len(x0), s)
    loss = finite.process.loss(finite.prediction(probs), x0, xt, full(len(x0), t), start)
    q = finite.marginal(t)
    return torch.where(q > 0, q * loss.T.reshape(valid.shape), 0.0).sum(-1)


def site_nelbo(finite: FiniteSites, laws: Tensor, steps: int | None, panels: int = 1) -> Tensor:
    """Nelbo of every class of every site, (sites, classes), by enumeration; None for continuous time.

    Continuous time is integrated over a graded grid, each panel of which is cut into `panels`.
    """
    x0, _, valid = finite.pairs()
    total = finite.process.prior_kl(x0).T.reshape(valid.shape)[:, :, 0].double().clone()
    if steps is not None:
        for k in range(steps):
            total += expected_loss(finite, laws, (k + 1) / steps, k / steps)
        return total
    schedule = getattr(finite.process, "schedule", None)
    edges = _graded(max(schedule.stages) + 1 if isinstance(schedule, Staged) else 1)
    cuts = torch.arange(panels, dtype=torch.float64) / panels
    finer = (edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * cuts).flatten()
    times, weights = quadrature(torch.cat([finer, edges[-1:]]))
    for t, weight in zip(times, weights, strict=True):
        total += weight * expected_loss(finite, laws, t)
    return total


def _graded(windows: int) -> Tensor:
    """Edges of panels over [0, 1], fine at both ends of every window, where integrands have logarithms."""
    first = torch.tensor([0.0, 1e-6, 1e-5, 1e-4, 1e-3, 0.004, 0.01], dtype=torch.float64)
    inner = torch.linspace(0.03, 0.97, 16, dtype=torch.float64)
    window = torch.cat([first, inner, 1.0 - first.flip(0)])
    return torch.cat([*[(window[:-1] + k) / windows for k in range(windows)], torch.ones(1, dtype=torch.float64)])


def check_nelbo(process: AbstractFinite, seed: int) -> None:
    """The bound is tight at the posterior, class by class, but for what the prior keeps of the data."""
    finite = FiniteSites(process, example_sites(process))
    laws = random_laws(finite, seed)
    exists = finite.pairs()[2].any(-1)
    q, pi = finite.marginal(1.0), finite.prior()[:, None]
    # -log p + E[log(q(x1) / π(x1))]: the second term is 0 where alpha(1) is
    mixed = (laws[:, :, None] * q).sum(1, keepdim=True)
    slack = torch.where(q > 0, q * (mixed.clamp(min=1e-300) / pi.clamp(min=1e-300)).log(), 0.0).sum(-1)
    truth = slack - laws.clamp(min=1e-300).log()
    for steps, tolerance in ((1, 1e-10), (3, 1e-10), (None, 2e-4)):
        got = site_nelbo(finite, laws, steps)
        if steps is None and bool(((got - truth)[exists].abs() > tolerance).any()):
            got = site_nelbo(finite, laws, steps, panels=8)  # fast noise needs a finer grid
        name = "continuous time" if steps is None else f"{steps} steps"
        ensure_close(got[exists], truth[exists], tolerance, f"the nelbo of one site of {process} in {name}")


def check_gaussian_nelbo(process: Gaussian, mean: float = 0.3, variance: float = 0.5) -> None:
    """For one Gaussian number with the true posterior mean, prior + diffusion + reconstruction = -log density."""
    x0 = torch.tensor([[-1.0], [0.2], [1.7]], dtype=torch.float64)
    nodes = torch.tensor([-(3.0**0.5), 0.0, 3.0**0.5], dtype=torch.float64)  # exact for squares
    chances = torch.tensor([1 / 6, 2 / 3, 1 / 6], dtype=torch.float64)
    data = x0.repeat_interleave(3, 0)

    def posterior_mean(xt: Tensor, t: Tensor) -> Tensor:
        signal, noise = process.coefficients(t, xt)
        gain = signal * variance / (signal.square() * variance + noise.square())
        return mean + gain * (xt - signal * mean)

    def noised(t: Tensor) -> Tensor:
        signal, noise = process.coefficients(t, data)
        return signal * data + noise * nodes.repeat(3)[:, None]

    def average(values: Tensor) -> Tensor:
        return (values[:, 0].view(3, 3) * chances).sum(1)

    zero = full(9, 0.0)
    xt = noised(zero)
    total = process.prior_kl(x0)[:, 0] + average(process.reconstruction(posterior_mean(xt, zero), data, xt))
    edges = torch.cat([torch.zeros(1), torch.logspace(-6, 0, 200)]).double()
    for t, weight in zip(*quadrature(edges), strict=True):
        time = full(9, t)
        xt = noised(time)
        total = total + weight * average(process.loss(posterior_mean(xt, time), data, xt, time))
    truth = 0.5 * ((x0[:, 0] - mean).square() / variance + math.log(2 * math.pi * variance))
    ensure_close(total, truth, 2e-3, f"the nelbo of Gaussian data under {process}")
