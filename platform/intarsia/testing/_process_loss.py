"""Losses of a process: signs, the perfect prediction, what is least, gradients."""

from typing import Any

import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import batch_size
from intarsia.processes import AbstractProcess
from intarsia.testing._bayes import BayesDenoiser
from intarsia.testing._ensure import ensure, ensure_close, leaves
from intarsia.testing._examples import perfect_prediction, rows_of
from intarsia.testing._process_shapes import full


def check_loss(process: AbstractProcess[Any], x0: Any, pred: Any) -> None:
    """Losses are not negative, least for the posterior, and have finite gradients at every time.

    That of a sure and right prediction is 0; in a step of a kernel that is right to O(step) it need only vanish faster
    than the step.
    """
    rows = batch_size(x0)
    for s, t in [(0.0, 1e-6), (0.2, 0.7), (0.9, 1.0)]:
        xt = process.corrupt(x0, full(rows, t), torch.Generator().manual_seed(11))
        perfect = perfect_prediction(process, x0, xt, full(rows, t))
        for start in (None, full(rows, s)):
            where = f"{process} at t = {t:g}" + ("" if start is None else f", s = {s:g}")
            for value in leaves(process.loss(pred, x0, xt, full(rows, t), start)):
                ensure(bool((value >= -1e-9).all()), f"`loss` of {where} is negative: {float(value.min()):.6g}")
            if start is None or process.reverse_is == "exact":
                for value in leaves(process.loss(perfect, x0, xt, full(rows, t), start)):
                    ensure_close(value, torch.zeros_like(value), 1e-7, f"`loss` of the perfect prediction, {where}")
            for dtype in (torch.float32, torch.float64):
                _check_gradient(process, x0, xt, _leaf(pred, dtype), full(rows, t), start, f"{where}, {dtype}")
    _check_short_steps(process, x0)
    _check_least(process, x0)
    for value in leaves(process.prior_kl(x0)):
        finite = bool(value.isfinite().all()) and bool((value >= -1e-9).all())
        ensure(finite, f"`prior_kl` of {process} must be finite and not negative, got {float(value.min()):.6g}")


def _check_short_steps(process: AbstractProcess[Any], x0: Any, t: float = 0.7) -> None:
    """Half the step has a third of the perfect prediction's loss or less: a quarter where the kernel is first order."""
    now = full(batch_size(x0), t)
    xt = process.corrupt(x0, now, torch.Generator().manual_seed(12))
    perfect = perfect_prediction(process, x0, xt, now)
    long, short = (
        float(sum_sites(process.loss(perfect, x0, xt, now, full(batch_size(x0), t - h))).mean()) for h in (0.02, 0.01)
    )
    ensure(
        short <= long / 3 + 1e-7,
        f"`loss` of the perfect prediction of {process} must vanish faster than the step, "
        f"it is {long:.3g} for 0.02 and {short:.3g} for 0.01",
    )


def _check_least(process: AbstractProcess[Any], x0: Any) -> None:
    """Averaged over the posterior of a law of six states, no prediction has a smaller loss than that posterior's."""
    points = rows_of(x0, slice(6))
    count, rows = batch_size(points), 4 * batch_size(points)
    oracle = BayesDenoiser(process, points, torch.linspace(-1.0, 1.0, count, dtype=torch.float64))
    rng = torch.Generator().manual_seed(13)
    now = full(rows, 0.6)
    xt = process.corrupt(rows_of(points, torch.arange(rows) % count), now, rng)
    posterior = oracle.posterior(xt, now)
    noise = torch.randn((3, rows, count), generator=rng, dtype=torch.float64)
    for start in (None, full(rows, 0.4)):

        def expected(weights: Tensor, start: Tensor | None = start) -> Tensor:
            pred = process.prediction_at(points, weights, xt, now)
            nats = [
                sum_sites(process.loss(pred, rows_of(points, torch.full((rows,), k)), xt, now, start))
                for k in range(count)
            ]
            return torch.where(posterior > 0, posterior * torch.stack(nats, 1).double(), 0.0).sum(1)

        least = expected(posterior)
        for change in noise:
            other = expected((posterior.clamp(min=1e-300).log() + change).softmax(1))
            where = f"{process} at t = 0.6" + ("" if start is None else ", s = 0.4")
            ensure(
                bool((other >= least - 1e-9 * (1.0 + least.abs())).all()),
                f"`loss` of {where} is less for another prediction than for the posterior",
            )


def _check_gradient(
    process: AbstractProcess[Any], x0: Any, xt: Any, pred: Any, t: Tensor, s: Tensor | None, where: str
) -> None:
    losses = leaves(process.loss(pred, x0, xt, t, s))
    total = torch.stack([value.double().sum() for value in losses]).sum()
    if total.requires_grad:
        total.backward()  # pyright: ignore[reportUnknownMemberType]
    for leaf in leaves(pred):
        ensure(leaf.grad is not None, f"`loss` of {where} does not depend on the prediction")
        assert leaf.grad is not None
        ensure(bool(leaf.grad.isfinite().all()), f"the gradient of `loss` is not finite for {where}")


def _leaf(pred: Any, dtype: torch.dtype) -> Any:
    if isinstance(pred, dict):
        return {name: _leaf(value, dtype) for name, value in pred.items()}  # pyright: ignore[reportUnknownVariableType]
    return pred.detach().to(dtype).clone().requires_grad_(True)
