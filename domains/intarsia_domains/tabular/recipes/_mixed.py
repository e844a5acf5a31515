"""Recipes that give every column a noise and a code of its own, under one network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from intarsia._time import sum_sites
from intarsia._types import clock
from intarsia.classes import Ragged
from intarsia.codecs import BinaryCode, ResBit
from intarsia.denoisers import RecordMLP
from intarsia.diffusion import Diffusion
from intarsia.evidence import Evidence, hold, times
from intarsia.objectives import low_discrepancy
from intarsia.processes import AbstractFinite, Product, Xor
from intarsia.samplers import Ancestral
from intarsia.training import Settings
from intarsia_domains.tabular._codec import TableCodec
from intarsia_domains.tabular.recipes._base import AbstractRecipe, AbstractTableModel, State, rows_of
from intarsia_domains.tabular.recipes._noises import (
    AbstractNoise,
    Counted,
    FlippedBits,
    LearnedMasks,
    LearnedReal,
    Masked,
    Ordered,
    Real,
    RealBits,
    Uniform,
)
from intarsia_domains.tabular.recipes._record import RecordCodec

Record = dict[str, Tensor]
OBSERVED = 0.25
"""Share of training rows that have some of their columns observed, so that conditions are learned."""
ENTRIES = 2**23
"""Logits and numbers that a network predicts at once when rows are drawn."""
STRATA = 16
"""Times at which the bound of a row or a cell is evaluated."""


@dataclass(frozen=True)
class Mixed(AbstractRecipe):
    """A record of noises: one field for the columns of each noise, a residual MLP over all, ancestral sampling.

    Args:
        classes: noise of columns of classes, and of which numbers are missing.
        numbers: noise of integers, decimals and times.
        columns: another noise by column name.
        width, blocks, dropout: of the network.
        steps: network calls of a draw.
        settings: of the training loop.
    """

    name: ClassVar[str] = "mixed"
    about: ClassVar[str] = "Diffusion of a record of fields"
    loss_is: ClassVar[str] = "weighted loss"

    classes: AbstractNoise = Masked()
    numbers: AbstractNoise = Real()
    columns: Mapping[Any, AbstractNoise] = field(default_factory=dict)
    width: int = 384
    blocks: int = 4
    dropout: float = 0.1
    steps: int = 50
    settings: Settings = Settings(learning_rate=1e-3)

    @classmethod
    def tab_ddpm(cls) -> "Mixed":
        """Multinomial and Gaussian noise (TabDDPM, Kotelnikov et al. 2023, arXiv 2209.15421)."""
        return cls(classes=Uniform(), numbers=Real())

    @classmethod
    def binary_diffusion(cls) -> "Mixed":
        """Everything in lossless bits, flipped (Binary Diffusion, arXiv 2409.13882)."""
        return cls(classes=FlippedBits(), numbers=FlippedBits())

    @classmethod
    def res_bit(cls) -> "Mixed":
        """Classes as residual bits on the real line (ResBit, arXiv 2309.17196), numbers as scores."""
        return cls(classes=RealBits(ResBit), numbers=Real())

    @classmethod
    def analog_bits(cls) -> "Mixed":
        """Classes and numbers as bits on the real line (Bit Diffusion, arXiv 2208.04202)."""
        return cls(classes=RealBits(BinaryCode), numbers=RealBits(BinaryCode))

    @classmethod
    def tab_diff(cls) -> "Mixed":
        """Masks and exploding noise on clocks of their own for every column, learned (TabDiff, arXiv 2410.20626)."""
        return cls(classes=LearnedMasks(), numbers=LearnedReal())

    @classmethod
    def ordinal(cls) -> "Mixed":
        """Masks for classes, nearby levels for numbers (D3PM, arXiv 2107.03006)."""
        return cls(classes=Masked(), numbers=Ordered())

    @classmethod
    def counts(cls) -> "Mixed":
        """Masks for classes, deaths for numbers on a grid (Blackout diffusion, arXiv 2305.11089)."""
        return cls(classes=Masked(), numbers=Counted())

    @classmethod
    def masked(cls) -> "Mixed":
        """Absorbing noise on classes and on the digits of numbers, without the default recipe's refinements."""
        return cls(classes=Masked(), numbers=Masked())

    def noise_of(self, column: Any, *, number: bool) -> AbstractNoise:
        """The noise of a column."""
        return self.columns.get(column, self.numbers if number else self.classes)

    def build(self, codec: TableCodec, learned: pd.DataFrame | Mapping[str, Any]) -> "MixedModel":
        if isinstance(learned, pd.DataFrame):
            record = RecordCodec.fit(codec, learned, self.noise_of, self.classes)
        else:
            record = RecordCodec.from_json(codec, learned, self.noise_of, self.classes)
        return MixedModel(record, self)


