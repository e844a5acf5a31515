"""The oracle: every process, every sampler that takes it, with and without evidence, against enumerated laws.

One table. `docs/oracle.md` says in words what is claimed here.
"""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from intarsia import DDIM, Ancestral, Cosine, FirstHitting, Heun, LogLinear, Polynomial, Staged, Stratified, TauLeaping
from intarsia.errors import RequirementError
from intarsia.processes import (
    AbstractProcess,
    AbstractShuffle,
    ClasswiseAbsorbing,
    Death,
    Discrete,
    Enumerated,
    Gaussian,
    Insertion,
    Jacobi,
    Mixing,
    Product,
    Reflected,
    Riffle,
    Structured,
    Transposition,
    VarianceExploding,
    VariancePreserving,
    Xor,
)
from intarsia.samplers import (
    AbstractSampler,
    Cap,
    Confidence,
    EntropyBounded,
    Gibbs,
    HeunRemask,
    LeastEntropy,
    Loop,
    Margin,
    Nested,
    PerStep,
    Planner,
    Psi,
    Purity,
    Remask,
    Rescale,
    Shift,
    ThetaTrapezoidal,
    Unmask,
)
from intarsia.testing import check_process, check_refusal, check_sampler

PROCESSES: dict[str, AbstractProcess] = {
    "absorbing": Discrete.absorbing(3),
    "absorbing, cosine": Discrete.absorbing(2, Cosine()),
    "absorbing, polynomial": Discrete.absorbing(2, Polynomial(2.0)),
    "absorbing, ragged": Discrete.absorbing((2, 3)),
    "absorbing, staged": Discrete.absorbing((2, 3), Staged((1, 0))),
    "uniform": Discrete.uniform(3),
    "uniform, log-linear": Discrete.uniform(3, LogLinear(0.01)),
    "uniform, staged": Discrete.uniform(2, Staged((0, 1), Cosine())),
    "marginal, ragged": Discrete.marginal(((0.3, 0.7), (0.2, 0.5, 0.3))),
    "mask and law": Discrete((2, 3), Cosine(), 0.3, ((0.3, 0.7), (0.2, 0.5, 0.3))),
    "xor": Xor(2),
    "xor, cosine": Xor(2, Cosine()),
    "Gaussian, preserving": Gaussian(),
    "Gaussian, short": Gaussian(VariancePreserving(8.0, -8.0)),
    "Gaussian, exploding": Gaussian(VarianceExploding()),
    "absorbing by class": ClasswiseAbsorbing(3, Polynomial((0.7, 1.0, 2.0))),
    "mask share in time": Mixing.hybrid(3),
    "ordered classes": Structured.gaussian(3, 1.0),
    "counts": Death(),
    "reflected": Reflected(),
    "simplex": Jacobi(3),
    "riffle": Riffle(3, 4, Enumerated()),
    "riffle, merged": Riffle(4, (0, 1, 2, 7), Enumerated()),
    "transposition": Transposition(3, (0, 1, 2, 3, 6), Enumerated()),
    "insertion": Insertion(4, (0, 1, 3, 6, 10), Enumerated()),
    "record": Product({"class": Discrete.absorbing(2), "real": Gaussian()}),
    "record of bits": Product({"class": Discrete.uniform((2, 3)), "bits": Xor(2)}),
}

SAMPLERS: dict[str, AbstractSampler] = {
    "Ancestral": Ancestral(12),
    "TauLeaping": TauLeaping(12),
    "FirstHitting": FirstHitting(),
    "Stratified": Stratified(),
    "Stratified, small groups": Stratified(group=64),
    "DDIM": DDIM(60),
    "DDIM, ancestral": DDIM(60, eta=1.0),
    "Heun": Heun(30),
    "Heun, churn": Heun(30, churn=10.0),
    "ThetaTrapezoidal": ThetaTrapezoidal(40),
    "ThetaTrapezoidal, shifts": ThetaTrapezoidal(40, leap=Shift()),
    "Unmask, margin": Unmask(Margin()),
    "Unmask, confidence, two": Unmask(Confidence(), PerStep(2)),
    "Unmask, purity": Unmask(Purity()),
    "Unmask, entropy-bounded": Unmask(LeastEntropy(), EntropyBounded(0.0)),
    "Planner": Planner(8),
    "Remask": Remask(12, Cap(0.2)),
    "Remask, rescale": Remask(12, Rescale(0.5)),
    "Remask, loop": Remask(12, Loop()),
    "Psi": Psi(12),
    "Psi, ancestral": Psi(12, kappa=1.0),
    "Gibbs": Gibbs(12),
    "Nested": Nested(2, Ancestral(7)),
    "Nested, exact": Nested(3, FirstHitting()),
    "Nested, leaping": Nested(2, TauLeaping(7)),
    "HeunRemask": HeunRemask(30),
}

DISCRETE = {name for name, process in PROCESSES.items() if type(process) is Discrete}
ABSORBING = {name for name in DISCRETE if name.startswith("absorbing")}
GAUSSIAN = {name for name in PROCESSES if name.startswith("Gaussian")}
INEXACT = GAUSSIAN | {"counts", "reflected", "simplex"}
RECORD = {name for name in PROCESSES if name.startswith("record")}
XOR = {name for name in PROCESSES if name.startswith("xor")}
JUMPS = DISCRETE | XOR | {"absorbing by class", "mask share in time", "ordered classes"}
MASKED = {name for name in JUMPS if getattr(PROCESSES[name], "has_mask", False)}

