"""DICE: editing along a recorded path of noise, with exact reconstruction."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from intarsia._types import Clock, Denoiser, batch_size, clock, device_of
from intarsia.editing._region import check_level, outside
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, hold, times
from intarsia.guidance._law import is_masked, likeliest
from intarsia.processes import AbstractFinite, AbstractProcess, Gaussian, Product
from intarsia.samplers._base import uniform_grid

FLOOR = -69.0775527898
"""Logs of probabilities are clamped at log 1e-30, as is that of a one-hot's zeros."""


@dataclass(frozen=True, slots=True)
class Path:
    """A noised path of states, and what the model's kernels missed on it (He et al. 2024, arXiv 2410.08207).

    Args:
        states: from the noisiest to x0, steps + 1 of them.
        residuals: of each step; logs for finite states, differences for reals.
        given: the sites that are held.
    """

    states: tuple[Any, ...]
    residuals: tuple[Any, ...]
    given: Evidence | None


@dataclass(frozen=True, slots=True)
class Dice:
    """xs = argmax(log p(xs | xt, new) + λ1 z + λ2 Gumbel), z = log onehot(ys) - log p(ys | yt, old) (He et al. 2024).

    arXiv 2410.08207: y is a noised path of x0, drawn exactly (bridges from the noisiest state), and z what the
    model's kernel missed at each step of it. With the old condition, λ1 = 1 and λ2 = 0 the argmax is ys, so x0 comes
    back exactly; a new condition changes what the residuals do not hold. From t = 1, λ1 = 0 and λ2 = 1 is ancestral
    sampling. Noise with a mask keeps the path's masks, so that only values are edited. For reals the residual is ys
    minus the kernel's mean.

    Args:
        steps: equal steps of the path.
        start: the time to which x0 is noised, in (0, 1]; less stays closer to x0.
        residual: λ1; what was there is ahead by log-odds of about 69 λ1, so that small values already hold much.
        noise: λ2.
    """

    steps: int = 50
    start: float = 1.0
    residual: float = 1.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        check_level(self.start, self.steps)

    def edit(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        *,
        source: object = None,
        cond: object = None,
        region: Any = None,
        rng: torch.Generator | None = None,
    ) -> Any:
        """Edited states: `invert` under `source`, `replay` under `cond`."""
        path = self.invert(process, denoiser, x0, cond=source, region=region, rng=rng)
        return self.replay(process, denoiser, path, cond=cond, rng=rng)

    def invert(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        x0: Any,
        *,
        cond: object = None,
        region: Any = None,
        rng: torch.Generator | None = None,
    ) -> Path:
        """Record a path of x0.

        Args:
            process: noise of finite states or reals, or a record of them.
            denoiser: predicts the posterior.
            x0: states (batch, *sites), or a dict of them.
            cond: the condition that x0 meets.
            region: bools, true at sites that may change later; None for all.
            rng: draws the path.

        Raises:
            RequirementError: residuals are not defined for the process.
        """
        _check(process)
        given = outside(x0, region)
        with torch.no_grad():
            grid = self._grid(x0)
            xt = hold(process.corrupt(x0, times(grid[0], x0, given), rng), given)
            states, residuals = [xt], list[Any]()
            for k in range(self.steps):
                t, s = (times(u, x0, given) for u in grid[k : k + 2])
                last = k + 1 == self.steps
                xs = x0 if last else hold(process.bridge(x0, xt, s, t, rng), given)
                residuals.append(_residual(process, denoiser(xt, t, cond), xt, xs, s, t))
                states.append(xs)
                xt = xs
        return Path(tuple(states), tuple(residuals), given)

    def replay(
        self,
        process: AbstractProcess[Any],
        denoiser: Denoiser,
        path: Path,
        *,
        cond: object = None,
        rng: torch.Generator | None = None,
    ) -> Any:
        """Walk a path again under another condition.

        Args:
            process: the process that it was recorded with.
            denoiser: likewise.
            path: of as many steps as this object has.
            cond: the condition to meet.
            rng: draws the noise, where there is some.

        Raises:
            ValueError: the path has another number of steps.
        """
        if len(path.residuals) != self.steps:
            raise ValueError(f"the path has {len(path.residuals)} steps, not {self.steps}")
        _check(process)
        x = path.states[0]
        with torch.no_grad():
            grid = self._grid(x)
            for k, residual in enumerate(path.residuals):
                t, s = (times(u, x, path.given) for u in grid[k : k + 2])
                pred = denoiser(x, t, cond)
                x = hold(self._step(process, pred, x, path.states[k + 1], residual, s, t, rng), path.given)
        return x

    def _grid(self, x: Any) -> list[Tensor]:
        grid = self.start * uniform_grid(self.steps).to(device_of(x))
        return [u.expand(batch_size(x)) for u in grid]

    def _step(
        self,
        process: AbstractProcess[Any],
        pred: Any,
        xt: Any,
        ys: Any,
        residual: Any,
        s: Clock,
        t: Clock,
        rng: torch.Generator | None,
    ) -> Any:
        if isinstance(process, Product):
            return {
                k: self._step(p, pred[k], xt[k], ys[k], residual[k], clock(s, k), clock(t, k), rng)
                for k, p in process.fields.items()
            }
        if isinstance(process, Gaussian):
            mean, deviation = process.bridge_moments(pred, xt, s, t)
            fresh = torch.randn(xt.shape, dtype=xt.dtype, generator=rng, device=xt.device) if self.noise else 0.0
            return (mean + self.residual * residual + self.noise * deviation * fresh).to(xt.dtype)
        assert isinstance(process, AbstractFinite)
        # the path says which sites are masks; the argmax says what the others are
        score = process.reverse_law(pred, xt, s, t)[0].clamp(min=FLOOR) + self.residual * residual
        if self.noise:
            u = torch.rand(score.shape, dtype=torch.float64, generator=rng, device=score.device)
            score = score - self.noise * (-u.log()).log()
        return torch.where(is_masked(process.classes, ys), ys, likeliest(process.classes, score))


def _check(process: AbstractProcess[Any]) -> None:
    for field in process.fields.values() if isinstance(process, Product) else (process,):
        if not isinstance(field, AbstractFinite | Gaussian):
            raise RequirementError(f"`Dice` needs finite states or Gaussian noise, got {field}; use `Renoise`")


def _residual(process: AbstractProcess[Any], pred: Any, xt: Any, xs: Any, s: Clock, t: Clock) -> Any:
    if isinstance(process, Product):
        return {k: _residual(p, pred[k], xt[k], xs[k], clock(s, k), clock(t, k)) for k, p in process.fields.items()}
    if isinstance(process, Gaussian):
        return xs - process.bridge_moments(pred, xt, s, t)[0]
    assert isinstance(process, AbstractFinite)
    sure = torch.where(process.classes.is_class(xs), 0.0, FLOOR)
    return sure - process.reverse_law(pred, xt, s, t)[0].clamp(min=FLOOR)
