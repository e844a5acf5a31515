"""Columns that name rows: regenerated in the same form, never learned."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from intarsia.codecs import Codes
from intarsia_domains.tabular.columns._base import AbstractColumn, dtype_from_json, dtype_to_json

_POOLS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class IdentifierColumn(AbstractColumn):
    """No site at all. Integers are numbered 1, 2, …; text is drawn in the shape of the first value.

    A place of that value holds a fixed character where all training values agree on it and it is no digit or letter,
    and otherwise a random digit or letter of the same case; a running number makes values distinct.
    """

    kind = "identifier"

    def __init__(self, name: Any) -> None:
        self.name = name

    @property
    def num_classes(self) -> tuple[int, ...]:
        """No sites."""
        return ()

    @property
    def missing_class(self) -> int | None:
        """None: there is no site."""
        return None

    def fit(self, values: pd.Series) -> Self:
        """Learn the form of the values, nothing else."""
        self.dtype_ = values.dtype
        present = values.dropna()
        self.shape_: list[str] | None = None
        if not (pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)):
            texts = present.astype(str)
            typical = str(texts.iloc[0]) if len(texts) else "0000"
            same = texts[texts.str.len() == len(typical)]
            columns = [same.str[i].nunique() == 1 for i in range(len(typical))]
            self.shape_ = [
                char if fixed or not char.isalnum() else next((p for p in _POOLS if char in p), _POOLS[1])
                for char, fixed in zip(typical, columns, strict=True)
            ]
        return self

    def encode(self, values: pd.Series) -> Codes:
        """Nothing, (rows, 0)."""
        return np.zeros((len(values), 0), dtype=np.int64)

    def decode(self, codes: Codes, rng: np.random.Generator) -> pd.Series:
        """Fresh identifiers, all different."""
        rows = len(codes)
        if self.shape_ is None:
            return pd.Series(np.arange(1, rows + 1), name=self.name).astype(self.dtype_)
        parts = [list(rng.choice(list(pool), rows)) if len(pool) > 1 else [pool] * rows for pool in self.shape_]
        texts = ["".join(chars) for chars in zip(*parts, strict=True)] if parts else [""] * rows
        seen: set[str] = set()
        for i, text in enumerate(texts):
            if text in seen:
                texts[i] = f"{text}-{i}"
            seen.add(texts[i])
        try:
            return pd.Series(texts, dtype=object, name=self.name).astype(self.dtype_)
        except (TypeError, ValueError):  # times and the like as identifiers
            return pd.Series(texts, dtype=object, name=self.name)

    def positions(self) -> NDArray[np.float64]:
        """No states."""
        return np.zeros(0)

    def to_json(self) -> dict[str, Any]:
        """The form of the values."""
        return {"kind": self.kind, "dtype": dtype_to_json(self.dtype_), "shape": self.shape_}

    @classmethod
    def from_json(cls, data: dict[str, Any], name: Any = None) -> Self:
        """Rebuild a fitted column."""
        column = cls(name)
        column.dtype_ = dtype_from_json(data["dtype"])
        column.shape_ = None if data["shape"] is None else [str(part) for part in data["shape"]]
        return column
