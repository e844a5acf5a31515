"""Benchmarks as resumable cells: one file and one process for each, several at once, never on each other's cores."""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

ROOT = Path(__file__).resolve().parents[1]
CELLS = ROOT / "benchmarks" / "cells"
RESULTS = ROOT / "benchmarks" / "results"
CORES = 2
"""Cores of the machine that the protocol is written for; they are shared out among the cells that run at once."""


@dataclass(frozen=True, order=True)
class AbstractCell:
    """One unit of work; the fields of a subclass are its key, and its name."""

    def __str__(self) -> str:
        return "--".join(map(str, astuple(self)))

    @classmethod
    def of(cls, key: Sequence[str]) -> Self:
        """The cell of a key in texts, as the command line has it."""
        return cls(
            *(int(text) if field.type in (int, "int") else text for field, text in zip(fields(cls), key, strict=True))
        )

    def path(self, folder: Path, suffix: str = ".json") -> Path:
        """Where the finished cell stands."""
        return folder / f"{self}{suffix}"


AnyCell = TypeVar("AnyCell", bound=AbstractCell)


def parser(
    description: str, kind: type[AbstractCell], *, budget: float | None, data: Path, budget_help: str
) -> argparse.ArgumentParser:
    """Options that every benchmark of cells has."""
    keys = [field.name for field in fields(kind)]
    options = argparse.ArgumentParser(description=description)
    words = " ".join(f"{key}=A,B,…" for key in keys)
    options.add_argument("--only", nargs="+", default=[], metavar="KEY=VALUE", help=words)
    options.add_argument("--budget", type=float, default=budget, help=budget_help)
    options.add_argument("--jobs", type=int, choices=(1, 2), default=1, help="cells at once; threads = 2 // jobs")
    options.add_argument("--data", type=Path, default=data, metavar="PATH")
    options.add_argument("--list", action="store_true", help="say which cells there are and which are done")
    options.add_argument("--table", action="store_true", help="write and print the tables of all finished cells")
    options.add_argument("--retry-errors", action="store_true", help="run cells again that ended in an error")
    options.add_argument("--cells", type=Path, default=CELLS, help=argparse.SUPPRESS)
    options.add_argument("--results", type=Path, default=RESULTS, help=argparse.SUPPRESS)
    options.add_argument("--one", nargs=len(keys), metavar=tuple(k.upper() for k in keys), help=argparse.SUPPRESS)
    options.add_argument("--cores", default="", help=argparse.SUPPRESS)
    return options


def select(cells: Iterable[AnyCell], only: Sequence[str]) -> list[AnyCell]:
    """Cells whose keys are among the values asked for."""
    cells = list(cells)
    keys = [field.name for field in fields(cells[0])] if cells else []
    wanted: dict[str, set[str]] = {}
    for word in only:
        key, equals, values = word.partition("=")
        if key not in keys or not equals:
            raise SystemExit(f"--only takes {', '.join(f'{k}=…' for k in keys)}, got {word!r}")
        wanted.setdefault(key, set()).update(values.split(","))
    chosen = [x for x in cells if all(str(getattr(x, key)) in values for key, values in wanted.items())]
    if not chosen:
        raise SystemExit(f"no cell has {' '.join(only)}; see --list")
    return chosen


def show(cells: Sequence[AbstractCell], folder: Path) -> None:
    """Say of every cell whether it is done."""
    for cell in cells:
        path = cell.path(folder)
        done = read(path) if path.exists() else None
        state = "to do" if done is None else f"error: {done['error']}" if "error" in done else "done"
        print(" ".join(f"{value!s:16}" for value in astuple(cell)), state)


def run_all(
    cells: Sequence[AbstractCell],
    script: str,
    options: argparse.Namespace,
    *,
    pass_on: Sequence[str] = (),
    brief: Callable[[dict[str, Any]], str] = lambda cell: str(cell.get("brief", "done")),
) -> int:
    """Run what is not there yet, each in a process of its own; return how many ended in an error.

    Options named in `pass_on` are handed to the cells too. `brief` says a few words about a cell that is done.
    """
    free: queue.Queue[list[int]] = queue.Queue()
    for share in core_shares(options.jobs):
        free.put(share)
    started: list[subprocess.Popen] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stopping = False

    def work(cell: AbstractCell) -> bool:
        path = cell.path(options.cells)
        if path.exists():
            old = read(path)
            if not ("error" in old and options.retry_errors):
                other = old.get("budget_cpu_s") not in (None, options.budget)
                note = f" (with a budget of {old.get('budget_cpu_s'):g} CPU s)" if other else ""
                print(f"{cell}: done before{note}", flush=True)
                return "error" in old
            path.unlink()
        cores = free.get()
        try:
            print(f"{cell}: begins on cores {cores}", flush=True)
            command = [sys.executable, str(Path(script).resolve())]
            command += ["--one", *map(str, astuple(cell)), "--cores", ",".join(map(str, cores))]
            command += [f"--budget={options.budget}", f"--data={options.data.resolve()}"]
            command += [f"--cells={options.cells.resolve()}", f"--jobs={options.jobs}"]
            command += [f"--{name}={getattr(options, name.replace('-', '_'))}" for name in pass_on]
            process = subprocess.Popen(command, env=environment(len(cores)), start_new_session=True)
            started.append(process)
            code = process.wait()
        finally:
            free.put(cores)
        if stopping and not path.exists():
            return True
        if not path.exists():
            write(path, {**header(cell, options), "error": f"the cell's process ended with {code}"})
        done = read(path)
        words = f"ERROR {done['error']}" if "error" in done else brief(done)
        print(f"{cell}: {words}", flush=True)
        return "error" in done

    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(work, cell) for cell in cells]
        try:
            return sum(x.result() for x in waiting)
        except BaseException:
            stopping = True
            pool.shutdown(wait=False, cancel_futures=True)
            for process in started:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)  # the cell and the system it runs
            raise


