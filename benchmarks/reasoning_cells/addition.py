"""Part `addition`: sums by their longest carry, in orders of unmasking, one draw each, without rules."""

from __future__ import annotations

import argparse
from typing import Any

from intarsia.samplers import Confidence, Margin, RandomOrder
from intarsia_domains.reasoning import AdditionStrings, Attempts, additions_by_carry
from parts import Cell
from reasoning_cells.strings import about, drawn, fitted

PART = "addition"
CASES = {"4-digits": 4, "8-digits": 8}
ORDERS = {"lowest first": None, "confidence": Confidence(), "margin": Margin(), "random": RandomOrder()}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """A network for each length."""
    return [[Cell(PART, case, "diffusion") for case in CASES]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Train once, and draw in every order."""
    digits = CASES[cell.case]
    strings = AdditionStrings(digits)
    model = fitted(strings, options)
    tests = additions_by_carry(digits, options.puzzles or 1_000, seed=1)
    rows = {
        name: {
            str(carry): drawn(strings, model.network_, pairs, Attempts(1, order, narrow=False))["solved"]
            for carry, pairs in tests.items()
        }
        for name, order in ORDERS.items()
    }
    sizes = {str(carry): len(pairs) for carry, pairs in tests.items()}
    words = f"{rows['lowest first'][str(digits)]:.1f} % of the longest carries, lowest first"
    return {"questions": sizes, "orders": rows, **about(model), "brief": words}
