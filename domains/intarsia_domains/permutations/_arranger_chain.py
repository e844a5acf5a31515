"""The noise on the orders of one set, the denoiser, and the ways back: decoders."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from intarsia.processes import (
    AbstractMoveHead,
    AbstractPermutationHead,
    AbstractSequentialHead,
    GeneralizedPlackettLuce,
    Move,
    PlackettLuce,
    Riffle,
    RiffleWalk,
    enough_shuffles,
    merged_shuffles,
)
from intarsia_domains.permutations._arranger_network import ArrangerNetwork
from intarsia_domains.permutations._arranger_shapes import AbstractShape
from intarsia_domains.permutations._decoding import beam
from intarsia_domains.permutations._encoders_items import Encoded

TABLED = 256
"""Most items for which steps are merged by exact total variation."""


TRIES = 16
"""Draws of x0 until one can lead to xt, which has at most 2ᵗ rising sequences after t riffles."""


def law_of(head: AbstractPermutationHead | Move) -> AbstractPermutationHead:
    """The law over permutations inside a head."""
    return head.law if isinstance(head, Move) else head


@lru_cache(maxsize=64)
def riffles(n: int, head: AbstractPermutationHead | Move) -> Riffle:
    """Riffle noise on n items: the number of shuffles and the merged steps follow from total variation."""
    walk = RiffleWalk(n)
    if n > TABLED:  # one step from noise to data; ten riffles past the cutoff nothing is left
        return Riffle(n, (0, max(walk.reach, math.ceil(walk.cutoff) + 6)), head)
    last = enough_shuffles(walk)
    return Riffle(n, merged_shuffles(walk, last), head)


@dataclass(frozen=True)
class Chain:
    """Riffle noise on the free items of sets of one size, and the network that undoes it."""

    process: Riffle
    network: ArrangerNetwork
    shape: AbstractShape

    @property
    def predicts_moves(self) -> bool:
        """Whether the network predicts the step back instead of x0."""
        return isinstance(self.process.head, AbstractMoveHead)

    @property
    def law(self) -> AbstractSequentialHead:
        """The law that is searched."""
        head = self.process.head
        law = head.law if isinstance(head, Move) else head
        if not isinstance(law, AbstractSequentialHead):
            raise TypeError(f"an arranger's head chooses item by item, got {law}")
        return law

    def looks(self, *, all_steps: bool) -> list[tuple[int, int]]:
        """Steps back (now, then), as numbers in the list of counts: all, or one from noise to data."""
        last = len(self.process.counts) - 1
        if all_steps or self.predicts_moves:
            return list(pairwise(range(last, -1, -1)))
        return [(last, 0)]

    def clock(self, step: int, rows: int, device: torch.device) -> Tensor:
        """The time of a step, (rows,)."""
        return torch.full((rows,), step / (len(self.process.counts) - 1), device=device)

    def predict(self, encoded: Encoded, x: Tensor, t: Tensor) -> Tensor:
        """Parameters of the head at permutations `x` (rows, n) of the free items."""
        pred = self.shape.of_free(self.law, self.network(encoded, self.shape.whole(x), t))
        return by_place(self.law, pred, x) if self.predicts_moves else pred

    def loss(self, encoded: Encoded, x0: Tensor, rng: torch.Generator) -> Tensor:
        """Nats (rows,): -log p(x0 | xt), half of the rows at full noise; or the published loss of one step's move.

        The cross-entropy bounds every step of the nelbo with the exact bridge and is equal to the last one. Full noise
        is where decoding starts, and where there is most to learn.
        """
        steps, rows = len(self.process.counts) - 1, len(x0)
        step = torch.randint(1, steps + 1, (rows,), generator=rng, device=x0.device)
        if not self.predicts_moves:
            noise = torch.rand(rows, generator=rng, device=x0.device) < 0.5
            step = torch.where(noise, steps, step)
        t = step / steps
        xt = self.process.corrupt(x0, t, rng)
        pred = self.predict(encoded, xt, t.float())
        if self.predicts_moves:
            return self.process.loss(pred, x0, xt, t, rng=rng)[:, 0] / steps
        return self.law.log_prob(pred, x0).neg()

    def back(self, found: Tensor, x: Tensor, look: tuple[int, int], rng: torch.Generator) -> Tensor:
        """States before a step, from the x0 or move `found` at `x`, both (rows, n): the exact bridge, or the move."""
        if self.predicts_moves:
            return x.gather(1, found)
        if look[1] == 0:
            return found
        now, then = (self.clock(step, len(x), x.device) for step in look)
        return self.process.bridge(found, x, then, now, rng)

    def drawn(self, pred: Tensor, x: Tensor, t: Tensor, rng: torch.Generator) -> Tensor:
        """A move, or an x0 that can lead to `x`: the first of a few draws, at small times, that does."""
        found = self.law.sample(pred, rng)
        for _ in range(0 if self.predicts_moves else TRIES - 1):
            fits = self.process.log_q(x, found, t) > -torch.inf
            if bool(fits.all()):
                break
            found = torch.where(fits, found, self.law.sample(pred, rng))
        return found


def by_place(law: AbstractPermutationHead, pred: Tensor, x: Tensor) -> Tensor:
    """Parameters numbered by item -> numbered by place in `x`, as moves have them."""
    if isinstance(law, PlackettLuce):
        return pred.gather(1, x)
    if isinstance(law, GeneralizedPlackettLuce):
        return pred.gather(2, x[:, None].expand_as(pred))
    columns = pred.gather(3, x[:, None, None].expand_as(pred))
    rows = columns[:, 1:].gather(2, x[:, None, :, None].expand_as(columns[:, 1:]))
    return torch.cat([columns[:, :1], rows], 1)


class AbstractDecoder(ABC):
    """How orders are made from noise."""

    starts: int
    """Independent noises, each with another look at the items where the encoder has one (mirrored points)."""

    @abstractmethod
    def run(
        self, chain: Chain, encoded: Encoded, x: Tensor, looks: list[tuple[int, int]], rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Orders (rows, k, n) of the free items from noise `x` (rows, n), and scores (rows, k): more is better."""


