"""`intarsia tour`: a short tour through the cities of a TSPLIB file, by a fitted arranger.

Nothing heavy is imported before it runs, and nothing that computes before the cities are read.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from intarsia_domains.permutations._arranger import Arranger
    from intarsia_domains.permutations._tsplib import TspInstance

    Stops = NDArray[np.int64]
    Points = NDArray[np.float64]

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
    from intarsia_domains.permutations._tsplib import read_tsplib, write_tour

    start = time.monotonic()
    instance = read_tsplib(source)
    if instance.points is None:
        raise ValueError(f"{instance.name} has distances but no coordinates, which the model reads")

    from intarsia_domains.permutations._arranger import Arranger

    tours = find_tours(Arranger.load(path), instance, instance.points, width=width, local=local, seed=seed)
    lengths = {name: instance.length(stops) for name, stops in tours.items()}
    best = list(tours)[-1]
    words = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
    typer.echo(f"{instance.name}: {instance.n} cities, length {words} ({time.monotonic() - start:.1f} s)", err=True)
    if picture is not None:
        _picture(instance, instance.points, tours, lengths, picture)
    if out is not None:
        write_tour(tours[best], Path(out), instance.name, lengths[best])
        return
    typer.echo(" ".join(map(str, tours[best] + 1)))


def find_tours(
    model: "Arranger", instance: "TspInstance", points: "Points", *, width: int, local: bool, seed: int
) -> "dict[str, Stops]":
    """Tours by how they were found, the best last.

    Raises:
        TypeError: the model does not make tours.
        ValueError: two cities are in one place.
    """
    import numpy as np
    import torch

    from intarsia_domains.permutations._arranger_chain import Beam
    from intarsia_domains.permutations._arranger_shapes import Tour
    from intarsia_domains.permutations._tours import local_search, tour_lengths

    if not isinstance(model.shape, Tour):
        raise TypeError(f"this model makes orders of kind {model.shape}; `tour` needs an arranger with shape=Tour()")
    distance = torch.from_numpy(np.asarray(instance.distances.matrix(), dtype=np.float64))[None]

    def lengths(_: Any, orders: "Stops") -> "Points":
        return tour_lengths(distance, torch.from_numpy(orders)).numpy()

    decoder = Beam(width, min(4, width), starts=STARTS)
    found = model.arrange(unit(points)[None], decode=decoder, objective=lengths, seed=seed)
    tours = {"model": found[0]}
    if local:
        tours["with local search"] = local_search(distance, torch.from_numpy(found))[0].numpy()
    return tours


def unit(points: "Points") -> "Points":
    """Points (n, 2) in the unit square, so that float32 tells large coordinates apart."""
    low = points.min(0)
    return (points - low) / max(float((points.max(0) - low).max()), 1e-300)


def _picture(
    instance: "TspInstance", points: "Points", tours: "dict[str, Stops]", lengths: dict[str, int], picture: str
) -> None:
    from intarsia.report import Report
    from intarsia_domains.permutations._figures_plane import tour_figure

    figure = tour_figure(points, tours, {name: float(x) for name, x in lengths.items()})
    Report(title=f"Tour of {instance.name}", figures=[figure], provenance={"Cities": f"{instance.n}"}).save(picture)
