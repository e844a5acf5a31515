"""An activity predictor of convolutions and k-mers, for designs that have to be judged more sharply than `Oracle` can.

A shipped script in one function: it needs thousands of sequences and minutes. Convolutional readers of promoters that
share their filters between the strands follow de Boer et al. (2020) and Rafi et al. (2024); averaging several networks
and a linear model is what helps most where measurements are noisy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional

from intarsia.training import Budget, Settings, own_generator, threads, train
from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._oracle import Calibration, Oracle, activities, calibrated, train_oracle
from intarsia_domains.dna._parts import disjoint_parts
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._slots import padded

Floats = NDArray[np.float64]
SETTINGS = Settings(batch_size=64, learning_rate=2e-3, weight_decay=0.05, ema=0.99, warmup=50, max_epochs=40)
_ROWS = 512


class ActivityNetwork(nn.Module):
    """Activity of one-hot letters (rows, 2, length, 4), (rows,): motifs on both strands, their neighbours, their means.

    A row is a sequence and its reverse complement, each padded behind its end with zeros.

    Args:
        filters: motifs, each read on both strands.
        kernel: letters of a motif, odd.
        blocks: residual convolutions behind them, with dilations 1, 2, 4, ….
        pool: sites that one of those sees as one.
        dropout: of what the last layer reads.
        both_strands: whether the activity of the reverse complement is the same, by the mean of both readings.
    """

    def __init__(
        self,
        *,
        filters: int = 48,
        kernel: int = 15,
        blocks: int = 2,
        pool: int = 3,
        dropout: float = 0.3,
        both_strands: bool = True,
    ) -> None:
        super().__init__()
        width = 2 * filters
        self.pool, self.both_strands = pool, both_strands
        self.motifs = nn.Conv1d(BASES, filters, kernel, padding=kernel // 2)
        self.norm = nn.GroupNorm(1, width)
        self.blocks = nn.ModuleList(
            [nn.Conv1d(width, width, 5, padding=2 * 2**k, dilation=2**k) for k in range(blocks)]
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, 1)

    def features(self, letters: Tensor) -> Tensor:
        """What the last layer reads, (rows, 4 · filters)."""
        if not self.both_strands:
            return self._read(letters[:, 0])
        return 0.5 * (self._read(letters[:, 0]) + self._read(letters[:, 1]))

    def _read(self, letters: Tensor) -> Tensor:
        there = letters.transpose(1, 2)
        # a motif is the same motif on the other strand; channels say on which one it was found
        h = torch.cat([self.motifs(there), self.motifs(there.flip(1, 2)).flip(2)], 1)
        h = functional.avg_pool1d(self.norm(functional.gelu(h)), self.pool, ceil_mode=True)
        for block in self.blocks:
            h = h + functional.gelu(block(h))
        return torch.cat([h.mean(2), h.amax(2)], 1)

    def forward(self, letters: Tensor) -> Tensor:
        return self.head(self.dropout(self.features(letters)))[:, 0].float()


@dataclass(frozen=True, eq=False)
class NetworkOracle:
    """The mean of networks, and a linear model of k-mers, weighed on rows that none of them was fitted on.

    `train_network_oracle` makes it. Never steer a generator by the oracle that judges it: train two on disjoint rows.

    Args:
        networks: predict standardized activities.
        length: letters to which sequences are padded, as in training; longer ones are read as they are.
        linear: predicts the activity.
        weights: of the mean of the networks and of the linear model.
        intercept: of the prediction.
        calibration: on held-out rows.
    """

    networks: tuple[ActivityNetwork, ...]
    length: int
    linear: Oracle
    weights: tuple[float, float]
    intercept: float
    calibration: Calibration

    def __call__(self, sequences: Sequences) -> Floats:
        """Predicted activity, (rows,)."""
        network, linear = (w * part for w, part in zip(self.weights, self._parts(sequences), strict=True))
        return network + linear + self.intercept

    def features(self, sequences: Sequences) -> Floats:
        """What the first network's last layer reads, (rows, features), for Fréchet distances."""
        return _read(self.networks[0].features, sequences, self.length)

    def _parts(self, sequences: Sequences) -> tuple[Floats, Floats]:
        return _mean(self.networks, sequences, self.length), self.linear(sequences)


