"""Small models for the comparison of samplers: each kind of noise on each kind of data, with a network of its own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine_cells.networks import Windows
from engine_cells.tasks import AbstractTask
from intarsia import (
    AnyOrderObjective,
    Budget,
    Discrete,
    Gaussian,
    NelboObjective,
    Product,
    RealMLP,
    ResidualMLP,
    Settings,
    train,
)
from intarsia.denoisers import FromLeaveOneOut, RecordMLP
from intarsia.processes import AbstractProcess

ROWS = 65_536
"""Rows that a model is trained on, drawn from the law."""
SETTINGS = Settings(batch_size=256, learning_rate=2e-3, patience=0, max_epochs=10**9)


class AbstractModel(ABC):
    """A noise, a network on its states, and the way from classes to states and back."""

    process: AbstractProcess[Any]
    network: nn.Module

    def __init__(self, counts: tuple[int, ...]) -> None:
        self.counts = counts

    def encode(self, x: Tensor) -> Any:
        """States of classes (rows, sites)."""
        return x

    def decode(self, state: Any) -> Tensor:
        """Classes (rows, sites) of states."""
        return state

    def shape(self, rows: int) -> Any:
        """Of a state."""
        return (rows, len(self.counts))

    @abstractmethod
    def loss(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """What is minimized, (rows,)."""

    def __call__(self, xt: Any, t: Any, cond: Any = None) -> Any:
        """The denoiser."""
        return self.network(xt, t, cond)


def _class_network(counts: tuple[int, ...], *, time_free: bool) -> nn.Module:
    """Convolutions for texts, a residual MLP for tables."""
    if len(set(counts)) == 1:
        return Windows(counts[0], len(counts), width=64, blocks=4, time_free=time_free)
    return ResidualMLP(counts, width=256, blocks=3, dropout=0.0, time_free=time_free)


def _num_classes(counts: tuple[int, ...]) -> int | tuple[int, ...]:
    return counts[0] if len(set(counts)) == 1 else counts


class Absorbing(AbstractModel):
    """Masks; the network does not know the time."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        super().__init__(counts)
        self.process = Discrete.absorbing(_num_classes(counts))
        self.network = _class_network(counts, time_free=True)

    def loss(self, x: Tensor, rng: torch.Generator) -> Tensor:
        return AnyOrderObjective()(self.process, self, x, None, rng)


class Uniform(AbstractModel):
    """Classes redrawn uniformly."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        super().__init__(counts)
        self.process = Discrete.uniform(_num_classes(counts))
        self.network = FromLeaveOneOut(self.process, _class_network(counts, time_free=False))

    def loss(self, x: Tensor, rng: torch.Generator) -> Tensor:
        return NelboObjective()(self.process, self, x, None, rng)


class Bits(AbstractModel):
    """Bits of the class numbers as reals -1 and 1 under Gaussian noise (Bit Diffusion); the loss is a plain square."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        super().__init__(counts)
        self.code = _Code(counts)
        self.process = Gaussian()
        self.network = _Means(self.code.width)

    def encode(self, x: Tensor) -> Tensor:
        return self.code.encode(x)

    def decode(self, state: Tensor) -> Tensor:
        return self.code.decode(state)

    def shape(self, rows: int) -> tuple[int, int]:
        return (rows, self.code.width)

    def loss(self, x: Tensor, rng: torch.Generator) -> Tensor:
        x0 = self.encode(x)
        t = torch.rand(len(x), dtype=torch.float64, generator=rng)
        return (self(self.process.corrupt(x0, t, rng), t) - x0).square().sum(1)


