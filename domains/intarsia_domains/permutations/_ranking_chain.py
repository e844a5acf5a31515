"""Shuffle diffusion as a law over rankings: the chain's exact law where it can be listed, bounds beyond."""

import math

import torch
from torch import Tensor

from intarsia.classes import invert
from intarsia.evidence import Evidence
from intarsia.particles import FeynmanKac
from intarsia.processes import AbstractMoveHead, AbstractPermutationHead, AbstractSequentialHead, AbstractShuffle
from intarsia.processes.permutations import ENUMERABLE, ENUMERABLE_LAWS, all_permutations, rank, relative
from intarsia.samplers import Ancestral
from intarsia_domains.permutations._ranking_ballots import filled
from intarsia_domains.permutations._ranking_base import (
    AbstractRankingLaw,
    Drawn,
    Scores,
    by_rejection,
    eval_mode,
    missed,
)
from intarsia_domains.permutations._ranking_choice import Ballots, told_log_prob
from intarsia_domains.permutations._ranking_events import Event
from intarsia_domains.permutations._ranking_masked import draw_masked
from intarsia_domains.permutations._ranking_network import RankingNetwork

LEARNED_EXACTLY = 5
"""Most items for which training maximises the chain's own likelihood, over all permutations at once."""
ROWS = 4096
"""Permutations that are scored at once."""


