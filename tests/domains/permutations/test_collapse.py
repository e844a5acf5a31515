"""Riffles with predicted x0 do not collapse to chance, at ten items: by an oracle, and by what was learned."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from intarsia.processes import (
    AbstractPermutationHead,
    PrefixPlackettLuce,
    Riffle,
    RiffleWalk,
    enough_shuffles,
    merged_shuffles,
    shuffle_distance,
)
from intarsia_domains.permutations import RankingModel, Rankings, Shuffles, Size

N = 10
WALK = RiffleWalk(N)
ENOUGH = enough_shuffles(WALK)
CHAINS = {"one jump": (0, ENOUGH), "merged": merged_shuffles(WALK), "every riffle": tuple(range(ENOUGH + 1))}


@dataclass(frozen=True, eq=False)
class Listed(AbstractPermutationHead):
    """A logit for each of a few permutations (k, n)."""

    points: Tensor

    def shape(self, n: int) -> tuple[int, ...]:
        return (len(self.points),)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.points[torch.multinomial(pred.softmax(1), 1, generator=rng)[:, 0]]

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        which = (x[:, None] == self.points).all(2).long().argmax(1)
        return pred.log_softmax(1).gather(1, which[:, None])[:, 0]

    def check_event(self, values: Tensor, mask: Tensor) -> None:
        raise NotImplementedError

    def sample_given(self, pred: Tensor, values: Tensor, mask: Tensor, rng: torch.Generator | None = None) -> Tensor:
        raise NotImplementedError

    def log_prob_given(self, pred: Tensor, x: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        raise NotImplementedError


@pytest.mark.parametrize("counts", CHAINS.values(), ids=CHAINS)
def test_the_exact_bridge_carries_a_known_law(counts: tuple[int, ...]) -> None:
    """With the posterior of a law over eight orders the chain ends in that law, up to what noise still remembers."""
    rng, rows = torch.Generator().manual_seed(len(counts)), 4000
    points = torch.rand((8, N), generator=rng).argsort(1)
    chance = 2.0 ** -torch.arange(1.0, 9.0).double()
    chance /= chance.sum()
    process, steps = Riffle(N, counts, Listed(points)), len(counts) - 1
    x = process.prior((rows, N), rng)
    for step in range(steps, 0, -1):
        s, t = (torch.full((rows,), k / steps, dtype=torch.float64) for k in (step - 1, step))
        leads = torch.cat([process.log_q(x, point.expand_as(x), t) for point in points], 1)
        pred = leads.clamp(min=-1e300) + chance.log()
        x = process.reverse(pred, x, s, t, rng)
    share = (x[:, None] == points).all(2).double().mean(0)
    assert share.sum() == 1
    bias = shuffle_distance(WALK, ENOUGH)  # of the uniform prior
    assert bias < 0.01
    assert bool(((share - chance).abs() < bias + 4 * (chance * (1 - chance) / rows).sqrt()).all()), share


@pytest.mark.parametrize("name", ["merged", "every riffle"])
def test_a_learned_chain_makes_what_it_has_seen(name: str) -> None:
    """Cyclic orders, ten of 3,628,800: chance makes none, and each of them follows from its first item."""
    starts = np.random.default_rng(0).integers(0, N, 200)
    votes = Rankings(tuple("abcdefghij"), (starts[:, None] + np.arange(N)) % N)
    noise = Shuffles(Riffle, counts=CHAINS[name])
    model = RankingModel(
        noise=noise, head=PrefixPlackettLuce(), steps=2, penalty=0.1, size=Size(8, 1, 2), progress=False
    ).fit(votes)
    drawn = model.sample(400, seed=1).orders
    cyclic = ((drawn - drawn[:, :1]) % N == np.arange(N)).all(1)
    assert cyclic.mean() > 0.8
    assert len(set(drawn[cyclic, 0].tolist())) == N