def main(
    options: argparse.Namespace,
    cells: Sequence[AnyCell],
    run_cell: Callable[[AnyCell, argparse.Namespace], dict[str, Any]],
    write_tables: Callable[[argparse.Namespace], str],
    script: str,
    *,
    work: Callable[[list[AnyCell], argparse.Namespace], int] | None = None,
    brief: Callable[[dict[str, Any]], str] | None = None,
) -> int:
    """Be one cell, show what there is, or run what is asked for; the exit code of a benchmark.

    `work` does something else with the chosen cells than running those that are not there yet.
    """
    if options.one:
        cell = type(cells[0]).of(options.one)
        run_one(cell, options, lambda: run_cell(cell, options))
        return 0
    if options.table:
        print(write_tables(options))
        return 0
    chosen = select(cells, options.only)
    if options.list:
        show(chosen, options.cells)
        return 0
    told = {} if brief is None else {"brief": brief}
    failed = run_all(chosen, script, options, **told) if work is None else work(chosen, options)
    write_tables(options)
    return finished(script, options, failed, len(chosen))


def finished(script: str, options: argparse.Namespace, failed: int, count: int) -> int:
    """Say what was written and how many cells failed; the exit code."""
    print(f"{options.results.name}/{Path(script).stem}.md is written; {failed} of {count} cells ended in an error")
    return 1 if failed else 0


def run_one(cell: AbstractCell, options: argparse.Namespace, work: Callable[[], dict[str, Any]]) -> None:
    """Inside a cell's own process: keep to its cores, do `work`, and write the file whatever happens."""
    cores = [int(x) for x in options.cores.split(",") if x]
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    result = header(cell, options)
    try:
        result |= work()
    except Exception as error:
        traceback.print_exc()
        result["error"] = clean(f"{type(error).__name__}: {error}")
    result["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    write(cell.path(options.cells), result)


def header(cell: AbstractCell, options: argparse.Namespace) -> dict[str, Any]:
    """What every cell says about itself."""
    return {
        **asdict(cell),
        "budget_cpu_s": options.budget,
        "threads": threads(options),
        "jobs": options.jobs,
        "machine": machine(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def core_shares(jobs: int) -> list[list[int]]:
    """Disjoint cores for each of the cells that run at once; fewer than two cores are shared by all."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0, 1]
    each = max(1, CORES // jobs)
    shares = [cores[i * each : (i + 1) * each] for i in range(jobs)]
    return [share or cores[-1:] for share in shares]


def threads(options: argparse.Namespace) -> int:
    """How many threads a cell may use."""
    return len(options.cores.split(",")) if options.cores else max(1, CORES // options.jobs)


def environment(count: int, *, own: bool = True) -> dict[str, str]:
    """Environment variables of a cell: so many threads in every library that takes more by default.

    With `own`, the packages of this checkout come first, so that nothing need be installed; peers never see them.
    """
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    variables = {**os.environ, **dict.fromkeys(names, str(count)), "LOKY_MAX_CPU_COUNT": str(count)}
    variables.pop("PYTHONPATH", None)
    if own:
        variables["PYTHONPATH"] = os.pathsep.join(str(ROOT / x) for x in ("platform", "domains", "datasets"))
    return variables


def machine() -> dict[str, Any]:
    """The machine, without its name."""
    model, memory = platform.machine(), None
    if sys.platform == "linux":
        cpu = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.partition(":")[2].strip() for x in cpu if x.startswith("model name")), model)
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": memory, "system": platform.system()}


def clean(text: str) -> str:
    """An error's words without the folders of this machine, first 400 characters."""
    return text.replace(f"{ROOT}/", "").replace(str(Path.home()), "~").strip()[:400]


def read(path: Path) -> dict[str, Any]:
    """One cell's file."""
    return json.loads(path.read_text())


def read_all(folder: Path) -> list[dict[str, Any]]:
    """All cells of a folder, by name."""
    return [read(path) for path in sorted(folder.glob("*--*--*.json"))]


def write(path: Path, content: Any) -> None:
    """Write JSON (or text) under a temporary name and move it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, indent=1) + "\n"
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    new.write_text(text)
    new.replace(path)
