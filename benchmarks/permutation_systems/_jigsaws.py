"""Part `jigsaws`: digits cut into 2 x 2 to 4 x 4 pieces, scored as pictures: equal pieces may change places."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine_cells.cell import of_part
from intarsia.processes import GeneralizedPlackettLuce, Move, PrefixPlackettLuce
from intarsia.training import Settings
from intarsia_domains.permutations._arranger import Arranger
from intarsia_domains.permutations._arranger_chain import Beam
from intarsia_domains.permutations._encoders import ImageEncoder
from intarsia_domains.permutations._jigsaw import Jigsaws, assemble, same_picture
from parts import Cell
from permutation_systems._sorting import digits
from tabular_systems._results import table

PART = "jigsaws"
GRIDS = (2, 3, 4)
SYSTEMS: dict[str, Any] = {
    "pointer": PrefixPlackettLuce(),
    "generalized": GeneralizedPlackettLuce(),
    "published-loss": Move(GeneralizedPlackettLuce()),
}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """One wave: every system on every grid of MNIST, and on 2 x 2 of scikit-learn's digits (larger ones repeat)."""
    cases = [f"mnist-{k}x{k}" for k in GRIDS] + ["digits-2x2"]
    return [[Cell(PART, case, name) for case in cases for name in SYSTEMS]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Train for the budget and lay the pieces of the test pictures."""
    name, _, grid = cell.case.partition("-")
    size = int(grid[0])
    train, test = ((images[:, None], labels) for images, labels in digits(name, options.data))
    model = Arranger(
        ImageEncoder(real=96, channels=(32, 64)),
        head=SYSTEMS[cell.system],
        width=96,
        depth=3,
        cpu_minutes=options.budget / 60,
        settings=Settings(batch_size=64, learning_rate=2e-3, warmup=50, evaluations=20, patience=0),
        progress=False,
    )
    model.fit(Jigsaws(train[0], (size, size)))
    jigsaws = Jigsaws(test[0], (size, size))
    pieces, right = jigsaws.cut(test[0], np.random.default_rng(0))
    chance = np.random.default_rng(1).permuted(right, axis=1)
    results = {"random order": scores(pieces, chance, right, size)}
    for way, arguments in {
        "one step": {"all_steps": False},
        "all steps": {"all_steps": True},
        "beam": {"decode": Beam(16, 4)},
        "best": {},
    }.items():
        start = time.process_time()
        found = model.arrange(pieces, **arguments)
        results[way] = scores(pieces, found, right, size)
        results[way]["cpu_ms"] = 1e3 * (time.process_time() - start) / len(found)
    return {
        "training": model.training_,
        "all_steps": model.all_steps_,
        "results": results,
        "brief": f"done, pictures right {results['best']['exact']:.3f}",
    }


def scores(pieces: Any, found: Any, right: Any, size: int) -> dict[str, float]:
    """Shares of pictures and places that look right, and the root mean square of pixels."""
    same = same_picture(pieces, found, right)
    error = assemble(pieces, found, (size, size)) - assemble(pieces, right, (size, size))
    return {
        "exact": float(same.all(1).mean()),
        "correct": float(same.mean()),
        "rmse": float(np.sqrt((error**2).mean())),
    }


def section(done: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown: what each system laid right."""
    rows: list[list[Any]] = []
    for x in of_part(done, PART):
        for way, r in x["results"].items():
            share = f"{100 * r['exact']:.1f}", f"{100 * r['correct']:.1f}", f"{r['rmse']:.4f}"
            rows.append([x["case"], x["system"], way, *share])
    heads = ["pictures", "system", "decoding", "right pictures, %", "right places, %", "RMSE"]
    return ["", "Places count as right where they look right.", "", *table(heads, rows)] if rows else []
