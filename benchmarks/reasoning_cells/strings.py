"""Answers written as strings by absorbing diffusion: training within a budget, and drawing with calls counted."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import torch

from intarsia_domains.reasoning import Attempts, StringModel
from intarsia_domains.reasoning._denoiser import parameters_of
from intarsia_domains.reasoning._string_report import solved
from intarsia_domains.reasoning._string_solving import solve_strings
from intarsia_domains.reasoning._strings import AbstractStrings


class Calls:
    """A denoiser that counts how often it is asked."""

    time_free = True

    def __init__(self, denoiser: Any) -> None:
        self.denoiser, self.nfe = denoiser, 0

    def __call__(self, xt: torch.Tensor, t: Any, cond: Any) -> torch.Tensor:
        self.nfe += 1
        return self.denoiser(xt, t, cond)


def fitted(strings: AbstractStrings, options: argparse.Namespace) -> StringModel:
    """A model of fresh problems within the CPU seconds of the budget."""
    lessons = {"lessons": options.lessons} if options.lessons else {}
    return StringModel(strings=strings, cpu_minutes=options.budget / 60, progress=False, **lessons).fit()


def drawn(strings: AbstractStrings, denoiser: Any, asked: Sequence[Any], attempts: Attempts) -> dict[str, float]:
    """The share of questions solved in per cent, network calls for the whole test, and questions a second."""
    counted, rng, start = Calls(denoiser), torch.Generator().manual_seed(0), time.perf_counter()
    answers = solve_strings(strings, counted, asked, attempts, rng)
    seconds = time.perf_counter() - start
    return {"solved": solved(answers), "calls": counted.nfe, "per_s": len(asked) / max(seconds, 1e-9)}


def about(model: StringModel) -> dict[str, Any]:
    """What a cell keeps of a model."""
    return {"parameters": parameters_of(model.network_), "training": model.training_, "curve": model.curve_}
