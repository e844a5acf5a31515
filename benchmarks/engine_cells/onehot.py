"""Multinomial diffusion (Hoogeboom et al. 2021) as it is usually written: one-hot states, a T-step KL, Gumbel draws.

Every state is a row of log-probabilities over all classes, the network reads it by a matrix product, and the posterior
is a product of two such rows: plain torch, to see what that costs when there are many classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from intarsia.denoisers import Transformer

STEPS = 1000


def log_one_hot(x: Tensor, num_classes: int) -> Tensor:
    return nn.functional.one_hot(x, num_classes).float().clamp(min=1e-30).log()


class OneHotTransformer(nn.Module):
    """The same transformer, fed by the product of one-hot rows and its embedding."""

    def __init__(self, core: Transformer) -> None:
        super().__init__()
        self.core = core

    def forward(self, log_xt: Tensor, t: Tensor) -> Tensor:
        core = self.core
        h = log_xt.exp() @ core.embed.weight[:-1] + core.place + core.time(t)[:, None]
        for block in core.blocks:
            h = block(h)
        return core.head(core.norm(h)).log_softmax(-1)


class OneHotMultinomial:
    """Cosine schedule over `STEPS` steps."""

    def __init__(self, network: OneHotTransformer, num_classes: int, seed: int) -> None:
        self.network, self.num_classes = network, num_classes
        self.rng = torch.Generator().manual_seed(seed)
        steps = torch.arange(STEPS + 1, dtype=torch.float64) / STEPS
        bar = torch.cos((steps + 0.008) / 1.008 * math.pi / 2).square()
        step = (bar[1:] / bar[:-1]).clamp(min=1e-3)
        self.log_step = torch.cat([torch.zeros(1), step.log()]).float()
        self.log_bar = torch.cumsum(self.log_step, 0)

    def mixed(self, log_x: Tensor, log_alpha: Tensor) -> Tensor:
        """log(alpha x + (1 - alpha) / K)."""
        log_alpha = log_alpha[:, None, None]
        rest = torch.log1p(-log_alpha.exp() + 1e-40) - math.log(self.num_classes)
        return torch.logaddexp(log_x + log_alpha, rest)

    def posterior(self, log_x0: Tensor, log_xt: Tensor, t: Tensor) -> Tensor:
        before = torch.where((t == 1)[:, None, None], log_x0, self.mixed(log_x0, self.log_bar[t - 1]))
        joint = before + self.mixed(log_xt, self.log_step[t])
        return joint - joint.logsumexp(-1, keepdim=True)

    def draw(self, log_probs: Tensor) -> Tensor:
        u = torch.rand(log_probs.shape, generator=self.rng)
        gumbel = -torch.log(-torch.log(u + 1e-30) + 1e-30)
        return log_one_hot((log_probs + gumbel).argmax(-1), self.num_classes)

    def loss(self, x0: Tensor) -> Tensor:
        """Nats per row: T times the KL of one step, or the first step's cross-entropy."""
        log_x0 = log_one_hot(x0, self.num_classes)
        t = torch.randint(1, STEPS + 1, (len(x0),), generator=self.rng)
        log_xt = self.draw(self.mixed(log_x0, self.log_bar[t]))
        truth = self.posterior(log_x0, log_xt, t)
        model = self.posterior(self.network(log_xt, t / STEPS), log_xt, t)
        kl = (truth.exp() * (truth - model)).sum((1, 2))
        first = -(log_x0.exp() * model).sum((1, 2))
        return STEPS * torch.where(t == 1, first, kl)

    @torch.no_grad()
    def start(self, rows: int, sites: int) -> Tensor:
        return self.draw(torch.zeros(rows, sites, self.num_classes))

    @torch.no_grad()
    def step(self, log_xt: Tensor, t: int) -> Tensor:
        time = torch.full((len(log_xt),), t)
        return self.draw(self.posterior(self.network(log_xt, time / STEPS), log_xt, time))
