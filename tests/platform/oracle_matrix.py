"""The matrix of processes, samplers and evidence: `python tests/platform/oracle_matrix.py > docs/oracle-matrix.md`.

The page is made of the very table that the tests run over, and a test demands that the one in the repository is it.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from intarsia.errors import RequirementError
from intarsia.processes import AbstractProcess
from intarsia.samplers import AbstractSampler

WORDS = {"exact": "exact", "first order": "1", "second order": "2", "biased": "b"}

INTRODUCTION = """# Processes, samplers and evidence

Every filled cell is a test with a perfect denoiser (`tests/platform/test_oracle.py`), run without evidence and with
each site observed in turn: **exact**, the draws follow the joint law; **1** and **2**, they follow the law of finitely
many steps, which comes to the joint at that order; **b**, biased: a heuristic that is held to values and evidence here,
and to its own law in `tests/platform/samplers`. A hole (–) is refused before the first call, which is a test too.
"""


def reason(sampler: AbstractSampler, process: AbstractProcess) -> str | None:
    """Why a sampler refuses a process; None if it does not."""
    try:
        sampler.check(process)
    except RequirementError as error:
        return str(error).replace(repr(process), "…")
    return None


def page(processes: Mapping[str, AbstractProcess], samplers: Mapping[str, AbstractSampler]) -> str:
    """The page, as Markdown."""
    lines = [INTRODUCTION]
    lines += ["| sampler | " + " | ".join(processes) + " |", "| --- |" + " --- |" * len(processes)]
    holes: dict[str, list[str]] = {}
    for name, sampler in samplers.items():
        cells = []
        for process in processes.values():
            why = reason(sampler, process)
            cells.append(WORDS[sampler.claim] if why is None else "–")
            if why is not None and name not in holes.setdefault(why, []):
                holes[why].append(name)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "## Why there are holes", ""]
    lines += [f"- {', '.join(names)}: {why}" for why, names in holes.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from test_oracle import PROCESSES, SAMPLERS

    print(page(PROCESSES, SAMPLERS), end="")
