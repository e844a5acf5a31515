"""The peer D3 (Sarkar et al. 2024): score entropy diffusion of DNA by the package `d3-dna`, in its own environment.

Its network is the package's convolutional one with 64 channels, the width of ours: with the published 256 a step costs
sixteen times as much, and a budget of minutes is over before it has learned anything. It takes one number a sequence
as the condition, so classes are numbered, and one length, so that it learns sequences of the commonest length alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dna_cells.tasks import Data
from intarsia_domains.dna import Sequences
from intarsia_domains.dna._raw import Rows
from tabular_systems._environments import ENVIRONMENTS, TORCH, Environment, ensure

HERE = Path(__file__).resolve().parent
BATCHES = {"sites": 1024}
ENVIRONMENTS.setdefault(
    "d3",
    Environment(
        "d3",
        (
            ("install", TORCH, "numpy==2.4.6"),
            ("install", TORCH, "numpy==2.4.6", "d3-dna==0.1.3"),
        ),
        ("d3_dna", "pytorch_lightning"),
    ),
)


class D3:
    """Trained in a process of its own, and called again for samples and scores."""

    def __init__(self, data: Data, task: str, budget: float, threads: int, seed: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="intarsia-benchmark-")
        train = data.train.sequences
        lengths, counts = np.unique(train.lengths, return_counts=True)
        self._length, self._alphabet = int(lengths[counts.argmax()]), train.alphabet
        self._condition = data.condition
        labels = np.zeros(len(train)) if data.condition is None else np.asarray(data.train.labels[data.condition])
        self._classes = sorted(set(labels.tolist())) if labels.dtype.kind in "USOb" or len(set(labels)) <= 10 else []
        numbers = self._numbered(labels)
        self._center, self._scale = float(numbers.mean()), float(numbers.std()) or 1.0
        self._fixed = {"threads": threads, "length": self._length, "batch": BATCHES.get(task, 128)}
        keep = np.flatnonzero(train.lengths == self._length)
        arrays = {"codes": train.codes[keep, : self._length], "labels": self._labels(labels[keep])}
        done, _ = self._run("fit", arrays, seed, budget_cpu_s=budget)
        self.training = {"steps": done["steps"], "parameters": done["parameters"]}

    def sample(self, n: int, given: Mapping[str, Any], seed: int, guidance: float = 1.0) -> Sequences:
        asked = np.zeros(n) if self._condition is None else np.broadcast_to(np.asarray(given[self._condition]), (n,))
        _, found = self._run("sample", {"labels": self._labels(asked)}, seed)
        return Sequences.from_codes(found["codes"], alphabet=self._alphabet)

    def score(self, rows: Rows) -> Any:
        """NaN for rows of other lengths."""
        keep = np.flatnonzero(rows.sequences.lengths == self._length)
        labels = np.zeros(len(rows)) if self._condition is None else np.asarray(rows.labels[self._condition])
        arrays = {"codes": rows.sequences.codes[keep, : self._length], "labels": self._labels(labels[keep])}
        result = np.full(len(rows), np.nan)
        result[keep] = self._run("score", arrays, 0)[1]["log_prob"]
        return result

    def _numbered(self, labels: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._classes, labels) if self._classes else labels.astype(float)

    def _labels(self, labels: np.ndarray) -> np.ndarray:
        return ((self._numbered(labels) - self._center) / self._scale).astype(np.float32)

    def _run(self, do: str, arrays: dict[str, np.ndarray], seed: int, **more: Any) -> tuple[dict[str, Any], Any]:
        folder = Path(self._folder.name)
        paths = {"data": f"{do}.npz", "out": f"{do}-out.npz", "result": f"{do}.json", "model": "model.ckpt"}
        job = {"do": do, "seed": seed, **self._fixed, **{k: str(folder / v) for k, v in paths.items()}, **more}
        np.savez(job["data"], allow_pickle=False, **arrays)
        (folder / "job.json").write_text(json.dumps(job))
        python = ensure("d3", HERE.parent / "cells" / "logs" / "pip-d3.log")
        clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        with (folder / "log").open("w") as log:
            command = [str(python), str(HERE / "run_d3.py"), str(folder / "job.json")]
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=clean, check=False)
        if done.returncode:
            tail = (folder / "log").read_text(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"D3 ended with {done.returncode}: {' '.join(tail)}")
        out = Path(job["out"])
        return json.loads(Path(job["result"]).read_text()), dict(np.load(out)) if out.exists() else {}
