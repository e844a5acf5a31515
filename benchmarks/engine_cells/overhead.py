"""Part `overhead`: seconds of our training and sampling steps against MDLM by hand, measured in turns.

One step of each, then the next of each, in one process with the same network, batch, optimizer and precision, so that
whatever else the machine does meets both. Where a step's time goes is measured the same way with the network left out.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from engine_cells.cell import Cell, Clocks, Verdict, of_part, summary
from engine_cells.mdlm import Mdlm
from engine_cells.networks import GPU, Scale, TransformerScale
from engine_cells.noises import Setup
from engine_cells.text import engine_loss, recipe, settings
from engine_cells.texts import SYMBOLS
from intarsia import Ancestral, Budget, Diffusion, Discrete, train

CASES: dict[str, Scale] = {
    "text": TransformerScale(sites=128, width=192, depth=4, heads=6, batch=32, learning_rate=1e-3),
    "small": TransformerScale(sites=128, width=64, depth=2, heads=2, batch=32, learning_rate=1e-3),
}
"""`small` is so small that what surrounds the network shows most."""
SYSTEMS = ("training", "sampling", "sampling-cached")
LIMIT = 1.10
WARM_UP = 3
FEWEST = 10
"""Repeats below which a median of such short times says nothing: three have been off by 40 % on a busy machine."""
SAMPLING_STEPS = 16
LENGTH = 100_000
"""Characters of the random text; what they are costs the same."""


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """Both kinds of steps at two sizes of the network."""
    cases = {**CASES, "text-gpu": GPU} if torch.cuda.is_available() else CASES
    return [[Cell("overhead", case, system) for case in cases for system in SYSTEMS]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """One kind of step at one size."""
    device = torch.device("cuda" if cell.case.endswith("-gpu") else "cpu")
    scale = GPU if device.type == "cuda" else CASES[cell.case]
    torch.manual_seed(0)
    measure = _training if cell.system == "training" else _sampling
    found = measure(scale, device, max(FEWEST, options.repeats), cached=cell.system == "sampling-cached")
    found |= {"scale": vars(scale), "limit": LIMIT}
    found["brief"] = f"done, {found['ratio']:.3f} of the hand-written step"
    return found


def _setup(scale: Scale, device: torch.device, *, time_free: bool = True) -> tuple[Setup, Mdlm]:
    """Two copies of one network: ours, and the hand-written loop's."""
    ours, theirs = (scale.network(SYMBOLS, time_free=time_free).to(device) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    ids = torch.randint(SYMBOLS, (LENGTH,), generator=torch.Generator().manual_seed(0)).to(device)
    setup = Setup(Discrete.absorbing(SYMBOLS), ours)
    return setup, Mdlm(theirs, ids, scale.sites, SYMBOLS, recipe(scale, device), 0)


def _training(scale: Scale, device: torch.device, repeats: int, *, cached: bool) -> dict[str, Any]:
    setup, loop = _setup(scale, device)
    clocks = Clocks(device)
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []

    def in_turns(progress: Any) -> None:
        """After each of our steps: note it, and take one of theirs."""
        ours.append(clocks.lap())
        loop.network.train()
        clocks.lap()
        loop.step(1.0)
        theirs.append(clocks.lap())

    loss = engine_loss(setup, loop.ids, scale)
    once = settings(scale, evaluations=1)
    rows = LENGTH - scale.sites + 1
    train(setup.network, loss, rows, lambda _: 0.0, Budget(steps=repeats + WARM_UP), once, watch=in_turns)
    found = _compared(ours, theirs)
    found["parts"] = _training_parts(setup, loop, scale, device, repeats)
    return found


def _training_parts(setup: Setup, loop: Mdlm, scale: Scale, device: torch.device, repeats: int) -> dict[str, Any]:
    """The objective forward and backward with the network's answer given: what noise and loss cost."""
    logits = torch.randn(scale.batch, scale.sites, SYMBOLS, device=device).requires_grad_(True)
    x0 = torch.randint(SYMBOLS, (scale.batch, scale.sites), device=device)
    rng = torch.Generator(device).manual_seed(0)

    def given(xt: Tensor, t: Tensor, cond: object) -> Tensor:
        return logits

    def ours() -> None:
        setup.objective(setup.process, given, x0, None, rng).mean().backward()

    def theirs() -> None:
        xt, t = loop.noised(x0)
        loop.nats(logits, x0, xt, t).mean().backward()

    def network() -> None:
        setup.network(x0, torch.ones(scale.batch, device=device), None).float().sum().backward()

    setup.network.train()
    found = {"noise and loss": _compared(*_turns(ours, theirs, device, repeats))}
    # a step may be shorter than the grain of the CPU clock, so only the network's wall time is told
    alone, _ = _turns(network, lambda: None, device, max(3, repeats // 4))
    found["network, forward and backward"] = {"ours": summary(alone[WARM_UP:] or alone)}
    return found


def _sampling(scale: Scale, device: torch.device, repeats: int, *, cached: bool) -> dict[str, Any]:
    """Whole runs of a few steps; per step they are the same calls, unless `cached`."""
    setup, loop = _setup(scale, device, time_free=cached)
    setup.network.eval()
    model = Diffusion(setup.process, setup.network)
    rng = torch.Generator(device).manual_seed(0)
    rows, steps = scale.batch, SAMPLING_STEPS

    def ours() -> None:
        model.sample((rows, scale.sites), Ancestral(steps), rng=rng)

    def theirs() -> None:
        loop.sample(rows, steps, cached=cached)

    runs = max(FEWEST, repeats // 4)
    found = _compared(*(_per_step(laps, steps) for laps in _turns(ours, theirs, device, runs)))
    found["parts"] = {"draws": _draws(setup, loop, scale, device, repeats)}
    return found | {"steps": steps, "rows": rows}


def _draws(setup: Setup, loop: Mdlm, scale: Scale, device: torch.device, repeats: int) -> dict[str, Any]:
    """One reverse step with the network's answer given."""
    logits = torch.randn(scale.batch, scale.sites, SYMBOLS, device=device)
    xt = torch.randint(SYMBOLS + 1, (scale.batch, scale.sites), device=device)
    rng = torch.Generator(device).manual_seed(0)
    s, t = (torch.full((scale.batch,), u, dtype=torch.float64, device=device) for u in (0.4, 0.5))

    def ours() -> None:
        setup.process.reverse(logits, xt, s, t, rng)

    def theirs() -> None:
        loop.draw(logits.double().softmax(-1), xt, 0.5, 0.4)

    return _compared(*_turns(ours, theirs, device, repeats))


def _turns(
    ours: Callable[[], None], theirs: Callable[[], None], device: torch.device, repeats: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    clocks = Clocks(device)
    laps: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for k in range(repeats + WARM_UP):
        # who goes first finds other caches and memory than who goes second, so they change places
        for work, found in [(ours, laps[0]), (theirs, laps[1])][:: 1 if k % 2 else -1]:
            clocks.lap()
            work()
            found.append(clocks.lap())
    return laps


def _per_step(laps: Sequence[tuple[float, float]], steps: int) -> list[tuple[float, float]]:
    return [(wall / steps, cpu / steps) for wall, cpu in laps]


def _compared(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Medians of both, and the middle half of the ratios of neighbours, after the first few."""
    ours, theirs = list(ours)[WARM_UP:], list(theirs)[WARM_UP:]
    ratios = [a[0] / b[0] for a, b in zip(ours, theirs, strict=True) if b[0] > 0]
    return {
        "ours": summary(ours),
        "by_hand": summary(theirs),
        "ratio": statistics.median(x[0] for x in ours) / statistics.median(x[0] for x in theirs),
        "ratio_of_neighbours": statistics.median(ratios),
        "quartiles_of_ratio": statistics.quantiles(ratios, n=4)[::2],
        "measured": time.strftime("%Y-%m-%d"),
    }


def verdicts(done: Sequence[dict[str, Any]]) -> list[Verdict]:
    """Training and sampling at most 1.10 of the hand-written loop, with the network of the text benchmark."""
    found = {(x["case"], x["system"]): x["ratio"] for x in of_part(done, "overhead")}
    rows = []
    for system in ("training", "sampling"):
        ratios = {case: found[case, system] for case in ("text", "text-gpu") if (case, system) in found}
        words = ", ".join(f"{case}: {ratio:.3f}" for case, ratio in ratios.items()) or "–"
        met = all(ratio <= LIMIT for ratio in ratios.values()) if ratios else None
        rows.append(Verdict(f"{system} step at most {LIMIT:.2f} x the hand-written one", words, met))
    return rows
