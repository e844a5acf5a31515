"""Part `tours`: TSP-20 and TSP-50 beside nearest neighbour, local search and exact solvers where they are installed.

Training labels are made by iterated local search, kept in the folder of the cells, and their cost is stated. Test
sets: 1,000 random TSP-20 with the best of our longest search and of LKH (`elkai`) where it is installed as optimum; the
640 TSP-50 instances with optimal tours of T2TCO.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.processes import GeneralizedPlackettLuce, Move, PrefixPlackettLuce
from intarsia.training import Settings
from intarsia_domains.permutations._arranger import Arranger, shorten
from intarsia_domains.permutations._arranger_chain import Beam, Greedy
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
LABELS = {20: (50_000, 12), 50: (20_000, 20)}
"""Training instances, and kicks of the search that labels them."""
HEADS: dict[str, Any] = {"pointer": PrefixPlackettLuce(), "published-loss": Move(GeneralizedPlackettLuce())}
RIVALS = ("nearest-neighbour", "two-opt", "local-search", "iterated-search", "ortools", "elkai")
DECODERS = {
    "greedy": Greedy(),
    "greedy, 8 views": Greedy(starts=8),
    "beam 16": Beam(16, 4),
    "beam 16, 8 views": Beam(16, 4, starts=8),
    "beam 128, 8 views": Beam(128, 8, starts=8),
}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """Labels first, then models and rivals."""
    first = [Cell(PART, case, "labels") for case in CASES]
    return [first, [Cell(PART, case, name) for case in CASES for name in (*HEADS, *RIVALS)]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """The labels, a model, or a rival."""
    n, folder = CASES[cell.case], Path(options.cells)
    if cell.system == "labels":
        return make_labels(n, folder, options.data)
    points, optimum = test_set(n, folder, options.data)
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


def fit(head: str, n: int, folder: Path, budget: float) -> Arranger:
    """A model of the training labels, kept beside the cells."""
    saved = np.load(folder / f"tours-train-{n}.npz")
    model = Arranger(
        PointEncoder(),
        shape=Tour(),
        head=HEADS[head],
        width=128,
        depth=4,
        heads=8,
        cpu_minutes=budget / 60,
        settings=Settings(batch_size=128, learning_rate=1e-3, warmup=100, evaluations=20, patience=0),
        progress=False,
    )
    model.fit(saved["points"], saved["tours"])
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
            improved = shorten(points, tours)
            results[f"{key}, local search"] = measured(improved, time.process_time() - start)
    return {"greedy": results.get("greedy", results.get("greedy, all steps")), **results}


def make_labels(n: int, folder: Path, data: Path) -> dict[str, Any]:
    """Random instances and short tours through them, and how far the tours are from the best known."""
    rows, kicks = LABELS[n]
    rng, start = torch.Generator().manual_seed(n), time.process_time()
    points = torch.rand((rows, n, 2), dtype=torch.float64, generator=rng)
    tours = torch.cat([searched_tours(distance_matrix(part), kicks, rng) for part in points.split(1024)])
    seconds = time.process_time() - start
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"tours-train-{n}.npz").open("wb") as file:
        np.savez(file, points=points.numpy(), tours=tours.numpy())
    cities, optimum = test_set(n, folder, data)
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
        tours = searched_tours(distance, 100, rng)
        if importlib.util.find_spec("elkai") is not None:
            exact = torch.from_numpy(_elkai(points.numpy(), distance))
            shorter = tour_lengths(distance, exact) < tour_lengths(distance, tours)
            tours = torch.where(shorter[:, None], exact, tours)
        with path.open("wb") as file:
            np.savez(file, points=points.numpy(), tours=tours.numpy())
    saved = np.load(path)
    return saved["points"], saved["tours"]


def _integers(distance: Tensor) -> NDArray[np.int64]:
    return (distance * 1e5).round().long().numpy()


def _elkai(points: NDArray[np.float64], distance: Tensor) -> NDArray[np.int64]:
    """LKH; academic use only, so never a dependency."""
    import elkai

    found = [elkai.DistanceMatrix(matrix.tolist()).solve_tsp(runs=1)[:-1] for matrix in _integers(distance)]
    return np.array(found)


def _ortools(points: NDArray[np.float64], distance: Tensor) -> NDArray[np.int64]:
    """The routing library: cheapest arc, then guided local search for a quarter of a second an instance."""
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
        search.time_limit.FromMilliseconds(250)
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
        mine = [x for x in done if x["part"] == PART and x["case"] == case and "error" not in x]
        if not mine:
            continue
        lines += ["", f"### {case}", ""]
        for x in (x for x in mine if x["system"] == "labels"):
            cost = f"labelled in {x['train_cpu_s'] / 60:.1f} CPU minutes, gap {x['gap']:.3f} %"
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
