"""What a string model solves, beside luck and rules, and its card."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from intarsia._version import __version__
from intarsia.report import Metric, Report

from ._denoiser import parameters_of
from ._solution import Solution
from ._string_solving import Attempts, know_nothing, solve_strings

if TYPE_CHECKING:
    from ._string_model import StringModel


def evaluate_strings(model: "StringModel", train: Sequence[Any], holdout: Sequence[Any]) -> Report:
    """Shares solved by the network alone and with rules, in one draw and within all, each verified."""
    metrics = [
        Metric(
            name=name,
            value=solved(model.solve(holdout, attempts=attempts)),
            floors={
                "problems learned from": solved(model.solve(train, attempts=attempts)),
                "no network": solved(_luck(model, holdout, attempts)),
            },
            better="higher",
            unit="%",
            note=f"{len(holdout):,} problems, every answer verified",
        )
        for name, attempts in _ways(model.attempts).items()
    ]
    return Report(title="Answers written as strings", metrics=metrics)


def _ways(attempts: Attempts) -> dict[str, Attempts]:
    return {
        f"Solved {how}, {'one draw' if draws == 1 else f'{draws} draws at most'}": replace(
            attempts, draws=draws, narrow=narrow
        )
        for how, narrow in (("by the network alone", False), ("with rules", True))
        for draws in dict.fromkeys((1, attempts.draws))
    }


def _luck(model: "StringModel", questions: Sequence[Any], attempts: Attempts) -> list[Solution]:
    rng = torch.Generator().manual_seed(model.seed)
    return solve_strings(model.strings, know_nothing, questions, attempts, rng)


def solved(answers: Sequence[Solution]) -> float:
    """The share that is verified, in per cent."""
    return 100.0 * float(np.mean([answer.valid for answer in answers])) if answers else float("nan")


def string_card(model: "StringModel") -> str:
    """Markdown with the front matter that model hubs read."""
    rows = "".join(f"| {p['step']:,.0f} | {p['nats']:.3f} | {p['right']:.1%} |\n" for p in model.curve_)
    return f"""---
library_name: intarsia
tags: [reasoning, arithmetic, discrete-diffusion]
---
# String model: {model.strings!r}

A transformer with {parameters_of(model.network_):,} parameters that writes answers in any order, by intarsia
{__version__}. It proposes; what is reported as solved has passed the exact checker.

| step | nats of an answer | greedy answers that are right |
|---|---|---|
{rows}
On problems that were set aside, without rules and in one draw.

```json
{json.dumps(model.training_, indent=1)}
```
"""
