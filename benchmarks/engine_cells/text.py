"""Part `text`: bits per character of every noise with the same network, beside n-gram floors and MDLM by hand."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine_cells import ngrams, texts
from engine_cells.cell import Cell, memory_mb
from engine_cells.mdlm import Mdlm, Recipe, wall_or_cpu
from engine_cells.networks import CPU, GPU, HOUR, Scale
from engine_cells.noises import NOISES, Setup
from intarsia import Budget, Diffusion, Discrete, Settings, train
from intarsia.precision import gains_from_bfloat16
from intarsia.processes import AbstractProcess

ORDERS = 6
EVALUATIONS = 20
CURVE_WINDOWS = 128
PUBLISHED = {"text8": [4.111, 3.421, 2.874, 2.365, 2.048, 1.936, 1.949]}
"""The n-gram row of text8's prefix that is known from elsewhere: a check of the code that makes the other text's."""
SEED = 0


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """Floors and every noise on both texts; on a GPU the trainings are cells of their own."""
    suffix = "-gpu" if torch.cuda.is_available() else ""
    floors = [Cell("text", name, "floors") for name in texts.FILES]
    return [floors + [Cell("text", f"{name}{suffix}", x) for x in ("mdlm", *NOISES) for name in texts.FILES]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Floors, or one training and its test."""
    text = texts.load(cell.case.removesuffix("-gpu"), options.data)
    sizes = {"train": len(text.train), "valid": len(text.valid), "test": len(text.test)}
    if cell.system == "floors":
        return {"characters": sizes, **_floors(text)}
    device = torch.device("cuda" if cell.case.endswith("-gpu") else "cpu")
    scale = GPU if device.type == "cuda" else HOUR if cell.part == "hour" else CPU
    torch.manual_seed(SEED)
    torch.set_num_threads(_threads(options))
    minutes = options.minutes_gpu if device.type == "cuda" else None
    ids = {name: torch.from_numpy(getattr(text, name)).to(device) for name in sizes}
    if cell.system == "mdlm":
        setup = Setup(Discrete.absorbing(texts.SYMBOLS), scale.network(texts.SYMBOLS, time_free=True).to(device))
    else:
        setup = NOISES[cell.system](text.train, scale)
        setup.network.to(device)
    curve = _Curve(setup, texts.tiled(ids["valid"], scale.sites, CURVE_WINDOWS), scale)
    train_it = _by_hand if cell.system == "mdlm" else _with_the_engine
    found = train_it(setup, ids["train"], scale, curve, minutes, options.budget)
    found |= {"curve": curve.points, "characters": sizes, "scale": vars(scale), "device": _name(device)}
    found["parameters"] = sum(p.numel() for p in setup.network.parameters())
    windows = texts.tiled(ids["test"], scale.sites, options.test_windows)
    found["test"] = measured(setup, windows, scale, samples=options.test_samples)
    found["peak_rss_mb"] = memory_mb("VmHWM")
    bits, error = found["test"]["bpc"], found["test"]["standard_error"]
    found["brief"] = f"done, {bits:.3f} ± {error:.3f} bits per character in {found['steps']} steps"
    return found