class Record(AbstractModel):
    """The last site masks, the others Gaussian bits: a record of two fields."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        super().__init__(counts)
        self.code = _Code(counts[:-1])
        self.process = Product({"bits": Gaussian(), "label": Discrete.absorbing(counts[-1:])})
        self.network = _RecordMeans({"label": counts[-1:]}, {"bits": self.code.width}, width=256, blocks=3, dropout=0.0)

    def encode(self, x: Tensor) -> dict[str, Tensor]:
        return {"bits": self.code.encode(x[:, :-1]), "label": x[:, -1:]}

    def decode(self, state: dict[str, Tensor]) -> Tensor:
        return torch.cat([self.code.decode(state["bits"]), state["label"]], 1)

    def shape(self, rows: int) -> dict[str, tuple[int, int]]:
        return {"bits": (rows, self.code.width), "label": (rows, 1)}

    def loss(self, x: Tensor, rng: torch.Generator) -> Tensor:
        x0 = self.encode(x)
        t = torch.rand(len(x), dtype=torch.float64, generator=rng).clamp(min=1e-3)
        xt = self.process.corrupt(x0, t, rng)
        pred = self(xt, t)
        label = self.process.fields["label"].loss(pred["label"], x0["label"], xt["label"], t)
        return (pred["bits"] - x0["bits"]).square().sum(1) + label.sum(1)


class _Code:
    """Class numbers in binary, as reals -1 and 1."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        self.counts = counts
        self.widths = [max(1, math.ceil(math.log2(count))) for count in counts]
        self.width = sum(self.widths)

    def encode(self, x: Tensor) -> Tensor:
        parts = [x[:, i, None] >> torch.arange(w) & 1 for i, w in enumerate(self.widths)]
        return 2.0 * torch.cat(parts, 1).float() - 1.0

    def decode(self, state: Tensor) -> Tensor:
        """By sign; a word that is no class is the last one."""
        bits = (state > 0).long().split(self.widths, 1)
        words = [(b * 2 ** torch.arange(w)).sum(1) for b, w in zip(bits, self.widths, strict=True)]
        return torch.stack([w.clamp(max=k - 1) for w, k in zip(words, self.counts, strict=True)], 1)


class _Means(nn.Module):
    """E[x0 | xt] of bits, between -1 and 1."""

    time_free = False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.core = RealMLP(width, width=384, blocks=3)

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return torch.tanh(self.core(xt.float(), t, cond))  # times in float64 make states of it


class _RecordMeans(RecordMLP):
    def forward(self, xt: dict[str, Tensor], t: Any, cond: Tensor | None = None) -> dict[str, Tensor]:
        pred = super().forward(xt, t, cond)
        return pred | {"bits": torch.tanh(pred["bits"])}


MODELS: dict[str, Callable[[tuple[int, ...]], AbstractModel]] = {
    "absorbing": Absorbing,
    "uniform": Uniform,
    "bits": Bits,
    "record": Record,
}
"""The noises that samplers are compared on. `record` is for tables."""


def fit(model: AbstractModel, data: AbstractTask, cpu_seconds: float, path: Path) -> dict[str, Any]:
    """Train on rows drawn from the law, and keep the weights."""
    x = data.draw(ROWS, torch.Generator().manual_seed(10))
    fresh = data.draw(2048, torch.Generator().manual_seed(11))

    def held_out(network: nn.Module) -> float:
        own, model.network = model.network, network
        value = float(model.loss(fresh, torch.Generator().manual_seed(12)).mean())
        model.network = own
        return value

    def loss(network: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        return model.loss(x[rows], rng)

    budget = Budget(cpu_minutes=cpu_seconds / 60.0)
    done = train(model.network, loss, ROWS, held_out, budget, SETTINGS, seed=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in model.network.state_dict().items()}, path)
    last = done.history[-1][1] if done.history else math.nan
    return {"steps": done.steps, "train_s": done.seconds, "held_out_loss": last}


def restore(model: AbstractModel, path: Path) -> None:
    """Take the weights that `fit` kept."""
    if not path.exists():
        raise FileNotFoundError(f"there is no {path.name} yet: the cell of the model comes first")
    model.network.load_state_dict(load_file(path))
    model.network.eval()
