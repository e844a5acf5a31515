"""`TabularSynthesizer`: a generative model of one table of mixed columns."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.command import AbstractCommand
from intarsia.domain import AbstractDomain
from intarsia.persistence import Artifact, load_artifact, rebuilding, save_artifact, state_into
from intarsia.precision import half
from intarsia.progress import shown
from intarsia.report import Report
from intarsia.shards import in_shards
from intarsia.training import Budget, Trained, own_generator, threads
from intarsia_domains.tabular._card import card
from intarsia_domains.tabular._codec import TableCodec
from intarsia_domains.tabular._frames import Restore, to_pandas
from intarsia_domains.tabular._given import given_frame, put_given
from intarsia_domains.tabular._table_error import TableError
from intarsia_domains.tabular.columns._values import values_from_json, values_to_json
from intarsia_domains.tabular.recipes import AbsorbingDigits, AbstractRecipe, AbstractTableModel
from intarsia_domains.tabular.recipes._base import build_with_seed, fit_model, to_device
from intarsia_domains.tabular.recipes._json import recipe_from_json, recipe_to_json

Made = TypeVar("Made")
SHARD = 4_096
"""Rows that are generated at once; shard i of a table has the seed (seed, i), whoever draws it."""


class TabularSynthesizer(AbstractDomain):
    """Learns the joint distribution of a table's columns: samples, conditions, imputes, scores and evaluates.

    Kinds of columns are detected and can be overridden; missing values, spikes, precision, dtypes and ranges are
    learned. Every column is discrete inside (absorbing diffusion with a time-free network, one site at a time), so
    any set of cells can be given and any other set drawn, exactly and without rejection.

    Args:
        minutes: wall-clock budget of `fit`; ignored where `cpu_minutes` or `steps` is given.
        cpu_minutes: budget in CPU minutes of this process.
        steps: budget in optimizer steps; the same steps, seed and threads give the same weights.
        kinds: kind by column, where detection should be overridden: category, ordered, boolean, integer, decimal,
            datetime or identifier.
        rare: in category columns of more than 50 values, those seen fewer times are never shown; 0 keeps all.
        clip_extremes: so many of the smallest and largest numbers of a column are moved to the next one inside.
        recipe: network and training; None chooses by the number of rows.
        threads: torch threads of the fit, and shards of rows that are drawn at once; None is torch's own number.
        device: where the network runs.
        progress: show a progress bar; None only on a terminal.
        seed: of fitting.

    >>> synthesizer = TabularSynthesizer(steps=20, progress=False)
    >>> table = pd.DataFrame({"a": ["x", "y"] * 50, "b": range(0, 200, 2)})
    >>> synthesizer.fit(table).sample(3, given={"a": "x"}, seed=0)["a"].tolist()
    ['x', 'x', 'x']
    """

    def __init__(
        self,
        *,
        minutes: float = 5.0,
        cpu_minutes: float | None = None,
        steps: int | None = None,
        kinds: Mapping[Any, str] | None = None,
        rare: int = 2,
        clip_extremes: int = 0,
        recipe: AbstractRecipe | None = None,
        threads: int | None = None,
        device: str = "cpu",
        progress: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.minutes = minutes
        self.cpu_minutes = cpu_minutes
        self.steps = steps
        self.kinds = kinds
        self.rare = rare
        self.clip_extremes = clip_extremes
        self.recipe = recipe
        self.threads = threads
        self.device = device
        self.progress = progress
        self.seed = seed

    def fit(self, raw: Any, target: Any = None) -> Self:
        """Learn a table.

        Args:
            raw: a pandas, polars or Arrow table; its index is ignored.
            target: the column that reports predict from the others; it is learned like any other.

        Raises:
            TableError: the table is empty, `kinds` or `target` names no column.
            ValueError, TypeError: a column cannot be modelled (infinite values, free text, containers); it is named.
        """
        budget = Budget.of(self.minutes, self.cpu_minutes, self.steps)
        frame, restore = to_pandas(raw)
        if target is not None and target not in frame.columns:
            raise TableError(f"there is no target column {target!r}; columns are {', '.join(map(repr, frame.columns))}")
        codec = TableCodec.fit(frame, self.kinds or {}, self.rare, self.clip_extremes)
        recipe = self.recipe or AbsorbingDigits.for_rows(len(frame))
        model, trained = None, None
        if codec.num_classes:
            model = build_with_seed(recipe, codec, frame, self.seed)
            model.network.to(self.device)
            with shown(self.progress, "fit") as watch, threads(self.threads):
                trained = fit_model(model, frame, recipe.settings, budget, self.seed, watch)
        self.codec_ = codec
        self.recipe_ = recipe
        self.model_: AbstractTableModel | None = model
        self.target_ = target
        self.n_rows_ = len(frame)
        self.training_ = _summary(trained)
        self._restore: Restore | None = restore
        if trained is not None:
            trained.warn_if_interrupted()
        return self

    def sample(self, n: int, *, given: Mapping[Any, Any] | None = None, seed: int = 0) -> Any:
        """Draw rows.

        Args:
            n: how many; 0 gives an empty table with columns and dtypes.
            given: values by column, one for all rows or a sequence of `n`; held exactly, None for missing.
            seed: the same seed and model give the same rows.

        Raises:
            ValueError: `n` is negative, a column or value is unknown, or a number lies outside the training range.
        """
        codec: TableCodec = self._fitted("codec_")
        if isinstance(n, bool) or not isinstance(n, int | np.integer):
            raise TypeError(f"`n` must be a whole number of rows, got {n!r}")
        if n < 0:
            raise ValueError(f"`n` must not be negative, got {n}")
        evidence = given_frame(codec, given or {}, int(n))
        cells = np.tile([name in evidence for name in codec.names], (int(n), 1))
        return self._back(put_given(self._draw(evidence, cells, seed, missing=True), given or {}))

    def complete(self, raw: Any, *, n_draws: int = 1, seed: int = 0) -> Any:
        """Fill in every missing cell, jointly given the cells of its row that are there.

        Args:
            raw: a table with the columns of the training table.
            n_draws: how many completions.
            seed: of the draws.

        Returns:
            A table like `raw`, or a list of `n_draws` of them where more than one is asked for.
        """
        codec: TableCodec = self._fitted("codec_")
        if n_draws < 1:
            raise ValueError(f"`n_draws` must be at least 1, got {n_draws}")
        frame, restore = to_pandas(raw)
        frame = _ordered(frame, codec)
        cells = frame.notna().to_numpy()
        draws = [restore(_fill(frame, self._draw(frame, cells, seed + draw, missing=False))) for draw in range(n_draws)]
        return draws[0] if n_draws == 1 else draws

    def score_samples(self, raw: Any, *, per_cell: bool = False, orders: int = 4, seed: int = 0) -> Any:
        """Log-likelihood of rows in nats, a lower bound averaged over `orders` orders of the columns, (rows,).

        Continuous cells are scored by the mass of their bin, so the values are log-probabilities and comparable
        between rows of one model. Missing cells count where the training table had missing values in that column.

        Args:
            raw: a table with the columns of the training table.
            per_cell: a frame with log p(cell | rest of its row) instead: low values are odd cells.
            orders: more give a tighter and steadier bound.
            seed: of the orders.
        """
        codec: TableCodec = self._fitted("codec_")
        frame = _ordered(to_pandas(raw)[0], codec)
        cells = frame.notna().to_numpy() | _has_missing(codec)
        names = [name for name, sites in codec.sites.items() if sites]
        none = torch.zeros((0, len(names)) if per_cell else 0, dtype=torch.float64)

        def shard(start: int) -> Tensor:
            part = slice(start, start + SHARD)
            rng = torch.Generator(self.device).manual_seed(seed)
            return self._score(frame[part], cells[part], per_cell, orders, rng)

        scores = torch.cat([none, *self._in_shards(shard, range(0, len(frame), SHARD), "score")]).numpy()
        if not per_cell:
            return scores
        result = pd.DataFrame(0.0, index=range(len(frame)), columns=pd.Index(codec.names))
        result[names] = scores
        return result.mask(frame.isna() & ~_has_missing(codec))

    def evaluate(self, train: Any, holdout: Any, *, n: int | None = None, seed: int = 0) -> Report:
        """Compare `n` synthetic rows (as many as `train` has) with training and held-out rows, beside the floors."""
        from intarsia_domains.tabular._evaluation import evaluate_tables

        codec: TableCodec = self._fitted("codec_")
        real, other = (_ordered(to_pandas(frame)[0], codec) for frame in (train, holdout))
        synthetic = to_pandas(self.sample(len(real) if n is None else n, seed=seed))[0]
        kinds = report_kinds(codec)
        columns = list(kinds)
        target = self.target_ if self.target_ in columns else None
        return evaluate_tables(real[columns], other[columns], synthetic[columns], kinds=kinds, target=target, seed=seed)

    def save(self, path: str | Path) -> None:
        """Write a saved model; see `intarsia.persistence.save_artifact`."""
        codec: TableCodec = self._fitted("codec_")
        config = {
            "parameters": {
                "minutes": self.minutes,
                "cpu_minutes": self.cpu_minutes,
                "steps": self.steps,
                "kinds": None if self.kinds is None else [[values_to_json([k])[0], v] for k, v in self.kinds.items()],
                "rare": self.rare,
                "clip_extremes": self.clip_extremes,
                "recipe": None if self.recipe is None else recipe_to_json(self.recipe),
                "threads": self.threads,
                "seed": self.seed,
            },
            "recipe": recipe_to_json(self.recipe_),
            "target": None if self.target_ is None else values_to_json([self.target_])[0],
            "rows": self.n_rows_,
            "training": {k: v for k, v in self.training_.items() if k != "seconds"},
        }
        model = self.model_
        weights = {} if model is None else dict(model.network.state_dict())
        learned = {**codec.to_json(), "encoding": {} if model is None else model.to_json()}
        save_artifact(path, Artifact(self.type_name(), config, learned, weights, card(self)))

    @classmethod
    def command(cls) -> AbstractCommand[Any]:
        from intarsia_domains.tabular._command import TabularCommand

        return TabularCommand()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model.

        Raises:
            ArtifactError: it is damaged, hostile, or of another type.
        """
        artifact = load_artifact(path, type=cls.type_name())
        with rebuilding(path, "table model"):
            codec = TableCodec.from_json(artifact.codec)
            saved = dict(artifact.config["parameters"])
            saved["kinds"] = (
                None if saved["kinds"] is None else {values_from_json([k])[0]: v for k, v in saved["kinds"]}
            )
            saved["recipe"] = None if saved["recipe"] is None else recipe_from_json(saved["recipe"])
            model = cls(**saved)
            model.codec_, model.recipe_ = codec, recipe_from_json(artifact.config["recipe"])
            target = artifact.config["target"]
            model.target_ = None if target is None else values_from_json([target])[0]
            model.n_rows_, model.training_ = int(artifact.config["rows"]), dict(artifact.config["training"])
            with own_generator():  # the weights that are drawn here are replaced below
                learned = artifact.codec.get("encoding", {})
                model.model_ = model.recipe_.build(codec, learned) if codec.num_classes else None
        if model.model_ is not None:
            state_into(model.model_.network, artifact.weights, path)
            model.model_.network.eval()
        model._restore = None
        return model

    def _draw(self, evidence: pd.DataFrame, cells: NDArray[np.bool_], seed: int, *, missing: bool) -> pd.DataFrame:
        """Rows whose `cells` are those of the evidence and whose others are drawn, in shards of fixed size."""

        def shard(start: int) -> pd.DataFrame:
            part = slice(start, start + SHARD)
            words = np.random.SeedSequence([seed, start // SHARD]).generate_state(2)
            rng = torch.Generator(self.device).manual_seed(int(words[0]))
            decoder = np.random.default_rng(int(words[1]))
            return self._rows(evidence[part], cells[part], rng, decoder, missing=missing)

        starts = range(0, max(len(cells), 1), SHARD)
        frames = self._in_shards(shard, starts, "draw")
        frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        return _renumbered(frame, self.codec_)

    def _in_shards(self, work: Callable[[int], Made], starts: range, title: str) -> list[Made]:
        return in_shards(work, starts, workers=self.threads, device=self.device, show=self.progress, title=title)

    def _rows(
        self,
        evidence: pd.DataFrame,
        cells: NDArray[np.bool_],
        rng: torch.Generator,
        decoder: np.random.Generator,
        *,
        missing: bool,
    ) -> pd.DataFrame:
        model = self.model_
        if model is None:
            return self.codec_.decode(self.codec_.encode(evidence), decoder)
        state = to_device(model.encode(evidence), model.device)
        if len(cells):
            with torch.no_grad(), half(self.device):
                state = model.draw(state, to_device(model.known(cells), model.device), rng, missing=missing)
        return model.decode(state, decoder)

    def _score(
        self, frame: pd.DataFrame, cells: NDArray[np.bool_], per_cell: bool, orders: int, rng: torch.Generator
    ) -> Tensor:
        model = self.model_
        if model is None:
            return torch.zeros((len(frame), 0) if per_cell else len(frame), dtype=torch.float64)
        with torch.no_grad():
            state, known = (to_device(x, model.device) for x in (model.encode(frame), model.known(cells)))
            if per_cell:
                return model.cell_log_prob(state, known, rng).cpu()
            return model.log_prob(state, known, orders, rng).cpu()

    def _back(self, frame: pd.DataFrame) -> Any:
        return frame if self._restore is None else self._restore(frame)


def report_kinds(codec: TableCodec) -> dict[Any, Any]:
    """How reports look at each column; identifiers are left out."""
    looks = {"integer": "number", "decimal": "number", "datetime": "datetime"}
    return {c.name: looks.get(c.kind, "category") for c in codec.columns if c.kind != "identifier"}


def _summary(trained: Trained | None) -> dict[str, Any]:
    if trained is None:
        return {"steps": 0, "best_step": 0, "held_out_nats": 0.0, "interrupted": False, "seconds": 0.0}
    return {
        "steps": trained.steps,
        "best_step": trained.best_step,
        "held_out_nats": trained.best_loss if trained.interrupted else trained.history[-1][1],
        "interrupted": trained.interrupted,
        "seconds": trained.seconds,
    }


def _ordered(frame: pd.DataFrame, codec: TableCodec) -> pd.DataFrame:
    """The frame in the model's order of columns; raises TableError if it has others."""
    codec.check(frame)
    return frame[codec.names]


def _fill(frame: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    """Missing cells from `drawn`, the others as they are."""
    filled = {name: column if column.notna().all() else _filled(column, drawn[name]) for name, column in frame.items()}
    return pd.DataFrame(filled)[list(frame.columns)]


def _filled(column: pd.Series, drawn: pd.Series) -> pd.Series:
    dtype = drawn.dtype if column.isna().all() else column.dtype
    values = column.astype(object).where(column.notna(), drawn.astype(object))
    try:
        return values.astype(dtype)
    except (TypeError, ValueError):
        return values


def _renumbered(frame: pd.DataFrame, codec: TableCodec) -> pd.DataFrame:
    """Number integer identifiers through all shards."""
    for column in codec.columns:
        if column.kind == "identifier" and getattr(column, "shape_", ()) is None:
            frame[column.name] = pd.Series(np.arange(1, len(frame) + 1)).astype(frame[column.name].dtype)
    return frame


def _has_missing(codec: TableCodec) -> NDArray[np.bool_]:
    return np.array([column.missing_class is not None for column in codec.columns])
