"""Part `classes`: memory and seconds of a step with 10, 1,000 and 100,000 classes, beside one-hot multinomial."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine_cells.cell import Cell, Clocks, memory_mb, summary
from engine_cells.onehot import STEPS, OneHotMultinomial, OneHotTransformer
from intarsia import Ancestral, Diffusion, Discrete, NelboObjective, Transformer

COUNTS = (10, 1_000, 100_000)
PHASES = ("training", "sampling")
SITES, ROWS, WIDTH = 4, 32, 64
WARM_UP = 1
SAMPLING_STEPS = 4


def _marginal(num_classes: int) -> Discrete:
    weights = 1.0 / torch.arange(1, num_classes + 1, dtype=torch.float64)
    return Discrete.marginal(tuple((weights / weights.sum()).tolist()))


NOISES: dict[str, Callable[[int], Discrete]] = {
    "absorbing": lambda k: Discrete.absorbing(k),
    "uniform": lambda k: Discrete.uniform(k),
    "marginal": _marginal,
}
SYSTEMS = (*NOISES, "one-hot")


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """A process of its own for every number of classes, noise and kind of step, so that peaks are apart."""
    return [[Cell("classes", str(k), f"{name}-{phase}") for k in COUNTS for phase in PHASES for name in SYSTEMS]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """One kind of step."""
    torch.manual_seed(0)
    num_classes = int(cell.case)
    name, _, phase = cell.system.rpartition("-")
    core = Transformer(num_classes, sites=SITES, width=WIDTH, depth=1, heads=2)
    steps = _one_hot(core, num_classes) if name == "one-hot" else _engine(core, NOISES[name](num_classes))
    x0 = torch.randint(num_classes, (ROWS, SITES), generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(core.parameters(), lr=1e-3)
    before = memory_mb("VmRSS")
    clocks, laps = Clocks(torch.device("cpu")), []
    for _ in range(max(3, options.repeats // 4) + WARM_UP):
        clocks.lap()
        if phase == "training":
            optimizer.zero_grad(set_to_none=True)
            steps["loss"](x0).mean().backward()
            optimizer.step()
            taken = 1
        else:
            steps["sample"]()
            taken = SAMPLING_STEPS
        wall, cpu = clocks.lap()
        laps.append((wall / taken, cpu / taken))
    found = summary(laps[WARM_UP:]) | {"before_mb": before, "peak_rss_mb": memory_mb("VmHWM")}
    found |= {"rows": ROWS, "sites": SITES, "parameters": sum(p.numel() for p in core.parameters())}
    peak = found["peak_rss_mb"] or 0.0
    return found | {"brief": f"done, {1000 * found['wall_s']:.1f} ms a step, peak {peak:.0f} MiB"}


def _engine(network: Transformer, process: Discrete) -> dict[str, Callable[..., Any]]:
    rng = torch.Generator().manual_seed(0)
    objective = NelboObjective()
    model = Diffusion(process, network)

    def loss(x0: Tensor) -> Tensor:
        return objective(process, network, x0, None, rng)

    return {"loss": loss, "sample": lambda: model.sample((ROWS, SITES), Ancestral(SAMPLING_STEPS), rng=rng)}


def _one_hot(core: Transformer, num_classes: int) -> dict[str, Callable[..., Any]]:
    multinomial = OneHotMultinomial(OneHotTransformer(core), num_classes, 0)

    def sample() -> None:
        x = multinomial.start(ROWS, SITES)
        for k in range(SAMPLING_STEPS):
            x = multinomial.step(x, STEPS - k)

    return {"loss": multinomial.loss, "sample": sample}
