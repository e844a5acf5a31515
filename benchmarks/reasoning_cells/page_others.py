"""The sections on everything but Sudoku."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine_cells.cell import of_part
from reasoning_cells import published
from reasoning_cells.figures import plain
from reasoning_cells.formulas import NOISES
from tabular_systems._results import table

Cells = Sequence[dict[str, Any]]


def sat(done: Cells) -> list[str]:
    """Engines, and networks beside their floors."""
    cells = of_part(done, "sat")
    if not cells:
        return []
    engines = [x for x in cells if "sat" in x]
    rows = [
        [x["case"], x["system"], f"{x['formulas']:,}", f"{x['sat']:,}", f"{x['unsat']:,}", f"{x['unknown']:,}",
         f"{x['unique']:,}" if "unique" in x else "–", plain(x["nodes"]) if "nodes" in x else "–", plain(x["per_s"])]
        for x in engines
    ]  # fmt: skip
    head = ["list", "system", "formulas", "SAT", "UNSAT", "unknown", "one model", "decisions", "a second"]
    lines = ["A formula counts as solved when an assignment satisfies it, whichever it is.", "", *table(head, rows)]
    learned = [x for x in cells if "within" in x]
    looks = list(dict.fromkeys(k for x in learned for k in x["within"]))
    rows = [
        [x["case"], x["system"], *(f"{x['within'][k]:.1f}" if k in x["within"] else "–" for k in looks),
         f"{x['parameters']:,}" if "parameters" in x else "–",
         f"{x['training']['steps']:,}" if "training" in x else "–", f"{x['calls']:,.0f}" if "calls" in x else "–"]
        for x in learned
    ]  # fmt: skip
    head = [
        "list",
        "system",
        *("one pass" if k == "0" else f"within {k} restarts" for k in looks),
        "parameters",
        "steps",
        "calls",
    ]
    note = (
        f"Networks ({' and '.join(NOISES)} noise) learn from fresh random formulas of the same size. Floors: "
        "propagation, and assignments guessed at random, one and as many as there are passes."
    )
    lines += ["", "### Networks alone: satisfied, in per cent", "", note, "", *table(head, rows)] if rows else []
    return [*lines, "", "Published, not measured here: " + "; ".join(" ".join(x) for x in published.SAT) + "."]


def countdown(done: Cells) -> list[str]:
    """Ways of drawing beside what is published."""
    cells = of_part(done, "countdown")
    ways = list(dict.fromkeys((x["system"], way) for x in cells for way in x["ways"]))
    cases = sorted({x["case"] for x in cells})
    found = {(x["case"], x["system"], way): row for x in cells for way, row in x["ways"].items()}
    rows = [
        [
            system,
            way,
            *(f"{found[case, system, way]['solved']:.1f}" if (case, system, way) in found else "–" for case in cases),
        ]
        for system, way in ways
    ]
    rows += [["published", name, *(values[case] for case in cases)] for name, values in published.COUNTDOWN]
    note = "Solved and verified, in per cent; the targets of a test are not among those that are learned from."
    return [note, "", *table(["system", "how", *cases], rows), *_trained(cells)] if cells else []


def addition(done: Cells) -> list[str]:
    """Orders of unmasking by the longest carry."""
    lines: list[str] = []
    for x in of_part(done, "addition"):
        carries = list(x["questions"])
        rows = [[order, *(f"{row[carry]:.1f}" for carry in carries)] for order, row in x["orders"].items()]
        head = ["order", *(f"carry {carry} ({x['questions'][carry]:,})" for carry in carries)]
        lines += ["", f"### {x['case']}", "", *table(head, rows), *_trained([x])]
    note = "Sums that are right in one draw, in per cent, by the longest run of carries (sums tested)."
    return [note, *lines] if lines else []


def _trained(cells: Cells) -> list[str]:
    said = [
        f"{x['case']}: {x['parameters']:,} parameters, {x['training']['steps']:,} steps"
        for x in cells
        if "parameters" in x
    ]
    return ["", "; ".join(said) + "."] if said else []


def grids(done: Cells) -> list[str]:
    """Boards from nothing."""
    keys = ("rows", "valid", "rows_and_columns", "different", "classes", "agreeing", "calls", "iterations", "per_s")
    cells = of_part(done, "grids")
    rows = [[x["system"], *("–" if x[k] is None else plain(x[k]) for k in keys), "–"] for x in cells]
    head = ["system", "drawn", "valid %", "rows and columns only %", "different", "up to symmetry", "cells alike of 81"]
    rows += [[name, *["–"] * 9, said] for name, said in published.GRIDS] if rows else []
    return table([*head, "calls", "iterations", "a second", "published"], rows) if rows else []


def counting(done: Cells) -> list[str]:
    """Our counts beside enumeration."""
    return [
        f"{x['puzzles']:,} puzzles with {x['least']:,} to {x['most']:,} solutions (median {x['median']:g}), counted "
        f"exactly: {x['exact']:,}. Our search counts {plain(x['per_s'])} puzzles a second; python-sat enumerates "
        f"{plain(x['enumerated_per_cpu_s'])} a CPU second, and agrees on {x['alike']:,} of {x['compared']:,} compared."
        for x in of_part(done, "counting")
    ]


def generate(done: Cells) -> list[str]:
    """New puzzles."""
    keys = ("puzzles", "clues", "clues_least", "clues_most", "as_asked", "unique", "proven", "nodes", "per_s")
    rows = [
        [x["case"], x["system"], *("–" if x[k] is None else plain(x[k]) for k in keys)]
        for x in of_part(done, "generate")
    ]
    head = [
        "clues",
        "system",
        "puzzles",
        "mean clues",
        "least",
        "most",
        "as asked %",
        "unique %",
        "of so many",
        "nodes",
    ]
    return table([*head, "a second"], rows) if rows else []


def calibration(done: Cells) -> list[str]:
    """Confidence on puzzles that it was not fitted on."""
    keys = ("judged_on", "solved", "ece", "ece_fitted", "threshold", "coverage", "precision", "coverage_of_right")
    rows = [[x["case"], *("–" if x[k] is None else plain(x[k]) for k in keys)] for x in of_part(done, "calibration")]
    note = (
        "Confidence of one pass. Temperature, shift and threshold (the least with no wrong answer above) are fitted on "
        "one half of the held-out puzzles and judged on the other."
    )
    head = ["list", "judged on", "solved %", "ECE", "ECE where fitted", "threshold", "coverage %", "precision %"]
    return [note, "", *table([*head, "of the solved %"], rows)] if rows else []