class MixedModel(AbstractTableModel):
    """A record of fields under a product of noises."""

    network: Diffusion[Record]

    def __init__(self, record: RecordCodec, recipe: Mixed) -> None:
        processes = {name: noise.process(record.codecs(name)) for name, noise in record.fields.items()}
        classes, numbers = _layout(processes, record)
        network = RecordMLP(classes, numbers, width=recipe.width, blocks=recipe.blocks, dropout=recipe.dropout)
        # noise that is learned is trained, averaged and saved with the network
        super().__init__(record.codec, Diffusion(Product(processes), network))
        self.record, self.steps = record, recipe.steps

    @property
    def process(self) -> Product:
        """The noise of the record."""
        return cast(Product, self.network.process)

    def encode(self, frame: pd.DataFrame) -> Record:
        return self.record.encode(frame)

    def known(self, cells: np.ndarray[Any, np.dtype[np.bool_]]) -> Record:
        return self.record.known(torch.from_numpy(cells))

    def decode(self, state: State, rng: np.random.Generator) -> pd.DataFrame:
        return self.record.decode(_record(state), rng)

    def start(self, state: State) -> None:
        for name, points in _record(state).items():
            process = self.process.fields[name]
            if isinstance(process, AbstractFinite):
                even = torch.full((1, len(points)), 1.0 / len(points), dtype=torch.float64, device=points.device)
                pred = process.prediction(points, even)[0]
                limit = float(np.log(2.0 * len(points)))  # as if everything had been seen half a time
                start = pred.flatten().clamp(-limit, limit).float()
                cast(RecordMLP, self.network.denoiser).start_at(name, start)

    def loss(self, network: Any, x0: State, rng: torch.Generator, *, training: bool) -> Tensor:
        state = _record(x0)
        rows = len(next(iter(state.values())))
        t = low_discrepancy(rows, self.device, rng).float()
        given = self._some_observed(state, rows, rng) if training else None
        clocks = times(t, state, given)
        clocks = clocks if isinstance(clocks, dict) else dict.fromkeys(state, t)
        # `network` may be an averaged copy, with noise of its own
        xt = hold(network.process.corrupt(state, clocks, rng), given)
        pred = _Predictions(network, self.record.fields)(xt, t if given is None else clocks)
        total = torch.zeros(rows, device=self.device)
        for name, noise in self.record.fields.items():
            part = noise.loss(network.process.fields[name], pred[name], state[name], xt[name], clocks[name])
            seen = None if given is None else given.field(name)
            total = total + sum_sites(part if seen is None else torch.where(seen[1], 0.0, part))
        return total

    def _some_observed(self, state: Record, rows: int, rng: torch.Generator) -> Evidence:
        """Evidence of a random share of the columns in a random quarter of the rows."""
        u = torch.rand((rows, 2 + len(self.codec.columns)), generator=rng, device=self.device)
        cells = (u[:, :1] < OBSERVED) & (u[:, 2:] < u[:, 1:2])
        return Evidence(state, self.record.known(cells))

    def draw(self, state: State, known: State, rng: torch.Generator, *, missing: bool) -> Record:
        values, mask = _record(state), dict(_record(known))
        if not missing:
            values, mask = self.record.present(values, mask)
        # a column of 10,000 classes has as many logits a row: no more rows at once than fit the memory
        size = max(ENTRIES // sum(head.out_features for head in cast(Any, self.network.denoiser).heads.values()), 64)
        parts: list[Record] = []
        for start in range(0, len(next(iter(values.values()))), size):
            some = slice(start, start + size)
            given = Evidence(cast(Record, rows_of(values, some)), cast(Record, rows_of(mask, some)))
            parts.append(self._draw(given, rng))
        return {name: torch.cat([part[name] for part in parts]) for name in values}

    def _draw(self, given: Evidence, rng: torch.Generator) -> Record:
        shapes = {name: tuple(x.shape) for name, x in cast(Record, given.values).items()}
        denoiser, sampler = _Predictions(self.network, self.record.fields), Ancestral(self.steps)
        return sampler.sample(self.process, denoiser, self.process.prior(shapes, rng), given=given, rng=rng)

    def log_prob(self, state: State, known: State, orders: int, rng: torch.Generator) -> Tensor:
        for mask in _record(known).values():
            if not bool(mask.all()):
                row = int((~mask.all(1)).nonzero()[0, 0])
                raise ValueError(f"row {row} lacks cells, and this recipe scores whole rows; use the default recipe")
        model = Diffusion(self.process, _Predictions(self.network, self.record.fields))
        return -model.nelbo(_record(state), samples=STRATA * orders // 4, rng=rng).total

    def cell_log_prob(self, state: State, known: State, rng: torch.Generator) -> Tensor:
        x0 = _record(state)
        columns = [k for k, column in enumerate(self.codec.columns) if self.codec.sites[column.name]]
        return torch.stack([self._cell(x0, k, rng) for k in columns], 1)

    def _cell(self, x0: Record, column: int, rng: torch.Generator) -> Tensor:
        """log p(cell | all others) by the nelbo of its sites, the others observed."""
        rows = len(next(iter(x0.values())))
        cells = torch.ones((rows, len(self.codec.columns)), dtype=torch.bool, device=self.device)
        cells[:, column] = False
        given = Evidence(x0, self.record.known(cells))
        denoiser = _Predictions(self.network, self.record.fields)

        def of_cell(parts: Record) -> Tensor:
            masks = cast(Record, given.mask)
            return sum_sites({k: torch.where(masks[k], 0.0, v.double()) for k, v in parts.items()})

        total = of_cell(self.process.prior_kl(x0))
        for k in range(STRATA):
            u = torch.rand(rows, dtype=torch.float64, generator=rng, device=self.device)
            clocks = times((k + u) / STRATA, x0, given)
            xt = hold(self.process.corrupt(x0, clocks, rng), given)
            total += of_cell(self.process.loss(denoiser(xt, clocks), x0, xt, clocks)) / STRATA
        end = dict.fromkeys(x0, torch.zeros(rows, dtype=torch.float64, device=self.device))
        xt = hold(self.process.corrupt(x0, end, rng), given)
        return -(total + of_cell(self.process.reconstruction(denoiser(xt, end), x0, xt)))

    def to_json(self) -> dict[str, Any]:
        return self.record.to_json()


class _Predictions:
    """The denoiser of a record: what a network says, as the predictions that the noises want."""

    time_free = False

    def __init__(self, network: Diffusion[Record], fields: Mapping[str, AbstractNoise]) -> None:
        self.network, self.fields = network, fields

    def __call__(self, xt: Record, t: Any, cond: Any = None) -> Record:
        output = self.network.denoiser(xt, t, cond)
        processes = cast(Product, self.network.process).fields
        return {k: n.predict(processes[k], output[k], xt[k], clock(t, k)) for k, n in self.fields.items()}


def _layout(processes: Mapping[str, Any], record: RecordCodec) -> tuple[dict[str, Sequence[int]], dict[str, int]]:
    """What the network reads: fields of classes with their counts, and fields of numbers with their sites."""
    classes: dict[str, Sequence[int]] = {}
    for name, process in processes.items():
        if isinstance(process, AbstractFinite) and not isinstance(process, Xor):
            layout = process.classes
            classes[name] = layout.num_classes if isinstance(layout, Ragged) else [layout.width] * record.sites(name)
    return classes, {name: record.sites(name) for name in processes if name not in classes}


def _record(state: State) -> Record:
    return cast(Record, state)
