"""MDLM (Sahoo et al. 2024, arXiv 2406.07524) by hand, in plain torch: what the engine's overhead is measured against.

Log-linear noise 1 - alpha = (1 - eps) t; SUBS: no mass on the mask, unmasked sites are carried over; the continuous
nelbo ∫ 1/t E[-log p at the masked sites] dt at one time per stratum of the batch; ancestral sampling, with the
network's answer cached as long as nothing changes. It knows one noise and one kind of state. Optimizer, learning rate,
averaging and precision are those of `intarsia.train`, so that only the code differs.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Recipe:
    batch: int
    learning_rate: float
    eps: float = 1e-3
    weight_decay: float = 0.01
    warmup: int = 100
    hold: float = 0.4
    ema: float = 0.999
    clip: float = 1.0
    bfloat16: bool = False


class Mdlm:
    def __init__(self, network: nn.Module, ids: Tensor, sites: int, mask: int, recipe: Recipe, seed: int) -> None:
        self.network, self.ids, self.sites, self.mask, self.recipe = network, ids, sites, mask, recipe
        self.average = copy.deepcopy(network).eval()
        matrices = [p for p in network.parameters() if p.ndim > 1]
        vectors = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.99))
        self.rng = torch.Generator(ids.device).manual_seed(seed)
        self.steps = 0

    def noised(self, x0: Tensor) -> tuple[Tensor, Tensor]:
        rows = len(x0)
        u = torch.rand(rows, generator=self.rng, device=x0.device)
        t = (u + torch.arange(rows, device=x0.device)) / rows
        chance = (1.0 - self.recipe.eps) * t
        hidden = torch.rand(x0.shape, generator=self.rng, device=x0.device) < chance[:, None]
        return torch.where(hidden, self.mask, x0), t.clamp(min=1e-6)

    def nats(self, logits: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """Nats per character of every row."""
        loss = functional.cross_entropy(logits.float().transpose(1, 2), x0, reduction="none")
        return (torch.where(xt == self.mask, loss, 0.0) / t[:, None]).mean(1)

    def step(self, factor: float) -> None:
        device, last = self.ids.device, len(self.ids) - self.sites
        starts = torch.randint(last + 1, (self.recipe.batch,), generator=self.rng, device=device)
        x0 = self.ids[starts[:, None] + torch.arange(self.sites, device=device)]
        xt, t = self.noised(x0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * factor
        with torch.autocast(x0.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            loss = self.nats(self.network(xt, t, None), x0, xt, t).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        if math.isfinite(loss.item()):
            self.optimizer.step()
        weight = 1.0 - min(self.recipe.ema, (1.0 + self.steps) / (10.0 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), weight)
        self.steps += 1

    def train(self, share: Callable[[], float], evaluate: Callable[[nn.Module], None], evaluations: int) -> None:
        """Steps until `share` of the budget is 1; `evaluate` sees the averaged network at equal shares."""
        done = 0
        self.network.train()
        while (now := share()) < 1.0:
            fall = max(0.0, now - self.recipe.hold) / (1.0 - self.recipe.hold)
            self.step(min(1.0, (self.steps + 1) / self.recipe.warmup) * 0.5 * (1.0 + math.cos(math.pi * fall)))
            if now * evaluations >= done + 1:
                done = math.floor(now * evaluations)
                with torch.no_grad():
                    evaluate(self.average)

    @torch.no_grad()
    def sample(self, rows: int, steps: int, *, cached: bool = True) -> Tensor:
        x = torch.full((rows, self.sites), self.mask, device=self.ids.device)
        probs: Tensor | None = None
        for k in range(steps, 0, -1):
            t, s = (1.0 - self.recipe.eps) * k / steps, (1.0 - self.recipe.eps) * (k - 1) / steps
            if probs is None or not cached:
                probs = self.predict(x, k / steps)
            new = self.draw(probs, x, t, s)
            if not torch.equal(new, x):
                probs = None
            x = new
        return x  # the last s is 0, so no mask is left

    def predict(self, x: Tensor, t: float) -> Tensor:
        return self.average(x, torch.full((len(x),), t, device=x.device), None).double().softmax(-1)

    def draw(self, probs: Tensor, x: Tensor, t: float, s: float) -> Tensor:
        """One categorical over the classes and the mask, by an exponential race in float64."""
        chances = torch.cat([probs * (t - s), torch.full((*x.shape, 1), s, dtype=probs.dtype, device=x.device)], -1)
        race = -torch.rand(chances.shape, dtype=torch.float64, generator=self.rng, device=x.device).log()
        return torch.where(x == self.mask, (chances / race.clamp(min=1e-300)).argmax(-1), x)


def wall_or_cpu(minutes: float | None, cpu_seconds: float) -> Callable[[], float]:
    """The share of a budget that has gone, in wall minutes where they are given and CPU seconds otherwise."""
    start, began = time.monotonic(), time.process_time()
    if minutes is not None:
        return lambda: (time.monotonic() - start) / (60.0 * minutes)
    return lambda: (time.process_time() - began) / cpu_seconds
