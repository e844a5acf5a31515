"""Fitting a law over rankings: the choice model to convergence, then the network by steps, if held-out rows gain."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from intarsia.training import Budget, Settings, Trained, Watch, train
from intarsia_domains.permutations._ranking_base import AbstractRankingLaw
from intarsia_domains.permutations._ranking_chain import ChainLaw
from intarsia_domains.permutations._ranking_choice import (
    Ballots,
    choose_penalty,
    fit_choices,
    fold_weights,
    linear_part,
)
from intarsia_domains.permutations._ranking_network import RankingNetwork

FOLDS = 10
"""One of so many parts of the ballots is held out to see when to stop."""
REPEATS = 4
"""Held-out bounds are averaged over so many draws, the same every time."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of fitting.

    Args:
        penalty: of the choice model, chosen by cross-validation; None where the head has none.
        trained: of the network; None where there was nothing else to learn.
        before, after: held-out nats a ballot of the choice model by itself, and with the network.
        kept: whether the network stayed: it has to gain more than the standard error of its gain.
    """

    penalty: float | None
    trained: Trained | None
    before: float
    after: float
    kept: bool


def fit_law(
    law: AbstractRankingLaw,
    ballots: Ballots,
    settings: Settings,
    budget: Budget,
    *,
    features: Tensor | None = None,
    penalty: float | None = None,
    seed: int = 0,
    watch: Watch | None = None,
) -> Fitted:
    """Train a law on weighted ballots; without a `penalty` cross-validation chooses the choice model's."""
    held = fold_weights(ballots.weight, FOLDS, seed)[:, 0]
    inner, outer = ballots.weighted(ballots.weight - held), ballots.weighted(held)
    if not len(inner.x) or not len(outer.x):
        inner = outer = ballots
    linear = linear_part(law.head) if isinstance(law, ChainLaw) and not law.moves else None
    if linear is None or not isinstance(law, ChainLaw):
        penalty = None
    else:
        penalty = choose_penalty(linear, ballots, features, seed) if penalty is None else penalty
        alone = law.plain and law.ranking.decoder is None
        put_choices(law.ranking, fit_choices(linear, ballots if alone else inner, penalty, features))
        law.forget()
        if alone:
            return Fitted(penalty, None, math.nan, math.nan, True)
    return _fit_network(law, inner, outer, settings, budget, seed, watch, penalty)


def put_choices(network: RankingNetwork, pred: Tensor) -> None:
    """Set the log-linear part of `base`."""
    with torch.no_grad():
        if network.decoder is None:
            network.base.copy_(pred)  # also onto another device
        else:
            network.base[: pred.shape[0] * pred.shape[1]].copy_(pred.flatten(0, 1))


class _Best:
    """The weights with the lowest held-out loss, those before the first step among them."""

    def __init__(self, network: nn.Module, value: Tensor, weight: Tensor) -> None:
        self.first = self.nats = value
        self.weight = weight
        self.start = self.state = _copy(network)

    def see(self, network: nn.Module, value: Tensor) -> float:
        """Remember weights that are better than all before; the mean loss."""
        if _mean(value, self.weight) < _mean(self.nats, self.weight):
            self.nats, self.state = value, _copy(network)
        return _mean(value, self.weight)

    def gains(self) -> bool:
        """Whether the gain over the start exceeds its standard error."""
        gain = self.first - self.nats
        mean = _mean(gain, self.weight)
        total = float(self.weight.sum())
        spread = _mean((gain - mean).square(), self.weight)
        return mean > math.sqrt(spread / total)


def _fit_network(
    law: AbstractRankingLaw,
    inner: Ballots,
    outer: Ballots,
    settings: Settings,
    budget: Budget,
    seed: int,
    watch: Watch | None,
    penalty: float | None,
) -> Fitted:
    network = law.network
    rows, outer = (inner if law.exhaustive else _spread(inner)).to(law.device), outer.to(law.device)
    share = rows.weight / rows.weight.mean()
    network.eval()
    with torch.no_grad():
        best = _Best(network, _nats(law, outer, seed), outer.weight)

    def loss(_: nn.Module, chosen: Tensor, rng: torch.Generator) -> Tensor:
        law.forget()
        return law.loss(rows.rows(chosen), rng) * share[chosen]

    def held_out(averaged: nn.Module) -> float:
        with _weights_of(law, averaged):
            return best.see(network, _nats(law, outer, seed))

    trained = train(network, loss, len(rows.x), held_out, budget, settings, seed=seed, watch=watch)
    kept = penalty is None or best.gains()
    network.load_state_dict(best.state if kept else best.start)
    network.eval()
    law.forget()
    return Fitted(penalty, trained, _mean(best.first, best.weight), _mean(best.nats, best.weight), kept)


class _weights_of:
    """Inside, the law's network has the weights of another copy of it."""

    def __init__(self, law: AbstractRankingLaw, other: nn.Module) -> None:
        self.law, self.other = law, other

    def __enter__(self) -> None:
        self.own = _copy(self.law.network)
        self.training = self.law.network.training
        self.law.network.load_state_dict(self.other.state_dict())
        self.law.network.eval()
        self.law.forget()

    def __exit__(self, *_: object) -> None:
        self.law.network.load_state_dict(self.own)
        self.law.network.train(self.training)
        self.law.forget()


def _nats(law: AbstractRankingLaw, ballots: Ballots, seed: int) -> Tensor:
    """Nats per row by the training loss, averaged over the same draws each time."""
    rng = torch.Generator(law.device).manual_seed(seed)
    repeats = 1 if law.exhaustive or getattr(law, "plain", False) else REPEATS
    return torch.stack([law.loss(ballots, rng) for _ in range(repeats)]).mean(0).double()


def _mean(values: Tensor, weight: Tensor) -> float:
    return float((values * weight).sum() / weight.sum())


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _spread(ballots: Ballots) -> Ballots:
    """A row a ballot where weights are whole, so that batches hold single ballots."""
    weight = ballots.weight
    if bool((weight == weight.round()).all()) and float(weight.sum()) <= 1e6:
        row = torch.repeat_interleave(torch.arange(len(weight)), weight.long())
        return Ballots(ballots.x[row], ballots.told[row], torch.ones(len(row), dtype=torch.float64))
    return ballots
