"""The page of results: the targets, and a section for each part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine_cells.cell import Verdict
from reasoning_cells import page_boards, page_others
from reasoning_cells.verdicts import verdicts
from tabular_systems._results import table

Cells = Sequence[dict[str, Any]]


def page(done: Cells, commands: Sequence[str]) -> tuple[str, list[Verdict]]:
    """Markdown of all that is finished."""
    lines = ["# Reasoning", "", "Commands:", "", *(f"    {x}" for x in commands), ""]
    machines = {str(x["machine"]): x["machine"] for x in done}.values()
    lines += [f"Machine: {x['cpu']}, {x['cores']} cores, {x['memory_gib']} GiB, {x['system']}." for x in machines]
    found = verdicts(done)
    words = {True: "yes", False: "**no**", None: "not measured"}
    lines += [
        "",
        "## Targets",
        "",
        *table(["target", "measured", "met"], [[v.target, v.measured, words[v.met]] for v in found]),
    ]
    for title, section in SECTIONS.items():
        content = section(done)
        lines += ["", f"## {title}", "", *content] if content else []
    failed = [f"- {x['part']} {x['case']} {x['system']}: {x['error']}" for x in done if "error" in x]
    lines += ["", "## Failed", "", *failed] if failed else []
    return "\n".join(lines).rstrip() + "\n", found


SECTIONS: dict[str, Callable[[Cells], list[str]]] = {
    "Sudoku": page_boards.section,
    "Satisfiability": page_others.sat,
    "Countdown": page_others.countdown,
    "Addition": page_others.addition,
    "Grids from nothing": page_others.grids,
    "Counting": page_others.counting,
    "Generated puzzles": page_others.generate,
    "Calibration": page_others.calibration,
}
