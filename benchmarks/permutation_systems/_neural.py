"""Our ranking models under the protocol of the classical laws: fit on ballots, log-probability of orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from intarsia.processes import (
    Discrete,
    GeneralizedPlackettLuce,
    Insertion,
    Move,
    PlackettLuce,
    PrefixPlackettLuce,
    Riffle,
    Transposition,
)
from intarsia_domains.permutations import LehmerDigits, Pointer, RankingModel, Rankings, Shuffles


@dataclass
class Neural:
    """A `RankingModel` with a budget in CPU seconds; bounds are averaged over `draws` paths."""

    options: dict[str, Any]
    seconds: float
    seed: int = 0
    draws: int = 64
    parameters: int = 0
    gap: float = 0.0
    model: RankingModel = field(default_factory=RankingModel, repr=False)

    def fit(self, rankings: Rankings) -> Self:
        self.model = RankingModel(cpu_minutes=self.seconds / 60, seed=self.seed, progress=False, **self.options)
        self.model.fit(rankings)
        self.parameters = sum(p.numel() for p in self.model.law_.network.parameters())
        self._items = rankings.items
        return self

    def log_prob(self, orders: NDArray[np.int64]) -> NDArray[np.float64]:
        found = self.model.score(Rankings(self._items, orders), draws=self.draws)
        self.gap = float(found.gap.mean())
        return found.nats.numpy()


def neural() -> dict[str, dict[str, Any]]:
    """Arguments of `RankingModel` by the name of the system."""
    one = Shuffles(Riffle, jump=0.0)
    return {
        "default": {},
        "one step log-linear": {"noise": one, "head": PrefixPlackettLuce()},
        "riffle x0 PL": {"noise": Shuffles(Riffle), "head": PlackettLuce()},
        "riffle x0 GPL": {"noise": Shuffles(Riffle), "head": GeneralizedPlackettLuce()},
        "riffle x0 pointer": {"noise": Shuffles(Riffle), "head": Pointer()},
        "riffle published PL": {"noise": Shuffles(Riffle), "head": Move(PlackettLuce())},
        "riffle published GPL": {"noise": Shuffles(Riffle), "head": Move(GeneralizedPlackettLuce())},
        "transposition x0 PL": {"noise": Shuffles(Transposition), "head": PlackettLuce()},
        "insertion x0 PL": {"noise": Shuffles(Insertion), "head": PlackettLuce()},
        "Lehmer absorbing": {"noise": LehmerDigits(Discrete.absorbing)},
        "Lehmer multinomial": {"noise": LehmerDigits(Discrete.uniform)},
    }
