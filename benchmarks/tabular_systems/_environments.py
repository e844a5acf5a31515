"""Virtual environments of the peers, made on demand and kept under `.envs/` at the root of the repository."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Environment:
    """Steps of pip that make one environment; a change of any pin makes it anew."""

    name: str
    steps: tuple[tuple[str, ...], ...]
    modules: tuple[str, ...]
    """Imported once at the end: an environment that installs but does not import is not ready."""

    @property
    def path(self) -> Path:
        """Where the environment stands."""
        return ROOT / ".envs" / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    @property
    def digest(self) -> str:
        """What the marker file must hold for the environment to count as ready."""
        recipe = repr((self.steps, self.modules, sys.version_info[:2]))
        return hashlib.sha256(recipe.encode()).hexdigest()


ENVIRONMENTS = {
    "sdv": Environment(
        "sdv",
        (
            ("install", TORCH, "numpy==2.4.6", "pandas==2.3.3"),
            ("install", TORCH, "sdv==2.0.0", "ctgan==0.12.1", "pandas==2.3.3", "pyarrow>=17"),
        ),
        ("sdv.single_table", "ctgan", "pyarrow"),
    ),
    # The engine requires torchaudio and torchvision, which its tables never use. Builds for an accelerator do not load
    # beside a torch for the CPU ("operator torchvision::nms does not exist"), so both go once the rest is there.
    "mostlyai": Environment(
        "mostlyai",
        (
            ("install", TORCH),
            ("install", TORCH, "mostlyai-engine==2.7.3"),
            ("uninstall", "--yes", "torchaudio", "torchvision"),
        ),
        ("mostlyai.engine", "pyarrow"),
    ),
}


def ensure(name: str, log: Path) -> Path:
    """Python of the environment `name`, which is made first where it is missing; pip's words go to `log`.

    Two cells that ask at once take turns; a build that breaks leaves no marker and is tried again by the next cell.
    """
    import fcntl

    env = ENVIRONMENTS[name]
    env.path.parent.mkdir(parents=True, exist_ok=True)
    with (env.path.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = env.path / "intarsia-benchmark.ready"
        if marker.exists() and marker.read_text().strip() == env.digest and env.python.exists():
            return env.python
        print(f"making the environment {env.path} (once; pip's words: {log})", flush=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as out:
            _run([sys.executable, "-m", "venv", "--clear", str(env.path)], out, log)
            for step in env.steps:
                _run([str(env.python), "-m", "pip", *step], out, log)
            imports = "; ".join(f"import {module}" for module in env.modules)
            _run([str(env.python), "-c", imports], out, log)
        marker.write_text(env.digest + "\n")
    return env.python


def _run(command: list[str], out, log: Path) -> None:
    print("$", " ".join(command), file=out, flush=True)
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=clean, check=False)
    if done.returncode:
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"{' '.join(command[:4])} … ended with {done.returncode}: {' '.join(tail)} (see {log})")
