"""Part `nfe`: quality against network calls for all samplers, on small models of laws that are known."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine_cells import caching, order
from engine_cells.cell import Cell, Verdict, of_part
from engine_cells.models import MODELS, AbstractModel, fit, restore
from engine_cells.samplers import SAMPLERS, takes
from engine_cells.tasks import TASKS, AbstractTask, task
from intarsia import Diffusion


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """First the models, then the samplers; and what needs no model."""
    first, second = [Cell("nfe", "t5", "order"), Cell("nfe", "t8", "caching")], []
    for name in TASKS:
        data = task(name, options.data)
        for noise, make in MODELS.items():
            if noise == "record" and name != "nursery":
                continue
            case = f"{name}-{noise}"
            first.append(Cell("nfe", case, "model"))
            process = make(data.counts).process
            second += [Cell("nfe", case, sampler) for sampler in SAMPLERS if takes(sampler, process, noise)]
    return [first, second]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """A training, or one sampler at all its numbers of steps."""
    torch.manual_seed(0)
    if cell.case in ("t5", "t8"):
        return order.measure() if cell.case == "t5" else caching.measure()
    name, _, noise = cell.case.partition("-")
    data = task(name, options.data)
    model = MODELS[noise](data.counts)
    weights = Cell(cell.part, cell.case, "model").path(Path(options.cells), ".safetensors")
    if cell.system == "model":
        found = fit(model, data, options.budget, weights)
        floor = data.quality(data.draw(options.rows, torch.Generator().manual_seed(20)))
        brief = f"done, {found['steps']} steps"
        return found | {"floor": floor, "rows": options.rows, "measures": dict(data.measures), "brief": brief}
    restore(model, weights)
    points = [_point(model, data, cell.system, number, options.rows) for number in SAMPLERS[cell.system].tried]
    key = next(iter(data.measures))
    brief = f"done, {key} {points[-1]['quality'][key]:.4f} at {points[-1]['nfe']:.1f} calls"
    return {"points": points, "rows": options.rows, "brief": brief}


class _Counted:
    """The denoiser of a model; counts calls, and the rows they hold."""

    def __init__(self, model: AbstractModel) -> None:
        self.model, self.calls, self.rows = model, 0, 0
        self.time_free = bool(getattr(model.network, "time_free", False))

    def __call__(self, xt: Any, t: Any, cond: Any) -> Any:
        self.calls += 1
        self.rows += len(next(iter(xt.values())) if isinstance(xt, dict) else xt)
        return self.model(xt, t, cond)


def _point(model: AbstractModel, data: AbstractTask, name: str, number: Any, rows: int) -> dict[str, Any]:
    counted = _Counted(model)
    rng = torch.Generator().manual_seed(30)
    wall, cpu = time.perf_counter(), time.process_time()
    state = Diffusion(model.process, counted).sample(model.shape(rows), SAMPLERS[name].make(number), rng=rng)
    seconds = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    x: Tensor = model.decode(state)
    outside = (x < 0) | (x >= torch.tensor(model.counts))
    if bool(outside.any()):
        raise ValueError(f"{int(outside.sum())} of {outside.numel()} sites of {name} hold no class")
    found = {"number": number, "nfe": counted.rows / rows, "calls": counted.calls}
    return found | seconds | {"quality": data.quality(x)}


def verdicts(done: Sequence[dict[str, Any]]) -> list[Verdict]:
    """Second order where it is promised, and calls spared as computed."""
    cells = {x["case"]: x for x in of_part(done, "nfe") if x["case"] in ("t5", "t8")}
    slope = cells["t5"]["least_slope"] if "t5" in cells else None
    worst = cells["t8"]["worst"] if "t8" in cells else None
    asked = order.ASKED
    return [
        Verdict(
            f"{asked['scheme']}: slope at least {asked['slope']} from N = {asked['from']} on the smooth law",
            "–" if slope is None else f"{slope:.3f}",
            None if slope is None else slope >= asked["slope"],
        ),
        Verdict(
            f"calls spared by caching within {100 * caching.LIMIT:g} % of their expectation",
            "–" if worst is None else f"{100 * worst:.2f} %",
            None if worst is None else worst <= caching.LIMIT,
        ),
    ]
