"""Systems that fill in blanked cells, and how their answers are scored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabular_systems._data import Table, align
from tabular_systems._job import cpu_seconds

DRAWS = 20
SHARE = 0.2
MASK_SEED = 0


@dataclass
class Answer:
    """Completed holdouts. `point` is a system's own best guess; without it, the median or mode of the draws is."""

    draws: list[pd.DataFrame] | None
    point: pd.DataFrame | None = None
    fit_cpu_s: float = 0.0
    complete_cpu_s: float = 0.0
    note: str = ""


def blank(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The holdout with a fifth of its known cells blanked, the same for all systems, and which cells they are."""
    known = table.holdout.notna()
    chosen = np.random.default_rng(MASK_SEED).random(known.shape) < SHARE
    hidden = pd.DataFrame(chosen, columns=known.columns) & known
    blanked = {}
    for name, kind in table.kinds.items():
        column = table.holdout[name]
        whole = kind != "category" or pd.api.types.is_numeric_dtype(column)
        blanked[name] = column.astype("float64" if whole else object).mask(hidden[name], np.nan if whole else None)
    return pd.DataFrame(blanked), hidden


def intarsia(table: Table, blanked: pd.DataFrame, seed: int, budget: float, threads: int) -> Answer:
    """Ours: joint draws of all blanked cells of a row."""
    from intarsia_domains.tabular import TabularSynthesizer

    start = cpu_seconds()
    synth = TabularSynthesizer(cpu_minutes=budget / 60, seed=seed, threads=threads)
    synth.fit(table.train, target=table.target)
    fitted = cpu_seconds()
    draws = synth.complete(blanked, n_draws=DRAWS, seed=seed)
    return Answer(list(draws), None, fitted - start, cpu_seconds() - fitted, f"default recipe in {budget:g} CPU s")


def median_mode(table: Table, blanked: pd.DataFrame, seed: int, budget: float, threads: int) -> Answer:
    """Every blank gets the median or the mode of its column."""
    point = blanked.copy()
    for name, kind in table.kinds.items():
        column = table.train[name]
        best = column.mode().iloc[0] if kind == "category" else column.median()
        point[name] = point[name].fillna(best)
    return Answer(None, point)


def marginals(table: Table, blanked: pd.DataFrame, seed: int, budget: float, threads: int) -> Answer:
    """Every blank gets draws from its column in the training table: the trivial answer for draws."""
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(DRAWS):
        filled = blanked.copy()
        for name in blanked.columns:
            pool = table.train[name].dropna().to_numpy()
            filled[name] = filled[name].where(filled[name].notna(), pool[rng.integers(0, len(pool), len(filled))])
        draws.append(filled)
    return Answer(draws)


def iterative(table: Table, blanked: pd.DataFrame, seed: int, budget: float, threads: int) -> Answer:
    """scikit-learn's IterativeImputer with its defaults, fitted to training rows and blanked rows together.

    Categories are ordinal codes, rounded back to the nearest. The point is the imputer's own; draws are from a second
    one with `sample_posterior`, kept in the range of the training table.
    """
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401 (its import makes the next one possible)
    from sklearn.impute import IterativeImputer

    levels = {c: sorted(table.train[c].dropna().unique()) for c, kind in table.kinds.items() if kind == "category"}

    def encode(frame: pd.DataFrame) -> np.ndarray:
        columns = []
        for name in frame.columns:
            codes = {v: i for i, v in enumerate(levels[name])} if name in levels else None
            columns.append(frame[name] if codes is None else frame[name].map(codes))
        return np.stack([c.to_numpy(dtype=float) for c in columns], axis=1)

    def decode(values: np.ndarray) -> pd.DataFrame:
        filled = blanked.copy()
        for i, name in enumerate(blanked.columns):
            guess: Any = values[:, i]
            if name in levels:
                codes = np.clip(np.round(guess), 0, len(levels[name]) - 1).astype(int)
                guess = np.asarray(levels[name], dtype=object)[codes]
            filled[name] = filled[name].where(filled[name].notna(), guess)
        return filled

    start = cpu_seconds()
    train, holes = encode(table.train), encode(blanked)
    both, rows = np.concatenate([train, holes]), len(train)
    point = decode(IterativeImputer(random_state=seed).fit_transform(both)[rows:])
    low, high = np.nanmin(train, axis=0), np.nanmax(train, axis=0)
    sampler = IterativeImputer(random_state=seed, sample_posterior=True, min_value=low, max_value=high).fit(both)
    fitted = cpu_seconds()
    draws = [decode(sampler.transform(holes)) for _ in range(DRAWS)]
    return Answer(draws, point, fitted - start, cpu_seconds() - fitted, "defaults, whole fit")


IMPUTERS: dict[str, Callable[[Table, pd.DataFrame, int, float, int], Answer]] = {
    "median-mode": median_mode,
    "marginals": marginals,
    "iterative": iterative,
    "intarsia": intarsia,
}


def run(name: str, table: Table, seed: int, budget: float, threads: int) -> dict[str, Any]:
    """One system on one table: what it cost and how its answers score."""
    import torch

    torch.set_num_threads(threads)
    blanked, hidden = blank(table)
    wall = time.perf_counter()
    answer = IMPUTERS[name](table, blanked, seed, budget, threads)
    seconds = time.perf_counter() - wall
    columns = score(table, hidden, answer)
    return {
        "fit_cpu_s": answer.fit_cpu_s,
        "complete_cpu_s": answer.complete_cpu_s,
        "wall_s": seconds,
        "schedule": answer.note,
        "cells": int(hidden.to_numpy().sum()),
        "columns": columns,
        "means": _means(columns),
    }


def score(table: Table, hidden: pd.DataFrame, answer: Answer) -> dict[str, dict[str, Any]]:
    """Scores of each column over its hidden cells.

    Numbers: mean absolute error of the point, and CRPS of the draws, both in units of the training column's mean
    absolute deviation from its median (so that the column median scores about 1). Categories: error rate of the point,
    and log loss in nats of the draws' frequencies, with 1/K of a draw added to each of the K training labels.
    """
    draws = None if answer.draws is None else [align(x, table.train) for x in answer.draws]
    point = None if answer.point is None else align(answer.point, table.train)
    scores: dict[str, dict[str, Any]] = {}
    for name, kind in table.kinds.items():
        rows = hidden[name].to_numpy()
        truth = table.holdout[name].to_numpy()[rows]
        if not len(truth):
            continue
        guesses = None if draws is None else np.stack([x[name].to_numpy()[rows] for x in draws])
        own = None if point is None else point[name].to_numpy()[rows]
        scorer = _category if kind == "category" else _number
        scores[name] = {"kind": kind, "n": len(truth), **scorer(table.train[name], truth, guesses, own)}
    return scores


def _number(train: pd.Series, truth: np.ndarray, draws: np.ndarray | None, point: np.ndarray | None) -> dict:
    scale = float((train - train.median()).abs().mean()) or 1.0
    truth = truth.astype(float)
    result = {}
    if draws is not None:
        draws = draws.astype(float)
        ordered, m = np.sort(draws, axis=0), len(draws)
        weights = 2 * np.arange(1, m + 1) - m - 1  # half of the mean distance between draws is Σ weight x / m²
        inner = (weights[:, None] * ordered).sum(axis=0) / m**2
        result["crps"] = float((np.abs(draws - truth).mean(axis=0) - inner).mean()) / scale
    best = np.median(draws, axis=0) if point is None else point.astype(float)
    return {"error": float(np.abs(best - truth).mean()) / scale, **result}


def _category(train: pd.Series, truth: np.ndarray, draws: np.ndarray | None, point: np.ndarray | None) -> dict:
    result = {}
    if draws is not None:
        values = pd.unique(np.concatenate([train.dropna().to_numpy(), draws.ravel(), truth]))
        codes = pd.Index(values)
        drawn = codes.get_indexer(draws.ravel()).reshape(draws.shape)
        counts = np.stack([np.bincount(column, minlength=len(values)) for column in drawn.T])
        right = counts[np.arange(len(truth)), codes.get_indexer(truth)]
        chance = (right + 1 / train.nunique()) / (len(draws) + 1)
        result["log_loss"] = float(-np.log(chance).mean())
        if point is None:
            point = values[counts.argmax(axis=1)]
    return {"error": float((point != truth).mean()), **result}


def _means(columns: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    def mean(numbers: bool, key: str) -> float | None:
        known = [x[key] for x in columns.values() if (x["kind"] != "category") is numbers and key in x]
        return float(np.mean(known)) if known else None

    return {
        "number_error": mean(True, "error"),
        "crps": mean(True, "crps"),
        "category_error": mean(False, "error"),
        "log_loss": mean(False, "log_loss"),
    }