TAKES: dict[str, set[str]] = {
    "Ancestral": set(PROCESSES),
    "TauLeaping": JUMPS,
    "FirstHitting": ABSORBING,
    "Stratified": ABSORBING,
    "Stratified, small groups": ABSORBING,
    "DDIM": GAUSSIAN,
    "DDIM, ancestral": GAUSSIAN,
    "Heun": GAUSSIAN,
    "Heun, churn": GAUSSIAN,
    "ThetaTrapezoidal": JUMPS,
    "ThetaTrapezoidal, shifts": JUMPS - MASKED,
    "Unmask, margin": ABSORBING,
    "Unmask, confidence, two": ABSORBING,
    "Unmask, purity": ABSORBING,
    "Unmask, entropy-bounded": ABSORBING,
    "Planner": ABSORBING,
    "Remask": ABSORBING,
    "Remask, rescale": ABSORBING,
    "Remask, loop": ABSORBING,
    "Psi": set(PROCESSES) - INEXACT,
    "Psi, ancestral": set(PROCESSES) - INEXACT,
    "Gibbs": JUMPS | RECORD,
    "Nested": set(PROCESSES),
    "Nested, exact": ABSORBING,
    "Nested, leaping": JUMPS,
    "HeunRemask": {"record"},
}
"""Which processes each sampler takes; all others it must refuse."""

FINER = {"counts": 100, "reflected": 24}
"""Steps where a dozen are too coarse; for counts the law of a few is enumerated in `processes/test_death.py`."""

PAIRS = [(s, p) for s in SAMPLERS for p in PROCESSES if p in TAKES[s]]
OTHERS = [(s, p) for s in SAMPLERS for p in PROCESSES if p not in TAKES[s]]


@pytest.mark.parametrize("process", PROCESSES)
def test_process(process: str) -> None:
    check_process(PROCESSES[process])


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_sampler_shows_the_law_it_claims(sampler: str, process: str) -> None:
    steps = SAMPLERS[sampler]
    if process in RECORD:
        # the product of fields is not enumerated: more steps, and a tolerance that covers their error
        fine = Nested(2, Ancestral(30)) if isinstance(steps, Nested) else replace(steps, steps=30)
        check_sampler(fine, PROCESSES[process], n=2000)
    elif process in FINER:
        fine = Ancestral(FINER[process])
        check_sampler(Nested(2, fine) if isinstance(steps, Nested) else fine, PROCESSES[process], n=2000)
    else:  # shuffles enumerate n! permutations for every row, and structured noise multiplies matrices
        slow = isinstance(PROCESSES[process], AbstractShuffle | Structured)
        check_sampler(steps, PROCESSES[process], n=800 if slow else 4000)


@pytest.mark.parametrize(("sampler", "process"), OTHERS)
def test_sampler_refuses_what_it_cannot_do(sampler: str, process: str) -> None:
    check_refusal(SAMPLERS[sampler], PROCESSES[process])


EVERYTHING = Product(
    {
        "masked": Discrete.absorbing(3),
        "uniform": Discrete.uniform(2),
        "bits": Xor(2),
        "real": Gaussian(),
        "order": Riffle(3, 4, Enumerated()),
    }
)
"""One field of every kind. Its evidence is on sites, on a real, and on the item at a rank of a permutation."""


def points_of_everything(count: int = 9) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(3)
    return {
        "masked": torch.randint(3, (count, 1), generator=rng),
        "uniform": torch.randint(2, (count, 1), generator=rng),
        "bits": torch.randint(2, (count, 2), generator=rng),
        "real": torch.randint(3, (count, 1), generator=rng).double() - 1.0,
        "order": torch.rand((count, 3), generator=rng).argsort(1),
    }


@pytest.mark.parametrize("sampler", [Ancestral(24), Nested(2, Ancestral(16)), Gibbs(24), Psi(24, 1.0)], ids=repr)
def test_evidence_on_a_record_of_every_kind(sampler: AbstractSampler) -> None:
    points = points_of_everything()
    law = torch.randn(9, dtype=torch.float64, generator=torch.Generator().manual_seed(4)) * 0.5
    check_sampler(sampler, EVERYTHING, points, law, n=1500, tolerance=0.08)


def test_a_mixture_of_masks_is_not_absorbing() -> None:
    nearly = Discrete(3, mask=0.999)
    for sampler in (FirstHitting(), Stratified()):
        with pytest.raises(RequirementError, match="absorbing"):
            sampler.check(nearly)


def test_the_page_names_everything_in_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs/oracle.md").read_text(encoding="utf-8")
    for kind in {type(p).__name__ for p in PROCESSES.values()} | {type(s).__name__ for s in SAMPLERS.values()}:
        assert f"`{kind}" in page, f"docs/oracle.md does not mention {kind}"
    for claim in {s.claim for s in SAMPLERS.values()}:
        assert claim in page


def test_the_matrix_in_the_docs_is_this_one() -> None:
    """Else run `python tests/platform/oracle_matrix.py > docs/oracle-matrix.md`."""
    spec = importlib.util.spec_from_file_location("oracle_matrix", Path(__file__).with_name("oracle_matrix.py"))
    assert spec is not None
    assert spec.loader is not None
    matrix = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(matrix)
    page = (Path(__file__).parents[2] / "docs/oracle-matrix.md").read_text(encoding="utf-8")
    assert page == matrix.page(PROCESSES, SAMPLERS)
