"""What measures a cell of the engine's benchmark, and its name."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from parts import Cell as Cell


@dataclass(frozen=True)
class Verdict:
    """A target of the project and what was measured; None where it was not."""

    target: str
    measured: str
    met: bool | None


@dataclass
class Clocks:
    """Wall and CPU seconds since the start, or since `lap`; waits for the GPU where there is one."""

    device: torch.device

    def __post_init__(self) -> None:
        self.lap()

    def lap(self) -> tuple[float, float]:
        """Seconds (wall, CPU of this process) since the last lap."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter(), time.process_time()
        before = getattr(self, "_last", now)
        self._last = now
        return now[0] - before[0], now[1] - before[1]


def summary(laps: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Medians of wall and CPU seconds, and the middle half of the wall seconds."""
    wall, cpu = ([lap[i] for lap in laps] for i in (0, 1))
    quarters = statistics.quantiles(wall, n=4) if len(wall) > 1 else [wall[0]] * 3
    return {
        "wall_s": statistics.median(wall),
        "cpu_s": statistics.median(cpu),
        "quartiles_wall_s": [quarters[0], quarters[2]],
        "repeats": len(laps),
    }


def memory_mb(key: str) -> float | None:
    """`VmHWM` (peak) or `VmRSS` (now) of this process in MiB; None where the kernel does not say."""
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(key)), None)


def of_part(done: Sequence[dict[str, Any]], part: str) -> list[dict[str, Any]]:
    """The cells of one part that ended well."""
    return [x for x in done if x["part"] == part and "error" not in x]
