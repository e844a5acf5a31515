"""Whole tables: detection, precision and recall, closest records, usefulness."""

import sys

import numpy as np
import pytest

from intarsia.errors import MissingExtraError
from intarsia.metrics import (
    alpha_precision_beta_recall,
    classifier_two_sample,
    closest_record,
    train_on_synthetic,
)
from intarsia.metrics._arrays import join_codes
from intarsia.metrics._records import as_records, nearest

NAN = float("nan")
MASK = np.array([False, False, True])


def dependent(rows: int, seed: int) -> np.ndarray:
    """Two numbers and a category that hang together."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return np.stack([x, x + 0.2 * rng.normal(size=rows), x > 0.5], axis=1)


def shuffled(table: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(column) for column in table.T], axis=1)


def test_detection_separates_equal_laws_from_lost_dependence() -> None:
    real = dependent(900, 0)
    same = classifier_two_sample(real, dependent(700, 1), categorical=MASK, seed=0)
    lost = classifier_two_sample(real, shuffled(real, 1), categorical=MASK, seed=0)
    assert same.n == 700
    assert same.score > 0.85
    assert lost.score < 0.2
    assert lost.score == pytest.approx(2 - 2 * lost.auc)
    assert lost.importances.sum() == pytest.approx(1.0)


def test_detection_names_the_column_that_gives_rows_away() -> None:
    real, fake = dependent(600, 0), dependent(600, 1)
    fake[:, 1] += 3
    outcome = classifier_two_sample(real, fake, categorical=MASK, seed=0)
    assert outcome.importances.argmax() == 1


def test_detection_is_deterministic_and_takes_missing_and_infinite_values() -> None:
    real, fake = dependent(300, 0), dependent(300, 1)
    real[:50, 0], fake[::3, 1], fake[3, 0] = NAN, NAN, np.inf
    first, second = (classifier_two_sample(real, fake, categorical=MASK, seed=5) for _ in range(2))
    assert first.auc == second.auc
    assert first.auc > 0.6  # the pattern of missing values differs


def test_detection_needs_a_row_for_each_fold() -> None:
    with pytest.raises(ValueError, match="at least 3 rows"):
        classifier_two_sample(np.zeros((2, 3)), np.zeros((9, 3)), categorical=MASK, seed=0)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(MissingExtraError, match=r"intarsia\[evaluate\]"):
        classifier_two_sample(dependent(9, 0), dependent(9, 1), categorical=MASK, seed=0)


def naive_precision_recall(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The definition, spelled out on one-hot arrays (Alaa et al. 2022)."""
    levels = np.linspace(0, 1, 30)
    center, fake_center = x.mean(0), y.mean(0)
    radii = np.quantile(np.linalg.norm(x - center, axis=1), levels)
    to_center = np.linalg.norm(y - center, axis=1)
    precision = np.array([np.mean(to_center <= r) for r in radii])
    between = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.fill_diagonal(between, np.inf)
    across = np.linalg.norm(x[:, None] - y[None], axis=2)
    near = np.linalg.norm(y[across.argmin(1)] - fake_center, axis=1)
    limits = np.quantile(near, levels)
    recall = np.array([np.mean((across.min(1) <= between.min(1)) & (near <= limit)) for limit in limits])
    return tuple(float(1 - np.abs(levels - curve).sum() / levels.sum()) for curve in (precision, recall))


def test_precision_and_recall_equal_their_definition() -> None:
    real, fake = dependent(200, 0), 0.7 * dependent(200, 1)
    fake[:, 2] = fake[:, 2] > 0
    ours = alpha_precision_beta_recall(real, fake, categorical=MASK, seed=0)
    low, span = real[:, :2].min(0), np.ptp(real[:, :2], axis=0)
    arrays = [np.c_[(t[:, :2] - low) / span, t[:, 2], 1 - t[:, 2]] for t in (real, fake)]
    precision, recall = naive_precision_recall(*arrays)
    assert ours.n == 200
    assert ours.alpha_precision == pytest.approx(precision, abs=1e-9)
    assert ours.beta_recall == pytest.approx(recall, abs=1e-9)


def test_precision_and_recall_of_good_and_bad_rows() -> None:
    real = dependent(800, 0)
    same = alpha_precision_beta_recall(real, dependent(800, 1), categorical=MASK, seed=0)
    huddled = alpha_precision_beta_recall(real, np.tile(real.mean(0).round(), (800, 1)), categorical=MASK, seed=0)
    shift = np.array([9, 9, 0])
    far = alpha_precision_beta_recall(real, dependent(800, 1) + shift, categorical=MASK, seed=0)
    assert same.alpha_precision > 0.9
    assert 0.35 < same.beta_recall < 0.6
    assert huddled.beta_recall < 0.1
    assert far.alpha_precision == pytest.approx(0.0, abs=1e-9)
    assert alpha_precision_beta_recall(real, real, categorical=MASK, seed=0, cap=100).n == 100


