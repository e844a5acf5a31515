"""The systems: five noises on one network, two baselines and a peer; each is trained, asked and scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from dna_cells.d3 import D3
from dna_cells.tasks import Data
from intarsia.training import Budget, Settings
from intarsia_domains.dna import (
    Absorbing,
    AnalogBits,
    DilatedCNN,
    Marginal,
    Multinomial,
    SequenceDesigner,
    Sequences,
    SharedStrands,
    Simplex,
    fit_autoregressive,
    fit_markov,
)
from intarsia_domains.dna._designer import SETTINGS
from intarsia_domains.dna._noises import AbstractNoise
from intarsia_domains.dna._raw import Rows

SETUPS: dict[str, tuple[DilatedCNN, Settings]] = {
    "sites": (
        DilatedCNN(width=96, blocks=6, dropout=0.0),
        Settings(batch_size=1024, learning_rate=4e-3, max_epochs=1000),
    ),
    # seen a few times each, so that nothing is learned by heart
    "peaks": (DilatedCNN(dropout=0.0, strands=SharedStrands()), SETTINGS),
}
"""Network and training of single tasks, the same for all noises: many rows of few letters; peaks have two strands."""
NOISES = ("absorbing", "multinomial", "marginal", "simplex", "analog-bits")


class System(Protocol):
    """A trained generator."""

    training: dict[str, Any]

    def sample(self, n: int, given: Mapping[str, Any], seed: int, guidance: float = 1.0) -> Sequences:
        """Draw sequences with these labels; guidance other than 1 is refused where there is none."""
        ...

    def score(self, rows: Rows) -> Any:
        """Log-likelihood or a bound of it, nats, (rows,)."""
        ...


class Designer:
    """A noise on the common network."""

    def __init__(self, data: Data, task: str, noise: AbstractNoise, budget: float, threads: int, seed: int) -> None:
        network, settings = SETUPS.get(task, (DilatedCNN(), SETTINGS))
        self.model = SequenceDesigner(
            cpu_minutes=budget / 60.0,
            noise=noise,
            network=network,
            settings=settings,
            sets=0.0,  # every noise sees the same data, and no noise but the absorbing one has a use for sets
            threads=threads,
            progress=False,
            seed=seed,
        ).fit(data.train.sequences, data.train.labels)
        self.training = {"steps": self.model.training_["steps"]}

    def sample(self, n: int, given: Mapping[str, Any], seed: int, guidance: float = 1.0) -> Sequences:
        return self.model.sample(n, given=given, guidance=guidance, seed=seed)

    def score(self, rows: Rows) -> Any:
        return self.model.score_samples(rows.sequences, rows.labels)


class Autoregressive:
    """The GRU."""

    def __init__(self, data: Data, budget: float, threads: int, seed: int) -> None:
        self.model = fit_autoregressive(
            data.train.sequences,
            dict(data.train.labels),
            budget=Budget(cpu_minutes=budget / 60.0),
            torch_threads=threads,
            seed=seed,
        )
        self.training = {"steps": self.model.training.steps}

    def sample(self, n: int, given: Mapping[str, Any], seed: int, guidance: float = 1.0) -> Sequences:
        return self.model.sample(n, given=dict(given), seed=seed)

    def score(self, rows: Rows) -> Any:
        return self.model.score_samples(rows.sequences, dict(rows.labels))


class Markov:
    """One chain for each class, or one for all where the label is a number."""

    def __init__(self, data: Data, seed: int) -> None:
        self.condition = data.condition
        labels = None if data.condition is None else np.asarray(data.train.labels[data.condition])
        classes = [] if labels is None else sorted(set(labels.tolist()))
        self.split = 1 < len(classes) <= 10
        groups = {one: np.flatnonzero(labels == one) for one in classes} if self.split else {}
        self.models = {one: fit_markov(data.train.sequences[rows], seed=seed) for one, rows in groups.items()}
        self.all = fit_markov(data.train.sequences, seed=seed)
        self.training = {"order": self.all.order, "aligned": self.all.aligned}

    def _models(self, given: Mapping[str, Any], n: int) -> list[Any]:
        asked = given.get(self.condition) if self.split and self.condition else None
        values = np.broadcast_to(np.asarray(asked, dtype=object), (n,))
        return [self.all if value is None else self.models[value] for value in values]

    def sample(self, n: int, given: Mapping[str, Any], seed: int, guidance: float = 1.0) -> Sequences:
        own = self._models(given, n)
        drawn = {id(model): iter(model.sample(n, seed=seed).texts()) for model in {id(m): m for m in own}.values()}
        return Sequences.of([next(drawn[id(model)]) for model in own], alphabet=self.all.alphabet)

    def score(self, rows: Rows) -> Any:
        own = self._models(rows.labels, len(rows))
        scores = {id(m): m.score_samples(rows.sequences) for m in {id(m): m for m in own}.values()}
        return np.array([scores[id(model)][row] for row, model in enumerate(own)])


def _noise(noise: AbstractNoise) -> Callable[..., System]:
    def fit(data: Data, task: str, budget: float, threads: int, seed: int) -> System:
        return Designer(data, task, noise, budget, threads, seed)

    return fit


SYSTEMS: dict[str, Callable[..., System]] = {
    "absorbing": _noise(Absorbing()),
    "multinomial": _noise(Multinomial()),
    "marginal": _noise(Marginal()),
    "simplex": _noise(Simplex()),
    "analog-bits": _noise(AnalogBits()),
    "autoregressive": lambda data, task, budget, threads, seed: Autoregressive(data, budget, threads, seed),
    "markov": lambda data, task, budget, threads, seed: Markov(data, seed),
    "d3": D3,
}
