"""Noise on permutations: a shuffle, again and again; what all shuffles share."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia.classes import invert
from intarsia.errors import RequirementError
from intarsia.processes._base import Exactness
from intarsia.processes._joint import AbstractJoint
from intarsia.processes.permutations._arithmetic import all_permutations, rank, relative, relative_ranks
from intarsia.processes.permutations._heads import AbstractPermutationHead
from intarsia.processes.permutations._laws import ENUMERABLE_LAWS, bridge_law, divergence, reachable, reverse_law
from intarsia.processes.permutations._loss import own_generator, sampled_move_kl, sampled_step_kl
from intarsia.processes.permutations._moves import AbstractMoveHead
from intarsia.processes.permutations._plackett_luce import PlackettLuce
from intarsia.processes.permutations._walk import AbstractWalk, shuffle_kl
from intarsia.spaces import Permutation

ROUNDING = 1e-6
"""So much later than i/k a time still stands at step i: times may come through float32."""

TRIES = 32
"""Draws of x0 from the head until one can lead to xt."""


@dataclass(frozen=True)
class AbstractShuffle(AbstractJoint):
    """xt = x0 after a number of independent shuffles that grows with t; states are permutations (batch, n), int64.

    A permutation is one joint variable: `log_q`, `loss`, `prior_kl` and `reconstruction` are one column (batch, 1),
    a row has one time (of times per site the latest counts), and the prior is uniform. The chain lives in discrete
    time: with counts 0 = c_0 < … < c_k, time t stands after c_i shuffles for t in ((i - 1)/k, i/k]. So a sampler with
    k steps, and a nelbo with k steps, visit every count once; between them nothing happens.

    `reverse` draws x0 from the head, and again until it can lead to xt (at most 2ᵗ rising sequences after t riffles),
    and xs from the exact bridge: the mixture of bridges over what of the head is reachable, exactly for at most 6
    items and with the first reachable of 32 draws beyond; where none is, xt stays, and in the last step x0 is taken
    as it is. With a head of moves it is that move, which is no mixture of bridges.

    `loss` with `s` is KL(q(xs | xt, x0) || p(xs | xt)), exact for at most 6 items. Beyond it is a bound of that in
    expectation (see `_shuffle_loss`), from draws seeded by the states themselves unless `rng` is given, so that the
    loss is a function of its arguments. Without `s` it is k times the step's loss: its mean over uniform t is the sum
    over the k steps, the diffusion part of the nelbo.

    Args:
        n: items of a permutation, at least 2.
        shuffles: how many make noise of data, in steps of one; or the counts (0, …) at which the chain is looked at
            (`merged_shuffles` chooses them). Every permutation must be possible after the last.
        head: what the denoiser predicts: a law of x0, or (a head of moves) of the step back itself.
    """

    n: int
    shuffles: int | tuple[int, ...]
    head: AbstractPermutationHead | AbstractMoveHead = PlackettLuce()

    def __post_init__(self) -> None:
        Permutation(self.n)
        counts = self.counts
        if counts[:1] != (0,) or any(b <= a for a, b in pairwise(counts)):
            raise ValueError(f"`shuffles` must be counts that rise from 0, as (0, 3, 5, 9), got {self.shuffles}")
        if self.n < 2 or counts[-1] < self.walk.reach:
            raise ValueError(
                f"after {counts[-1]} shuffles of {self.n} items not every permutation is possible, and noise needs at "
                f"least 2 items and {self.walk.reach} shuffles"
            )
        if isinstance(self.head, AbstractMoveHead):
            self.head.check(self.walk, counts)

    @property
    @abstractmethod
    def walk(self) -> AbstractWalk:
        """The random walk of the shuffles."""

    @property
    def reverse_is(self) -> Exactness:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Exact with a law of x0; a head of moves is no mixture of bridges."""
        return "first order" if isinstance(self.head, AbstractMoveHead) else "exact"

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of shuffles 0 = c_0 < … < c_k at the ends of the steps."""
        return self.shuffles if isinstance(self.shuffles, tuple) else tuple(range(self.shuffles + 1))

    def given(self, values: Tensor, mask: Tensor) -> Self:
        return replace(self, head=self._posterior("evidence").given(values, mask))

    def _posterior(self, purpose: str) -> AbstractPermutationHead:
        if isinstance(self.head, AbstractMoveHead):
            raise RequirementError(f"{purpose} needs a head that is a law of x0, as `PlackettLuce`, got {self.head}")
        return self.head

    def _step(self, t: Tensor, x: Tensor) -> Tensor:
        """Which count of the list time t stands at, (batch,)."""
        if x.ndim != 2 or x.shape[1] != self.n:
            raise ValueError(f"expected permutations (batch, {self.n}), got a state of shape {tuple(x.shape)}")
        steps = len(self.counts) - 1
        latest = per_site(t, x).amax(1).expand(x.shape[0]).double()
        return ((latest - ROUNDING) * steps).ceil().long().clamp(0, steps)

    def count(self, t: Tensor, x: Tensor) -> Tensor:
        """The number of shuffles at time t, int64 (batch,)."""
        return torch.tensor(self.counts, device=x.device)[self._step(t, x)]

    def _interval(self, s: Tensor | None, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Counts at both ends; without `s` those of the step of the list in which t lies."""
        last = self._step(t, x)
        first = (last - 1).clamp(min=0) if s is None else self._step(s, x)
        if isinstance(self.head, AbstractMoveHead) and bool((last - first > 1).any()):
            raise ValueError(
                f"{self.head} undoes one of the {len(self.counts) - 1} steps between {self.counts} shuffles at a time; "
                f"take {len(self.counts) - 1} steps"
            )
        counts = torch.tensor(self.counts, device=x.device)
        return counts[first], counts[last]

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        return self._posterior("a prediction from points").prediction(points, weights)

    def prior(self, shape: tuple[int, ...], rng: torch.Generator | None = None) -> Tensor:
        if len(shape) != 2 or shape[1] != self.n:
            raise ValueError(f"expected a shape (batch, {self.n}), got {shape}")
        device = rng.device if rng is not None else torch.device("cpu")
        return torch.rand(shape, dtype=torch.float64, generator=rng, device=device).argsort(1)

    def corrupt(self, x0: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return x0.gather(1, self.walk.draw(self.count(t, x0), rng))

    def log_q(self, xt: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        return self.walk.log_law(relative(x0, xt), self.count(t, x0))[:, None]

    def bridge(self, x0: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Draw xs ~ q(xs | xt, x0); where x0 cannot lead to xt, xs is xt, or x0 at time 0."""
        return self._bridge(x0, xt, self.count(s, xt), self.count(t, xt), rng)

    def _bridge(self, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor, rng: torch.Generator | None) -> Tensor:
        possible = self._leads(x0, xt, now)[:, None]
        xs = self.walk.bridge(torch.where(possible, x0, xt), xt, then, now, rng)
        xs = torch.where((then == 0)[:, None], x0, torch.where(possible, xs, xt))
        return torch.where((then == now)[:, None], xt, xs)

    def _leads(self, x0: Tensor, xt: Tensor, now: Tensor) -> Tensor:
        return self.walk.log_law(relative(x0, xt), now) > -torch.inf

    def reverse(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor, rng: torch.Generator | None = None) -> Tensor:
        then, now = self._interval(s, t, xt)
        if isinstance(self.head, AbstractMoveHead):
            moved = xt.gather(1, self.head.sample(pred, rng))
            return torch.where((then == now)[:, None], xt, moved)
        return self._bridge(self._predicted(self.head, pred, xt, now, rng), xt, then, now, rng)

    def _predicted(
        self, head: AbstractPermutationHead, pred: Tensor, xt: Tensor, now: Tensor, rng: torch.Generator | None
    ) -> Tensor:
        """Draw an x0 that can lead to xt."""
        if self.n <= ENUMERABLE_LAWS:
            law = reachable(self.walk, head.log_law(pred, self.n), xt, now)
            u = torch.rand(len(xt), dtype=torch.float64, generator=rng, device=xt.device)
            return all_permutations(self.n).to(xt.device)[invert(law, u)]
        x0 = head.sample(pred, rng)
        for _ in range(TRIES - 1):
            fits = self._leads(x0, xt, now)
            if bool(fits.all()):
                break
            x0 = torch.where(fits[:, None], x0, head.sample(pred, rng))
        return x0

    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """log p(xs | xt) over all permutations of at most 6 items, lexicographic, (batch, n!)."""
        if self.n > ENUMERABLE_LAWS:
            raise RequirementError(
                f"laws over all permutations are known for at most {ENUMERABLE_LAWS} items, got {self.n}"
            )
        return self._reverse_law(pred, xt, *self._interval(s, t, xt))

    def _reverse_law(self, pred: Tensor, xt: Tensor, then: Tensor, now: Tensor) -> Tensor:
        law = self.head.log_law(pred, self.n)
        if isinstance(self.head, AbstractMoveHead):
            still = torch.full_like(law, -torch.inf).scatter(1, rank(xt)[:, None], 0.0)
            moved = law.gather(1, relative_ranks(self.n).to(xt.device)[rank(xt)])
            return torch.where((then == now)[:, None], still, moved)
        return reverse_law(self.walk, reachable(self.walk, law, xt, now), xt, then, now)

    def loss(
        self,
        pred: Tensor,
        x0: Tensor,
        xt: Tensor,
        t: Tensor,
        s: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        then, now = self._interval(s, t, xt)
        nats = (
            self._exact_kl(pred, x0, xt, then, now)
            if self.n <= ENUMERABLE_LAWS
            else self._bound(pred, x0, xt, then, now, rng)
        )
        weight = len(self.counts) - 1 if s is None else 1
        return weight * torch.where(then == now, 0.0, nats)[:, None]

    def _exact_kl(self, pred: Tensor, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor) -> Tensor:
        bridge = bridge_law(self.walk, x0, xt, then, now)
        reverse = self._reverse_law(pred, xt, then, now)
        if not isinstance(self.head, AbstractMoveHead):
            # the term of x0 alone, in logarithms, where the mixture underflows
            law = reachable(self.walk, self.head.log_law(pred, self.n), xt, now)
            reverse = torch.maximum(reverse, law.gather(1, rank(x0)[:, None]) + bridge)
        return divergence(bridge, reverse)

    def _bound(
        self, pred: Tensor, x0: Tensor, xt: Tensor, then: Tensor, now: Tensor, rng: torch.Generator | None
    ) -> Tensor:
        rng = own_generator(x0, xt) if rng is None else rng
        if isinstance(self.head, AbstractMoveHead):
            return sampled_move_kl(self.walk, self.head, pred, x0, xt, then, now, rng)
        return sampled_step_kl(self.walk, self.head, pred, x0, xt, then, now, rng)

    def prior_kl(self, x0: Tensor) -> Tensor:
        return torch.full((x0.shape[0], 1), self._prior_kl, dtype=torch.float64, device=x0.device)

    @cached_property
    def _prior_kl(self) -> float:
        return shuffle_kl(self.walk, self.counts[-1])

    def reconstruction(self, pred: Tensor, x0: Tensor, xt: Tensor) -> Tensor:
        return torch.zeros((x0.shape[0], 1), dtype=torch.float64, device=x0.device)
