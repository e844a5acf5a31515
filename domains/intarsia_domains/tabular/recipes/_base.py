"""What a recipe gives: a model of rows, from data frame to state and back, that can be trained and drawn from."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from intarsia.training import Budget, Settings, Trained, Watch, own_generator, train
from intarsia_domains.tabular._codec import TableCodec

State = Tensor | dict[str, Tensor]
"""Encoded rows (rows, sites), or a dict of them for records."""


class AbstractTableModel(ABC):
    """A generative model of the rows of one table.

    Args:
        codec: the table's columns.
        network: the denoiser, whose parameters are trained and saved.
    """

    def __init__(self, codec: TableCodec, network: nn.Module) -> None:
        self.codec = codec
        self.network = network

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @abstractmethod
    def encode(self, frame: pd.DataFrame) -> State:
        """States of rows; columns that `frame` lacks and missing values never seen are filled with anything."""

    @abstractmethod
    def known(self, cells: NDArray[np.bool_]) -> State:
        """Site masks of cell masks (rows, columns)."""

    @abstractmethod
    def decode(self, state: State, rng: np.random.Generator) -> pd.DataFrame:
        """Rows of states; every state is a valid row."""

    @abstractmethod
    def start(self, state: State) -> None:
        """Set the network up for these training rows."""

    @abstractmethod
    def loss(self, network: Any, x0: State, rng: torch.Generator, *, training: bool) -> Tensor:
        """Nats per row, (rows,), an estimate of the nelbo (in `training` perhaps of augmented rows)."""

    @abstractmethod
    def draw(self, state: State, known: State, rng: torch.Generator, *, missing: bool) -> State:
        """States whose sites are drawn where they are not `known`; with missing values only if `missing`."""

    @abstractmethod
    def log_prob(self, state: State, known: State, orders: int, rng: torch.Generator) -> Tensor:
        """A lower bound of the log-probability of the known cells, nats, (rows,), float64."""

    @abstractmethod
    def cell_log_prob(self, state: State, known: State, rng: torch.Generator) -> Tensor:
        """log p(cell | rest of its row), nats, (rows, columns with sites), float64."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What was learned of the data beside the columns' codecs and the weights."""


class AbstractRecipe(ABC):
    """How the rows of a table are coded, noised, denoised and trained; a frozen dataclass of plain values."""

    settings: Settings
    name: ClassVar[str]
    """Stands for the recipe in saved models."""
    about: ClassVar[str]
    """What the model is, for its card."""
    loss_is: ClassVar[str]
    """What the held-out loss is, for cards and `info`."""

    @abstractmethod
    def build(self, codec: TableCodec, learned: pd.DataFrame | Mapping[str, Any]) -> AbstractTableModel:
        """An untrained model of a table, from its training rows or from what `to_json` kept of them."""


def fit_model(
    model: AbstractTableModel, frame: pd.DataFrame, settings: Settings, budget: Budget, seed: int, watch: Watch | None
) -> Trained:
    """Train on the rows of `frame`, holding some out to see when to stop."""
    state = to_device(model.encode(frame), model.device)
    order = torch.randperm(len(frame), generator=torch.Generator().manual_seed(seed))
    kept_out = min(len(frame) // 10, 2000)
    training = rows_of(state, order[kept_out:])
    watched = rows_of(state, order[:kept_out]) if kept_out else training
    model.start(training)

    def loss(network: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        return model.loss(network, rows_of(training, rows), rng, training=True)

    def held_out(network: nn.Module) -> float:
        rng = torch.Generator(model.device).manual_seed(seed)
        parts = [model.loss(network, watched, rng, training=False).mean() for _ in range(4)]
        return float(torch.stack(parts).mean())

    return train(model.network, loss, len(frame) - kept_out, held_out, budget, settings, seed=seed, watch=watch)


def build_with_seed(
    recipe: AbstractRecipe, codec: TableCodec, learned: pd.DataFrame | Mapping[str, Any], seed: int
) -> AbstractTableModel:
    """`recipe.build` whose first weights follow from `seed`, leaving torch's global generator as it was."""
    with own_generator():
        torch.manual_seed(seed)
        return recipe.build(codec, learned)


def rows_of(state: State, rows: Tensor | slice) -> State:
    """Some rows of a state."""
    return {name: part[rows] for name, part in state.items()} if isinstance(state, dict) else state[rows]


def to_device(state: State, device: torch.device) -> State:
    """The state on a device."""
    return {name: part.to(device) for name, part in state.items()} if isinstance(state, dict) else state.to(device)