def measured(setup: Setup, windows: Tensor, scale: Scale, *, samples: int, seed: int = SEED + 1) -> dict[str, Any]:
    """The continuous-time nelbo at low-discrepancy times, in bits per character, and its standard error.

    Windows are shared out at random among batches of equal size, each with times of its own; the error is that of the
    mean over batches, so it holds both the choice of windows and the draws of times and noise.
    """
    batches = max(2, len(windows) // scale.batch)
    size = len(windows) // batches
    if size == 0:
        raise ValueError(f"a test takes at least two windows, got {len(windows)}")
    order = torch.randperm(len(windows), generator=torch.Generator().manual_seed(seed)).to(windows.device)
    rng = torch.Generator(windows.device).manual_seed(seed)
    means = torch.stack(
        [_nats(setup, windows[order[k * size : (k + 1) * size]], samples, rng).mean() for k in range(batches)]
    ) / (scale.sites * math.log(2.0))
    error = means.std() / math.sqrt(batches)
    return {
        "bpc": float(means.mean()),
        "standard_error": float(error),
        "windows": batches * size,
        "batches": batches,
        "samples": samples,
    }


def _nats(setup: Setup, x: Tensor, samples: int, rng: torch.Generator) -> Tensor:
    """nelbo of rows of characters."""
    process: AbstractProcess[Tensor] = setup.process
    return Diffusion(process, setup.network.eval()).nelbo(setup.encode(x), samples=samples, rng=rng).total


class _Curve:
    """Bits per character of the averaged weights on a few validation windows, always with the same noise."""

    def __init__(self, setup: Setup, windows: Tensor, scale: Scale) -> None:
        self.setup, self.windows, self.scale = setup, windows, scale
        self.points: list[dict[str, float]] = []
        self.start()

    def start(self) -> None:
        """Set the clocks to 0."""
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def bits(self, network: nn.Module) -> float:
        """Bits per character now."""
        setup = Setup(self.setup.process, network, encode=self.setup.encode)
        return measured(setup, self.windows, self.scale, samples=1)["bpc"]

    def add(self, step: int, bits: float) -> None:
        """Keep a point."""
        seconds = {"wall_s": time.monotonic() - self.wall, "cpu_s": time.process_time() - self.cpu}
        self.points.append({"step": step, **seconds, "bpc": bits})


def _with_the_engine(
    setup: Setup, ids: Tensor, scale: Scale, curve: _Curve, minutes: float | None, cpu_s: float
) -> dict[str, Any]:
    budget = Budget(minutes=minutes) if minutes is not None else Budget(cpu_minutes=cpu_s / 60.0)
    loss = engine_loss(setup, ids, scale)

    def watch(progress: Any) -> None:
        if progress.held_out_loss is not None:
            curve.add(progress.step, progress.held_out_loss)

    curve.start()
    rows = len(ids) - scale.sites + 1
    done = train(setup.network, loss, rows, curve.bits, budget, settings(scale), seed=SEED, watch=watch)
    if done.history and (not curve.points or curve.points[-1]["step"] != done.history[-1][0]):
        curve.add(*done.history[-1])
    return {"steps": done.steps, "train_s": done.seconds, "clock": "wall" if minutes is not None else "CPU"}


def settings(scale: Scale, *, evaluations: int = EVALUATIONS) -> Settings:
    """How every noise is trained; the learning rate falls when the budget says so, and not before."""
    return Settings(
        batch_size=scale.batch, learning_rate=scale.learning_rate, evaluations=evaluations, patience=0, max_epochs=10**9
    )


def engine_loss(setup: Setup, ids: Tensor, scale: Scale) -> Callable[[nn.Module, Tensor, torch.Generator], Tensor]:
    """Nats per character of windows that begin at given places."""

    def loss(network: nn.Module, starts: Tensor, rng: torch.Generator) -> Tensor:
        x0 = setup.encode(texts.windows_at(ids, starts.to(ids.device), scale.sites))
        return setup.objective(setup.process, network, x0, None, rng) / scale.sites

    return loss


def _by_hand(
    setup: Setup, ids: Tensor, scale: Scale, curve: _Curve, minutes: float | None, cpu_s: float
) -> dict[str, Any]:
    loop = Mdlm(setup.network, ids, scale.sites, texts.SYMBOLS, recipe(scale, ids.device), SEED)
    curve.start()
    loop.train(wall_or_cpu(minutes, cpu_s), lambda network: curve.add(loop.steps, curve.bits(network)), EVALUATIONS)
    setup.network.load_state_dict(loop.average.state_dict())
    if not curve.points or curve.points[-1]["step"] != loop.steps:
        curve.add(loop.steps, curve.bits(setup.network))
    seconds = time.monotonic() - curve.wall if minutes is not None else time.process_time() - curve.cpu
    return {"steps": loop.steps, "train_s": seconds, "clock": "wall" if minutes is not None else "CPU"}


def recipe(scale: Scale, device: torch.device) -> Recipe:
    """The hand-written loop with what `settings` asks of ours."""
    return Recipe(scale.batch, scale.learning_rate, bfloat16=gains_from_bfloat16(device))


def _floors(text: texts.Text) -> dict[str, Any]:
    bits = ngrams.witten_bell(text.train, text.test, ORDERS, texts.SYMBOLS)
    known = PUBLISHED.get(text.name)
    found: dict[str, Any] = {"ngrams": bits, "split": texts.SPLITS[text.name]}
    if known is not None:
        found["as_published"] = [round(x, 3) for x in bits] == known
    found["compressors"] = ngrams.compressed(texts.letters(text.train), texts.letters(text.test))
    best = min(range(len(bits)), key=bits.__getitem__)
    note = "" if known is None else ", as published" if found["as_published"] else ", NOT as published"
    found["brief"] = f"done, {bits[best]:.3f} bits per character at order {best}{note}"
    return found


def _threads(options: argparse.Namespace) -> int:
    return max(1, len([x for x in options.cores.split(",") if x]))


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else "CPU"


def curves(done: Sequence[dict[str, Any]]) -> dict[str, dict[str, list[dict[str, float]]]]:
    """The curves of every case, by system."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for x in done:
        if "curve" in x:
            found.setdefault(x["case"], {})[x["system"]] = x["curve"]
    return found
