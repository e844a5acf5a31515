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

LEAPS = (
    "A leap freezes the rates of jumps between finitely many states. Reals and shares diffuse and have none. Shuffles "
    "and walks of orders come in whole steps, not in continuous time. Counts do jump, but have no upper bound, and the "
    "binomial bridge that `Ancestral` draws is exact for the predicted births, where a leap of them would not be. The "
    "other fields of a record follow kernels, beside which a leap of one gains no order."
)
MASKS = (
    "It chooses which masked sites are next, or masks some again. That leaves the law alone only where a site is "
    "either masked or x0 for good, whenever that happened: so in `Discrete.absorbing`. Masked class by class, the "
    "moment of unmasking tells the class; in other noise a site may change again, so there is no order to choose. "
    "Correctors of other noise are `Psi` and `Gibbs`."
)
FLOW = (
    "It follows the probability flow of a Gaussian, which the predicted mean gives. The flow of reflected noise and of "
    "shares needs all of the law of x0, not its mean; states that jump have no flow; the classes of a record neither."
)
WHY = {
    "TauLeaping": LEAPS,
    "ThetaTrapezoidal": LEAPS,
    "ThetaTrapezoidal, shifts": "A displacement leads from class to class on a circle, where a mask has no place.",
    "Nested, leaping": LEAPS,
    "FirstHitting": MASKS,
    "Stratified": MASKS,
    "Unmask": MASKS,
    "Planner": MASKS,
    "Remask": MASKS,
    "Nested, exact": MASKS,
    "DDIM": FLOW,
    "Heun": FLOW,
    "Psi": (
        "It draws x0 from the prediction. The heads of Gaussian, reflected, counted and share noise are means, which "
        "is all that their kernels need, and no law. In records the fields with a law are corrected. `Heun` with churn "
        "is the corrector of Gaussian fields."
    ),
    "Gibbs": (
        "Its move draws a site given all others. A mean does not tell that law, and an order of items is one variable, "
        "without others. In records the fields that can move do."
    ),
    "HeunRemask": (
        "It is for records in which reals and classes depend on each other: reals take Heun steps while masks come and "
        "go. Fields of one kind alone have `Heun`, `Remask` and `Psi`."
    ),
}
"""Why the holes of a sampler, or of one row of it, are in the nature of the matter."""


def why(name: str, message: str) -> str:
    """The explanation of a row's holes; a `KeyError` where nobody wrote one."""
    if name in WHY and ("Shift" in message or name.startswith("Nested")):
        return WHY[name]
    return WHY[name.split(",")[0]]


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
    holes: dict[str, dict[str, None]] = {}
    wants: dict[str, dict[str, None]] = {}
    for name, sampler in samplers.items():
        cells = []
        for noise in processes.values():
            message = reason(sampler, noise)
            cells.append(WORDS[sampler.claim] if message is None else "–")
            if message is not None:
                text = why(name, message)
                holes.setdefault(text, {})[name] = None
                wants.setdefault(text, {})[message.split(", got")[0]] = None
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "## Why there are holes", ""]
    lines += [
        "Samplers (of nested ones the inner sampler), what they say before the first call, and the reason behind it."
    ]
    for text, rows in holes.items():
        lines += ["", f"**{'; '.join(rows)}.** {'; '.join(wants[text])}. {text}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from test_oracle import PROCESSES, SAMPLERS

    print(page(PROCESSES, SAMPLERS), end="")
