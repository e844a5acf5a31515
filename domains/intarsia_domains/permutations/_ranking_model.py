"""`RankingModel`: a distribution over rankings."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.command import AbstractCommand
from intarsia.domain import AbstractDomain
from intarsia.persistence import Artifact, load_artifact, rebuilding, save_artifact, state_into
from intarsia.processes import AbstractPermutationLaw, PrefixPlackettLuce
from intarsia.progress import shown
from intarsia.report import Report
from intarsia.training import Budget, Settings, own_generator, threads
from intarsia_domains.permutations._consensus import Consensus, borda, kemeny
from intarsia_domains.permutations._objects import from_json, to_json
from intarsia_domains.permutations._ranking_ballots import event_of_rows, learned_ballots, top_ballots, weights_of
from intarsia_domains.permutations._ranking_base import AbstractRankingLaw, Scores
from intarsia_domains.permutations._ranking_card import card
from intarsia_domains.permutations._ranking_chain import ChainLaw
from intarsia_domains.permutations._ranking_choice import linear_part
from intarsia_domains.permutations._ranking_events import Event, Windows
from intarsia_domains.permutations._ranking_given import as_rows, event_of
from intarsia_domains.permutations._ranking_noise import AbstractRankingNoise, Shuffles, Size
from intarsia_domains.permutations._ranking_pointer import Pointer
from intarsia_domains.permutations._ranking_training import Fitted, fit_law
from intarsia_domains.permutations._rankings import Rankings, Unranked

SHARD = 16_384
"""Rankings that are drawn at once; shard i has the seed (seed, i)."""
EVENTS = 256
"""Rows whose events are drawn at once."""
MIXED = 10.0
"""Penalty of the choice model that completes incomplete orders."""
SETTINGS = Settings(
    batch_size=256,
    learning_rate=3e-3,
    warmup=20,
    ema=0.99,
    evaluations=40,
    patience=8,
    max_epochs=100,
    bfloat16=False,
)
EXACT = replace(SETTINGS, batch_size=10**6, learning_rate=1e-2, ema=0.98, patience=0, max_epochs=1000)
"""Where a step sees all rows at once: an epoch is a step, and a plateau may take a hundred of them."""


class RankingModel(AbstractDomain):
    """Learns a distribution over the rankings of a set of items: samples, completes, scores and evaluates.

    A choice model (log-linear in rank, chosen items and the last one) is fitted to convergence, with a penalty from
    cross-validation; a network learns what it misses and stays if held-out ballots gain. Noise is shuffling. After the
    last shuffle nothing of x0 is left, so with one step (the default) the model is the head's own law: likelihoods,
    prefixes and top-k ballots are exact for any number of items. With more steps it is a diffusion whose head predicts
    x0 (or, a head of moves, one step back); it is exact for at most 6 items and bounded beyond.

    Args:
        noise: `Shuffles(Riffle)`, of transpositions or insertions, with a number of steps; or `LehmerDigits()`.
        head: the law of x0 given xt: `Pointer()`, `PlackettLuce()`, `GeneralizedPlackettLuce()`,
            `PrefixPlackettLuce()`, `Enumerated()`; or moves, as `Move(GeneralizedPlackettLuce())`.
        size: of the transformer that reads xt, where there are several steps, or digits.
        penalty: of the choice model's squared deviations from Plackett-Luce; None lets cross-validation choose.
        minutes: wall-clock budget of the network's training; ignored where `cpu_minutes` or `steps` is given.
        cpu_minutes: budget in CPU minutes of this process.
        steps: budget in optimizer steps; the same steps, seed and threads give the same weights.
        particles: for events that cannot be listed: more follow the law better, and meet rarer events.
        settings: of training; None for the domain's own.
        threads: torch threads; None leaves torch's own number.
        device: where the network runs.
        progress: show a progress bar; None only on a terminal.
        seed: of fitting.

    >>> votes = [["tea", "milk", "water"]] * 30 + [["milk", "tea", "water"]] * 10 + [["water"]] * 10
    >>> model = RankingModel(steps=5, progress=False).fit(votes)
    >>> model.sample(2, given={"prefix": ["tea", "water"]}).labels()
    [['tea', 'water', 'milk'], ['tea', 'water', 'milk']]
    """

    def __init__(
        self,
        *,
        noise: AbstractRankingNoise = Shuffles(jump=0.0),
        head: AbstractPermutationLaw | Pointer = Pointer(),
        size: Size = Size(),
        penalty: float | None = None,
        minutes: float = 1.0,
        cpu_minutes: float | None = None,
        steps: int | None = None,
        particles: int = 256,
        settings: Settings | None = None,
        threads: int | None = None,
        device: str = "cpu",
        progress: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.noise = noise
        self.head = head
        self.size = size
        self.penalty = penalty
        self.minutes = minutes
        self.cpu_minutes = cpu_minutes
        self.steps = steps
        self.particles = particles
        self.settings = settings
        self.threads = threads
        self.device = device
        self.progress = progress
        self.seed = seed

    def fit(
        self,
        raw: Any,
        *,
        items: Any = None,
        features: Any = None,
        weights: Any = None,
        unranked: Unranked = Unranked.BELOW,
    ) -> Self:
        """Learn from complete and partial rankings.

        Top-k ballots count with the probability of what they tell. Incomplete orders (`Unranked.UNKNOWN`) are completed
        at random under a choice model, by stochastic EM.

        Args:
            raw: `Rankings`, or what `Rankings.of` reads: lists of labels, best first, an array, a data frame.
            items: names of the items, where some are on no ballot.
            features: covariates, one row an item (n, features), in the order of the items.
            weights: of the rows, beside their counts.
            unranked: what labels that are left out mean; ignored for `Rankings`, which say so themselves.

        Raises:
            ValueError: what cannot be a ranking (the row is named), no rankings, covariates or weights that are not
                one each.
        """
        rankings = Rankings.of(raw, items, unranked).at_least_one("fitting")
        covariates = _covariates(features, rankings.n)
        weight = weights_of(rankings, weights)
        with threads(self.threads), own_generator(), shown(self.progress, "fit") as watch:
            torch.manual_seed(self.seed)
            law = self.noise.build(rankings.n, self.head, _scaled(covariates), self.size)
            law.network.to(self.device)
            linear = linear_part(law.head) if isinstance(law, ChainLaw) and not law.moves else None
            ballots = learned_ballots(
                rankings, weight, linear or PrefixPlackettLuce(), MIXED, _scaled(covariates), self.seed
            )
            settings = self.settings or (EXACT if law.exhaustive else SETTINGS)
            fitted = fit_law(
                law,
                ballots,
                settings,
                Budget.of(self.minutes, self.cpu_minutes, self.steps),
                features=_scaled(covariates),
                penalty=self.penalty,
                seed=self.seed,
                watch=watch,
            )
        self.items_ = rankings.items
        self.features_ = covariates
        self.law_: AbstractRankingLaw = law
        self.n_ballots_ = rankings.ballots
        self.training_ = _summary(fitted, law)
        if fitted.trained is not None:
            fitted.trained.warn_if_interrupted()
        return self

    def sample(self, n: int, *, given: Any = None, seed: int = 0) -> Rankings:
        """Draw rankings.

        Args:
            n: how many.
            given: a `Given`, or a mapping with its fields, that all of them meet.
            seed: the same seed and model give the same rankings.

        Raises:
            ValueError: `n` is negative, an item is unknown, the event is impossible, or no particle met it.
        """
        law: AbstractRankingLaw = self._fitted("law_")
        if isinstance(n, bool) or not isinstance(n, int | np.integer):
            raise TypeError(f"`n` must be a whole number of rankings, got {n!r}")
        if n < 0:
            raise ValueError(f"`n` must not be negative, got {n}")
        if given is not None:
            event = as_rows(event_of(given, self.items_), int(n))
            return Rankings(self.items_, self._inside(event, seed).numpy())
        parts = [torch.zeros((0, len(self.items_)), dtype=torch.long)]
        for shard, start in enumerate(range(0, int(n), SHARD)):
            parts.append(law.sample(min(SHARD, int(n) - start), _generator(seed, shard, law.device)).cpu())
        return Rankings(self.items_, torch.cat(parts).numpy())

    def complete(self, raw: Any, *, n_draws: int = 1, given: Any = None, seed: int = 0) -> Any:
        """Rank what is not ranked in partial rankings, given what is.

        Args:
            raw: rankings of the model's items; each row keeps its count, and its draw stands for all of it.
            n_draws: how many completions.
            given: what else is known, of all rows.
            seed: of the draws.

        Returns:
            Complete `Rankings`, or a list of `n_draws` of them where more than one is asked for.

        Raises:
            ValueError: a row contradicts `given`, or no particle met what it tells.
        """
        self._fitted("law_")
        if n_draws < 1:
            raise ValueError(f"`n_draws` must be at least 1, got {n_draws}")
        rankings = self._conform(raw)
        event = event_of_rows(rankings)
        if given is not None:
            event = event.both(as_rows(event_of(given, self.items_), len(rankings)))
        orders = [self._inside(event, seed + draw).numpy() for draw in range(n_draws)]
        draws = [Rankings(self.items_, x, rankings.counts) for x in orders]
        return draws[0] if n_draws == 1 else draws

    def score_samples(self, raw: Any, *, draws: int = 64, seed: int = 0) -> NDArray[np.float64]:
        """Log-likelihood of every row in nats, (rows,): of its event, where a row is partial. See `score`."""
        return self.score(raw, draws=draws, seed=seed).nats.numpy()

    def score(self, raw: Any, *, draws: int = 64, seed: int = 0) -> Scores:
        """Log-likelihoods with their standard errors and gaps; both are 0 where they are exact.

        Args:
            raw: rankings of the model's items.
            draws: for bounds: more are tighter.
            seed: of the draws.
        """
        law: AbstractRankingLaw = self._fitted("law_")
        rankings, rng = self._conform(raw), _generator(seed, 0, law.device)
        ones = torch.ones(len(rankings), dtype=torch.float64)
        if not len(rankings):
            return Scores.exact(ones)
        with threads(self.threads):
            if rankings.unranked is Unranked.UNKNOWN and not rankings.is_complete:
                found = _score_events(law, event_of_rows(rankings).to(law.device), self.particles, rng)
                return found.rows(torch.arange(len(rankings)))
            ballots, which = top_ballots(rankings, ones)
            return law.score(ballots.to(law.device), draws, rng).rows(which)

    def probability(self, given: Any, *, seed: int = 0) -> float:
        """How likely an event is under the model: a `Given`, or a mapping with its fields.

        Exact up to 6 items (8 with one step) and for prefixes with one step, else an estimate from particles.

        Raises:
            ValueError: an item is unknown, the event is impossible, or no particle met it.
        """
        law: AbstractRankingLaw = self._fitted("law_")
        event, rng = event_of(given, self.items_).to(law.device), _generator(seed, 0, law.device)
        with threads(self.threads):
            return math.exp(float(law.draw_given(event, rng, self.particles).log_probability[0]))

    def consensus(self, *, n: int = 4096, seed: int = 0) -> dict[str, Consensus]:
        """The orders that disagree least with `n` rankings of the model: "kemeny", and "borda" by mean ranks."""
        drawn = self.sample(n, seed=seed).merge()
        return {"kemeny": kemeny(drawn), "borda": borda(drawn)}

    def evaluate(self, train: Any, holdout: Any, *, n: int | None = None, seed: int = 0) -> Report:
        """Compare `n` rankings of the model with training and held-out ballots, beside the floors."""
        from intarsia_domains.permutations._evaluation import evaluate_rankings

        real, other = self._conform(train), self._conform(holdout)
        synthetic = self.sample(real.ballots if n is None else n, seed=seed)
        return evaluate_rankings(real, other, synthetic, model=self, seed=seed)

    def save(self, path: str | Path) -> None:
        """Write a saved model; see `intarsia.persistence.save_artifact`."""
        law: AbstractRankingLaw = self._fitted("law_")
        names = (
            "noise",
            "head",
            "size",
            "penalty",
            "minutes",
            "cpu_minutes",
            "steps",
            "particles",
            "settings",
            "threads",
            "seed",
        )
        config = {
            "parameters": {name: to_json(getattr(self, name)) for name in names},
            "ballots": self.n_ballots_,
            "training": {k: v for k, v in self.training_.items() if k != "seconds"},
        }
        features = None if self.features_ is None else self.features_.tolist()
        codec = {"items": list(self.items_), "features": features}
        save_artifact(path, Artifact(self.type_name(), config, codec, dict(law.network.state_dict()), card(self)))

    @classmethod
    def command(cls) -> AbstractCommand[Any]:
        from intarsia_domains.permutations._command import RankingCommand

        return RankingCommand()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model.

        Raises:
            ArtifactError: it is damaged, hostile, or of another type.
        """
        artifact = load_artifact(path, type=cls.type_name())
        with rebuilding(path, "ranking model"):
            model = cls(**{name: from_json(value) for name, value in artifact.config["parameters"].items()})
            model.items_ = Rankings.of([artifact.codec["items"]], artifact.codec["items"]).items
            features = artifact.codec["features"]
            model.features_ = _covariates(features, len(model.items_))
            model.n_ballots_, model.training_ = int(artifact.config["ballots"]), dict(artifact.config["training"])
            with own_generator():  # the weights that are drawn here are replaced below
                model.law_ = model.noise.build(len(model.items_), model.head, _scaled(model.features_), model.size)
        state_into(model.law_.network, artifact.weights, path)
        model.law_.network.to(model.device).eval()
        return model

    def _conform(self, raw: Any) -> Rankings:
        """Rankings of the model's items; raises ValueError for others."""
        self._fitted("law_")
        return Rankings.of(raw, self.items_)

    def _inside(self, event: Event, seed: int) -> Tensor:
        """One permutation a row of the event."""
        Windows(event, self.items_)  # what is impossible is said of all rows before any is drawn
        law, parts = self.law_, [event.at[:0]]
        with threads(self.threads):
            for shard, start in enumerate(range(0, len(event), EVENTS)):
                some = event.rows(slice(start, start + EVENTS)).to(law.device)
                drawn = law.draw_given(some, _generator(seed, shard, law.device), self.particles)
                parts.append(drawn.x.cpu())
        return torch.cat(parts)


