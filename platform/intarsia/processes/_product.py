"""Records of several fields: the product of independent noises is itself a noise."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia._types import Clock, clock
from intarsia.processes._base import AbstractProcess, Exactness


@dataclass(frozen=True)
class Product(AbstractProcess[dict[str, Tensor]]):
    """One process per named field; states, predictions and losses are dicts with the same names.

    q(xt | x0) = Π q_k(xt_k | x0_k), so kernels multiply and nelbos add (as in Kotelnikov et al. 2023, TabDDPM).

    A time is a tensor for all fields, or a dict with one per field, so that fields may have clocks of their own.
    Fields that share a process should be one field with many sites.
    """

    fields: Mapping[str, AbstractProcess[Tensor]]

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError("a record needs at least one field, got none")

    @property
    def reverse_is(self) -> Exactness:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Exact where every field is."""
        every = all(process.reverse_is == "exact" for process in self.fields.values())
        return "exact" if every else "first order"

    @property
    def time_free(self) -> bool:
        return all(process.time_free for process in self.fields.values())

    def prediction(self, points: dict[str, Tensor], weights: Tensor) -> dict[str, Tensor]:
        return {name: process.prediction(points[name], weights) for name, process in self.fields.items()}

    def prediction_at(
        self, points: dict[str, Tensor], weights: Tensor, xt: dict[str, Tensor], t: Clock
    ) -> dict[str, Tensor]:
        return {k: p.prediction_at(points[k], weights, xt[k], clock(t, k)) for k, p in self.fields.items()}

    def prior(
        self, shape: tuple[int, ...] | Mapping[str, tuple[int, ...]], rng: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Draw records; `shape` is a dict of (batch, *sites) per field."""
        if not isinstance(shape, Mapping):
            raise TypeError(f"a record needs a shape per field {sorted(self.fields)}, got {shape!r}")
        return {name: process.prior(shape[name], rng) for name, process in self.fields.items()}

    def corrupt(self, x0: dict[str, Tensor], t: Clock, rng: torch.Generator | None = None) -> dict[str, Tensor]:
        return {k: p.corrupt(x0[k], clock(t, k), rng) for k, p in self.fields.items()}

    def log_q(self, xt: dict[str, Tensor], x0: dict[str, Tensor], t: Clock) -> dict[str, Tensor]:
        return {k: p.log_q(xt[k], x0[k], clock(t, k)) for k, p in self.fields.items()}

    def bridge(
        self,
        x0: dict[str, Tensor],
        xt: dict[str, Tensor],
        s: Clock,
        t: Clock,
        rng: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        return {k: p.bridge(x0[k], xt[k], clock(s, k), clock(t, k), rng) for k, p in self.fields.items()}

    def reverse(
        self,
        pred: dict[str, Tensor],
        xt: dict[str, Tensor],
        s: Clock,
        t: Clock,
        rng: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        return {k: p.reverse(pred[k], xt[k], clock(s, k), clock(t, k), rng) for k, p in self.fields.items()}

    def loss(
        self,
        pred: dict[str, Tensor],
        x0: dict[str, Tensor],
        xt: dict[str, Tensor],
        t: Clock,
        s: Clock | None = None,
    ) -> dict[str, Tensor]:
        return {
            k: p.loss(pred[k], x0[k], xt[k], clock(t, k), None if s is None else clock(s, k))
            for k, p in self.fields.items()
        }

    def prior_kl(self, x0: dict[str, Tensor]) -> dict[str, Tensor]:
        return {k: p.prior_kl(x0[k]) for k, p in self.fields.items()}

    def reconstruction(
        self, pred: dict[str, Tensor], x0: dict[str, Tensor], xt: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        return {k: p.reconstruction(pred[k], x0[k], xt[k]) for k, p in self.fields.items()}
