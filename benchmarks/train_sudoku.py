"""Train the Sudoku model that ships, on generated puzzles and on lists: CPU hours or GPU minutes, resumable.

    python benchmarks/train_sudoku.py --hours 8 --out sudoku-model
    python benchmarks/train_sudoku.py --hours 8 --out sudoku-model --data hard.csv.gz --test famous.csv

A tenth of all solution grids, told by a hash of their canonical form, is never trained on, whatever list they come
from; nor is any grid of a list given by `--test`. Started again with the same `--out` it goes on where it stopped.
The folder OUT.run holds the checkpoint, the generated puzzles and the curve (curve.json).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from intarsia._atomic import write_atomically
from intarsia.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from intarsia.training import Budget, Progress, threads
from intarsia_domains.reasoning._arrays import arrays
from intarsia_domains.reasoning._denoiser import FactorGraphDenoiser, parameters_of
from intarsia_domains.reasoning._factor_graph import FactorGraph
from intarsia_domains.reasoning._ladder import single_pass
from intarsia_domains.reasoning._lessons import Examples, Teacher, given_domains
from intarsia_domains.reasoning._lists import marked, pieces, read_examples, split
from intarsia_domains.reasoning._model import ReasoningModel
from intarsia_domains.reasoning._propagate import Propagator
from intarsia_domains.reasoning._training import SETTINGS, Curriculum, Workbook, fit_denoiser
from intarsia_domains.reasoning._weights import build_network
from intarsia_domains.reasoning.presets import sudoku

LOOKS = (16, 32, 64)
WEIGHTS = {"clues17": 0.4, "forum_hardest": 0.3, "generated": 0.3}


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, _stop)
    run = options.out.with_name(options.out.name + ".run")
    run.mkdir(parents=True, exist_ok=True)
    problem = sudoku(9)
    graph = FactorGraph.of(problem.derived(arrays))
    train, tests = _lists(options, run)
    base = torch.ones(81, 9, dtype=torch.bool)
    lists = {name: (examples, WEIGHTS.get(name, 0.3)) for name, examples in train.items()}
    teacher = Teacher(graph, base, lists, narrow=Propagator(problem))
    shape = {"width": options.width, "hidden": options.hidden, "iterations": 32, "noise": 0.01}
    network = build_network(shape, options.seed).to(options.device)
    curriculum = Curriculum(batch=options.batch, iterations=options.iterations)
    settings = replace(SETTINGS, learning_rate=options.lr, evaluations=max(6, round(2 * options.hours)))
    print(
        f"{parameters_of(network):,} parameters; trains on "
        f"{ {k: len(v) for k, v in train.items()} }, tests on { {k: len(v) for k, v in tests.items()} }",
        flush=True,
    )
    curve = Curve(run / "curve.json", {
        "shape": shape, "curriculum": asdict(curriculum), "settings": asdict(settings), "mix": asdict(teacher.mix),
        "train": {k: len(v) for k, v in train.items()}, "seed": options.seed, "device": options.device,
        "threads": options.threads,
    })  # fmt: skip
    curve.step = _longer(run / "checkpoint.safetensors", options.hours)
    scores = Scores(tests, graph.to(options.device), base.to(options.device), options.examples, curve, options.out)
    with threads(options.threads):
        trained, _ = fit_denoiser(
            network, teacher, Budget(minutes=60.0 * options.hours), scores,
            curriculum=curriculum, settings=settings, seed=options.seed, watch=curve.watch,
            checkpoint=run / "checkpoint.safetensors", book=scores.book(teacher, curriculum),
        )  # fmt: skip
        scores.final(network)
    print(f"{trained.steps:,} steps in {trained.seconds / 3600:.2f} h; the model is {options.out}", flush=True)


class Curve:
    """Losses and scores over time, kept in a JSON file."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path, self.about = path, about
        self.points: list[dict[str, Any]] = json.loads(path.read_text())["curve"] if path.exists() else []
        self.before = self.points[-1]["seconds"] if self.points else 0.0
        self.cpu_before = self.points[-1]["cpu_seconds"] if self.points else 0.0
        self.start = time.monotonic()
        self.recent: list[float] = []
        self.step = 0

    def watch(self, progress: Progress) -> None:
        """Called after every step."""
        self.step = progress.step
        self.recent = [*self.recent[-199:], progress.train_loss]
        if progress.step % 500 == 0:
            print(f"step {progress.step:,}  loss {np.mean(self.recent):.4f}  {self.seconds:,.0f} s", flush=True)

    @property
    def seconds(self) -> float:
        """Of training and testing so far, earlier starts included."""
        return self.before + time.monotonic() - self.start

    def add(self, scores: dict[str, Any], book: Workbook) -> dict[str, Any]:
        """Write a point."""
        point = {
            "step": self.step,
            "seconds": round(self.seconds),
            "cpu_seconds": round(self.cpu_before + time.process_time()),
            "lessons": book.seen,
            "loss": float(np.mean(self.recent)) if self.recent else None,
            "scores": scores,
        }
        self.points.append(point)
        write_atomically(self.path, json.dumps({**self.about, "curve": self.points}, indent=1).encode())
        print(json.dumps(point), flush=True)
        return point


