"""`intarsia tour`: a short tour through the cities of a TSPLIB file, by a fitted arranger."""

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from intarsia_domains.permutations._arranger import Arranger
from intarsia_domains.permutations._arranger_chain import Beam
from intarsia_domains.permutations._arranger_shapes import Tour
from intarsia_domains.permutations._tours import local_search, tour_lengths
from intarsia_domains.permutations._tsplib import TspInstance, read_tsplib, write_tour

STARTS = 8
"""Looks at the cities: as they are, and mirrored or turned."""


def tour(
    path: Annotated[str, typer.Argument(metavar="MODEL", help="A saved arranger of tours.")],
    source: Annotated[str, typer.Argument(metavar="FILE.tsp", help="Cities with coordinates; - is standard input.")],
    out: Annotated[str | None, typer.Option(metavar="FILE.tour", help="Write the tour as a TSPLIB file.")] = None,
    picture: Annotated[str | None, typer.Option(metavar="FILE.html", help="Write a page with the tour.")] = None,
    width: Annotated[int, typer.Option(min=1, metavar="W", help="Width of the beam; 1 is greedy.")] = 16,
    local: Annotated[bool, typer.Option("--local/--no-local", help="Improve by 2-opt and Or-opt.")] = True,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="The same seed gives the same tour.")] = 0,
) -> None:
    """Find a short closed tour through all cities of a TSPLIB file."""
    start = time.monotonic()
    model, instance = Arranger.load(path), read_tsplib(source)
    tours = find_tours(model, instance, width=width, local=local, seed=seed)
    lengths = {name: instance.length(stops) for name, stops in tours.items()}
    best = list(tours)[-1]
    words = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
    typer.echo(f"{instance.name}: {instance.n} cities, length {words} ({time.monotonic() - start:.1f} s)", err=True)
    if picture is not None:
        _picture(instance, tours, lengths, picture)
    if out is not None:
        write_tour(tours[best], Path(out), instance.name, lengths[best])
        return
    typer.echo(" ".join(map(str, tours[best] + 1)))


def find_tours(
    model: Arranger, instance: TspInstance, *, width: int, local: bool, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Tours by how they were found, the best last.

    Raises:
        TypeError: the model does not make tours.
        ValueError: the file has no coordinates, or two cities in one place.
    """
    if not isinstance(model.shape, Tour):
        raise TypeError(f"this model makes orders of kind {model.shape}; `tour` needs an arranger with shape=Tour()")
    if instance.points is None:
        raise ValueError(f"{instance.name} has distances but no coordinates, which the model reads")
    distance = torch.from_numpy(np.asarray(instance.distances.matrix(), dtype=np.float64))[None]
    points = unit(instance.points)[None]

    def lengths(_: Any, orders: NDArray[np.int64]) -> NDArray[np.float64]:
        return tour_lengths(distance, torch.from_numpy(orders)).numpy()

    decoder = Beam(width, min(4, width), starts=STARTS)
    found = model.arrange(points, decode=decoder, objective=lengths, seed=seed)
    tours = {"model": found[0]}
    if local:
        tours["with local search"] = local_search(distance, torch.from_numpy(found))[0].numpy()
    return tours


def unit(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 2) in the unit square, so that float32 tells large coordinates apart."""
    low = points.min(0)
    return (points - low) / max(float((points.max(0) - low).max()), 1e-300)


def _picture(instance: TspInstance, tours: dict[str, NDArray[np.int64]], lengths: dict[str, int], picture: str) -> None:
    from intarsia.report import Report
    from intarsia_domains.permutations._figures_plane import tour_figure

    assert instance.points is not None
    figure = tour_figure(instance.points, tours, {name: float(x) for name, x in lengths.items()})
    Report(title=f"Tour of {instance.name}", figures=[figure], provenance={"Cities": f"{instance.n}"}).save(picture)
