"""What the project wants of its default recipe, and which of it the finished cells meet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

# How the report's names of the metrics begin or what they hold, in lower case; the first name that fits is taken.
NAMES = {
    "c2st": r"c2st(?!.*holdout)",
    "shape_error": r"shape",
    "trend_error": r"trend",
    "tstr": r"tstr|train on synth|utility",
    "dcr_share": r"dcr|closest",
    "copies": r"cop(y|ies)|duplicate",
}
PERCENT = ("shape_error", "trend_error")
LABELS = {"c2st": "C2ST", "shape_error": "Shape error %", "trend_error": "Trend error %", "tstr": "TSTR"}


@dataclass(frozen=True)
class Target:
    """`key` of `system` on `table` must be at least (or at most) `bound`."""

    table: str
    key: str
    bound: float
    at_least: bool
    system: str = "intarsia"

    def words(self) -> str:
        """The target in words."""
        sign = "≥" if self.at_least else "≤"
        return f"{LABELS.get(self.key, self.key)} {sign} {self.bound:g}"


TARGETS = (
    Target("adult", "c2st", 0.97, True),
    Target("adult", "shape_error", 0.40, False),
    Target("adult", "trend_error", 1.0, False),
    Target("adult", "tstr", 0.918, True),
    Target("adult", "c2st", 0.90, True, "intarsia-1min"),
    Target("shoppers", "c2st", 0.95, True),
    Target("shoppers", "shape_error", 0.9, False),
    Target("shoppers", "trend_error", 2.0, False),
    Target("shoppers", "tstr", 0.918, True),
    Target("magic", "c2st", 0.87, True),
    Target("magic", "shape_error", 0.95, False),
    Target("magic", "trend_error", 1.3, False),
    Target("magic", "tstr", 0.935, True),
    Target("beijing", "c2st", 0.85, True),
    Target("california", "c2st", 0.80, True),
    Target("california", "trend_error", 2.5, False),
    *(Target(t, "dcr_share", 0.53, False) for t in ("adult", "shoppers", "magic", "beijing", "california")),
)
R2_GAP = 0.04  # California: R2 of a model trained on synthetic rows, below that of one trained on real rows
RACED = ("c2st", "shape_error", "trend_error")  # where ours must be ahead of every generative peer


def value(system: dict[str, Any] | None, key: str) -> float | None:
    """Mean over seeds of the metric (or cost) `key` of one system on one table, in the unit of the targets."""
    if not system:
        return None
    if key not in NAMES:
        return (system["costs"].get(key) or {}).get("mean")
    stat = next((x for name, x in system["metrics"].items() if re.search(NAMES[key], name.lower())), None)
    if stat is None or stat["mean"] is None:
        return None
    return stat["mean"] * (100 if key in PERCENT else 1) / (100 if stat["unit"] == "%" else 1)


def verdicts(results: dict[str, dict[str, Any]], generative: list[str]) -> list[dict[str, Any]]:
    """Every target with what was measured; `met` is None where it was not measured."""
    found = []
    for target in TARGETS:
        got = value(results.get(target.table, {}).get(target.system), target.key)
        met = None if got is None else got >= target.bound if target.at_least else got <= target.bound
        found.append(_verdict(target.table, target.system, target.words(), got, met))
    for table, systems in results.items():
        ours, real = systems.get("intarsia"), systems.get("real")
        got, bound = value(ours, "copies"), value(real, "copies")
        met = None if got is None or bound is None else got <= bound
        words = "exact copies ≤ those of real holdout" + ("" if bound is None else f" ({bound:.3g})")
        found.append(_verdict(table, "intarsia", words, got, met))
        if table == "california":
            got, bound = value(ours, "tstr"), value(real, "tstr")
            met = None if got is None or bound is None else got >= bound - R2_GAP
            words = f"R2 within {R2_GAP:g} of real" + ("" if bound is None else f" ({bound:.3f})")
            found.append(_verdict(table, "intarsia", words, got, met))
        found += [_race(table, systems, key, generative) for key in RACED]
    return found


def _race(table: str, systems: dict[str, Any], key: str, generative: list[str]) -> dict[str, Any]:
    more, got = key == "c2st", value(systems.get("intarsia"), key)
    peers = {s: value(systems.get(s), key) for s in generative if not s.startswith("intarsia")}
    known = {s: x for s, x in peers.items() if x is not None}
    words = f"{LABELS[key]} ahead of every generative peer"
    if not known or got is None:
        return _verdict(table, "intarsia", words, got, None)
    best = (max if more else min)(known, key=lambda s: known[s])
    ahead = got > known[best] if more else got < known[best]
    failed = [s for s in peers if s not in known and systems.get(s, {}).get("errors")]
    missing = [s for s in peers if s not in known and s not in failed]
    words += f" (best: {best} {known[best]:.4g}"
    words += f"; failed: {', '.join(failed)}" if failed else ""
    words += f"; to be measured: {', '.join(missing)})" if missing else ")"
    return _verdict(table, "intarsia", words, got, None if ahead and missing else ahead)


def _verdict(table: str, system: str, words: str, got: float | None, met: bool | None) -> dict[str, Any]:
    return {"table": table, "system": system, "target": words, "measured": got, "met": met}
