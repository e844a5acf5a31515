"""Part `tours`: TSP-20 and TSP-50 beside nearest neighbour, local search and exact solvers where they are installed.

Training labels are made by iterated local search, kept in the folder of the cells, and their cost is stated. Test
sets: 1,000 random TSP-20 with the best of our longest search and of LKH (`elkai`) where it is installed as optimum; the
640 TSP-50 instances with optimal tours of T2TCO.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine_cells.cell import Verdict, of_part
from engine_cells.plots import panels
from intarsia.processes import GeneralizedPlackettLuce, Move, PrefixPlackettLuce
from intarsia.training import Settings
from intarsia_domains.permutations._arranger import Arranger, shorten
from intarsia_domains.permutations._arranger_chain import Beam, Draw, Greedy
from intarsia_domains.permutations._arranger_shapes import Tour
from intarsia_domains.permutations._encoders import PointEncoder
from intarsia_domains.permutations._tours import (
    distance_matrix,
    local_search,
    nearest_neighbour,
    searched_tours,
    tour_lengths,
    two_opt,
)
from parts import Cell
from tabular_systems._results import table

PART = "tours"
CASES = {"tsp20": 20, "tsp50": 50}
LABELS = {20: (50_000, 30), 50: (12_000, 60)}
"""Training instances, and kicks of the search that labels them."""
SMALLER = {20: {20: 1.0}, 50: {50: 0.5, 20: 0.5}}
"""Sizes of the training sets of a model, and their shares of the steps: small tours teach the same at less cost."""
HEADS: dict[str, Any] = {"pointer": PrefixPlackettLuce(), "published-loss": Move(GeneralizedPlackettLuce())}
RIVALS = ("nearest-neighbour", "two-opt", "local-search", "iterated-search", "ortools", "elkai")
SEEN = 40
"""Most training instances for a CPU second of training: more would not be seen."""
LIBRARIES = ("ortools", "elkai")
ORTOOLS = 100
"""Solutions of OR-tools' guided local search."""
DECODERS = {
    "greedy": Greedy(),
    "greedy, 8 views": Greedy(starts=8),
    "best of 32 draws": Draw(32),
    "beam 16": Beam(16, 4),
    "beam 16, 8 views": Beam(16, 4, starts=8),
    "beam 128, 8 views": Beam(128, 8, starts=8),
}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """Labels first, then models and rivals."""
    first = [Cell(PART, case, "labels") for case in CASES]
    rivals = [x for x in RIVALS if x not in LIBRARIES or importlib.util.find_spec(x) is not None]
    return [first, [Cell(PART, case, name) for case in CASES for name in (*HEADS, *rivals)]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """The labels, a model, or a rival."""
    n, folder = CASES[cell.case], Path(options.cells)
    points, optimum = (x[: options.instances] for x in test_set(n, folder, options.data))
    if cell.system == "labels":
        return make_labels(n, folder, points, optimum, options.budget)
    distance = distance_matrix(torch.from_numpy(points))
    best = tour_lengths(distance, torch.from_numpy(optimum))

    def measured(tours: Any, seconds: float) -> dict[str, float]:
        length = tour_lengths(distance, torch.as_tensor(np.asarray(tours)))
        gap = 100 * (float(length.mean() / best.mean()) - 1)
        return {"length": float(length.mean()), "gap": gap, "cpu_ms": 1e3 * seconds / len(points)}

    if cell.system in RIVALS:
        start = time.process_time()
        tours = RIVAL[cell.system](points, distance)
        found = measured(tours, time.process_time() - start)
        return {"results": {cell.system: found}, "brief": f"done, gap {found['gap']:.2f} %"}
    model = fit(cell.system, n, folder, options.budget)
    results = decoded(model, points, measured)
    extra = {"training": model.training_, "all_steps": model.all_steps_, "results": results}
    return extra | {"brief": f"done, greedy {results['greedy']['gap']:.2f} %"}


class Labelled:
    """Batches of labelled tours of one size each, sizes drawn by their shares; the first call gives the largest."""

    def __init__(self, shares: dict[int, float], folder: Path) -> None:
        self.sizes, self.shares = list(shares), list(shares.values())
        files = {n: np.load(_labels(n, folder)) for n in self.sizes}
        self.sets = {n: (file["points"], file["tours"]) for n, file in files.items()}
        self.called = False

    def __call__(self, rows: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        n = int(rng.choice(self.sizes, p=self.shares)) if self.called else max(self.sizes)
        points, tours = self.sets[n]
        held = len(points) // 10  # measured on and never trained on
        own = slice(held, None) if self.called else slice(0, held)
        self.called = True
        chosen = rng.integers(len(points[own]), size=rows)
        return points[own][chosen], tours[own][chosen]


def _labels(n: int, folder: Path) -> Path:
    path = folder / f"tours-train-{n}.npz"
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing; run the cells {PART} --only system=labels first")
    return path


def fit(head: str, n: int, folder: Path, budget: float) -> Arranger:
    """A model of the training labels, kept beside the cells."""
    model = Arranger(
        PointEncoder(),
        shape=Tour(),
        head=HEADS[head],
        width=128,
        depth=4,
        heads=8,
        cpu_minutes=budget / 60,
        settings=Settings(batch_size=64, learning_rate=1e-3, warmup=100, evaluations=20, patience=0, ema=0.995),
        progress=False,
    )
    model.fit(Labelled(SMALLER[n], folder))
    model.save(folder / f"{PART}--{head}-{n}")
    return model


def decoded(model: Arranger, points: NDArray[np.float64], measured: Callable[..., Any]) -> dict[str, Any]:
    """Every decoder, and the same after local search."""
    results: dict[str, Any] = {}
    for name, decoder in DECODERS.items():
        for all_steps in (False, True):
            if model.head != HEADS["pointer"] and not all_steps:
                continue  # moves have no single step
            if all_steps and decoder.starts > 1 and isinstance(decoder, Beam) and decoder.width > 16:
                continue  # minutes of time for what one step does as well
            start = time.process_time()
            tours = model.arrange(points, decode=decoder, all_steps=all_steps)
            middle = time.process_time()
            key = name + (", all steps" if all_steps else "")
            results[key] = measured(tours, middle - start)
            results[f"{key}, 2-opt"] = measured(_two_opt(points, tours), time.process_time() - start)
            improved = shorten(points, tours)
            results[f"{key}, local search"] = measured(improved, time.process_time() - start)
    return {"greedy": results.get("greedy", results.get("greedy, all steps")), **results}


def _two_opt(points: NDArray[np.float64], tours: NDArray[np.int64]) -> NDArray[np.int64]:
    return local_search(distance_matrix(torch.from_numpy(points)), torch.from_numpy(tours), (two_opt,)).numpy()


def make_labels(
    n: int, folder: Path, cities: NDArray[np.float64], optimum: NDArray[np.int64], budget: float
) -> dict[str, Any]:
    """Random instances and short tours through them, and how far the same search is from the best known tours."""
    rows, kicks = LABELS[n]
    rows = min(rows, round(SEEN * budget))
    rng, start = torch.Generator().manual_seed(n), time.process_time()
    points = torch.rand((rows, n, 2), dtype=torch.float64, generator=rng)
    tours = torch.cat([searched_tours(distance_matrix(part), kicks, rng) for part in points.split(1024)])
    seconds = time.process_time() - start
    _save(folder / f"tours-train-{n}.npz", points, tours)
    distance = distance_matrix(torch.from_numpy(cities))
    again = searched_tours(distance, kicks, torch.Generator().manual_seed(0))
    best = tour_lengths(distance, torch.from_numpy(optimum)).mean()
    gap = 100 * (float(tour_lengths(distance, again).mean() / best) - 1)
    return {"rows": rows, "kicks": kicks, "train_cpu_s": seconds, "gap": gap, "brief": f"labels within {gap:.3f} %"}


def test_set(n: int, folder: Path, data: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Instances (rows, n, 2) and the best tours that are known."""
    if n == 50:
        lines = (Path(data) / "permutations" / "tsp50_concorde.txt").read_text().splitlines()
        parts = [line.split(" output ") for line in lines if line.strip()]
        points = np.array([np.array(p.split(), float).reshape(-1, 2) for p, _ in parts])
        return points, np.array([np.array(t.split(), int)[:-1] - 1 for _, t in parts])
    path = Path(folder) / f"tours-test-{n}.npz"
    if not path.exists():
        rng = torch.Generator().manual_seed(10_000 + n)
        points = torch.rand((1000, n, 2), dtype=torch.float64, generator=rng)
        distance = distance_matrix(points)
        exactly = importlib.util.find_spec("elkai") is not None
        tours = searched_tours(distance, 10 if exactly else 100, rng)
        if exactly:
            exact = torch.from_numpy(_elkai(points.numpy(), distance))
            shorter = tour_lengths(distance, exact) < tour_lengths(distance, tours)
            tours = torch.where(shorter[:, None], exact, tours)
        _save(path, points, tours)
    saved = np.load(path)
    return saved["points"], saved["tours"]


def _save(path: Path, points: Tensor, tours: Tensor) -> None:
    """Write instances and tours under a temporary name and move them into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with new.open("wb") as file:
        np.savez(file, points=points.numpy(), tours=tours.numpy())
    new.replace(path)


def _integers(distance: Tensor) -> NDArray[np.int64]:
    return (distance * 1e5).round().long().numpy()


def _elkai(points: NDArray[np.float64], distance: Tensor) -> NDArray[np.int64]:
    """LKH; academic use only, so never a dependency."""
    import elkai

    found = [elkai.DistanceMatrix(matrix.tolist()).solve_tsp(runs=1)[:-1] for matrix in _integers(distance)]
    return np.array(found)


def _ortools(points: NDArray[np.float64], distance: Tensor) -> NDArray[np.int64]:
    """The routing library: cheapest arc, then guided local search for so many solutions, so that load does not matter.

    A hundred take a quarter of a CPU second of TSP-50.
    """
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    found: list[list[int]] = []
    for matrix in _integers(distance):
        manager = pywrapcp.RoutingIndexManager(len(matrix), 1, 0)
        routing = pywrapcp.RoutingModel(manager)
        rows = matrix.tolist()
        routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(rows))
        search = pywrapcp.DefaultRoutingSearchParameters()
        search.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
        search.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        search.solution_limit = ORTOOLS
        search.time_limit.FromSeconds(60)
        solution = routing.SolveWithParameters(search)
        tour, here = [], routing.Start(0)
        while not routing.IsEnd(here):
            tour.append(manager.IndexToNode(here))
            here = solution.Value(routing.NextVar(here))
        found.append(tour)
    return np.array(found)


RIVAL: dict[str, Callable[[NDArray[np.float64], Tensor], Any]] = {
    "nearest-neighbour": lambda _, d: nearest_neighbour(d).numpy(),
    "two-opt": lambda _, d: local_search(d, nearest_neighbour(d), (two_opt,)).numpy(),
    "local-search": lambda _, d: local_search(d, nearest_neighbour(d)).numpy(),
    "iterated-search": lambda _, d: searched_tours(d, 100, torch.Generator().manual_seed(0)).numpy(),
    "ortools": _ortools,
    "elkai": _elkai,
}


def section(done: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown: gaps and times of models and rivals, and what the labels cost."""
    lines: list[str] = []
    for case in CASES:
        mine = [x for x in of_part(done, PART) if x["case"] == case]
        if not mine:
            continue
        lines += ["", f"### {case}", ""]
        for x in (x for x in mine if x["system"] == "labels"):
            cost = f"labelled in {x['train_cpu_s'] / 60:.1f} CPU minutes; the same search is {x['gap']:.3f} % too long"
            lines += [f"Training: {x['rows']:,} instances, {cost}.", ""]
        rows = [
            [x["system"], way, f"{r['length']:.4f}", f"{r['gap']:.3f}", f"{r['cpu_ms']:.2f}"]
            for x in mine
            if x["system"] != "labels"
            for way, r in x["results"].items()
        ]
        rows.sort(key=lambda row: float(row[3]))
        lines += table(["system", "decoding", "length", "gap, %", "CPU ms an instance"], rows) if rows else []
    return lines


def verdicts(done: Sequence[dict[str, Any]]) -> list[Verdict]:
    """What was asked for: of the network alone, and with 2-opt against nearest neighbour and 2-opt."""
    found: list[Verdict] = []
    for case, most in {"tsp20": 0.5, "tsp50": 1.0}.items():
        mine = [x for x in of_part(done, PART) if x["case"] == case]
        ways = {f"{x['system']}, {w}": r for x in mine if x["system"] in HEADS for w, r in x["results"].items()}
        alone = {w: r for w, r in ways.items() if "2-opt" not in w and "local search" not in w}
        found.append(_least(f"{case}: gap of at most {most:g} % without local search", alone, most))
        rival = next((x["results"]["two-opt"]["gap"] for x in mine if x["system"] == "two-opt"), None)
        with_opt = {w: r for w, r in ways.items() if w.endswith("2-opt")}
        words = "" if rival is None else f" ({rival:.2f} %)"
        found.append(_least(f"{case}: with 2-opt ahead of nearest neighbour and 2-opt{words}", with_opt, rival))
    return found


def _least(target: str, ways: dict[str, dict[str, float]], most: float | None) -> Verdict:
    if not ways or most is None:
        return Verdict(target, "–", None)
    best = min(ways, key=lambda way: ways[way]["gap"])
    return Verdict(target, f"{ways[best]['gap']:.3f} % ({best})", ways[best]["gap"] <= most)


def pictures(done: Sequence[dict[str, Any]], folder: Path) -> bool:
    """Mean length of greedy tours of held-out sets over the CPU minutes of training."""
    trained = [x for x in of_part(done, PART) if "training" in x]
    cases = [case for case in CASES if any(x["case"] == case for x in trained)]

    def draw(i: int, place: Any) -> None:
        for x in (x for x in trained if x["case"] == cases[i]):
            points = x["training"]["curve"]
            place.plot([p[2] / 60 for p in points], [-p[4] for p in points], label=x["system"], lw=1.2)
        place.set_xlabel("CPU minutes")
        place.set_ylabel("mean greedy length, held-out labels")
        place.legend()

    return panels(folder / "permutations_tours.svg", cases, draw)
