"""Which cells there are, and what they are expected to cost."""

from __future__ import annotations

from collections.abc import Sequence

from dna_cells.cell import Cell
from dna_cells.systems import NOISES, SYSTEMS
from dna_cells.tasks import TASKS

SEEDS = (0, 1, 2)
FEW = ("multinomial", "marginal", "simplex", "analog-bits")
"""Noises that the plan "short" trains with the first seed alone: they stand in the table, and no target needs more."""
PLANS = ("short", "whole")

SCORED = 300
"""Held-out rows that are scored."""
_SITE_CALL = 5e-6
_D3_SITE_CALL = 25e-6
"""CPU seconds of a network for one site, of ours and of D3's, on one core of a server of 2023."""


def cells(plan: str) -> list[Cell]:
    """A first seed of everything comes first."""
    return [
        Cell(task, system, seed)
        for seed in SEEDS
        for task in TASKS
        for system in SYSTEMS
        if plan == "whole" or seed == SEEDS[0] or system not in FEW
    ]


def budget(cell: Cell, most: float) -> float:
    """CPU seconds of the cell's training, of `most` for the task with most to learn."""
    return 0.0 if cell.system == "markov" else most * TASKS[cell.task].budget


def expected(cell: Cell, most: float, samples: int) -> float:
    """CPU seconds of a cell: training, and network calls of what is drawn and scored, and half a minute of metrics."""
    task = TASKS[cell.task]
    site, calls = (_D3_SITE_CALL, 64) if cell.system == "d3" else (_SITE_CALL, min(128, 2 * task.length))
    if cell.system not in (*NOISES, "d3"):
        site, calls = 2e-7, task.length  # a recurrent step a letter
    drawn = float(min(samples, task.reference))
    guided = 1.0 if cell.system in NOISES else 0.0
    drawn += {"peaks": 800 + 1600 * guided, "yeast": 400 + 1600 * guided}.get(cell.task, 0)
    scored = 64 * SCORED / calls
    judged = 60.0 if cell.task == "yeast" else 0.0
    return budget(cell, most) + (drawn + scored) * task.length * calls * site + judged + 30.0


def cost(chosen: Sequence[Cell], most: float, samples: int) -> str:
    """Expected core-hours by task and in all, as lines."""
    hours = {task: sum(expected(c, most, samples) for c in chosen if c.task == task) / 3600 for task in TASKS}
    lines = [f"{task:12} {sum(c.task == task for c in chosen):4} cells {value:6.2f} core-hours"
             for task, value in hours.items()]  # fmt: skip
    return "\n".join([*lines, f"{'all':12} {len(chosen):4} cells {sum(hours.values()):6.2f} core-hours"])