class ChainLaw(AbstractRankingLaw):
    """The end of the reverse chain x_T → … → x_0 that a network and a shuffle process make.

    Three cases. With one step and a law of x0 as head, the network's `base` is the law, in closed form (`plain`). For
    at most 6 items the chain's law over all permutations is pushed through its reverse kernels. Beyond, p(x0) is
    estimated without bias along paths, and its logarithm is a bound.
    """

    def __init__(self, process: AbstractShuffle, network: RankingNetwork) -> None:
        super().__init__(process.n, network)
        self.process = process
        self.ranking = network
        self._law: Tensor | None = None

    @property
    def steps(self) -> int:
        """Network calls of a draw."""
        return len(self.process.counts) - 1

    @property
    def plain(self) -> bool:
        """Whether the law is the head's own, with parameters that depend on nothing."""
        return not self.ranking.reads_xt

    @property
    def head(self) -> AbstractPermutationHead:
        """The law of x0 given xt; for chains of moves there is none."""
        assert isinstance(self.process.head, AbstractPermutationHead)
        return self.process.head

    @property
    def moves(self) -> bool:
        """Whether the chain is made of moves instead of predictions of x0."""
        return isinstance(self.process.head, AbstractMoveHead)

    @property
    def about(self) -> str:
        kind, head = type(self.process).__name__.lower(), type(self.process.head).__name__
        return f"{kind} noise looked at after {self.process.counts} shuffles, head {head}"

    @property
    def exhaustive(self) -> bool:
        return self.n <= LEARNED_EXACTLY and not self.plain

    def forget(self) -> None:
        self._law = None

    def chain_law(self) -> Tensor:
        """log p of all permutations of at most 6 items, (n!,), with gradients."""
        points = self._points()
        law = torch.full((len(points),), -math.lgamma(self.n + 1), dtype=torch.float64, device=points.device)
        for step in range(self.steps, 0, -1):
            now, then = (self._clock(k, len(points)) for k in (step, step - 1))
            kernel = self.process.reverse_law(self.network(points, now, None), points, then, now)
            law = (law[:, None] + kernel).logsumexp(0)
        return law

    def log_law(self) -> Tensor | None:
        if self.n > (ENUMERABLE if self.plain else ENUMERABLE_LAWS):
            return None
        if self._law is None:
            with eval_mode(self.network):
                if self.plain:
                    parts = [self.head.log_prob(self._base(len(x)), x) for x in self._points().split(ROWS)]
                    self._law = torch.cat(parts)
                else:
                    self._law = self.chain_law()
        return self._law

    def loss(self, ballots: Ballots, rng: torch.Generator) -> Tensor:
        if self.plain:
            return -self._told(self._base(len(ballots.x)), ballots)
        if self.exhaustive:
            return -event_log_prob(self.chain_law(), ballots)
        return self._bound(ballots, rng)

    def _bound(self, ballots: Ballots, rng: torch.Generator) -> Tensor:
        """The cross-entropy of x0 at a random step, times the steps; with a head of moves the published loss.

        It is never less than the nelbo's diffusion part, has the same optimum, and no variance from draws of x0.
        Untold ranks are filled in by the head's law of x0 alone; what is filled in is noised and not scored.
        """
        x0 = self._filled(ballots, rng)
        rows = len(x0)
        step = torch.randint(1, self.steps + 1, (rows,), generator=rng, device=x0.device)
        now, then = step.double() / self.steps, (step - 1).double() / self.steps
        xt = self.process.corrupt(x0, now, rng)
        pred = self.network(xt, now, None)
        if self.moves:
            return self.steps * self.process.loss(pred, x0, xt, now, then, rng)[:, 0]
        return -self.steps * self._told(pred, Ballots(x0, ballots.told, ballots.weight))

    def _told(self, pred: Tensor, ballots: Ballots) -> Tensor:
        if isinstance(self.head, AbstractSequentialHead):
            return told_log_prob(self.head, pred, ballots.x, ballots.told)
        if bool((ballots.told >= self.n - 1).all()):
            return self.head.log_prob(pred, ballots.x)
        law = self.head.log_law(pred, self.n)
        return torch.where(_begins(ballots, self._points()), law, -torch.inf).logsumexp(1)

    def _filled(self, ballots: Ballots, rng: torch.Generator) -> Tensor:
        short = ballots.told < self.n
        if not bool(short.any()):
            return ballots.x
        mask = torch.arange(self.n, device=ballots.told.device) < ballots.told[:, None]
        with torch.no_grad():
            if not self.moves and isinstance(self.head, AbstractSequentialHead):
                return self.head.sample_given(self._base(len(mask)), ballots.x, mask, rng)
        tail = torch.rand(mask.shape, generator=rng, device=mask.device).masked_fill(mask, -1.0)
        return ballots.x.gather(1, tail.argsort(dim=1, stable=True))

    def sample(self, rows: int, rng: torch.Generator) -> Tensor:
        with eval_mode(self.network):
            if self.plain:
                return self.head.sample(self._base(rows), rng)
            start = self.process.prior((rows, self.n), rng)
            return Ancestral(self.steps).sample(self.process, self.network, start, rng=rng)

    def score(self, ballots: Ballots, draws: int, rng: torch.Generator) -> Scores:
        with eval_mode(self.network):
            if self.plain:
                parts = torch.arange(len(ballots.x)).split(ROWS)
                told = [self._told(self._base(len(part)), ballots.rows(part)) for part in parts]
                return Scores.exact(torch.cat(told))
            law = self.log_law()
            if law is not None:
                return Scores.exact(event_log_prob(law, ballots))
            whole = bool((ballots.told >= self.n - 1).all())
            return self._by_paths(ballots.x, draws, rng) if whole else self._by_ends(ballots, draws, rng)

    def _by_paths(self, x0: Tensor, draws: int, rng: torch.Generator) -> Scores:
        """Importance sampling with paths of the noise, Π p(xs | xt) / q(path | x0): the IWAE bound on its logarithm.

        Its mean is p(x0), less what the chain gives to paths that the noise cannot take.
        """
        parts = [self._path_weights(x, draws, rng) for x in x0.split(max(ROWS // draws, 1))]
        return Scores.of_weights(torch.cat(parts))

    def _path_weights(self, x0: Tensor, draws: int, rng: torch.Generator) -> Tensor:
        walk, counts = self.process.walk, self.process.counts
        x0 = x0.repeat_interleave(draws, 0)
        log_w = torch.full((len(x0),), -math.lgamma(self.n + 1), dtype=torch.float64, device=x0.device)
        xs = x0
        for step in range(1, self.steps + 1):
            gone = torch.full((len(x0),), counts[step] - counts[step - 1], device=x0.device)
            xt = xs.gather(1, walk.draw(gone, rng))
            pred = self.network(xt, self._clock(step, len(x0)), None)
            log_w = log_w + self._back(pred, x0, xs, xt, step, rng) - walk.log_law(relative(xs, xt), gone)
            xs = xt
        return log_w.view(-1, draws)

    def _back(self, pred: Tensor, x0: Tensor, xs: Tensor, xt: Tensor, step: int, rng: torch.Generator) -> Tensor:
        """An unbiased estimate of p(xs | xt), as a logarithm (rows,): of the mixture of bridges the term of x0 itself
        and one other draw of the head, where that is another permutation.
        """
        if isinstance(self.process.head, AbstractMoveHead):
            return self.process.head.log_prob(pred, relative(xt, xs))
        own = self.head.log_prob(pred, x0)
        if step == 1:
            return own
        terms = [own + self._bridge(xs, x0, xt, step)]
        for _ in range(4):
            other = self.head.sample(pred, rng)
            nats = self._bridge(xs, other, xt, step) - math.log(4)
            terms.append(torch.where((other == x0).all(1), -torch.inf, nats))
        return torch.stack(terms).logsumexp(0)

    def _bridge(self, xs: Tensor, x0: Tensor, xt: Tensor, step: int) -> Tensor:
        walk, then, now = self.process.walk, self.process.counts[step - 1], self.process.counts[step]

        def law(a: Tensor, b: Tensor, count: int) -> Tensor:
            return walk.log_law(relative(a, b), torch.full((len(a),), count, device=a.device))

        total = law(x0, xt, now)
        nats = law(xs, xt, now - then) + law(x0, xs, then) - total.clamp(min=-1e300)
        return torch.where(total > -torch.inf, nats, -torch.inf)

    def _by_ends(self, ballots: Ballots, draws: int, rng: torch.Generator) -> Scores:
        """The mean over reverse chains, stopped before their last step, of the head's probability of what was told."""
        rows = draws * 16
        x, ends = self.process.prior((rows, self.n), rng), torch.arange(self.steps, 0, -1)
        for step in ends[:-1].tolist():
            now, then = (self._clock(k, rows) for k in (step, step - 1))
            x = self.process.reverse(self.network(x, now, None), x, then, now, rng)
        last = self._clock(1, rows)
        pred = self.network(x, last, None)
        if self.moves:  # nothing can be summed over, so it is counted how often the chain ends in the event
            x = self.process.reverse(pred, x, torch.zeros_like(last), last, rng)
            return Scores.of_weights(_begins(ballots, x).double().log())
        parts = (ballots.rows(torch.full((rows,), row, device=x.device)) for row in range(len(ballots.x)))
        return Scores.of_weights(torch.stack([self._told(pred, part) for part in parts]))

    def draw_given(self, event: Event, rng: torch.Generator, particles: int) -> Drawn:
        law = self.log_law()
        with eval_mode(self.network):
            if law is not None:
                return draw_listed(law, event, rng)
            if self.plain and isinstance(self.head, AbstractSequentialHead):
                return draw_masked(self.head, self._base(len(event)), event, rng, particles)
            # a chain of moves has nothing that looks ahead or knows of evidence
            return by_rejection(self, event, rng, particles) if self.moves else self._steered(event, rng, particles)

    def _steered(self, event: Event, rng: torch.Generator, particles: int) -> Drawn:
        """Feynman-Kac particles of the chain, whose predictions are restricted to the event's prefix."""
        told = event.repeated(particles)
        prefix = torch.arange(self.n, device=event.at.device) < event.prefix_lengths()[:, None]
        given = Evidence(event.at, prefix) if bool(prefix.any()) else None
        steer = FeynmanKac(told.holds, particles=particles, steps=self.steps)
        found = steer.steer(self.process, self.network, (len(event), self.n), given=given, rng=rng)
        if not bool(found.satisfied.all()):
            raise missed(~found.satisfied, particles)
        chance = found.log_evidence
        if given is not None:  # the particles only know what is left of the event
            lengths = event.prefix_lengths()
            x = filled(torch.where(prefix, event.at, -1))
            chance = chance + self._by_ends(Ballots(x, lengths, torch.ones_like(chance)), particles, rng).nats
        return Drawn(found.x, chance, False)

    def _points(self) -> Tensor:
        return all_permutations(self.n).to(self.device)

    def _clock(self, step: int, rows: int) -> Tensor:
        """The time of a step, (rows,)."""
        return torch.full((rows,), step / self.steps, dtype=torch.float64, device=self.device)

    def _base(self, rows: int) -> Tensor:
        base = self.ranking.base
        return base.expand(rows, *base.shape)


def event_log_prob(law: Tensor, ballots: Ballots) -> Tensor:
    """log of the sum of `law` (n!,) over the permutations that begin as the rows tell, (rows,)."""
    n = ballots.x.shape[1]
    if bool((ballots.told >= n - 1).all()):
        return law[rank(ballots.x)]
    return torch.where(_begins(ballots, all_permutations(n).to(law.device)), law, -torch.inf).logsumexp(1)


def _begins(ballots: Ballots, points: Tensor) -> Tensor:
    """Whether permutations (points, n) begin as each row tells, (rows, points)."""
    told = torch.arange(ballots.x.shape[1], device=ballots.x.device) < ballots.told[:, None]
    at = torch.where(told, ballots.x, -1)
    return Event.prefixes(at).indicator(points)


def draw_listed(law: Tensor, event: Event, rng: torch.Generator) -> Drawn:
    """Draw from a listed law (n!,) inside events, exactly."""
    points = all_permutations(event.n).to(law.device)
    key = torch.cat([event.at, event.before.flatten(1).long()], 1)
    _, which = torch.unique(key, dim=0, return_inverse=True)
    u = torch.rand(len(event), dtype=torch.float64, generator=rng, device=law.device)
    x, chance = torch.empty_like(event.at), torch.empty_like(u)
    for group in range(int(which.max()) + 1 if len(which) else 0):  # equal events are listed once
        rows = (which == group).nonzero().flatten()
        inside = torch.where(event.rows(rows[:1]).indicator(points)[0], law, -torch.inf)
        chance[rows] = inside.logsumexp(0)
        if bool((chance[rows] > -torch.inf).all()):
            x[rows] = points[invert(inside.expand(len(rows), -1), u[rows])]
    if bool((chance == -torch.inf).any()):
        raise missed(chance == -torch.inf, len(points))
    return Drawn(x, chance, True)
