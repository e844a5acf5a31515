"""Hard constraints: the compiled law equals the enumerated one, draws keep everything, contradictions are named."""

import itertools
import math

import numpy as np
import pytest
import torch

from intarsia.diffusion import Diffusion
from intarsia.errors import RequirementError
from intarsia.processes import Discrete, Gaussian
from intarsia.samplers import Ancestral, FirstHitting
from intarsia_domains.dna import _forward_backward as exact
from intarsia_domains.dna._alphabet import PAD
from intarsia_domains.dna._automaton import build
from intarsia_domains.dna._constrained import ConditionedMarginals, JointDraw
from intarsia_domains.dna._constraints import (
    AbstractConstraint,
    Avoid,
    GCWindow,
    Keep,
    Length,
    MaxRun,
    Require,
)
from intarsia_domains.dna._rules import Rules, compile_constraints
from intarsia_domains.dna._sequence_error import SequenceError

IUPAC = {"A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"}
IUPAC |= {"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"}
OTHER = dict(zip("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN", strict=True))


def occurs(text: str, motif: str, at: int | None = None) -> bool:
    """Plain string search, written apart from what is tested."""
    places = range(len(text) - len(motif) + 1) if at is None else [at]
    return any(
        all(text[p + k : p + k + 1] in IUPAC[c] and p + k < len(text) for k, c in enumerate(motif)) for p in places
    )


def keeps(text: str, constraint: AbstractConstraint) -> bool:
    rc = lambda motif: "".join(OTHER[c] for c in motif[::-1])  # noqa: E731
    match constraint:
        case Keep(pattern, at):
            return len(text) >= at + len(pattern) and occurs(text, pattern, at)
        case Require(motif, both):
            return occurs(text, motif) or (both and occurs(text, rc(motif)))
        case Avoid(motif, both):
            return not occurs(text, motif) and not (both and occurs(text, rc(motif)))
        case MaxRun(most):
            return all(len(list(run)) <= most for _, run in itertools.groupby(text))
        case GCWindow(low, high):
            return low - 1e-9 <= sum(c in "CG" for c in text) / len(text) <= high + 1e-9
        case Length(low, high):
            return low <= len(text) <= (high or low)
    raise AssertionError(constraint)


SETS = {
    "free": [],
    "sites": [Keep("RN", 1), Keep("C", 5)],
    "banned": [Avoid("GAY"), Avoid("TT", both_strands=False), MaxRun(2)],
    "required": [Require("CAT"), Require("GG", both_strands=True)],
    "window": [GCWindow(0.3, 0.5)],
    "everything": [Keep("N", 5), Require("CWG"), Avoid("GAT"), MaxRun(3), GCWindow(0.4, 0.7)],
}


