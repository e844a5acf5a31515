"""Times of a process: per row and per site, at both ends and where s = t."""

from typing import Any

import torch
from torch import Tensor

from intarsia._types import batch_size
from intarsia.processes import AbstractJoint, AbstractProcess, Product
from intarsia.testing._ensure import ensure, ensure_close, leaves
from intarsia.testing._process_shapes import full


def check_site_times(process: AbstractProcess[Any], x0: Any, pred: Any) -> None:
    """A time per site that is the same everywhere equals a time per row, and a site at time 0 stays as it is."""
    rows = batch_size(x0)
    s, t = full(rows, 0.25), full(rows, 0.7)
    rng = torch.Generator().manual_seed(3)
    xt = process.corrupt(x0, t, rng)
    for name, call in _quantities(process, x0, xt, pred).items():
        a, b = call(s, t), call(_sites(s, x0), _sites(t, x0))
        for row, site in zip(leaves(a), leaves(b), strict=True):
            ensure_close(site, row, 1e-9, f"`{name}` of {process} with times per site instead of per row")
    if isinstance(process, AbstractJoint):  # one variable has one time
        return
    held = _halves(x0)
    mixed = _zeroed(_sites(t, x0), held)
    zero = _zeroed(_sites(s, x0), held)
    noised = process.corrupt(x0, mixed, rng)
    moves = {"corrupt": (noised, x0), "reverse": (process.reverse(pred, noised, zero, mixed, rng), noised)}
    moves["bridge"] = (process.bridge(x0, noised, zero, mixed, rng), noised)
    for name, (after, before) in moves.items():
        for got, wanted, mask in zip(leaves(after), leaves(before), leaves(held), strict=True):
            # Gaussian noise leaves a little at t = 0
            slack = 0.05 if got.is_floating_point() and name == "corrupt" else 1e-9
            ensure_close(got[mask], wanted[mask], slack, f"sites at time 0 after `{name}` of {process}")


def check_endpoints(process: AbstractProcess[Any], x0: Any, pred: Any) -> None:
    """Everything is finite at s = t, as t falls to 0 and as t rises to 1; a step of no length moves nothing."""
    rows = batch_size(x0)
    for s, t in [(0.0, 0.0), (0.0, 1e-9), (1e-9, 1e-9), (0.4, 0.4), (0.0, 1.0), (1.0 - 1e-9, 1.0), (1.0, 1.0)]:
        rng = torch.Generator().manual_seed(5)
        xt = process.corrupt(x0, full(rows, t), rng)
        times = full(rows, s), full(rows, t)
        where = f"{process} at s = {s:g}, t = {t:g}"
        for name, call in _quantities(process, x0, xt, pred).items():
            for value in leaves(call(*times)):
                ensure(bool(value.isfinite().all()), f"`{name}` is not finite for {where}")
        for name, moved in {
            "bridge": process.bridge(x0, xt, *times, rng),
            "reverse": process.reverse(pred, xt, *times, rng),
        }.items():
            for got, wanted in zip(leaves(moved), leaves(xt), strict=True):
                ensure(bool(got.isfinite().all()), f"`{name}` is not finite for {where}")
                if s == t:
                    ensure_close(got, wanted, 1e-9, f"`{name}` of {where} must not move")


def _quantities(process: AbstractProcess[Any], x0: Any, xt: Any, pred: Any) -> dict[str, Any]:
    def log_q(s: Any, t: Any) -> Any:
        return process.log_q(xt, x0, t)

    def loss(s: Any, t: Any) -> Any:
        return process.loss(pred, x0, xt, t)

    def step_loss(s: Any, t: Any) -> Any:
        return process.loss(pred, x0, xt, t, s)

    return {"log_q": log_q, "loss": loss, "loss with s": step_loss}


def _sites(t: Tensor, x: Any) -> Any:
    """Times per row as times per site; for a record a dict of them."""
    if isinstance(x, dict):
        return {name: _sites(t, value) for name, value in x.items()}  # pyright: ignore[reportUnknownVariableType]
    return t.view(-1, *[1] * (x.ndim - 1)).expand(x.shape)


def _halves(x: Any) -> Any:
    """Every other site of a row, the others in the next row."""
    if isinstance(x, dict):
        return {name: _halves(value) for name, value in x.items()}  # pyright: ignore[reportUnknownVariableType]
    row = torch.arange(x.shape[0])[:, None]
    site = torch.arange(x[0].numel())
    return ((row + site) % 2 == 0).view(x.shape)


def _zeroed(t: Any, held: Any) -> Any:
    if isinstance(t, dict):
        return {name: _zeroed(value, held[name]) for name, value in t.items()}  # pyright: ignore[reportUnknownVariableType]
    return torch.where(held, 0.0, t)


def clocks_agree(process: Product, x0: Any, pred: Any) -> None:
    """One time for a record equals that time for every field."""
    rows = batch_size(x0)
    t = full(rows, 0.6)
    xt = process.corrupt(x0, t, torch.Generator().manual_seed(0))
    for a, b in zip(
        leaves(process.loss(pred, x0, xt, t)),
        leaves(process.loss(pred, x0, xt, dict.fromkeys(process.fields, t))),
        strict=True,
    ):
        ensure_close(b, a, 0.0, f"`loss` of {process} with a clock per field")
