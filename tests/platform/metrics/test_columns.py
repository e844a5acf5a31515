"""Single columns, pairs, mutual information: exact facts on small arrays."""

import numpy as np
import pytest

from intarsia.metrics import (
    contingency_similarity,
    correlation_similarity,
    duplicate_rate,
    ks_complement,
    nmi_error,
    nmi_matrix,
    normalized_mutual_information,
    quantile_codes,
    shape_scores,
    trend_scores,
    tv_complement,
)

NAN = float("nan")


def test_ks_is_the_largest_gap_of_the_distribution_functions() -> None:
    assert ks_complement([1, 2, 3, 4], [3, 4, 5, 6]) == 0.5
    assert ks_complement([1, 2], [3, 4]) == 0.0
    assert ks_complement([1, 1, 2], [2, 1, 1]) == 1.0
    assert ks_complement([0, 1, NAN, NAN], [0, 1]) == 1.0
    assert ks_complement([np.inf, 0.0], [np.inf, 1e300]) == 0.5
    assert np.isnan(ks_complement([NAN], [1.0]))


def test_ks_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 40, 300), rng.integers(3, 50, 211)
    assert ks_complement(a, b) == pytest.approx(1 - stats.ks_2samp(a, b).statistic, abs=1e-12)


@pytest.mark.parametrize("kind", [float, str])
def test_total_variation(kind: type) -> None:
    real, fake = [kind(x) for x in (0, 0, 1, 2)], [kind(x) for x in (0, 0, 1, 1)]
    assert tv_complement(real, fake) == 0.75
    assert tv_complement(real, [kind(7)]) == 0.0


def test_total_variation_leaves_missing_labels_out() -> None:
    labels = np.array(["a", None, "b", NAN], dtype=object)
    assert tv_complement(labels, ["a", "b"]) == 1.0
    assert np.isnan(tv_complement(np.array([None], dtype=object), ["a"]))


def test_correlation_similarity() -> None:
    up, down = [[0, 0], [1, 1], [2, 2]], [[0, 2], [1, 1], [2, 0]]
    assert correlation_similarity(up, up) == pytest.approx(1.0)
    assert correlation_similarity(up, down) == pytest.approx(0.0, abs=1e-12)
    assert correlation_similarity([*up, [NAN, 9]], up) == pytest.approx(1.0)
    assert np.isnan(correlation_similarity([[0, 5], [1, 5]], up))
    with pytest.raises(ValueError, match="two columns"):
        correlation_similarity([1, 2], up)


def test_correlation_survives_huge_and_shifted_numbers() -> None:
    x = np.random.default_rng(0).normal(size=(400, 2))
    scaled = x * [1e200, 1e-200] + [1e201, 0]
    assert correlation_similarity(x, scaled) == pytest.approx(1.0, abs=1e-12)


def test_contingency_similarity_counts_missing_labels_as_one_more() -> None:
    assert contingency_similarity([["a", "x"], ["b", "y"]], [["a", "y"], ["b", "y"]]) == 0.5
    assert contingency_similarity([[NAN, 1.0], [0, 1]], [[NAN, 1.0], [0, 1]]) == 1.0
    assert contingency_similarity([[NAN, 1.0], [0, 1]], [[0.0, 1.0], [0, 1]]) == 0.5


def test_contingency_needs_no_table_of_all_combinations() -> None:
    rows = np.random.default_rng(0).permutation(50_000)
    pair = np.stack([rows, rows[::-1]], axis=1)  # 2.5e9 possible combinations
    assert contingency_similarity(pair, pair) == 1.0
    assert contingency_similarity(pair, pair[:, ::-1] + 50_000) == 0.0


def test_trend_of_a_mixed_table() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    table = np.stack([x, 2 * x + 1, x > 0], axis=1)
    mask = [False, False, True]
    same = trend_scores(table, table, categorical=mask)
    assert np.isnan(np.diag(same)).all()
    assert same[np.triu_indices(3, 1)] == pytest.approx(1.0)
    broken = np.stack([table[:, 0], rng.permutation(table[:, 1]), table[:, 2]], axis=1)
    scores = trend_scores(table, broken, categorical=mask)
    assert scores[0, 1] == pytest.approx(0.5, abs=0.06)  # a correlation of 1 was lost
    assert scores[0, 2] == pytest.approx(1.0)
    assert scores[1, 2] < 0.7
    assert np.array_equal(scores, scores.T, equal_nan=True)


