"""What a metric says, in one sentence."""

import math
from typing import Literal

from intarsia.report._model import Metric, number

Mood = Literal["good", "fair", "poor", "none"]


def verdict(metric: Metric) -> str:
    """A plain sentence about the value, its target and its floors."""
    return metric.verdict or _judge(metric)[0]


def mood(metric: Metric) -> Mood:
    """Good at the first floor or the target, poor at or below a trivial one, fair between."""
    return "poor" if metric.alarm else _judge(metric)[1]


def _judge(metric: Metric) -> tuple[str, Mood]:
    if not math.isfinite(metric.value):
        return "could not be computed", "none"
    if metric.target is not None:
        return _against_target(metric, metric.target)
    floors = [(name, value) for name, value in metric.floors.items() if math.isfinite(value)]
    if not floors:
        return "no floor to compare with", "none"
    sign = 1 if metric.better == "lower" else -1
    best, level = floors[0]
    excess = sign * (metric.value - level)
    if excess < -metric.tolerance:
        return f"{_gap(metric, -excess)} better than {best}", "good"
    if excess <= metric.tolerance:
        return f"indistinguishable from {best}", "good"
    side = "above" if metric.better == "lower" else "below"
    kind = "noise floor" if metric.better == "lower" else "ceiling"
    sentence = f"{_gap(metric, excess)} {side} the {kind} ({best})"
    for name, trivial in floors[1:]:
        if sign * (trivial - level) <= metric.tolerance:
            continue  # this test cannot tell the trivial model from real data: it is no yardstick
        if sign * (metric.value - trivial) >= 0:
            return f"{sentence}; no better than {name}", "poor"
        closed = 100 * (1 - excess / (sign * (trivial - level)))
        sentence += f"; {closed:.0f} % of the way from {name}"
    return sentence, "fair"


def _against_target(metric: Metric, target: float) -> tuple[str, Mood]:
    gap = metric.value - target
    if abs(gap) <= metric.tolerance:
        return f"at its target {number(target, metric.unit)}", "good"
    side = "above" if gap > 0 else "below"
    return f"{_gap(metric, abs(gap))} {side} its target {number(target, metric.unit)}", "fair"


def _gap(metric: Metric, size: float) -> str:
    return number(size, metric.unit).replace(" %", " points")
