"""Confidence: how it is scaled, and how it is judged."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far a model's confidence can be trusted, on problems that it did not learn from.

    Args:
        temperature: what logits of the confidence are divided by.
        shift: what is added then.
        ece: expected calibration error, from 0 to 1.
        ece_before: the same with temperature 1 and no shift.
        threshold: the least confidence at and above which every answer was right.
        coverage: share of the answers that are at or above it.
        solved: share of the answers that are right.
        problems: how many there were.
    """

    temperature: float
    shift: float
    ece: float
    ece_before: float
    threshold: float
    coverage: float
    solved: float
    problems: int


def calibrated(logits: Tensor, right: Tensor) -> Calibration:
    """Fit temperature and shift on logits (n,) of whether answers are right (n,), and judge it on the same.

    Raises:
        ValueError: there are no answers.
    """
    if not len(logits):
        raise ValueError("calibration needs answers; give at least one problem")
    temperature, shift = fit_scale(logits, right)
    confidence = scaled(logits, temperature, shift)
    plain = logits.double().sigmoid().cpu().numpy()
    labels = right.cpu().numpy().astype(bool)
    threshold, coverage = perfect_threshold(confidence, labels)
    return Calibration(
        temperature,
        shift,
        calibration_error(confidence, labels),
        calibration_error(plain, labels),
        threshold,
        coverage,
        float(labels.mean()),
        len(labels),
    )


def fit_scale(logits: Tensor, right: Tensor) -> tuple[float, float]:
    """Temperature and shift of the least log loss: sigmoid(logit / temperature + shift) (Platt 1999).

    Platt's smoothed targets keep both finite where confidence separates right from wrong. Newton's method on the slope
    1/temperature and the shift, with a ridge of one answer towards (1, 0) that decides where all logits are equal; a
    slope that would be negative, as of a confidence that is worth nothing, is kept at 0.01.
    """
    x, hits = logits.double(), right.double()
    count = hits.sum()
    target = torch.where(hits > 0, (count + 1) / (count + 2), 1 / (len(hits) - count + 2))
    design = torch.stack([x, torch.ones_like(x)], 1)
    start = torch.tensor([1.0, 0.0], dtype=torch.float64, device=x.device)
    fitted, ridge = start.clone(), RIDGE * torch.eye(2, dtype=x.dtype, device=x.device)

    def loss(weights: Tensor) -> Tensor:
        nats = functional.binary_cross_entropy_with_logits(design @ weights, target, reduction="sum")
        return nats + RIDGE / 2 * (weights - start).square().sum()

    for _ in range(100):
        p = (design @ fitted).sigmoid()
        gradient = design.T @ (p - target) + RIDGE * (fitted - start)
        curvature = design.T @ (design * (p * (1 - p)).unsqueeze(1)) + ridge
        step = torch.linalg.solve(curvature, gradient)
        size = 1.0
        while loss(fitted - size * step) > loss(fitted) and size > 1e-6:
            size /= 2
        fitted = fitted - size * step
        if float(step.abs().max()) < 1e-10:
            break
    slope, shift = fitted.tolist()
    return 1.0 / max(slope, 0.01), shift


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: |share right - mean confidence| of equal bins, weighted by how many fall in each."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(which, right.astype(float) - confidence, bins)
    return float(np.abs(gaps).sum() / max(len(confidence), 1))


def perfect_threshold(confidence: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """The least threshold with no wrong answer at or above it, and the share of answers it keeps; (inf, 0) for none."""
    wrong = confidence[~right]
    kept = confidence if not wrong.size else confidence[confidence > wrong.max()]
    return (float(kept.min()), len(kept) / len(confidence)) if kept.size else (float("inf"), 0.0)


def scaled(logits: Tensor, temperature: float, shift: float) -> np.ndarray:
    """Confidences (n,)."""
    return (logits.double() / temperature + shift).sigmoid().cpu().numpy()