def _score_events(law: AbstractRankingLaw, event: Event, particles: int, rng: torch.Generator) -> Scores:
    """log p of events by particles, with errors from four runs unless it is exact."""
    runs = [law.draw_given(event, rng, particles)]
    if runs[0].exact:
        return Scores.exact(runs[0].log_probability)
    runs += [law.draw_given(event, rng, particles) for _ in range(3)]
    return Scores.of_weights(torch.stack([run.log_probability for run in runs], 1))


def _generator(seed: int, shard: int, device: torch.device) -> torch.Generator:
    word = np.random.SeedSequence([seed, shard]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(word) >> 1)


def _covariates(features: Any, n: int) -> NDArray[np.float64] | None:
    if features is None:
        return None
    values = np.array(features, dtype=float)
    if values.ndim != 2 or len(values) != n or not values.shape[1]:
        raise ValueError(f"`features` has a row for each of the {n} items, got shape {values.shape}")
    if not np.isfinite(values).all():
        item, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(f"`features` must be finite, got {values[item, column]} for item {item}, column {column}")
    return values


def _scaled(features: NDArray[np.float64] | None) -> Tensor | None:
    """Covariates with mean 0 and variance 1."""
    if features is None:
        return None
    spread = features.std(0)
    return torch.tensor((features - features.mean(0)) / np.where(spread > 0, spread, 1.0), dtype=torch.float32)


def _summary(fitted: Fitted, law: AbstractRankingLaw) -> dict[str, Any]:
    trained = fitted.trained
    return {
        "penalty": fitted.penalty,
        "held_out_choice_model": fitted.before if math.isfinite(fitted.before) else None,
        "held_out_nats": fitted.after if math.isfinite(fitted.after) else None,
        "in_nats": isinstance(law, ChainLaw) and (law.plain or law.exhaustive),
        "network_kept": fitted.kept and trained is not None,
        "steps": 0 if trained is None else trained.steps,
        "interrupted": trained is not None and trained.interrupted,
        "seconds": 0.0 if trained is None else trained.seconds,
    }
