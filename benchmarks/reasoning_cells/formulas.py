"""Part `sat`: the published 3-SAT tests and SATLIB's, by complete engines and by networks trained here."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from intarsia.training import Budget, threads
from intarsia_domains.reasoning import Curriculum, Ladder, ReasoningModel, Teacher, fit_denoiser, solve_all
from intarsia_domains.reasoning._clause import Clause
from intarsia_domains.reasoning._denoiser import parameters_of
from intarsia_domains.reasoning._evaluation import propagated
from intarsia_domains.reasoning._learning import Unsolved
from intarsia_domains.reasoning._lessons import Examples, Mix
from intarsia_domains.reasoning._noises import AbstractNoise, Flips, Masks
from intarsia_domains.reasoning._problem import Problem
from intarsia_domains.reasoning._random_formulas import Formulas, count_models, random_formulas
from intarsia_domains.reasoning._stack import stack
from intarsia_domains.reasoning._weights import build_network
from parts import Cell
from reasoning_cells import peers
from reasoning_cells.data import FORMULAS, formulas, published_counts
from reasoning_cells.models import climb_formulas, within

PART = "sat"
FLOORS = ("propagation", "guesses")
OURS = ("hybrid", "exact")
NOISES: dict[str, AbstractNoise] = {"absorbing": Masks(), "xor": Flips()}
LEARNED = {"3sat5": (5, None), "3sat7": (7, None), "3sat9": (9, None), "uf20": (20, 91)}
"""Variables and clauses of the formulas that are learned from; None is the threshold, as in the tests."""
LESSONS = 30_000
HELD_OUT = 512
WIDTH, HIDDEN = 64, 128


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """Every list with every system; networks first for the lists that they are trained for."""
    systems = (*OURS, *peers.installed(list(peers.FORMULAS)))
    found = [Cell(PART, case, system) for case in FORMULAS for system in systems]
    found += [Cell(PART, case, system) for case in LEARNED for system in (*FLOORS, *NOISES)]
    return [found]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """One system on one list."""
    problems = formulas(cell.case, options)
    if cell.system in FLOORS:
        return _floor(cell, problems, options)
    if cell.system in NOISES:
        with threads(1):  # for so small a network a second thread waits more than it helps
            return _network(cell, problems, options)
    wall, cpu = time.perf_counter(), time.process_time()
    if cell.system in peers.FORMULAS:
        known = peers.FORMULAS[cell.system](problems)
        found: dict[str, Any] = {"sat": sum(known), "unsat": len(known) - sum(known), "unknown": 0}
    else:
        mode: Any = cell.system
        answers = solve_all(problems, mode=mode)
        status = [str(answer.status) for answer in answers]
        found = {word.lower(): status.count(word) for word in ("SAT", "UNSAT", "UNKNOWN")}
        found["unique"] = sum(answer.unique is True for answer in answers)
        found["nodes"] = float(np.mean([answer.nodes or 0 for answer in answers]))
    cost = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    found |= {"formulas": len(problems), **cost, "per_s": len(problems) / max(cost["wall_s"], 1e-9)}
    return found | {"brief": f"{found['sat']:,} SAT, {found['unsat']:,} UNSAT, {found['per_s']:,.0f}/s"}


def _floor(cell: Cell, problems: list[Problem], options: argparse.Namespace) -> dict[str, Any]:
    """What propagation solves, or what one guess and as many as the network has passes do."""
    if cell.system == "propagation":
        share = propagated(problems)
        return {"formulas": len(problems), "within": {"0": share}, "brief": f"{share:.1f} %"}
    size = len(problems[0])
    counts = published_counts(options) if cell.case == "uf20" else [models(p) for p in problems]
    chance = np.array(counts) / 2.0**size
    looks = {str(k): 100.0 * float((1 - (1 - chance) ** (k + 1)).mean()) for k in (0, options.restarts)}
    return {"formulas": len(problems), "within": looks, "brief": f"{looks['0']:.2f} %"}


def models(problem: Problem) -> int:
    """How many there are, by trying all assignments."""
    clauses = np.array([c.literals for c in problem.constraints if isinstance(c, Clause)])
    return int(count_models(clauses[None], len(problem))[0])


def _network(cell: Cell, problems: list[Problem], options: argparse.Namespace) -> dict[str, Any]:
    size, clauses = LEARNED[cell.case]
    start = time.process_time()
    few = max(4, options.lessons if options.lessons else LESSONS)
    made = random_formulas(few + HELD_OUT, size, clauses, seed=1)
    lessons_s, start = time.process_time() - start, time.process_time()
    model, training = fit(made, NOISES[cell.system], options.budget)
    model.save(Path(options.cells) / f"{PART}--{cell.case}-{cell.system}")
    wall, cpu = time.perf_counter(), time.process_time()
    ladder = Ladder(restarts=options.restarts, mends=0)
    answers, counted = climb_formulas(model, problems, ladder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    valid = [answer.valid for answer in answers]
    shares = within(counted.passes(), valid, options.restarts)
    return {
        "formulas": len(problems),
        "within": shares,
        "abstained": len(valid) - sum(valid),
        "calls": counted.calls() / len(problems),
        "parameters": parameters_of(model.network_),
        "lessons": few,
        "lessons_cpu_s": lessons_s,
        "training": training,
        "wall_s": wall,
        "cpu_s": cpu,
        "per_s": len(problems) / max(wall, 1e-9),
        "brief": f"{shares['0']:.1f} % in one pass, {shares[str(options.restarts)]:.1f} % with restarts",
    }


def fit(made: Formulas, noise: AbstractNoise, budget: float) -> tuple[ReasoningModel, dict[str, Any]]:
    """A network of fresh formulas, of which the last are set aside to choose weights."""
    first = Formulas(made.clauses[:1], made.states[:1]).problems()[0]
    graph, base = stack([first])
    examples, network = made.examples(), build_network({"width": WIDTH, "hidden": HIDDEN})
    split = len(made) - HELD_OUT
    train, held = (examples.take(np.arange(*rows)) for rows in ((0, split), (split, len(made))))
    mix = Mix(more=0.3, most=max(1, len(first) // 4), free=0.0, narrowed=0.0)
    teacher = Teacher(graph, base[0], {"random": (train, 1.0)}, mix, noise=noise)
    unsolved = Unsolved(graph, base[0], _few(held), noise)
    trained, book = fit_denoiser(
        network, teacher, Budget(cpu_minutes=budget / 60), unsolved, curriculum=Curriculum(batch=64, iterations=4)
    )
    model = ReasoningModel.of(network, first, {"steps": trained.steps, "problems": split}, noise=noise)
    return model, {"steps": trained.steps, "seconds": trained.seconds, "seen": book.seen, "held_out": trained.best_loss}


def _few(examples: Examples) -> Examples:
    return examples.take(np.arange(min(HELD_OUT, len(examples))))
