"""One job of the benchmark: read a table, fit a system, sample, and write rows and measurements.

Imported by the `run_*.py` scripts, in whatever environment they run: needs the standard library and pandas alone.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Job:
    """What a runner is asked for. `started` is the CPU clock at the begin of `fit`."""

    train: pd.DataFrame
    holdout_path: str
    kinds: dict[str, str]
    target: str
    task: str
    seed: int
    rows: int
    budget_cpu_s: float
    threads: int
    recipe: str
    work: Path
    started: float = 0.0

    @property
    def left_cpu_s(self) -> float:
        """CPU seconds of the budget that are left."""
        return self.budget_cpu_s - (cpu_seconds() - self.started)


@dataclass
class Fitted:
    """What `fit` gives back: the model, and how much of the system's published schedule was run."""

    model: Any
    schedule: str = ""
    share_of_schedule: float | None = None


def run(
    fit: Callable[[Job], Fitted],
    sample: Callable[[Job, Any], pd.DataFrame],
    packages: tuple[str, ...] = (),
    modules: tuple[str, ...] = (),
) -> None:
    """Do the job named on the command line; a failure becomes the `error` of the result, and exit code 1.

    Versions of `packages` are noted; `modules` are imported before the clock starts.
    """
    warnings.filterwarnings("ignore")
    path = Path(sys.argv[1])
    spec = json.loads(path.read_text())
    result: dict[str, Any] = {"versions": _versions(packages), "python": platform.python_version()}
    try:
        job = Job(
            train=pd.read_parquet(spec["train"]),
            holdout_path=spec["holdout"],
            work=path.parent,
            **{k: spec[k] for k in ("kinds", "target", "task", "seed", "rows", "budget_cpu_s", "threads", "recipe")},
        )
        for module in modules:
            importlib.import_module(module)
        wall, job.started = time.perf_counter(), cpu_seconds()
        fitted = fit(job)
        result |= {"fit_cpu_s": cpu_seconds() - job.started, "fit_wall_s": time.perf_counter() - wall}
        result |= {"schedule": fitted.schedule, "share_of_schedule": fitted.share_of_schedule}
        wall, start = time.perf_counter(), cpu_seconds()
        frame = sample(job, fitted.model)
        seconds = time.perf_counter() - wall
        result |= {"sample_cpu_s": cpu_seconds() - start, "sample_wall_s": seconds}
        result |= {"rows": len(frame), "rows_per_s": len(frame) / max(seconds, 1e-9)}
        frame.to_parquet(spec["out"], index=False)
    except Exception as error:
        traceback.print_exc()
        result["error"] = f"{type(error).__name__}: {error}"
    result["peak_rss_mb"] = peak_rss_mb()
    result["process_cpu_s"] = cpu_seconds()
    Path(spec["result"]).write_text(json.dumps(result))
    sys.exit(1 if "error" in result else 0)


def cpu_seconds() -> float:
    """User and system seconds of this process, of children that ended, and of descendants that still run."""
    times = os.times()
    own = time.process_time() + times.children_user + times.children_system
    return own + sum(_ticks(pid) / TICK for pid in _descendants(os.getpid()))


def peak_rss_mb() -> float:
    """Peak resident memory of this process and of the descendants that still run.

    The kernel's `VmHWM` is used where there is one: `ru_maxrss` of a child starts at what its parent had at the fork.
    """
    total = 0.0
    for pid in [os.getpid(), *_descendants(os.getpid())]:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        total += next((int(x.split()[1]) / 1024 for x in status.splitlines() if x.startswith("VmHWM")), 0.0)
    if total == 0:
        import resource

        total = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)
    return total


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(x) for x in listing.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(x) for x in fields[11:15])


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in dict.fromkeys((*packages, "pandas", "numpy")):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