def test_closest_record_finds_a_copier_and_clears_an_honest_sampler() -> None:
    train, holdout = dependent(1000, 0), dependent(1400, 1)
    honest = closest_record(train, holdout, dependent(900, 2), categorical=MASK, seed=0)
    copier = closest_record(train, holdout, train[:600], categorical=MASK, seed=0)
    assert honest.references == 1000
    assert abs(honest.share - 0.5) < 4 * honest.standard_error
    assert not honest.leaks
    assert copier.share == 1.0
    assert copier.leaks
    assert copier.quantile_train == 0.0 < copier.quantile_holdout


def test_ties_count_half() -> None:
    train = np.array([[0.0, 0.0, 0], [1, 1, 1]])
    outcome = closest_record(train, train, [[0.0, 0, 0], [0.4, 0, 1]], categorical=MASK, seed=0)
    assert outcome.share == 0.5


def test_closest_record_keeps_to_its_caps() -> None:
    table = dependent(300, 0)
    outcome = closest_record(table, table, table, categorical=MASK, seed=0, cap=50, reference_cap=120)
    assert (outcome.n, outcome.references) == (50, 120)


def test_distance_counts_ranges_categories_and_missing_values() -> None:
    reference = np.array([[0.0, 0.0, 0], [10, 2, 1]])
    queries = np.array([[5.0, 0, 0], [0, 2, 3], [NAN, 0, 0]])
    prepared, asked = as_records([reference, queries], MASK)
    distances, which = nearest(asked, prepared, power=1, mismatch=1.0)
    assert distances.tolist() == pytest.approx([0.5, 2.0, 1.0])
    assert which.tolist() == [0, 0, 0]


def test_nearest_in_blocks_equals_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intarsia.metrics._records._BLOCK", 700)
    a, b = dependent(90, 0), dependent(130, 1)
    b_ready, a_ready = as_records([b, a], MASK)
    distances, which = nearest(a_ready, b_ready, power=1, mismatch=1.0)
    scale = [np.ptp(b[:, 0]), np.ptp(b[:, 1]), 1.0]
    gaps = np.abs(a[:, None] - b[None]) / scale
    assert distances == pytest.approx(gaps.sum(2).min(1), abs=1e-5)
    assert (gaps.sum(2)[np.arange(90), which] - gaps.sum(2).min(1)).max() < 1e-5


def test_join_codes_tells_combinations_apart() -> None:
    rng = np.random.default_rng(0)
    samples = [tuple(rng.integers(-1, 10**6, (3, 40))) for _ in range(2)]
    joint, count = join_codes(samples)
    rows = [tuple(map(int, row)) for sample in samples for row in zip(*sample, strict=True)]
    codes = [int(code) for sample in joint for code in sample]
    assert len(set(zip(rows, codes, strict=True))) == len(set(rows)) == len(set(codes))
    assert max(codes) < count


def test_training_on_synthetic_rows() -> None:
    train, test = dependent(600, 0), dependent(400, 1)
    good = train_on_synthetic(train[:, :2], train[:, 2], test[:, :2], test[:, 2], task="classification", seed=0)
    lost = shuffled(train, 2)
    bad = train_on_synthetic(lost[:, :2], lost[:, 2], test[:, :2], test[:, 2], task="classification", seed=0)
    assert good > 0.99
    assert 0.2 < bad < 0.8
    fit = train_on_synthetic(train[:, :1], train[:, 1], test[:, :1], test[:, 1], task="regression", seed=0)
    assert fit > 0.85


def test_training_on_huge_targets() -> None:
    train, test = dependent(400, 0), dependent(300, 1)
    r2 = train_on_synthetic(train[:, :1], 1e60 * train[:, 1], test[:, :1], 1e60 * test[:, 1], task="regression", seed=0)
    assert r2 > 0.8


def test_training_on_several_classes_averages_one_against_the_rest() -> None:
    x = np.random.default_rng(0).uniform(0, 3, (600, 1))
    y = np.floor(x[:, 0])
    assert train_on_synthetic(x, y, x, y, task="classification", seed=0) > 0.99
    two = y < 2  # the third class is never seen: it scores 0.5, the others stay near 1
    lacking = train_on_synthetic(x[two], y[two], x, y, task="classification", seed=0)
    assert 0.55 < lacking < (1 + 1 + 0.5) / 3 + 0.01


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_degenerate_targets(task: str) -> None:
    x, y = np.zeros((20, 1)), np.arange(20) % 2
    constant = train_on_synthetic(x, np.ones(20), x, y, task=task, seed=0)
    assert constant == (0.5 if task == "classification" else pytest.approx(-1.0))
    assert np.isnan(train_on_synthetic(x, y, x, np.ones(20), task=task, seed=0))
    assert np.isnan(train_on_synthetic(x, np.full(20, NAN), x, y, task=task, seed=0))
    with pytest.raises(ValueError, match="one row per entry"):
        train_on_synthetic(x, y[:-1], x, y, task=task, seed=0)
