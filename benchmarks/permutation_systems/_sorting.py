"""Part `sorting`: numbers written as images of digits, in order; train and test digits are split by image.

A model is trained on sets of one size and tested on sets of several. `labels` reads each digit with a network of the
same size that was trained on the labels themselves, and sorts the numbers that it reads: a ceiling that has seen more.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine_cells.cell import Verdict, of_part
from engine_cells.plots import panels
from intarsia.precision import half
from intarsia.processes import GeneralizedPlackettLuce, Move, PlackettLuce, PrefixPlackettLuce
from intarsia.training import Settings
from intarsia_domains.permutations._arranger import Arranger
from intarsia_domains.permutations._arranger_chain import Beam
from intarsia_domains.permutations._encoders import ImageEncoder
from intarsia_domains.permutations._metrics import correct_share, exact_share, kendall_tau
from intarsia_domains.permutations._sorting import DigitSorting
from parts import Cell
from tabular_systems._results import table

PART = "sorting"
SIZES = (5, 9, 15, 32, 100)
TESTED = {5: 1000, 9: 1000, 15: 1000, 32: 500, 100: 100}
"""Test sets of each size."""
DATA = ("mnist", "digits")


@dataclass(frozen=True)
class System:
    """A model and the size of the sets that it is trained on.

    `depth` 0 leaves out the attention over items: comparisons of pairs are enough for sorting. `close` is the share of
    training sets in which the later digits decide.
    """

    head: Any
    trained: int = 15
    depth: int = 0
    close: float = 0.0


SYSTEMS: Mapping[str, System] = {
    "pointer": System(PrefixPlackettLuce()),
    "pointer-32": System(PrefixPlackettLuce(), trained=32),
    "pointer-close": System(PrefixPlackettLuce(), close=0.25),
    "pointer-attention": System(PrefixPlackettLuce(), depth=2),
    "generalized": System(GeneralizedPlackettLuce()),
    "plackett-luce": System(PlackettLuce()),
    "published-loss": System(Move(GeneralizedPlackettLuce()), depth=2),
}
"""All predict x0 by cross-entropy and take the exact bridge, but `published-loss`, which predicts the step's move."""


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """One wave: every system on both data sets."""
    return [[Cell(PART, data, name) for data in DATA for name in (*SYSTEMS, "labels")]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Train for the budget and test on sets of all sizes."""
    train, test = digits(cell.case, options.data)
    if cell.system == "labels":
        return labelled(train, test, encoder(cell.case), options.budget)
    system = SYSTEMS[cell.system]
    model = Arranger(
        encoder(cell.case),
        head=system.head,
        depth=system.depth,
        width=64,
        cpu_minutes=options.budget / 60,
        settings=Settings(batch_size=64, learning_rate=3e-3, warmup=50, evaluations=20, patience=0),
        progress=False,
    )
    start = time.process_time()
    model.fit(DigitSorting(*train, n=system.trained, bank=128, close=system.close))
    seconds = time.process_time() - start
    results = {str(n): quality(model, test, n) for n in SIZES}
    return {
        "train_cpu_s": seconds,
        "trained_on": system.trained,
        "training": model.training_,
        "all_steps": model.all_steps_,
        "results": results,
        "brief": f"done, n = 9 exact {results['9']['best']['exact']:.3f}",
    }


def digits(name: str, folder: Path) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Training and test (images, labels): 500 images of MNIST and 297 of scikit-learn's digits are the test."""
    if name == "mnist":
        with gzip.open(Path(folder) / "permutations" / "mnist_5k.csv.gz", "rt") as file:
            raw = np.loadtxt(file, delimiter=",", dtype=np.float32)
        images, labels, out = raw[:, :-1].reshape(-1, 28, 28) / 255, raw[:, -1].astype(np.int64), 500
    else:
        from sklearn.datasets import load_digits

        raw = load_digits()
        images, labels, out = (raw.images / 16).astype(np.float32), raw.target.astype(np.int64), 297
    order = np.random.RandomState(0).permutation(len(images))
    return (images[order[out:]], labels[order[out:]]), (images[order[:out]], labels[order[:out]])


def encoder(name: str) -> ImageEncoder:
    """Four digits side by side, read with shared weights; few images are there, so they are distorted a lot."""
    channels = (32, 64, 96) if name == "mnist" else (32, 64)
    return ImageEncoder(
        parts=(1, 4), codes=32, channels=channels, shift=0.07, turn=12.0, zoom=0.12, shear=0.15, bend=0.05, looks=8
    )


def quality(model: Arranger, test: tuple[Any, Any], n: int) -> dict[str, dict[str, float]]:
    """Greedy in one step and in all, and a beam, on the same test sets; `best` is what `fit` chose."""
    parts, orders = DigitSorting(*test, n=n, bank=0)(TESTED[n], np.random.default_rng(n))
    ways: dict[str, dict[str, Any]] = {
        "one step": {"all_steps": False},
        "all steps": {"all_steps": True},
        "beam": {"decode": Beam(16, 4)},
        "best": {},
    }
    found: dict[str, dict[str, float]] = {}
    for name, arguments in ways.items():
        start = time.process_time()
        found[name] = scores(model.arrange(parts, **arguments), orders)
        found[name]["cpu_ms"] = 1e3 * (time.process_time() - start) / len(orders)
    return found


def scores(found: NDArray[np.int64], orders: NDArray[np.int64]) -> dict[str, float]:
    """Shares of right sets and places, and Kendall's tau."""
    tau = float(kendall_tau(found, orders).mean())
    return {"exact": exact_share(found, orders), "correct": correct_share(found, orders), "tau": tau}


def labelled(train: tuple[Any, Any], test: tuple[Any, Any], reader: ImageEncoder, budget: float) -> dict[str, Any]:
    """The reader of the other systems, trained with the labels of the digits for the same time."""
    from intarsia_domains.permutations._encoders_images import distort

    start, rng = time.process_time(), torch.Generator().manual_seed(0)
    chance = np.random.default_rng(1)
    images, labels = torch.from_numpy(train[0])[:, None], torch.from_numpy(train[1])
    torch.manual_seed(0)
    network = reader.build(tuple(images.shape[1:]))
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    while (share := (time.process_time() - start) / budget) < 1:
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - share)
        batch = torch.randint(len(images), (128,), generator=rng)
        with half("cpu"):
            logits = network._read(distort(images[batch], reader, rng)).clamp(min=1e-9).log()
        loss = torch.nn.functional.nll_loss(logits, labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        read = network._read(torch.from_numpy(test[0])[:, None]).argmax(1).numpy()
    results: dict[str, Any] = {}
    bank = np.argsort(test[1], kind="stable")  # the order of a bank of all images
    places = 10 ** np.arange(4)[::-1]
    for n in SIZES:
        parts, orders = DigitSorting(*test, n=n, bank=0)(TESTED[n], np.random.default_rng(n))
        values = read[bank][parts.index.numpy()] @ places
        results[str(n)] = {
            "best": scores(values.argsort(1, kind="stable"), orders),
            "chance": scores(chance.permuted(orders, axis=1), orders),
        }
    right = float((read == test[1]).mean())
    return {
        "train_cpu_s": time.process_time() - start,
        "digits_right": right,
        "results": results,
        "brief": f"done, {right:.4f} of digits right",
    }


def section(done: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown: exact shares of every size, and how the share grew while training."""
    lines: list[str] = []
    for data in DATA:
        mine = [x for x in of_part(done, PART) if x["case"] == data]
        if not mine:
            continue
        rows = [[x["system"], x.get("trained_on", "labels"), f"{x['train_cpu_s'] / 60:.1f}", *shares(x)] for x in mine]
        rows += [["random order", "–", "0.0", *shares(x, "chance")] for x in mine if "digits_right" in x]
        title = ["system", "trained on n", "CPU minutes", *(f"n = {n}" for n in SIZES)]
        lines += ["", f"### {data}", "", "Right sets / right places, %, on test images.", "", *table(title, rows)]
        curves = [[x["system"], curve(x)] for x in mine if "training" in x]
        heads = ["system", "CPU minutes: right held-out sets, %"]
        lines += ["", *table(heads, curves)] if curves else []
    return lines


def verdicts(done: Sequence[dict[str, Any]]) -> list[Verdict]:
    """What was asked for of MNIST digits, of the best model that has seen no labels."""
    models = [x for x in of_part(done, PART) if x["case"] == "mnist" and "training" in x]
    asked = {9: (0.90, 0.0), 32: (0.57, 0.0), 100: (0.045, 0.69)}
    found: list[Verdict] = []
    for n, (exact, correct) in asked.items():
        words = f"{100 * exact:g} % of sets" + (f" and {100 * correct:g} % of places" if correct else "")
        best = max(models, key=lambda x: x["results"][str(n)]["best"]["exact"], default=None)
        if best is None:
            found.append(Verdict(f"sorting n = {n}: {words} right", "–", None))
            continue
        got, minutes = best["results"][str(n)]["best"], best["train_cpu_s"] / 60
        measured = f"{shares(best)[SIZES.index(n)]} ({best['system']}, {minutes:.0f} CPU minutes)"
        met = got["exact"] >= exact and got["correct"] >= correct
        found.append(Verdict(f"sorting n = {n}: {words} right", measured, met))
    return found


def pictures(done: Sequence[dict[str, Any]], folder: Path) -> bool:
    """Right held-out sets over the CPU minutes of training."""
    trained = [x for x in of_part(done, PART) if "training" in x]
    cases = [data for data in DATA if any(x["case"] == data for x in trained)]

    def draw(i: int, place: Any) -> None:
        for x in (x for x in trained if x["case"] == cases[i]):
            points = x["training"]["curve"]
            place.plot([p[2] / 60 for p in points], [100 * p[4] for p in points], label=x["system"], lw=1.2)
        place.set_xlabel("CPU minutes")
        place.set_ylabel("right sets of training images, %")
        place.legend()

    return panels(folder / "permutations_sorting.svg", cases, draw)


def shares(cell: dict[str, Any], way: str = "best") -> list[str]:
    """Right sets and right places of every size, as `fit` chose to decode."""
    best = [cell["results"][str(n)][way] for n in SIZES]
    return [f"{100 * r['exact']:.1f} / {100 * r['correct']:.1f}" for r in best]


def curve(cell: dict[str, Any]) -> str:
    """Quality on held-out sets after so many CPU minutes, at about eight points."""
    points = cell["training"]["curve"]
    return ", ".join(f"{p[2] / 60:.1f}: {100 * p[4]:.1f}" for p in points[:: max(1, len(points) // 8)])
