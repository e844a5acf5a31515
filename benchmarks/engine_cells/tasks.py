"""Two kinds of data whose law is known: texts of a Markov chain, and the full factorial table Nursery."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor


class AbstractTask(ABC):
    """Data of class sites that can be drawn, and how far samples are from its law."""

    counts: tuple[int, ...]
    """Classes of every site."""

    @abstractmethod
    def draw(self, rows: int, rng: torch.Generator) -> Tensor:
        """Independent rows (rows, sites)."""

    @abstractmethod
    def quality(self, x: Tensor) -> dict[str, float]:
        """What the results show of samples (rows, sites); the first entry is the divergence that is plotted."""

    measures: ClassVar[Mapping[str, str]]
    """What the entries of `quality` are."""


class Markov(AbstractTask):
    """Texts of a chain of order 2, from a fixed seed: log p of every sample is known exactly."""

    num_classes = 8
    sites = 24
    measures: ClassVar[Mapping[str, str]] = {
        "trigram KL": "KL(samples || law) of three neighbouring sites, all places together, nats",
        "NLL excess": "E[-log p(sample)] - H per site under the true law, nats; below 0: too likely to be true",
        "entropy": "entropy of single sites, all places together, less the true one, nats",
    }

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        size = self.num_classes
        self.counts = (size,) * self.sites
        self.chain = torch.from_numpy(rng.dirichlet(np.full(size, 0.3), (size, size)))  # p(next | two before)
        first = torch.full((size, size), 1.0 / size**2, dtype=torch.float64)
        for _ in range(2000):  # the stationary law of pairs, so that all places have one law of trigrams
            first = torch.einsum("ab,abc->bc", first, self.chain)
        self.first = first / first.sum()

    @cached_property
    def trigrams(self) -> Tensor:
        """The law of three neighbours."""
        return self.first[..., None] * self.chain

    def draw(self, rows: int, rng: torch.Generator) -> Tensor:
        pairs = torch.multinomial(self.first.flatten(), rows, replacement=True, generator=rng)
        x = [pairs // self.num_classes, pairs % self.num_classes]
        while len(x) < self.sites:
            x.append(torch.multinomial(self.chain[x[-2], x[-1]], 1, generator=rng)[:, 0])
        return torch.stack(x, 1)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p of texts, nats, (rows,)."""
        steps = self.chain.clamp(min=1e-300).log()[x[:, :-2], x[:, 1:-1], x[:, 2:]].sum(1)
        return self.first.clamp(min=1e-300).log()[x[:, 0], x[:, 1]] + steps

    @cached_property
    def entropy(self) -> float:
        """H of a text, nats."""
        return _entropy(self.first) + (self.sites - 2) * (_entropy(self.trigrams) - _entropy(self.first))

    def quality(self, x: Tensor) -> dict[str, float]:
        seen = torch.zeros_like(self.trigrams).flatten()
        place = (x[:, :-2] * self.num_classes + x[:, 1:-1]) * self.num_classes + x[:, 2:]
        seen += torch.bincount(place.flatten(), minlength=len(seen))
        seen = seen.view_as(self.trigrams) / seen.sum()
        kl = torch.where(seen > 0, seen * (seen.clamp(min=1e-300) / self.trigrams.clamp(min=1e-300)).log(), 0.0).sum()
        single = torch.bincount(x.flatten(), minlength=self.num_classes).double()
        excess = (-self.log_prob(x).mean() - self.entropy) / self.sites
        return {
            "trigram KL": float(kl),
            "NLL excess": float(excess),
            "entropy": _entropy(single / single.sum()) - _entropy(self.first.sum(1)),
        }


class Nursery(AbstractTask):
    """The table Nursery as a law: its 12,960 rows, every combination of eight columns once, equally likely."""

    measures: ClassVar[Mapping[str, str]] = {
        "pair TV": "total variation of the joint law of two columns, mean over all pairs",
        "impossible": "share of rows that are not in the table, which its law never gives",
        "entropy": "entropy of single columns less the true one, mean over the columns, nats",
    }

    def __init__(self, folder: Path) -> None:
        path = folder / "tabular" / "nursery.csv"
        if not path.exists():
            raise FileNotFoundError(f"there is no {path.name} in {path.parent}; say where the data is with --data PATH")
        cells = np.array([line.split(",") for line in path.read_text().splitlines()[1:] if line])
        columns = [np.unique(column, return_inverse=True) for column in cells.T]
        self.counts = tuple(len(values) for values, _ in columns)
        self.rows = torch.from_numpy(np.stack([codes for _, codes in columns], 1))
        self.places = torch.tensor([math.prod(self.counts[i + 1 :]) for i in range(len(self.counts))])
        self.known = (self.rows * self.places).sum(1).sort().values
        self.pairs = {(i, j): self._pair(self.rows, i, j) for j in range(len(self.counts)) for i in range(j)}

    def draw(self, rows: int, rng: torch.Generator) -> Tensor:
        return self.rows[torch.randint(len(self.rows), (rows,), generator=rng)]

    def _pair(self, x: Tensor, i: int, j: int) -> Tensor:
        size = self.counts[i] * self.counts[j]
        return torch.bincount(x[:, i] * self.counts[j] + x[:, j], minlength=size).double() / len(x)

    def quality(self, x: Tensor) -> dict[str, float]:
        variations = [float((self._pair(x, i, j) - law).abs().sum()) / 2 for (i, j), law in self.pairs.items()]
        possible = torch.isin((x * self.places).sum(1), self.known)
        entropies = [
            _entropy(torch.bincount(a, minlength=k).double() / len(a))
            - _entropy(torch.bincount(b, minlength=k).double() / len(b))
            for a, b, k in zip(x.T, self.rows.T, self.counts, strict=True)
        ]
        return {
            "pair TV": sum(variations) / len(variations),
            "impossible": float((~possible).double().mean()),
            "entropy": sum(entropies) / len(entropies),
        }


def _entropy(law: Tensor) -> float:
    return float(torch.special.entr(law).sum())


TASKS = ("markov", "nursery")


def task(name: str, folder: Path) -> AbstractTask:
    """The data called `name`."""
    return Nursery(folder) if name == "nursery" else Markov()
