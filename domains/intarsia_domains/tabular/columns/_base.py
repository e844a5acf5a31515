"""The contract of a column: a codec over a pandas Series that knows its dtype and its missing values."""

from abc import abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from intarsia.codecs import AbstractCodec, Codes


class AbstractColumn(AbstractCodec):
    """One column of a table. Missing values are a class of the first site where the training rows had any."""

    name: Any
    kind: str

    @property
    @abstractmethod
    def missing_class(self) -> int | None:
        """The class of site 0 that stands for a missing value; None where none was seen."""

    @abstractmethod
    def positions(self) -> NDArray[np.float64]:
        """Where every joint state of the sites, masks included, lies in the column's order; NaN where nowhere.

        In C order over (num_classes + 1) states of each site.
        """

    @abstractmethod
    def encode(self, values: pd.Series) -> Codes:
        """Classes (rows, sites). Missing values get `missing_class`, or 0 where there is none."""

    @abstractmethod
    def decode(self, codes: Codes, rng: np.random.Generator) -> pd.Series:
        """A Series of the dtype that `fit` saw."""


def evenly(count: int) -> NDArray[np.float64]:
    """Positions of `count` values in (0, 1), evenly spaced."""
    return (np.arange(count) + 0.5) / max(count, 1)


def restore_dtype(values: Any, dtype: Any, name: Any) -> pd.Series:
    """A Series of `dtype`, which may have been read from JSON."""
    series = pd.Series(values, name=name)
    return series if series.dtype == dtype else series.astype(dtype)


def dtype_to_json(dtype: Any) -> dict[str, Any]:
    """A pandas dtype as plain JSON."""
    if isinstance(dtype, pd.CategoricalDtype):
        from intarsia_domains.tabular.columns._values import values_to_json

        categories = values_to_json(list(dtype.categories))
        return {"categories": categories, "of": str(dtype.categories.dtype), "ordered": bool(dtype.ordered)}
    if isinstance(dtype, pd.StringDtype):
        # its text leaves out how strings are stored
        return {"name": f"string[{dtype.storage}]" if dtype.na_value is pd.NA else "str"}
    return {"name": str(dtype)}


def dtype_from_json(data: dict[str, Any]) -> Any:
    """The dtype that `dtype_to_json` describes."""
    if "categories" in data:
        from intarsia_domains.tabular.columns._values import values_from_json

        index = pd.Index(values_from_json(data["categories"]), dtype=data["of"])
        return pd.CategoricalDtype(index, ordered=bool(data["ordered"]))
    return pd.api.types.pandas_dtype(data["name"])
