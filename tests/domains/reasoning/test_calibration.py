"""Confidence: the temperature, the calibration error, and the threshold above which everything was right."""

import math

import numpy as np
import pytest
import torch

from intarsia_domains.reasoning._calibration import (
    calibrated,
    calibration_error,
    fit_scale,
    perfect_threshold,
    scaled,
)


def test_one_level_of_logits_becomes_the_smoothed_share() -> None:
    logits, right = torch.full((400,), 3.0), torch.arange(400) % 4 > 0
    # Platt's targets: 301/302 for 300 right answers and 1/102 for 100 wrong ones
    share = (300 * 301 / 302 + 100 / 102) / 400
    assert scaled(logits[:1], *fit_scale(logits, right))[0] == pytest.approx(share, abs=1e-5)


def test_temperature_and_shift_are_found_back_from_draws() -> None:
    rng = torch.Generator().manual_seed(0)
    true = torch.randn(200_000, generator=rng) * 2
    right = torch.rand(200_000, generator=rng) < true.sigmoid()
    temperature, shift = fit_scale((true - 1) * 4, right)
    assert temperature == pytest.approx(4.0, rel=0.03)
    assert shift == pytest.approx(1.0, abs=0.03)


def test_a_perfect_confidence_stays_finite_and_a_worthless_one_positive() -> None:
    logits = torch.tensor([-4.0, -3.0, 3.0, 4.0])
    temperature, shift = fit_scale(logits, logits > 0)
    assert 0.0 < temperature < 10.0
    assert abs(shift) < 1.0
    assert fit_scale(logits, logits < 0)[0] == pytest.approx(100.0)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.05, 0.05, 0.95, 0.95])
    right = np.array([False, False, True, False])
    # two of four are in a bin with mean .05 and none right, two in one with mean .95 and half right
    assert calibration_error(confidence, right) == pytest.approx(0.5 * 0.05 + 0.5 * 0.45)
    assert calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0.0


def test_threshold_keeps_what_is_above_every_wrong_answer() -> None:
    confidence, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    assert perfect_threshold(confidence, right) == (0.8, 0.5)
    assert perfect_threshold(confidence, np.ones(4, dtype=bool)) == (0.6, 1.0)


def test_a_tie_with_a_wrong_answer_is_not_kept() -> None:
    assert perfect_threshold(np.array([0.9, 0.9]), np.array([True, False])) == (math.inf, 0.0)


def test_calibrated_says_what_it_saw_and_does_not_get_worse() -> None:
    logits, right = torch.full((400,), 3.0), torch.arange(400) % 4 > 0
    found = calibrated(logits, right)
    assert found.solved == 0.75
    assert found.problems == 400
    assert found.ece < 1e-3 < found.ece_before
    assert found.coverage == 0.0


def test_no_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        calibrated(torch.zeros(0), torch.zeros(0))
