"""A table as a record of fields: the columns of each noise side by side in codes of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from intarsia.codecs import AbstractCodec, AbstractCoding, AbstractRealCodec
from intarsia_domains.tabular._codec import TableCodec
from intarsia_domains.tabular.columns import AbstractColumn, CategoryColumn, IdentifierColumn, NumberColumn
from intarsia_domains.tabular.recipes._noises import AbstractNoise

NoiseOf = Callable[..., AbstractNoise]
Record = dict[str, Tensor]


@dataclass(frozen=True)
class Part:
    """Sites of one column in a field: those of its value, or the one that says whether the value is missing."""

    column: int
    of_missing: bool
    field: str
    codec: AbstractCoding[Any]
    sites: slice


class RecordCodec:
    """Rows of a frame ↔ a dict of fields.

    Args:
        codec: the table's columns.
        fields: the noise of each field.
        parts: the sites of the columns.
    """

    def __init__(self, codec: TableCodec, fields: dict[str, AbstractNoise], parts: list[Part]) -> None:
        self.codec, self.fields, self.parts = codec, fields, parts

    @classmethod
    def fit(cls, codec: TableCodec, frame: pd.DataFrame, noise_of: NoiseOf, of_missing: AbstractNoise) -> "RecordCodec":
        """Learn a code for every column that varies."""

        def code(noise: AbstractNoise, column: AbstractColumn, *, missing: bool) -> AbstractCoding[Any]:
            values = frame[column.name]
            if missing:
                return noise.fit(values.isna().to_numpy().astype(np.int64), 2)
            return noise.fit(_values(column, values), _count(column))

        return cls._lay_out(codec, noise_of, of_missing, code)

    @classmethod
    def from_json(
        cls, codec: TableCodec, data: Mapping[str, Any], noise_of: NoiseOf, of_missing: AbstractNoise
    ) -> "RecordCodec":
        """Rebuild from what `to_json` gave; raises ValueError if it is malformed."""
        saved = list(data["parts"])

        def code(noise: AbstractNoise, column: AbstractColumn, *, missing: bool) -> AbstractCoding[Any]:
            # a code of the same kind, fitted to anything, knows how to read its like
            some = np.array([0, 1])
            if not missing and isinstance(column, NumberColumn):
                like = noise.fit(some if column.units_.step else some / 2, None)
            else:
                like = noise.fit(some, 2)
            return type(like).from_json(saved.pop(0))

        return cls._lay_out(codec, noise_of, of_missing, code)

    @classmethod
    def _lay_out(
        cls, codec: TableCodec, noise_of: NoiseOf, of_missing: AbstractNoise, code: Callable[..., AbstractCoding[Any]]
    ) -> "RecordCodec":
        fields: dict[str, AbstractNoise] = {}
        used: dict[str, int] = {}
        parts: list[Part] = []

        def add(k: int, column: AbstractColumn, noise: AbstractNoise, *, missing: bool) -> None:
            name = next((name for name, other in fields.items() if other == noise), f"{noise.name}-{len(fields)}")
            fields[name] = noise
            fitted = code(noise, column, missing=missing)
            start, width = used.get(name, 0), _width(fitted)
            used[name] = start + width
            parts.append(Part(k, missing, name, fitted, slice(start, start + width)))

        for k, column in enumerate(codec.columns):
            if isinstance(column, IdentifierColumn) or not codec.sites[column.name]:
                continue
            number = isinstance(column, NumberColumn)
            if _count(column) != 1:
                add(k, column, noise_of(column.name, number=number), missing=False)
            if column.missing_class is not None:
                add(k, column, of_missing, missing=True)
        return cls(codec, fields, parts)

    def codecs(self, field: str) -> list[AbstractCoding[Any]]:
        """The codes of a field, in order."""
        return [part.codec for part in self.parts if part.field == field]

    def sites(self, field: str) -> int:
        """Sites of a field."""
        return sum(part.sites.stop - part.sites.start for part in self.parts if part.field == field)

    def encode(self, frame: pd.DataFrame) -> Record:
        """States of rows; columns that `frame` lacks hold zeros."""
        pieces: dict[str, list[Tensor]] = {name: [] for name in self.fields}
        for part in self.parts:
            column = self.codec.columns[part.column]
            if column.name not in frame.columns:
                code = np.zeros((len(frame), part.sites.stop - part.sites.start), dtype=_dtype(part.codec))
            elif part.of_missing:
                code = part.codec.encode(frame[column.name].isna().to_numpy().astype(np.int64))
            else:
                code = part.codec.encode(_values(column, frame[column.name]))
            piece = torch.from_numpy(code)
            pieces[part.field].append(piece.float() if piece.is_floating_point() else piece)
        return {name: torch.cat(own, 1) for name, own in pieces.items()}

    def known(self, cells: Tensor) -> Record:
        """Masks of sites from masks of cells (rows, columns)."""
        pieces: dict[str, list[Tensor]] = {name: [] for name in self.fields}
        for part in self.parts:
            pieces[part.field].append(cells[:, part.column, None].expand(-1, part.sites.stop - part.sites.start))
        return {name: torch.cat(own, 1) for name, own in pieces.items()}

    def present(self, values: Record, mask: Record) -> tuple[Record, Record]:
        """The same evidence, and that no other value is missing."""
        values, mask = ({name: x.clone() for name, x in record.items()} for record in (values, mask))
        for part in self.parts:
            if part.of_missing:
                code = torch.from_numpy(part.codec.encode(np.zeros(1, dtype=np.int64))).to(values[part.field])
                here = mask[part.field][:, part.sites]
                values[part.field][:, part.sites] = torch.where(here, values[part.field][:, part.sites], code)
                mask[part.field][:, part.sites] = True
        return values, mask

    def decode(self, state: Record, rng: np.random.Generator) -> pd.DataFrame:
        """Rows of any states."""
        rows = len(next(iter(state.values())))
        drawn: dict[tuple[int, bool], Any] = {}
        for part in self.parts:
            code = state[part.field][:, part.sites].cpu().numpy()
            code = code.astype(np.float64) if code.dtype.kind == "f" else code
            drawn[part.column, part.of_missing] = part.codec.decode(code, rng)
        never = np.zeros(rows, dtype=bool)
        series: list[pd.Series] = []
        for k, column in enumerate(self.codec.columns):
            missing = drawn[k, True].astype(bool) if (k, True) in drawn else never
            series.append(_series(column, drawn.get((k, False)), missing, rng))
        frame = pd.concat(series, axis=1)
        frame.columns = pd.Index(self.codec.names)
        return frame

    def to_json(self) -> dict[str, Any]:
        """The codes of all parts."""
        return {"parts": [part.codec.to_json() for part in self.parts]}


def _values(column: AbstractColumn, series: pd.Series) -> Any:
    """Class numbers, or numbers, of a column; those of missing values are any."""
    if isinstance(column, NumberColumn):
        return column.numbers(series)
    classes = column.encode(series)[:, 0]
    return np.minimum(classes, cast(int, _count(column)) - 1)


def _count(column: AbstractColumn) -> int | None:
    """Classes of a column without that of missing values; None for numbers."""
    if isinstance(column, NumberColumn):
        low, high = column.range_
        return 1 if low == high else None
    return column.num_classes[0] - (column.missing_class is not None)


def _series(column: AbstractColumn, drawn: Any, missing: Any, rng: np.random.Generator) -> pd.Series:
    if isinstance(column, NumberColumn):
        numbers = column.numbers(pd.Series([None] * len(missing), dtype=object)) if drawn is None else drawn
        return column.from_numbers(numbers, missing)
    codes = np.zeros((len(missing), len(column.num_classes)), dtype=np.int64)
    if isinstance(column, CategoryColumn) and column.num_classes:
        codes[:, 0] = 0 if drawn is None else drawn
        codes[missing, 0] = column.missing_class or 0
    return column.decode(codes, rng)


def _width(codec: Any) -> int:
    return len(codec.num_classes) if isinstance(codec, AbstractCodec) else codec.width


def _dtype(codec: AbstractCoding[Any]) -> Any:
    return np.float64 if isinstance(codec, AbstractRealCodec) else np.int64