def enumerate_law(rules: Rules, constraints: list, probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Weight of every padded row that keeps the constraints."""
    found: dict[tuple[int, ...], float] = {}
    for size in range(rules.shortest, rules.length + 1):
        for letters in itertools.product(range(4), repeat=size):
            if all(keeps("".join("ACGT"[k] for k in letters), part) for part in constraints):
                row = letters + (PAD,) * (rules.length - size)
                weight = math.prod(probs[k, code] if code < probs.shape[1] else 0.0 for k, code in enumerate(row))
                if weight > 0 or size == rules.length:
                    found[row] = weight
    return found


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("shortest", [None, 4], ids=["fixed", "variable"])
def test_the_law_is_the_enumerated_one(name: str, shortest: int | None) -> None:
    constraints = SETS[name]
    rules = compile_constraints(constraints, 6, shortest=shortest)
    probs = np.random.default_rng(1).dirichlet(np.ones(4 if shortest is None else 5), 6)
    probs[3, 0], probs[3] = 0.0, probs[3] / (1 - probs[3, 0])  # an impossible letter
    probs[3] /= probs[3].sum()
    law = enumerate_law(rules, constraints, probs)
    total = sum(law.values())
    if not any(isinstance(part, Keep) for part in constraints) and shortest is None:
        assert rules.log_prob(probs[None])[0] == pytest.approx(math.log(total), abs=1e-12)
    marginals = np.zeros((6, 5))
    for row, weight in law.items():
        marginals[range(6), row] += weight / total
    width = probs.shape[1]
    np.testing.assert_allclose(rules.marginals(probs[None])[0], marginals[:, :width], atol=1e-12)
    table = exact.backward(rules, rules._law(probs[None])[0])
    np.testing.assert_allclose(exact.marginals(rules, rules._law(probs[None])[0], table), marginals, atol=1e-12)
    every = np.array(list(itertools.product(range(5), repeat=6)), dtype=np.uint8)
    good = {tuple(int(c) for c in row) for row in every[rules.holds(every)]}
    possible = enumerate_law(rules, constraints, np.ones((6, 5)))
    assert good == set(possible)
    assert math.exp(rules.log_count()) == pytest.approx(len(good if shortest else [r for r in good if PAD not in r]))


@pytest.mark.parametrize("name", ["required", "window", "everything"])
@pytest.mark.parametrize("shortest", [None, 4], ids=["fixed", "variable"])
def test_draws_follow_the_enumerated_law(name: str, shortest: int | None) -> None:
    constraints = SETS[name]
    rules = compile_constraints(constraints, 6, shortest=shortest)
    probs = np.random.default_rng(2).dirichlet(np.ones(4 if shortest is None else 5), 6)
    law = enumerate_law(rules, constraints, probs)
    total, n = sum(law.values()), 40_000
    drawn = rules.sample(np.broadcast_to(probs, (n, *probs.shape)), seed=3)
    rows, counts = np.unique(drawn, axis=0, return_counts=True)
    seen = {tuple(int(c) for c in row): int(k) for row, k in zip(rows, counts, strict=True)}
    assert set(seen) <= set(law)
    expected = {row: n * weight / total for row, weight in law.items()}
    large = [row for row, size in expected.items() if size >= 5]
    chi = sum((seen.get(row, 0) - expected[row]) ** 2 / expected[row] for row in large)
    assert abs(chi - len(large)) < 5 * math.sqrt(2 * len(large))


def test_rare_windows_are_drawn_by_counting_and_hopeless_floats_in_the_log_domain() -> None:
    rules = compile_constraints([GCWindow(0.9, 1.0), Require("GATC")], 60)
    for strong in (0.05, 1e-9):  # never right by luck; P(window) about 1e-60 and 1e-480
        probs = np.tile([0.5 - strong / 2, strong / 2, strong / 2, 0.5 - strong / 2], (8, 60, 1))
        drawn = rules.sample(probs, seed=0)
        assert rules.holds(drawn).all()
        assert ((drawn == 1) | (drawn == 2)).sum(1).tolist() == [54] * 8  # the likeliest way to keep it
        sums = rules.marginals(probs[:1])[0]
        assert sums.sum(1) == pytest.approx(1.0)
        assert sums[:, 1:3].sum() == pytest.approx(54, abs=0.1)
        size = rules.log_prob(probs[:1])[0]
        assert np.isfinite(size)
        assert size < -100
    assert size == pytest.approx(54 * math.log(1e-9), abs=80)


def test_the_log_domain_draws_the_same_law() -> None:
    rules = compile_constraints(SETS["everything"], 6)
    law = rules._law(np.random.default_rng(2).dirichlet(np.ones(4), (1, 6)))[0]
    table, rng = exact.backward(rules, law), np.random.default_rng(0)
    drawn = np.stack([exact.draw(rules, law, table, rng.random(6)) for _ in range(600)])
    assert rules.holds(drawn).all()
    shares = np.stack([(drawn == code).mean(0) for code in range(5)], 1)
    np.testing.assert_allclose(shares, exact.marginals(rules, law, table), atol=0.08)


ALL = [
    Keep("TGCATTTTTTTC"),
    Keep("TGANTCA", 80),
    Require("TATAAA"),
    Require("GCCACC", both_strands=True),
    *(Avoid(site) for site in ("GAATTC", "GGATCC", "GGTCTC", "CGTCTC", "CTCGAG")),
    MaxRun(7),
    GCWindow(0.4, 0.6),
]


def test_everything_at_once_holds_by_plain_search() -> None:
    rules = compile_constraints(ALL, 120)
    probs = np.random.default_rng(0).dirichlet(np.ones(4), (200, 120))
    drawn = rules.sample(probs, seed=1)
    for row in drawn:
        text = "".join("ACGT"[code] for code in row)
        assert all(keeps(text, part) for part in ALL), text
    assert rules.holds(drawn).all()
    torch.set_num_threads(2)
    assert (rules.sample(probs, seed=1) == drawn).all()  # however many threads
    assert (rules.sample(probs, seed=2) != drawn).any()


def test_states_that_nothing_tells_apart_are_merged() -> None:
    aa = np.array([[True, False, False, False]] * 2)
    assert build([aa], []).states == 2  # the last letter was an A, or was not
    assert build([], [[aa]]).states == 3
    assert build([], []).states == 1
    assert build([aa, aa], []).states == 2


@pytest.mark.parametrize(
    ("constraints", "length", "message"),
    [
        ([Require("GAATTC"), Avoid("AATT"), MaxRun(9)], 50, "^the required motif GAATTC and the forbidden motif AATT "),
        ([Require("ACGTACGT")], 6, "the required motif ACGTACGT needs 8 letters, and a sequence has at most 6"),
        ([Keep("ACGT", 4)], 6, "the pattern ACGT at site 4 needs 8 letters"),
        ([Keep("ACG"), Keep("T", 1)], 6, "the pattern ACG at site 0 and the pattern T at site 1 cannot be kept"),
        ([GCWindow(0.9, 1.0), Keep("AAAA"), MaxRun(9)], 20, "the pattern AAAA at site 0 cannot be kept together by"),
        ([GCWindow(0.41, 0.44)], 10, "a GC share of 41 to 44 % cannot be kept by a sequence of 10 letters"),
        ([Keep("AAAA"), MaxRun(3)], 10, "the pattern AAAA at site 0 and runs of at most 3"),
        ([Require("ACG"), Require("TTT")], 5, "the required motif ACG and the required motif TTT cannot"),
        ([Length(5)], 6, "a length of 5 cannot be kept by a sequence of 6 letters"),
        ([Length(7, 9)], 6, "a length of 7 to 9 needs 7 letters"),
        ([Avoid("N")], 6, "the forbidden motif N cannot be kept"),
    ],
)
def test_contradictions_are_named_before_sampling(constraints: list, length: int, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        compile_constraints(constraints, length)


def test_overlapping_motifs_share_letters_where_they_must() -> None:
    rules = compile_constraints([Require("ACG"), Require("CGT")], 4)
    assert math.exp(rules.log_count()) == pytest.approx(1)
    assert rules.sample(np.full((3, 4, 4), 0.25)).tolist() == [[0, 1, 2, 3]] * 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Require("ACX"), "'ACX' has 'X' at position 3"),
        (lambda: Require(""), "at least one letter"),
        (lambda: Keep("A", -1), "starts at site -1"),
        (lambda: GCWindow(0.6, 0.4), "0 <= low <= high <= 1, got 0.6 to 0.4"),
        (lambda: GCWindow(40, 60), "got 40 to 60"),
        (lambda: MaxRun(0), "at least 1 letter"),
        (lambda: Length(0), "1 <= low"),
    ],
)
def test_constraints_that_make_no_sense_are_refused(make, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        make()


def test_rows_whose_known_letters_contradict_are_named() -> None:
    rules = compile_constraints([Avoid("GAATTC")], 6)
    probs = np.full((3, 6, 4), 0.25)
    probs[1] = np.eye(4)[[2, 0, 0, 3, 3, 1]]
    assert rules.log_prob(probs).tolist()[1] == -math.inf
    for ask in (rules.sample, rules.marginals):
        with pytest.raises(SequenceError, match="row 1: what is known of it leaves no sequence of 6 letters"):
            ask(probs)
    with pytest.raises(SequenceError, match="row 0"):
        compile_constraints([Keep("C")], 6).sample(np.eye(4)[np.zeros((1, 6), int)])
    with pytest.raises(TypeError, match="Avoid"):
        compile_constraints(["GAATTC"], 6)  # type: ignore[list-item]


LOGITS = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))


def independent(xt: torch.Tensor, t: torch.Tensor, cond: object = None) -> torch.Tensor:
    return LOGITS.expand(len(xt), 7, 4)


PARTS = [Require("CAT"), Avoid("GA"), MaxRun(2), GCWindow(0.2, 0.6)]


@pytest.mark.parametrize("process", [Discrete.absorbing(4), Discrete.uniform(4)], ids=["absorbing", "uniform"])
@pytest.mark.parametrize("steps", [1, 3])
def test_joint_draws_keep_constraints_at_any_number_of_steps(process: Discrete, steps: int) -> None:
    rules = compile_constraints(PARTS, 7)
    guided = JointDraw(process, independent, rules, seed=1)
    rng = torch.Generator().manual_seed(0)
    drawn = Diffusion(process, guided).sample((300, 7), Ancestral(steps), rng=rng)
    assert all(keeps("".join("ACGT"[code] for code in row), part) for row in drawn.tolist() for part in PARTS)


def test_one_site_a_call_from_conditioned_marginals_is_the_enumerated_law() -> None:
    process, rules = Discrete.absorbing(4), compile_constraints(PARTS, 7)
    law = enumerate_law(rules, PARTS, LOGITS.softmax(-1).double().numpy())
    total, n = sum(law.values()), 4000
    rng = torch.Generator().manual_seed(0)
    laws = {
        "marginals": (ConditionedMarginals(process, independent, rules), FirstHitting()),
        "joint": (JointDraw(process, independent, rules, seed=2), Ancestral(4)),
    }
    for guided, sampler in laws.values():
        drawn = Diffusion(process, guided).sample((n, 7), sampler, rng=rng)
        rows, counts = np.unique(drawn.numpy(), axis=0, return_counts=True)
        seen = {tuple(row): int(k) for row, k in zip(rows.tolist(), counts, strict=True)}
        assert set(seen) <= set(law)
        distance = 0.5 * sum(abs(seen.get(row, 0) / n - weight / total) for row, weight in law.items())
        # the expected distance of n exact draws, and what it varies
        floor = sum(math.sqrt(w / total * (1 - w / total) / n / (2 * math.pi)) for w in law.values())
        assert distance < 1.15 * floor + 0.01


def test_wrappers_refuse_what_they_cannot_condition() -> None:
    rules = compile_constraints([], 7)
    with pytest.raises(RequirementError, match="class logits"):
        JointDraw(Gaussian(), independent, rules)
    with pytest.raises(RequirementError, match="4 or 5 classes"):
        JointDraw(Discrete.absorbing(7), independent, rules)