def test_bins_over_the_own_range_move_with_one_extreme_value() -> None:
    rng = np.random.default_rng(0)
    real = np.stack([rng.normal(size=1000), rng.integers(0, 2, 1000)], axis=1)
    fake = real.copy()
    fake[0, 0] = 1000.0
    mask = [False, True]
    assert trend_scores(real, fake, categorical=mask, edges="real")[0, 1] > 0.99
    assert trend_scores(real, fake, categorical=mask, edges="own")[0, 1] < 0.2


def test_pairs_with_infinities_or_constants_have_no_score() -> None:
    table = np.array([[0.0, np.inf, 0], [1, 2, 1], [2, 5, 0]])
    scores = trend_scores(table, table, categorical=[False, False, True])
    assert np.isnan(scores[0, 1])
    assert np.isnan(scores[1, 2])
    assert scores[0, 2] == 1.0
    constant = np.array([[1.0, 3.0], [1, 4]])
    assert np.isnan(trend_scores(constant, constant, categorical=[False, False])[0, 1])


def test_shape_scores_choose_by_the_mask() -> None:
    real, fake = np.array([[0.0, 0], [1, 1], [2, 2], [3, 3]]), np.array([[2.0, 2], [3, 3], [4, 4], [5, 5]])
    assert shape_scores(real, fake, categorical=[False, True]).tolist() == [0.5, 0.5]
    shuffled = fake[[1, 0, 3, 2]] - 2
    assert shape_scores(real, shuffled, categorical=[False, True]).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="same columns"):
        shape_scores(real, fake[:, :1], categorical=[False, True])
    with pytest.raises(ValueError, match="no rows"):
        shape_scores(real, fake[:0], categorical=[False, True])


def test_mutual_information() -> None:
    assert normalized_mutual_information(["a", "a", "b", "b"], [1, 1, 0, 0]) == 1.0
    assert normalized_mutual_information([0, 0, 1, 1], [0, 1, 0, 1]) == 0.0
    assert normalized_mutual_information([7, 7], [1, 1]) == 0.0
    # a: 2 bits, b: 1 bit, b a function of a: 2 · 1 / (2 + 1)
    assert normalized_mutual_information([0, 1, 2, 3], [0, 0, 1, 1]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="equally long"):
        normalized_mutual_information([1, 2], [1])


def test_mutual_information_agrees_with_sklearn() -> None:
    cluster = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (400, 3))
    codes[:, 2] = (codes[:, 0] + rng.integers(0, 2, 400)) % 5
    ours = nmi_matrix(codes)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        theirs = cluster.normalized_mutual_info_score(codes[:, i], codes[:, j])
        assert ours[i, j] == pytest.approx(theirs, abs=1e-9)


def test_mutual_information_error_is_zero_for_equal_tables_and_weights_dependent_pairs() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 2000)
    real = np.stack([x, x, rng.integers(0, 4, 2000)], axis=1).astype(float)
    fake = real.copy()
    fake[:, 1] = rng.permutation(fake[:, 1])
    mask = [True] * 3
    assert nmi_error(real, real, categorical=mask) == 0.0
    assert nmi_error(real, fake, categorical=mask) == pytest.approx(1.0, abs=0.02)
    assert np.isnan(nmi_error(real[:, :1], fake[:, :1], categorical=[True]))


def test_quantile_codes_give_a_frequent_value_its_own_bin() -> None:
    spiked = np.concatenate([np.zeros(900), np.linspace(1, 2, 100)])
    codes = quantile_codes(spiked, np.array([-1.0, 0.0, 0.5, 2.0, NAN]))
    assert codes[:4].tolist() == [0, 1, 2, 2]
    assert np.isnan(codes[4])
    even = quantile_codes(np.arange(1000), np.arange(1000))
    assert np.unique(even).size == 10
    assert np.bincount(even.astype(int)).max() <= 101
    assert quantile_codes([NAN, NAN], np.array([1.0, 2.0])).tolist() == [0, 0]


def test_duplicates_match_every_column_and_missing_values() -> None:
    train = np.array([[0.0, NAN], [2, 3]])
    assert duplicate_rate(train, train) == 1.0
    assert duplicate_rate(train, [[-0.0, NAN], [0, 3], [2, 3], [2, NAN]]) == 0.5
