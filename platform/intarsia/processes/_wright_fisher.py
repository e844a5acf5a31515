"""The Wright-Fisher diffusion from a corner of the simplex: density, score and draws, without simulation or tables."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

_SERIES_FROM = 0.02
"""Clock from which the Jacobi series is used; below, the expansion for small clocks is right to 1e-6."""
_LEAST = 1e-15
"""The least clock of a density: at 0 it is a point mass."""
_GRID = 513


@dataclass(frozen=True, slots=True)
class WrightFisher:
    """dx = ½ (1 - K x) dτ + noise of covariance (diag(x) - x xᵀ) dτ on K categories, started at a corner e_i.

    Its law has the density f(x_i) towards Dirichlet(1, …, 1), a function of x_i and the clock τ alone:
    f = Σ_m q_m(τ) (K)_m / m! x_i^m, with q_m the law of the number of lines left of infinitely many (Griffiths 1979;
    Tavaré 1984). E[x | e_i] = α e_i + (1 - α) / K with α = exp(-K τ / 2). States are given by u = 1 - x_i, the sum
    of the other coordinates, which keeps its digits near the corner.
    """

    num_classes: int

    def log_density(self, u: Tensor, clock: Tensor) -> Tensor:
        """log f at x_i = 1 - u (elementwise, broadcast), float64."""
        return self._evaluate(u, clock)[0]

    def score(self, u: Tensor, clock: Tensor) -> Tensor:
        """h = d log f / d x_i ≥ 0, the only coordinate of the score; x_i h is the mean number of lines given x_i."""
        return self._evaluate(u, clock)[1]

    def _evaluate(self, u: Tensor, clock: Tensor) -> tuple[Tensor, Tensor]:
        shape = (u + clock).shape
        u, clock = u.double().clamp(0.0, 1.0).expand(shape), clock.double().clamp(min=_LEAST).expand(shape)
        late = clock >= _SERIES_FROM
        value, score = self._expansion(u, torch.where(late & (clock > 1.0), 1.0, clock))
        if bool(late.any()):
            series, slope, size = self._series(u[late], clock[late])
            # far in a tail the series has cancelled and the expansion, whose error is a few 1e-3, takes over
            clear = series > 1e-9 * size
            safe = torch.where(clear, series, 1.0)
            value = value.masked_scatter(late, torch.where(clear, safe.log(), value[late]))
            score = score.masked_scatter(late, torch.where(clear, slope / safe, score[late]))
        return value, score.clamp(min=0.0)

    def _series(self, u: Tensor, clock: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Σ exp(-λ_n τ) R_n(1) R_n(x) / d_n with Jacobi polynomials P_n^(K-2, 0), its slope, and Σ |terms|.

        Polynomials are scaled to 1 at x = 1, and found by their three-term recurrence.
        """
        count = self.num_classes
        a, soonest = count - 2, float(clock.min())
        before, now = torch.ones_like(u), 1.0 - count / (count - 1) * u
        slope_before, slope_now = torch.zeros_like(u), torch.full_like(u, count / (count - 1))
        total, slope, size = torch.ones_like(u), torch.zeros_like(u), torch.ones_like(u)
        n = 1
        while True:
            log_weight = math.log((2 * n + count - 1) / (count - 1)) + 2.0 * _log_choose(n + a, n)
            eigenvalue = 0.5 * n * (n - 1 + count)
            if not log_weight - eigenvalue * soonest >= -45.0:
                return total, slope, size
            weight = (log_weight - eigenvalue * clock).exp()
            total, slope, size = total + weight * now, slope + weight * slope_now, size + weight * now.abs()
            lead = (2 * n + a + 1) * (2 * n + a + 2) / (2 * (n + 1 + a) ** 2)
            shift = a * a * (2 * n + a + 1) / (2 * (n + 1 + a) ** 2 * (2 * n + a))
            back = n * n * (2 * n + a + 2) / ((n + 1 + a) ** 2 * (2 * n + a))
            factor = lead * (1.0 - 2.0 * u) + shift
            slope_before, slope_now = slope_now, factor * slope_now + 2.0 * lead * now - back * slope_before
            before, now = now, factor * now - back * before
            n += 1

    def _expansion(self, u: Tensor, clock: Tensor) -> tuple[Tensor, Tensor]:
        """log f and its slope for small clocks, with errors of O(τ²) that hardly depend on x.

        With u = sin²(θ/2), θ is Brownian but for a drift, and f is the heat kernel of a Pöschl-Teller potential:
        exp(-θ²/2τ) times a power of the volume factor J, times exp(τ a(θ)), a the mean of the regular part of the
        potential on the way from the corner (the transport equation's first coefficient); the Bessel function keeps
        it finite at the opposite face, x_i = 0.
        """
        power, top = 2 * self.num_classes - 3, self.num_classes - 1
        angle = 2.0 * torch.asin(u.sqrt())
        # limits at both ends are reached to rounding before cancellation sets in
        theta = torch.maximum(angle, 0.03 * clock.sqrt()).clamp(max=math.pi - 1e-3)
        half, rest = theta / 2.0, math.pi - theta
        sin, cos = half.sin(), half.cos()
        tan, cot = sin / cos, cos / sin
        bessel = math.pi * rest / clock
        wall = power / 2 * (power / 2 - 1)
        gap = 1.0 / (2.0 * theta) - cot / 4.0
        mean = top**2 / 8 + tan / theta / 16.0 - 1.0 / (8.0 * math.pi * rest) - wall * gap / theta
        curvature = wall / 240 - 1 / 64
        value = top * (2.0 / clock).log() - math.lgamma(top + 1) - angle.square() / (2.0 * clock)
        value = (
            value - 0.5 * (power * (sin / half).log() + cos.log()) + clock * mean - clock.square() * top * curvature / 6
        )
        i0, i1 = _scaled_bessel(bessel)
        value = value + i0.log() + 0.5 * (2.0 * math.pi * bessel).log()
        mean_slope = (0.5 / (cos.square() * theta) - tan / theta.square()) / 16.0
        mean_slope = mean_slope - 1.0 / (8.0 * math.pi * rest.square())
        mean_slope = mean_slope - wall * ((1.0 / (8.0 * sin.square()) - 0.5 / theta.square()) - gap / theta) / theta
        slope = -theta / clock - 0.5 * power * (cot / 2.0 - 1.0 / theta) + tan / 4.0 + clock * mean_slope
        slope = slope - math.pi / clock * (0.5 / bessel + i1 / i0 - 1.0)
        return value, -2.0 * slope / theta.sin()

    def draw(self, clock: Tensor, rng: torch.Generator | None) -> Tensor:
        """Draw u = 1 - x_i at the clocks (…), by the inverse distribution function of θ."""
        times, row = _distinct(clock)
        step, density = self._angles(times)
        cell = 0.5 * (density[:, 1:] + density[:, :-1])
        passed = torch.nn.functional.pad(cell.cumsum(1), (1, 0))
        total = passed[:, -1]
        level = torch.rand(row.shape, dtype=torch.float64, generator=rng, device=clock.device)
        # one search in all rows: row k holds the numbers from k to k + 1
        offset = torch.arange(len(times), dtype=torch.float64, device=clock.device)
        found = torch.searchsorted((passed / total[:, None] + offset[:, None]).flatten(), row + level, right=True)
        place = (found - 1 - row * _GRID).clamp(0, _GRID - 2)
        left, right = density[row, place], density[row, place + 1]
        mass = (level * total[row] - passed[row, place]).clamp(min=0.0)
        root = (left.square() + 2.0 * (right - left) * mass).clamp(min=0.0).sqrt()
        inside = (2.0 * mass / (left + root).clamp(min=1e-300)).clamp(0.0, 1.0)
        theta = (place + inside) * step[row]
        return torch.sin(theta / 2.0).square().view(clock.shape)

    def _angles(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Steps in θ of a grid per time, and the density of θ on it, up to a factor, (times, grid)."""
        span = (times.sqrt() * (math.sqrt(2 * self.num_classes - 2) + 9.0)).clamp(max=math.pi)
        theta = torch.linspace(0.0, 1.0, _GRID, dtype=torch.float64, device=times.device) * span[:, None]
        sin, cos = torch.sin(theta / 2.0), torch.cos(theta / 2.0)
        volume = (2 * self.num_classes - 3) * sin.log() + cos.clamp(min=1e-300).log()
        log_density = volume + self.log_density(sin.square(), times[:, None])
        return span / (_GRID - 1), (log_density - log_density.amax(1, keepdim=True)).exp()

    def mean(self, function: Callable[[Tensor, Tensor], Tensor], times: Tensor) -> Tensor:
        """E[function(u, clock)] at the clocks (…), by Simpson's rule in θ."""
        unique, row = _distinct(times)
        step, density = self._angles(unique)
        theta = step[:, None] * torch.arange(_GRID, dtype=torch.float64, device=times.device)
        values = function(torch.sin(theta / 2.0).square(), unique[:, None])
        simpson = torch.full_like(theta[0], 2.0)
        simpson[1::2] = 4.0
        simpson[[0, -1]] = 1.0
        return ((simpson * density * values).sum(1) / (simpson * density).sum(1))[row].view(times.shape)


def _scaled_bessel(z: Tensor) -> tuple[Tensor, Tensor]:
    """exp(-z) I_0(z) and exp(-z) I_1(z)."""
    i0 = cast(Tensor, torch.special.i0e(z))  # pyright: ignore[reportUnknownMemberType]
    i1 = cast(Tensor, torch.special.i1e(z))  # pyright: ignore[reportUnknownMemberType]
    return i0, i1


def _distinct(clock: Tensor) -> tuple[Tensor, Tensor]:
    """The different clocks, and which of them each entry is."""
    times = clock.double().clamp(min=_LEAST).flatten().sort().values
    times = times[torch.cat([torch.ones_like(times[:1], dtype=torch.bool), times.diff() > 0])]
    return times, torch.searchsorted(times, clock.double().clamp(min=_LEAST).flatten())


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
