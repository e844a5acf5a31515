"""The systems of the tabular benchmark, and how one of them is run in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tabular_systems import _cells
from tabular_systems._data import Table
from tabular_systems._environments import ensure

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class System:
    """One row of the results. Runs `run_<script>.py` in `environment` (None: the project's own)."""

    script: str
    environment: str | None = None
    share_of_budget: float = 1.0
    tables: tuple[str, ...] | None = None
    floor: bool = False
    one_seed: bool = True
    """Peers run with the first seed alone, ours with all."""
    recipe: str = ""
    """Of ours: a constructor of `Mixed`; the default recipe where it is empty."""


SYSTEMS = {
    "real": System("real", floor=True),
    "marginals": System("marginals", floor=True),
    "gaussian-copula": System("gaussian_copula", "sdv"),
    "ctgan": System("ctgan", "sdv"),
    "tvae": System("tvae", "sdv"),
    "mostlyai": System("mostlyai", "mostlyai"),
    "intarsia-1min": System("intarsia", share_of_budget=0.2, tables=("adult",), one_seed=False),
    "intarsia": System("intarsia", one_seed=False),
}


def run_system(
    system: System, table: Table, cell: _cells.Cell, options: Any, synthetic: Path, *, rows: int | None = None
) -> dict[str, Any]:
    """Fit and sample in a process of its own; rows go to `synthetic`, measurements are returned.

    A process that hangs is ended after six times the budget and half an hour.
    """
    log = options.cells / "logs"
    log.mkdir(parents=True, exist_ok=True)
    environment = system.environment
    python = Path(sys.executable) if environment is None else ensure(environment, log / f"pip-{environment}.log")
    count, budget = _cells.threads(options), options.budget * system.share_of_budget
    with tempfile.TemporaryDirectory(prefix="intarsia-benchmark-") as folder:
        work = Path(folder)
        table.train.to_parquet(work / "train.parquet", index=False)
        table.holdout.to_parquet(work / "holdout.parquet", index=False)
        job = {
            "train": str(work / "train.parquet"),
            "holdout": str(work / "holdout.parquet"),
            "out": str(work / "synthetic.parquet"),
            "result": str(work / "result.json"),
            "kinds": table.kinds,
            "target": table.target,
            "task": table.task,
            "seed": cell.seed,
            "rows": len(table.train) if rows is None else rows,
            "budget_cpu_s": budget,
            "threads": count,
            "recipe": system.recipe,
        }
        (work / "job.json").write_text(json.dumps(job))
        command = [str(python), str(HERE / f"run_{system.script}.py"), str(work / "job.json")]
        with (log / f"{cell}.log").open("w") as out:
            done = subprocess.run(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=_cells.environment(count, own=environment is None),
                cwd=work,
                timeout=6 * budget + 1800,
                check=False,
            )
        if not (work / "result.json").exists():
            raise RuntimeError(
                f"the system's process ended with {done.returncode}; see its log in benchmarks/cells/logs"
            )
        result = json.loads((work / "result.json").read_text()) | {"system_budget_cpu_s": budget}
        if "error" not in result:
            pd.read_parquet(work / "synthetic.parquet").to_parquet(synthetic, index=False)
        else:
            result["error"] = _cells.clean(result["error"].replace(str(work), "…"))
    return result
