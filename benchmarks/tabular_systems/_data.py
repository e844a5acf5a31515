"""The tables of the benchmarks, their splits and what kind of values each column holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

SPLIT_SEED = 1234


@dataclass(frozen=True)
class Table:
    """One table, split. `task` says what the target is for utility: "class" or "number"."""

    name: str
    train: pd.DataFrame
    holdout: pd.DataFrame
    target: str
    task: str
    split: str

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of every column: "category" or "number"; the target of a classification is a category."""
        classes = {self.target} if self.task == "class" else set()
        return {
            name: "number" if types.is_numeric_dtype(self.train[name]) and name not in classes else "category"
            for name in self.train.columns
        }

    @property
    def summary(self) -> dict[str, Any]:
        """What the results say about the table."""
        return {
            "train_rows": len(self.train),
            "holdout_rows": len(self.holdout),
            "columns": self.train.shape[1],
            "target": self.target,
            "task": self.task,
            "split": self.split,
        }


def load(name: str, folder: Path) -> Table:
    """Read and split the table `name` from `folder`."""
    if name not in TABLES:
        raise ValueError(f"no table {name!r}; there are {', '.join(TABLES)}")
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; say where the tables are with --data PATH")
    return TABLES[name](folder)


def load_diabetes(folder: Path) -> pd.DataFrame:
    """Diabetes130 whole: empty cells are missing, "?" and "None" are labels."""
    return pd.read_csv(folder / "diabetes130.csv.gz", keep_default_na=False, na_values=[""], low_memory=False)


def _adult(folder: Path) -> Table:
    train, holdout = (pd.read_csv(folder / f"adult_{part}.csv", keep_default_na=False) for part in ("train", "test"))
    return Table("adult", train, holdout, str(train.columns[-1]), "class", "official, '?' is a category")


def _ninety_ten(name: str, file: str, target: str, task: str, prepare: Callable | None = None):
    def read(folder: Path) -> Table:
        frame = pd.read_csv(folder / file)
        frame = frame if prepare is None else prepare(frame).reset_index(drop=True)
        for column in frame.select_dtypes(bool).columns:
            frame[column] = frame[column].astype(str)
        return _split(name, frame, target, task)

    return read


def _split(name: str, frame: pd.DataFrame, target: str, task: str) -> Table:
    rows = np.random.RandomState(SPLIT_SEED).permutation(len(frame))  # the published split
    cut = int(len(frame) * 0.9)
    train, holdout = (frame.iloc[part].reset_index(drop=True) for part in (rows[:cut], rows[cut:]))
    return Table(name, train, holdout, target, task, f"90/10, numpy permutation of seed {SPLIT_SEED}")


TABLES: dict[str, Callable[[Path], Table]] = {
    "adult": _adult,
    "shoppers": _ninety_ten("shoppers", "shoppers.csv", "Revenue", "class"),
    "magic": _ninety_ten("magic", "magic.csv", "class", "class"),
    "beijing": _ninety_ten(
        "beijing", "beijing_pm25.csv", "pm2.5", "number", lambda frame: frame.drop(columns="No").dropna()
    ),
    "california": _ninety_ten("california", "california_housing.csv", "median_house_value", "number"),
}


def load_many(name: str, folder: Path) -> Table:
    """Tables of many categories that only the benchmark of recipes uses, split as the others are.

    "nursery" has categories alone, "diabetes130" three columns of more than 700, and "wide" is made here: an item of
    10,000 with the frequencies of Zipf's law, a group that the item decides, and a price that depends on it.
    """
    if name == "nursery":
        return _ninety_ten("nursery", "nursery.csv", "class", "class")(folder)
    if name == "diabetes130":
        return _split(name, load_diabetes(folder), "readmitted", "class")
    if name == "wide":
        return _split(name, wide(50_000), "group", "class")
    return load(name, folder)


def wide(rows: int, items: int = 10_000) -> pd.DataFrame:
    """The made-up table of one column of 10,000 categories."""
    rng = np.random.default_rng(0)
    law = 1.0 / np.arange(1, items + 1)
    item = rng.choice(items, rows, p=law / law.sum())
    price = (10.0 * (1 + item % 5) + rng.normal(size=rows)).round(2)
    return pd.DataFrame({"item": [f"i{k:05d}" for k in item], "group": [f"g{k % 7}" for k in item], "price": price})


def align(frame: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Give rows of any system the columns, their order and the kinds of values of the training table.

    Numbers that came as text become numbers again; what is none becomes missing. Where the training table has whole
    numbers and the rows have no missing value, they are whole too.
    """
    absent = [c for c in train.columns if c not in frame.columns]
    if absent:
        raise ValueError(f"the system left out the columns {', '.join(absent)}")
    aligned = {}
    for name in train.columns:
        real, column = train[name], frame[name]
        if types.is_numeric_dtype(real):
            numbers = pd.to_numeric(column, errors="coerce").astype("float64")
            whole = types.is_integer_dtype(real) and bool((numbers == numbers.round()).all())
            aligned[name] = numbers.astype(real.dtype) if whole else numbers
        else:
            text = column.astype(object)
            aligned[name] = text.where(text.isna(), text.astype(str)).where(text.notna(), None)
    return pd.DataFrame(aligned).reset_index(drop=True)
