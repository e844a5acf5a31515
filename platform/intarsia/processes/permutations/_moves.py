"""Heads that parametrise the reverse move itself, xs = xt[move], instead of the posterior over x0."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from intarsia.errors import RequirementError
from intarsia.processes.permutations._heads import AbstractPermutationHead, AbstractPermutationLaw
from intarsia.processes.permutations._walk import AbstractWalk


class AbstractMoveHead(AbstractPermutationLaw):
    """The law of the move that undoes one step, p(xs | xt) with xs = xt[move]; parameters are numbered by place in xt.

    This is the published model of SymmetricDiffusers (arXiv 2410.02942): its loss is -log p of the inverse of the last
    shuffles. It has no posterior over x0, so it takes no evidence and nothing that needs one.
    """

    @abstractmethod
    def check(self, walk: AbstractWalk, counts: tuple[int, ...]) -> None:
        """Raise RequirementError where the moves cannot undo the steps between `counts` of `walk`."""


@dataclass(frozen=True, slots=True)
class Move(AbstractMoveHead):
    """Any law over permutations as the law of the move, for steps of any number of shuffles; usually (G)PL.

    Item i of xs is xt[move[i]], so rows of a generalised Plackett-Luce head are ranks and columns places in xt.
    """

    law: AbstractPermutationHead

    def shape(self, n: int) -> tuple[int, ...]:
        return self.law.shape(n)

    def sample(self, pred: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.law.sample(pred, rng)

    def log_prob(self, pred: Tensor, x: Tensor) -> Tensor:
        return self.law.log_prob(pred, x)

    def log_law(self, pred: Tensor, n: int) -> Tensor:
        return self.law.log_law(pred, n)

    def check(self, walk: AbstractWalk, counts: tuple[int, ...]) -> None:
        """Every step can be undone by some permutation."""


class AbstractSingleMoveHead(AbstractMoveHead):
    """Moves that undo exactly one shuffle of one kind; steps that merge several are out of their reach."""

    @property
    @abstractmethod
    def undoes(self) -> type[AbstractWalk]:
        """The kind of shuffle."""

    def check(self, walk: AbstractWalk, counts: tuple[int, ...]) -> None:
        if not isinstance(walk, self.undoes) or counts != tuple(range(len(counts))):
            raise RequirementError(
                f"{self} undoes one shuffle of {self.undoes.__name__} at a time, got {walk} looked at after {counts} "
                "shuffles; give the number of shuffles as one integer, or use the head `Move`"
            )
