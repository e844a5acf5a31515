"""Columns of labels: text, booleans, codes, anything with a moderate number of values."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from intarsia.codecs import Codes
from intarsia_domains.tabular.columns._base import AbstractColumn, dtype_from_json, dtype_to_json, evenly, restore_dtype
from intarsia_domains.tabular.columns._values import key, values_from_json, values_to_json

RARE_FROM = 50
"""A column with at most so many values names nobody by them, and its rare values are kept."""


class CategoryColumn(AbstractColumn):
    """One class per value, then one for rare values and one for missing ones where there are any.

    Args:
        name: of the column.
        kind: "category", "ordered" or "boolean"; the latter two have an order.
        rare: in a column of more than 50 values, those seen fewer than `rare` times become one class that decodes
            to a draw from the others, so that no synthetic row shows a value that names one person. 0 keeps all.
    """

    def __init__(self, name: Any, kind: str = "category", rare: int = 2) -> None:
        self.name, self.kind, self.rare = name, kind, rare

    @property
    def num_classes(self) -> tuple[int, ...]:
        """Values, and the classes for rare and missing ones."""
        return (len(self.values_) + (self.rare_mass_ > 0) + self.has_missing_,)

    @property
    def missing_class(self) -> int | None:
        """The last class, where missing values were seen."""
        return self.num_classes[0] - 1 if self.has_missing_ else None

    def fit(self, values: pd.Series) -> Self:
        """Learn the values; raises TypeError for lists, dicts and the like, naming the column."""
        self.dtype_ = values.dtype
        present = values.dropna()
        self.has_missing_ = len(present) < len(values)
        labels, codes = self._unique(present)
        counts = np.bincount(codes, minlength=len(labels))
        order = self._order(labels)
        labels, counts = [labels[i] for i in order], counts[order]
        rare = counts < (self.rare if len(labels) > RARE_FROM else 0)
        if rare.all() and len(labels):
            raise ValueError(
                f"every value of column {self.name!r} is rare (seen fewer than {self.rare} times), so nothing could be "
                "shown; declare it 'identifier', drop it, or lower `rare`"
            )
        self.values_: list[Any] = [label for label, hidden in zip(labels, rare, strict=True) if not hidden]
        self.counts_: NDArray[np.int64] = counts[~rare].astype(np.int64)
        self.rare_mass_ = int(counts[rare].sum())
        return self

    def _unique(self, present: pd.Series) -> tuple[list[Any], NDArray[np.int64]]:
        """Distinct values of one type each, and the number of each row's value among them."""
        try:
            if isinstance(present.dtype, pd.CategoricalDtype):
                values_to_json(list(present.cat.categories))
                used = present.cat.remove_unused_categories()
                return list(used.cat.categories), used.cat.codes.to_numpy().astype(np.int64)
            if pd.api.types.infer_dtype(present, skipna=True) in ("mixed", "mixed-integer", "mixed-integer-float"):
                keys = pd.Series([key(value) for value in present], dtype=object)
                codes, _ = pd.factorize(keys)
                first = pd.Series(np.arange(len(codes))).groupby(codes, sort=True).first()
                return [present.iloc[i] for i in first], codes.astype(np.int64)
            codes, uniques = pd.factorize(present)
            labels = list(uniques)
            values_to_json(labels)
        except TypeError as error:
            raise TypeError(f"column {self.name!r} cannot be a category: {error}; drop or convert it") from None
        return labels, codes.astype(np.int64)

    def _order(self, labels: list[Any]) -> list[int]:
        """Natural order where there is one, else by type and text, so that equal tables give equal codecs."""
        if isinstance(self.dtype_, pd.CategoricalDtype):
            return list(range(len(labels)))
        try:
            return sorted(range(len(labels)), key=lambda i: labels[i])
        except TypeError:
            return sorted(range(len(labels)), key=lambda i: (type(labels[i]).__name__, str(labels[i])))

    def encode(self, values: pd.Series) -> Codes:
        """Classes (rows, 1); raises ValueError for a value that training rows did not have."""
        place = {key(value): i for i, value in enumerate(self.values_)}
        # 2 stands for 2.0 where nothing else does
        equal = {value: i for i, value in enumerate(self.values_)}
        equal = equal if len(equal) == len(self.values_) else {}
        present = values.dropna()
        labels, codes = self._unique(present)
        unseen = len(self.values_) if self.rare_mass_ else -1
        classes = np.array([place.get(key(label), equal.get(label, unseen)) for label in labels] or [0], dtype=np.int64)
        if (classes < 0).any():
            label = labels[int(np.argmin(classes))]
            raise ValueError(
                f"column {self.name!r} has the value {label!r}, which the training rows did not have; "
                f"known values: {_some(self.values_)}"
            )
        result = np.full(len(values), self.missing_class or 0, dtype=np.int64)
        result[values.notna().to_numpy()] = classes[codes]
        return result[:, None]

    def decode(self, codes: Codes, rng: np.random.Generator) -> pd.Series:
        """Values of classes (rows, 1)."""
        codes = codes[:, 0].copy()
        if self.rare_mass_:
            hidden = codes == len(self.values_)
            share = self.counts_ / self.counts_.sum()
            codes[hidden] = rng.choice(len(self.values_), int(hidden.sum()), p=share)
        missing = codes == self.missing_class if self.has_missing_ else np.zeros(len(codes), dtype=bool)
        table = np.empty(len(self.values_) + 1, dtype=object)
        table[:-1] = self.values_
        table[-1] = None
        drawn = table[np.where(missing | (codes >= len(self.values_)), len(self.values_), codes)]
        if isinstance(self.dtype_, pd.CategoricalDtype):
            return pd.Series(pd.Categorical(drawn, dtype=self.dtype_), name=self.name)
        if pd.api.types.is_object_dtype(self.dtype_):
            return pd.Series(drawn, dtype=object, name=self.name)
        return restore_dtype(pd.Series(drawn, dtype=object), self.dtype_, self.name)

    def positions(self) -> NDArray[np.float64]:
        """Values of a column with an order lie evenly; NaN otherwise."""
        result = np.full(self.num_classes[0] + 1, np.nan)
        if self.kind != "category":
            result[: len(self.values_)] = evenly(len(self.values_))
        return result

    def to_json(self) -> dict[str, Any]:
        """Values and their counts."""
        return {
            "kind": self.kind,
            "dtype": dtype_to_json(self.dtype_),
            "values": values_to_json(self.values_),
            "counts": self.counts_.tolist(),
            "rare": self.rare,
            "rare_mass": self.rare_mass_,
            "missing": self.has_missing_,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], name: Any = None) -> Self:
        """Rebuild a fitted column."""
        column = cls(name, str(data["kind"]), int(data["rare"]))
        column.dtype_ = dtype_from_json(data["dtype"])
        column.values_ = values_from_json(data["values"])
        column.counts_ = np.array(data["counts"], dtype=np.int64)
        column.rare_mass_, column.has_missing_ = int(data["rare_mass"]), bool(data["missing"])
        return column


def _some(values: list[Any], most: int = 8) -> str:
    shown = ", ".join(map(repr, values[:most]))
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"