class Scores:
    """The share of held-out puzzles that one pass solves; the averaged weights are saved with them."""

    def __init__(
        self, tests: dict[str, Examples], graph: FactorGraph, base: torch.Tensor, most: int, curve: Curve, out: Path
    ) -> None:
        self.tests, self.graph, self.base, self.most, self.curve, self.out = tests, graph, base, most, curve, out
        self._book: Workbook | None = None

    def book(self, teacher: Teacher, curriculum: Curriculum) -> Workbook:
        """The lessons that are counted."""
        self._book = Workbook(teacher, curriculum)
        return self._book

    def __call__(self, model: nn.Module) -> float:
        assert isinstance(model, FactorGraphDenoiser)
        assert self._book is not None
        scores = {name: self.score(model, _first(examples, self.most)) for name, examples in self.tests.items()}
        point = self.curve.add(scores, self._book)
        self.save(model, point)
        return 1.0 - float(np.mean([shares[-1] for shares in scores.values()]))

    def score(self, model: FactorGraphDenoiser, examples: Examples) -> list[float]:
        """Shares solved after each of `LOOKS` iterations, 128 boards at a time."""
        rng = torch.Generator(self.base.device).manual_seed(0)
        solved = [
            single_pass(
                model, self.graph, given_domains(self.base.cpu(), part.given).to(self.base.device), LOOKS, rng=rng
            )
            for part in pieces(examples, 128)
        ]
        return [round(float(share), 4) for share in torch.cat(solved, 1).float().mean(1)]

    def save(self, model: FactorGraphDenoiser, point: dict[str, Any]) -> None:
        """Write the model with its card."""
        about = {**self.curve.about, **{k: v for k, v in point.items() if k != "scores"}}
        ReasoningModel.of(model, sudoku(9), {"about": about, "looks": list(LOOKS), "scores": point["scores"]}).save(
            self.out
        )

    def final(self, model: FactorGraphDenoiser) -> None:
        """All held-out puzzles, up to ten times as many as on the way."""
        self.most *= 10
        self(model)


def _first(examples: Examples, most: int) -> Examples:
    return examples.take(np.arange(min(most, len(examples))))


def _lists(options: argparse.Namespace, run: Path) -> tuple[dict[str, Examples], dict[str, Examples]]:
    """What is trained on and what is tested on, by name."""
    tests = {_name(path): read_examples(path) for path in options.test}
    foreign = np.concatenate([np.zeros(0, np.uint64), *(marked(examples.states) for examples in tests.values())])
    lists = {_name(path): read_examples(path) for path in options.data}
    if options.generated:
        lists["generated"] = _generated(options.generated, options.seed, run / "generated.npz")
    train: dict[str, Examples] = {}
    for name, examples in lists.items():
        parts = split(examples, _marks(examples, run / f"{name}.marks.npy"), foreign)
        train[name], tests[name] = parts.train, parts.test
    return train, tests


def _marks(examples: Examples, path: Path) -> np.ndarray:
    """Fingerprints, computed once."""
    if path.exists():
        marks = np.load(path)
        if len(marks) == len(examples):
            return marks
    marks = marked(examples.states)
    np.save(path, marks)
    return marks


def _generated(count: int, seed: int, path: Path) -> Examples:
    """Puzzles of our own: two minimal ones for each with 26 to 32 clues; made once, in pieces."""
    from intarsia_domains.reasoning._generate import generate_sudoku

    if path.exists():
        stored = np.load(path)
        if len(stored["given"]) >= count:
            return Examples(stored["given"][:count], stored["states"][:count])
    print(f"making {count:,} puzzles", flush=True)
    found = [
        generate_sudoku(min(500, count - start), clues=None if piece % 3 else 26 + piece // 3 % 7, seed=seed + piece)
        for piece, start in enumerate(range(0, count, 500))
    ]
    given = np.concatenate([part.boards for part in found]).astype(np.int8) - np.int8(1)
    states = np.concatenate([part.solutions for part in found]).astype(np.int8) - np.int8(1)
    np.savez_compressed(path, given=given, states=states)
    return Examples(given, states)


def _name(path: Path) -> str:
    return path.name.split(".")[0]


def _longer(checkpoint: Path, hours: float) -> int:
    """The step to go on from. Where the budget has grown, the learning rate is not to fall at the old one's end."""
    if not checkpoint.exists():
        return 0
    saved = load_checkpoint(checkpoint)
    if saved.numbers["plan"] is not None and saved.numbers["seconds"] < 0.75 * 3600.0 * hours:
        save_checkpoint(checkpoint, Checkpoint(saved.tensors, {**saved.numbers, "plan": None}))
    return int(saved.numbers["step"])


def _stop(*_: object) -> None:
    """Stop at the next chance and keep what was learned; a second signal ends the program at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hours", type=float, required=True, help="of wall-clock time, earlier starts included")
    options.add_argument("--out", type=Path, required=True, help="folder of the model")
    options.add_argument(
        "--data", type=Path, nargs="*", default=[], help="lists to learn from: CSV, puzzle and solution"
    )
    options.add_argument("--test", type=Path, nargs="*", default=[], help="lists to test on only")
    options.add_argument("--generated", type=int, default=60_000, help="puzzles to generate")
    options.add_argument("--examples", type=int, default=200, help="test puzzles of each list on the way")
    options.add_argument("--width", type=int, default=48)
    options.add_argument("--hidden", type=int, default=96)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--iterations", type=int, default=6, help="of an optimizer step")
    options.add_argument("--lr", type=float, default=2e-3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--device", default="cpu")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    if not chosen.data and not chosen.generated:
        sys.exit("there is nothing to learn from: give --data or --generated")
    return chosen


if __name__ == "__main__":
    main()