def train_network_oracle(
    sequences: Sequences,
    activity: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    networks: int = 3,
    cpu_minutes: float = 6.0,
    steps: int | None = None,
    both_strands: bool = True,
    held_out: float = 0.2,
    settings: Settings = SETTINGS,
    torch_threads: int | None = None,
    seed: int = 0,
) -> NetworkOracle:
    """Fit networks and a linear model, weigh them on a tenth of the other rows, and calibrate on held-out ones.

    Args:
        sequences: at least 50, better thousands, that the generator never sees.
        activity: a number each.
        weights: of the rows in training, for example by how often each was measured.
        networks: how many are averaged.
        cpu_minutes: of all of them together.
        steps: of each, in place of the minutes; the same steps, seed and threads give the same oracle.
        both_strands: whether the strand carries no meaning.
        held_out: share of the rows that calibrate.
        settings: of the training of a network.
        torch_threads: None leaves torch's own number.
        seed: of the split and of the first weights.

    Raises:
        SequenceError: too few rows, or an activity that is missing.
        MissingExtraError: scikit-learn is not installed.
    """
    y = activities(sequences, activity)
    worth = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    parts = disjoint_parts(sequences, ((1 - held_out) * 0.9, (1 - held_out) * 0.1, held_out), seed=seed)
    fit, choose, held = parts
    linear = train_oracle(sequences[fit], y[fit], both_strands=both_strands, held_out=0.1, seed=seed)
    center, scale = float(y[fit].mean()), float(max(y[fit].std(), 1e-9))
    targets = torch.from_numpy((y - center) / scale).float()
    length = int(sequences.lengths.max())
    letters, worth = one_hot(sequences, length), torch.from_numpy(worth / worth.mean()).float()

    def one(number: int) -> ActivityNetwork:
        with own_generator():
            torch.manual_seed(seed * 1000 + number)
            network = ActivityNetwork(both_strands=both_strands)

        def loss(model: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
            own = torch.from_numpy(fit)[rows]
            return worth[own] * (model(letters[own]) - targets[own]).square()

        def error(model: nn.Module) -> float:
            own = torch.from_numpy(choose)
            return float((model(letters[own]) - targets[own]).square().mean())

        budget = Budget.of(None, cpu_minutes / networks, steps)
        train(network, loss, len(fit), error, budget, settings, seed=seed * 1000 + number)
        return network.requires_grad_(False)

    with threads(torch_threads):
        made = tuple(one(number) for number in range(networks))
        values = _mean(made, sequences, length), linear(sequences)
    table = np.stack([*values, np.ones(len(y))], 1)
    first, second, intercept = _weighed(table[choose], y[choose])
    calibration = calibrated(y[held], table[held] @ np.array([first, second, intercept]), linear.classes)
    return NetworkOracle(made, length, linear, (first, second), intercept, calibration)


def one_hot(sequences: Sequences, length: int) -> Tensor:
    """Letters of both strands (rows, 2, length, 4); all 0 where they are not known and behind the end."""
    both = np.stack([padded(strand, length) for strand in (sequences, sequences.reverse_complement())], 1)
    return torch.from_numpy((both[..., None] == np.arange(BASES)).astype(np.float32))


def _mean(networks: tuple[ActivityNetwork, ...], sequences: Sequences, length: int) -> Floats:
    return _read(lambda part: torch.stack([network(part) for network in networks]).mean(0), sequences, length)


def _read(function: Callable[[Tensor], Tensor], sequences: Sequences, length: int) -> Floats:
    """A function of letters; what it says of a sequence does not depend on the others."""
    widths = np.maximum(sequences.lengths, length)
    found, order = list[Tensor](), list[NDArray[np.int64]]()
    with torch.no_grad():
        for width in np.unique(widths):
            rows = np.flatnonzero(widths == width)
            found += [function(part) for part in one_hot(sequences[rows], int(width)).split(_ROWS)]
            order.append(rows)
    return torch.cat(found).double().numpy()[np.argsort(np.concatenate(order))]


def _weighed(table: Floats, y: Floats) -> tuple[float, float, float]:
    """Least squares with weights that are not negative; the last column is constant."""
    for columns in ([0, 1, 2], [0, 2], [1, 2]):
        found = np.linalg.lstsq(table[:, columns], y, rcond=None)[0]
        if (found[:-1] >= 0).all():
            break
    best = np.zeros(3)
    best[columns] = found
    return float(best[0]), float(best[1]), float(best[2])
