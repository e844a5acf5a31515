"""`AbstractDomain` and `check_domain`, on a small domain of class tuples that lives in this file."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import torch

from intarsia import (
    AbstractDomain,
    AnyOrderObjective,
    ArtifactError,
    Budget,
    Discrete,
    Evidence,
    FirstHitting,
    NotFittedError,
    Report,
    ResidualMLP,
    Settings,
    train,
)
from intarsia.domain import installed_domains
from intarsia.likelihood import chain_log_prob
from intarsia.persistence import Artifact, load_artifact, rebuilding, save_artifact, state_into
from intarsia.testing import check_domain


class Tuples(AbstractDomain):
    """Rows of classes (rows, sites), -1 where unknown."""

    def __init__(self, *, width: int = 8, steps: int = 10, seed: int = 0) -> None:
        self.width = width
        self.steps = steps
        self.seed = seed

    def _build(self, counts: list[int]) -> ResidualMLP:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return ResidualMLP(counts, width=self.width, blocks=1, dropout=0.0, time_free=True)

    def fit(self, raw: Any) -> Self:
        x0 = torch.from_numpy(np.asarray(raw)).clone()
        self.counts_ = [int(k) + 1 for k in x0.amax(0)]
        network = self._build(self.counts_)
        process = Discrete.absorbing(tuple(self.counts_))

        def loss(model: torch.nn.Module, rows: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
            return AnyOrderObjective()(process, model, x0[rows], None, rng)

        settings = Settings(batch_size=32, warmup=0, bfloat16=False)
        train(network, loss, len(x0), lambda _: 0.0, Budget(steps=self.steps), settings, seed=self.seed)
        self.network_ = network
        return self

    def _draw(self, values: torch.Tensor, known: torch.Tensor, seed: int) -> Any:
        process = Discrete.absorbing(tuple(self.counts_))
        rng = torch.Generator().manual_seed(seed)
        x1 = process.prior(tuple(values.shape))
        with torch.no_grad():
            return FirstHitting().sample(process, self.network_, x1, given=Evidence(values, known), rng=rng).numpy()

    def sample(self, n: int, *, given: Any = None, seed: int = 0) -> Any:
        self._fitted("network_")
        if not isinstance(n, int):
            raise TypeError(f"`n` must be an int, got {n!r}")
        if n < 0:
            raise ValueError(f"`n` must not be negative, got {n}")
        values = torch.zeros(n, len(self.counts_), dtype=torch.long)
        return self._draw(values, values < 0, seed)

    def complete(self, raw: Any, *, seed: int = 0) -> Any:
        self._fitted("network_")
        values = torch.from_numpy(np.asarray(raw))
        return self._draw(values, values >= 0, seed)

    def score_samples(self, raw: Any) -> Any:
        network = self._fitted("network_")
        process = Discrete.absorbing(tuple(self.counts_))
        with torch.no_grad():
            rng = torch.Generator().manual_seed(0)
            return chain_log_prob(process, network, torch.from_numpy(np.asarray(raw)), rng=rng).numpy()

    def evaluate(self, train: Any, holdout: Any) -> Report:
        raise NotImplementedError

    def save(self, path: str | Path) -> None:
        network = self._fitted("network_")
        config = {"parameters": self.get_params(), "counts": self.counts_}
        save_artifact(path, Artifact(self.type_name(), config, {}, dict(network.state_dict()), "# Tuples\n"))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        saved = load_artifact(path, type=cls.type_name())
        with rebuilding(path, "model of tuples"):
            model = cls(**saved.config["parameters"])
            model.counts_ = saved.config["counts"]
            model.network_ = model._build(model.counts_).eval()
            state_into(model.network_, saved.weights, path)
        return model


RAW = np.random.default_rng(0).integers(0, [2, 3, 4], (64, 3))
HOLES = np.where(np.random.default_rng(1).random(RAW.shape) < 0.3, -1, RAW)


def test_a_well_behaved_domain_passes() -> None:
    check_domain(Tuples(), RAW, HOLES)


class WorksInInit(Tuples):
    def __init__(self, *, width: int = 8, steps: int = 10, seed: int = 0) -> None:
        super().__init__(width=width, steps=steps, seed=seed)
        self.rng = torch.Generator()


class CopiesArguments(Tuples):
    def __init__(self, *, width: int = 8, steps: int = 10, seed: int = 0) -> None:
        super().__init__(width=width + 1000, steps=steps, seed=seed)


class DrawsUnfitted(Tuples):
    def complete(self, raw: Any, *, seed: int = 0) -> Any:
        return raw


class SeedsTheWorld(Tuples):
    def sample(self, n: int, *, given: Any = None, seed: int = 0) -> Any:
        torch.manual_seed(seed)
        return super().sample(n, seed=seed)


class ChangesTheData(Tuples):
    def fit(self, raw: Any) -> Self:
        raw[0] = 0
        return super().fit(raw)


class ForgetsUnderscores(Tuples):
    def fit(self, raw: Any) -> Self:
        self.rows = len(raw)
        return super().fit(raw)


class IgnoresSeeds(Tuples):
    def sample(self, n: int, *, given: Any = None, seed: int = 0) -> Any:
        return super().sample(n, seed=0)


class RoundsNumbers(Tuples):
    def sample(self, n: int, *, given: Any = None, seed: int = 0) -> Any:
        return super().sample(int(n), seed=seed)


class TakesNegatives(Tuples):
    def sample(self, n: int, *, given: Any = None, seed: int = 0) -> Any:
        return super().sample(abs(n) if isinstance(n, int) else n, seed=seed)


class LosesWeights(Tuples):
    @classmethod
    def load(cls, path: str | Path) -> Self:
        model = super().load(path)
        torch.nn.init.normal_(model.network_.head.weight, generator=torch.Generator().manual_seed(9))
        return model


class TrustsItsFiles(Tuples):
    @classmethod
    def load(cls, path: str | Path) -> Self:
        json.loads((Path(path) / "config.json").read_text())["config"]["counts"].append(0)
        return super().load(path)


class WritesInPlace(Tuples):
    def save(self, path: str | Path) -> None:
        if Path(path).exists():
            (Path(path) / "card.md").write_text("half")
        super().save(path)


class ChangesParameters(Tuples):
    def fit(self, raw: Any) -> Self:
        self.steps = 20
        return super().fit(raw)


class FitsAtRandom(Tuples):
    def fit(self, raw: Any) -> Self:
        super().fit(raw)
        rng = torch.Generator()
        rng.seed()
        torch.nn.init.normal_(self.network_.head.weight, generator=rng)
        return self


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        (WorksInInit, "do no work"),
        (CopiesArguments, "changes its argument|must store"),
        (DrawsUnfitted, "before `fit`"),
        (SeedsTheWorld, "global generator of torch"),
        (ChangesTheData, "changed the data"),
        (ForgetsUnderscores, "end in `_`"),
        (IgnoresSeeds, "every seed"),
        (RoundsNumbers, r"sample\(2\.5\)"),
        (TakesNegatives, r"sample\(-1\)"),
        (LosesWeights, "loaded"),
        (TrustsItsFiles, "must raise ArtifactError"),
        (WritesInPlace, "full disk spoils"),
        (ChangesParameters, "constructor argument"),
        (FitsAtRandom, "fitted twice"),
    ],
)
def test_badly_behaved_domains_are_caught(kind: type[Tuples], law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_domain(kind(), RAW.copy(), HOLES.copy())


def test_parameters() -> None:
    domain = Tuples(width=16)
    assert domain.get_params() == {"width": 16, "steps": 10, "seed": 0}
    assert repr(domain) == "Tuples(width=16)"
    assert domain.set_params(steps=3) is domain
    assert domain.steps == 3
    with pytest.raises(ValueError, match="no parameter 'depth'; it has width, steps, seed"):
        domain.set_params(depth=1)


def test_unfitted_domains_say_so() -> None:
    with pytest.raises(NotFittedError, match="call `fit` first"):
        Tuples().sample(1)


def test_other_types_are_refused(tmp_path: Path) -> None:
    domain = Tuples().fit(RAW)
    domain.save(tmp_path / "model")
    with pytest.raises(ArtifactError, match="IgnoresSeeds"):
        IgnoresSeeds.load(tmp_path / "model")


def test_installed_domains_are_listed_and_not_imported() -> None:
    for name, point in installed_domains().items():
        assert point.name == name
        assert ":" in point.value
