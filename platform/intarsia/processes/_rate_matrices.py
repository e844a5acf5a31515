"""Rate matrices over classes: those of D3PM, their pace, and what makes a matrix one."""

from typing import cast

import torch
from torch import Tensor

from intarsia.spaces import Categorical


def checked(rates: Tensor) -> Tensor:
    """A float64 copy of a rate matrix, with diagonals that make its rows sum to 0 exactly.

    Raises:
        ValueError: it is not square, a rate is negative or not finite, a row does not sum to 0, or some classes
            never meet.
    """
    if rates.ndim != 2 or rates.shape[0] != rates.shape[1] or not len(rates):
        raise ValueError(f"`matrix` must be a square matrix (classes, classes), got shape {tuple(rates.shape)}")
    rates = rates.detach().cpu().double().clone()
    off = rates.clone()
    off.fill_diagonal_(0.0)
    wrong = (~rates.isfinite() | (off < 0)).flatten().nonzero()
    if len(wrong):
        row, column = divmod(int(wrong[0]), len(rates))
        raise ValueError(
            f"row {row} of `matrix` holds {float(rates[row, column])} for class {column}; "
            "rates between classes must be finite and not negative"
        )
    total = off.sum(1)
    error = (rates.sum(1)).abs() > 1e-6 * total.clamp(min=1e-300)
    if bool(error.any()):
        row = int(error.nonzero()[0])
        raise ValueError(
            f"row {row} of `matrix` sums to {float(rates[row].sum()):.6g}, not to 0; "
            f"its diagonal must be {-float(total[row]):.6g}, minus the sum of the others"
        )
    rates.diagonal().copy_(-total)
    _check_one_law(rates)
    return rates


def _reach(rates: Tensor) -> tuple[Tensor, Tensor]:
    """Which classes noise can lead to from each, (classes, classes), and which it can never leave for good."""
    reach = ((rates > 0) | torch.eye(len(rates), dtype=torch.bool)).double()
    for _ in range(len(rates).bit_length()):
        reach = ((reach @ reach) > 0).double()
    return reach, (reach <= reach.T).all(1)


def transient(rates: Tensor) -> Tensor:
    """Classes that the stationary law gives no mass, as bools."""
    return ~_reach(rates)[1]


def _check_one_law(rates: Tensor) -> None:
    """Refuse noise that cannot forget where it started: groups of classes that no path leaves, more than one."""
    reach, recurrent = _reach(rates)
    first = int(recurrent.nonzero()[0])
    apart = (recurrent & (reach[first] == 0)).nonzero()
    if len(apart):
        raise ValueError(
            f"noise from class {first} and from class {int(apart[0])} never meets, so no prior could forget the data. "
            "Give more neighbours, or a small rate between the groups of classes."
        )


def paced(rates: Tensor) -> Tensor:
    """The matrix times the number that makes its slowest mode decay at rate 1, so that it survives as alpha(t)."""
    rates = checked(rates)
    if len(rates) == 1:
        return rates
    modes = cast(Tensor, torch.linalg.eigvals(rates))  # pyright: ignore[reportUnknownMemberType]
    gap = -float(modes.real.sort().values[-2])
    return checked(rates / gap)


def gaussian(num_classes: int, width: float) -> Tensor:
    """Rates exp(-(i - j)² / (2 width²)) between ordered classes, unpaced; see `Structured.gaussian`."""
    Categorical(num_classes)
    if not width > 0:
        raise ValueError(f"`width` must be positive, got {width}")
    classes = torch.arange(num_classes, dtype=torch.float64)
    squared = (classes[:, None] - classes).square()
    # relative to the rate between neighbours, so that a small width does not vanish
    return _with_diagonal((-(squared - 1.0) / (2.0 * width**2)).exp())


def nearest(embeddings: Tensor, neighbours: int) -> Tensor:
    """Rates (G + Gᵀ)/(2k) with G the k nearest neighbours of each class, unpaced; see `Structured.nearest`."""
    if embeddings.ndim != 2 or not bool(embeddings.isfinite().all()):
        raise ValueError(f"`embeddings` must be finite numbers (classes, features), got {tuple(embeddings.shape)}")
    count = len(embeddings)
    if not 1 <= neighbours < count:
        raise ValueError(
            f"`neighbours` must lie between 1 and {count - 1}, one less than the classes, got {neighbours}"
        )
    points = embeddings.detach().cpu().double()
    distance = torch.stack([(points - point).square().sum(1) for point in points])
    distance.fill_diagonal_(torch.inf)
    chosen = distance.argsort(dim=1, stable=True)[:, :neighbours]
    graph = torch.zeros_like(distance).scatter(1, chosen, 1.0)
    return _with_diagonal((graph + graph.T) / (2.0 * neighbours))


def _with_diagonal(rates: Tensor) -> Tensor:
    rates.fill_diagonal_(0.0)
    rates.diagonal().copy_(-rates.sum(1))
    return rates
