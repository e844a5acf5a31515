"""Noises for rankings of any number of items: recipes from which the model of a data set is built."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from intarsia.processes import (
    AbstractPermutationLaw,
    AbstractShuffle,
    AbstractWalk,
    Insertion,
    InsertionWalk,
    Riffle,
    RiffleWalk,
    Transposition,
    TranspositionWalk,
    enough_shuffles,
    merged_shuffles,
)
from intarsia_domains.permutations._ranking_base import AbstractRankingLaw
from intarsia_domains.permutations._ranking_chain import ChainLaw
from intarsia_domains.permutations._ranking_network import RankingNetwork
from intarsia_domains.permutations._ranking_pointer import Pointer, built

WALKS: dict[type[AbstractShuffle], type[AbstractWalk]] = {
    Riffle: RiffleWalk,
    Transposition: TranspositionWalk,
    Insertion: InsertionWalk,
}


@dataclass(frozen=True, slots=True)
class Size:
    """How large a network is.

    Args:
        width, depth, heads: of the transformer.
        dropout: share of activations that are dropped in training.
    """

    width: int = 32
    depth: int = 2
    heads: int = 4
    dropout: float = 0.0


class AbstractRankingNoise(ABC):
    """What noise does to rankings, and with it what the model is."""

    @abstractmethod
    def build(
        self, n: int, head: "AbstractPermutationLaw | Pointer", features: Tensor | None, size: Size
    ) -> AbstractRankingLaw:
        """An untrained model of rankings of `n` items, with weights from torch's global generator."""


@dataclass(frozen=True, slots=True)
class Shuffles(AbstractRankingNoise):
    """A number of shuffles of one kind that follows from the number of items.

    Args:
        kind: `Riffle`, `Transposition` or `Insertion`.
        counts: after which shuffles the chain is looked at, (0, …), or their number in steps of one; None chooses.
        tolerance: total variation between noise and the uniform law at which it is enough.
        jump: steps are merged where the laws at their ends differ less in total variation. 0 leaves one step, whose
            model is the head's own law; it is exact at every number of items.
    """

    kind: type[AbstractShuffle] = Riffle
    counts: int | tuple[int, ...] | None = None
    tolerance: float = 0.01
    jump: float = 0.35

    def process(self, n: int, head: AbstractPermutationLaw) -> AbstractShuffle:
        """The process for `n` items; raises TypeError for a kind that is not one of the three."""
        if self.kind not in WALKS:
            raise TypeError(f"`kind` is Riffle, Transposition or Insertion, got {self.kind!r}")
        counts = self.counts
        if counts is None:
            walk = WALKS[self.kind](n)  # pyright: ignore[reportCallIssue]
            counts = merged_shuffles(walk, enough_shuffles(walk, self.tolerance), self.jump)
        return self.kind(n, counts, head)  # pyright: ignore[reportArgumentType]

    def build(self, n: int, head: "AbstractPermutationLaw | Pointer", features: Tensor | None, size: Size) -> ChainLaw:
        law = built(head, n)
        process = self.process(n, law)
        network = RankingNetwork(
            n,
            len(process.counts) - 1,
            law,
            features,
            width=size.width,
            depth=size.depth,
            heads=size.heads,
            dropout=size.dropout,
        )
        return ChainLaw(process, network)
