"""Losses of a process: signs, the perfect prediction, gradients."""

from typing import Any

import torch
from torch import Tensor

from intarsia._types import batch_size
from intarsia.processes import AbstractProcess
from intarsia.testing._ensure import ensure, ensure_close, leaves
from intarsia.testing._examples import perfect_prediction
from intarsia.testing._process_shapes import full


def check_loss(process: AbstractProcess[Any], x0: Any, pred: Any) -> None:
    """Losses are not negative, 0 for a sure and right prediction, and have finite gradients at every time."""
    rows = batch_size(x0)
    perfect = perfect_prediction(process, x0)
    for s, t in [(0.0, 1e-6), (0.2, 0.7), (0.9, 1.0)]:
        xt = process.corrupt(x0, full(rows, t), torch.Generator().manual_seed(11))
        for start in (None, full(rows, s)):
            where = f"{process} at t = {t:g}" + ("" if start is None else f", s = {s:g}")
            for value in leaves(process.loss(pred, x0, xt, full(rows, t), start)):
                ensure(bool((value >= -1e-9).all()), f"`loss` of {where} is negative: {float(value.min()):.6g}")
            for value in leaves(process.loss(perfect, x0, xt, full(rows, t), start)):
                ensure_close(value, torch.zeros_like(value), 1e-7, f"`loss` of the perfect prediction, {where}")
            for dtype in (torch.float32, torch.float64):
                _check_gradient(process, x0, xt, _leaf(pred, dtype), full(rows, t), start, f"{where}, {dtype}")
    for value in leaves(process.prior_kl(x0)):
        finite = bool(value.isfinite().all()) and bool((value >= -1e-9).all())
        ensure(finite, f"`prior_kl` of {process} must be finite and not negative, got {float(value.min()):.6g}")


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