@dataclass(frozen=True)
class Beam(AbstractDecoder):
    """Beam search for the most probable order, inside a step and across time.

    The score of an order is the sum of the log-probabilities chosen on its way. The last step keeps all candidates,
    so that an objective can choose among them.

    Args:
        width: prefixes kept inside a step.
        states: states kept between steps; at most `width`.
        starts: noises to begin with.
    """

    width: int = 32
    states: int = 4
    starts: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.states <= self.width or self.starts < 1:
            raise ValueError(
                f"a beam needs 1 <= states <= width and a start, got states={self.states}, width={self.width}, "
                f"starts={self.starts}"
            )

    def run(
        self, chain: Chain, encoded: Encoded, x: Tensor, looks: list[tuple[int, int]], rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        rows, n = x.shape
        states, total = x[:, None], torch.zeros((rows, 1), dtype=torch.float64, device=x.device)
        for look in looks:
            flat, kept = states.flatten(0, 1), states.shape[1]
            pred = chain.predict(encoded.repeat(kept), flat, chain.clock(look[0], len(flat), x.device))
            found, logp = beam(chain.law, pred, self.width)
            total = (total[:, :, None] + logp.unflatten(0, (rows, kept))).flatten(1)
            total, best = total.topk(total.shape[1] if look[1] == 0 else min(self.states, total.shape[1]), 1)
            where = best[:, :, None].expand(-1, -1, n)
            chosen = found.unflatten(0, (rows, kept)).flatten(1, 2).gather(1, where).flatten(0, 1)
            before = states.repeat_interleave(found.shape[1], 1).gather(1, where).flatten(0, 1)
            states = chain.back(chosen, before, look, rng).view(where.shape)
        return states, total


@dataclass(frozen=True)
class Greedy(Beam):
    """The most probable item at every rank."""

    width: int = 1
    states: int = 1
    starts: int = 1


@dataclass(frozen=True)
class Draw(AbstractDecoder):
    """Independent draws of the model.

    Args:
        starts: how many; the best by objective or by log-probability is taken where one is asked for.
    """

    starts: int = 16

    def __post_init__(self) -> None:
        if self.starts < 1:
            raise ValueError(f"at least one draw is needed, got {self.starts}")

    def run(
        self, chain: Chain, encoded: Encoded, x: Tensor, looks: list[tuple[int, int]], rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        score = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        for look in looks:
            now = chain.clock(look[0], len(x), x.device)
            pred = chain.predict(encoded, x, now)
            found = chain.drawn(pred, x, now, rng)
            logp = chain.law.log_prob(pred, found)
            score = score + logp if chain.predicts_moves else logp  # x0 on the way is left by the bridge
            x = chain.back(found, x, look, rng)
        return x[:, None], score[:, None]
