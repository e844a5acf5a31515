"""Laws of Gaussian noise: its moments, and bridges that recover them."""

import math

import torch
from torch import Tensor

from intarsia.processes import Gaussian
from intarsia.testing._ensure import ensure, ensure_close
from intarsia.testing._process_shapes import full

ROWS = 40_000
TIMES = [(0.1, 0.3), (0.25, 0.6), (0.5, 0.9), (0.0, 0.2)]
Z = 4.5
"""Moments may be off by this many standard errors; a right process fails with probability 1e-5."""


def check_gaussian(process: Gaussian, seed: int) -> None:
    """Signal falls and noise-to-signal rises; draws of `corrupt` and `bridge` have the declared moments."""
    level = process.level
    grid = torch.linspace(0.0, 1.0, 101, dtype=torch.float64)
    log_snr = level.log_snr(grid)
    ensure(bool((log_snr.diff() < 0).all()), f"the log-SNR of {level} must fall all the way from t = 0 to t = 1")
    ensure_close(level.time(log_snr), grid, 1e-9, f"`time` must invert `log_snr` of {level}")
    rng = torch.Generator().manual_seed(seed)
    x0 = torch.full((ROWS, 1), 0.8, dtype=torch.float64)
    for s, t in TIMES:
        now, then = full(ROWS, t), full(ROWS, s)
        signal_t, noise_t = (float(value[0]) for value in process.coefficients(now, x0))
        signal_s, noise_s = (float(value[0]) for value in process.coefficients(then, x0))
        where = f"{process} at s = {s:g}, t = {t:g}"
        xt = process.corrupt(x0, now, rng)
        _moments(xt, 0.8 * signal_t, noise_t, f"`corrupt` of {where}")
        _density(process, xt, x0, now, signal_t, noise_t, where)
        xs = process.bridge(x0, xt, then, now, rng)
        _moments(xs, 0.8 * signal_s, noise_s, f"`bridge` after `corrupt` of {where}")
        # xt = gain xs + fresh noise, so their covariance is gain b(s)²
        unit = ((xs - 0.8 * signal_s) / noise_s * (xt - 0.8 * signal_t) / noise_t).mean()
        wanted = signal_t / signal_s * noise_s / noise_t
        ensure_close(unit, torch.tensor(wanted), Z * (2.0 / ROWS) ** 0.5, f"correlation of xs and xt, {where}")
        # the kernel that is sure of x0 is the bridge
        _moments(process.reverse(x0, xt, then, now, rng), 0.8 * signal_s, noise_s, f"`reverse` of {where}")


def _moments(x: Tensor, mean: float, deviation: float, what: str) -> None:
    unit = (x - mean) / deviation
    ensure_close(unit.mean(), torch.tensor(0.0), Z / ROWS**0.5, f"standardized mean of {what}")
    ensure_close(unit.square().mean(), torch.tensor(1.0), Z * (2.0 / ROWS) ** 0.5, f"standardized variance of {what}")


def _density(process: Gaussian, xt: Tensor, x0: Tensor, t: Tensor, signal: float, noise: float, where: str) -> None:
    wanted = -0.5 * ((xt[:100] - 0.8 * signal) / noise).square() - math.log(noise) - 0.5 * math.log(2 * math.pi)
    ensure_close(process.log_q(xt[:100], x0[:100], t[:100]), wanted, 1e-8, f"`log_q` of {where}")
