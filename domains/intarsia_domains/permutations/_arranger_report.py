"""How good the orders of an arranger are, beside trivial ones."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from intarsia.report import Metric, Report
from intarsia_domains.permutations._metrics import correct_share, exact_share, kendall_tau
from intarsia_domains.permutations._tours import distance_matrix, local_search, nearest_neighbour, tour_lengths

if TYPE_CHECKING:
    from intarsia_domains.permutations._arranger import Arranger
    from intarsia_domains.permutations._arranger_chain import AbstractDecoder


def report(arranger: "Arranger", train: Any, holdout: Any, decode: "str | AbstractDecoder", seed: int) -> Report:
    """Orders of held-out sets against their labels; the floors are the same on training sets, and chance.

    Args:
        arranger: fitted.
        train: (items, orders) that it was fitted to.
        holdout: (items, orders) that it was not.
        decode: see `Arranger.arrange`.
        seed: of the noise.
    """
    found = {
        name: arranger.arrange(sets[0], decode=decode, seed=seed)
        for name, sets in (("training", train), ("held-out", holdout))
    }
    rows, n = found["held-out"].shape
    provenance = {"Sets": f"{len(found['training']):,} training, {rows:,} held-out, of {n} items", "Seed": str(seed)}
    if arranger.shape.pinned:
        return Report(title="Tours", metrics=_tours(found["held-out"], holdout), provenance=provenance)
    right = {"training": np.asarray(train[1]), "held-out": np.asarray(holdout[1])}
    chance = np.random.default_rng(seed).permuted(np.tile(np.arange(n), (rows, 1)), axis=1)
    metrics = [
        _metric("Exact", exact_share, found, right, chance, "share of sets in their right order"),
        _metric("Correct", correct_share, found, right, chance, "share of places with the right item"),
        _metric("Kendall's tau", _tau, found, right, chance, "mean over sets"),
    ]
    return Report(title="Orders", metrics=metrics, provenance=provenance)


def _tau(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    return float(kendall_tau(first, second).mean())


def _metric(
    name: str,
    score: Any,
    found: dict[str, NDArray[np.int64]],
    right: dict[str, NDArray[np.int64]],
    chance: NDArray[np.int64],
    note: str,
) -> Metric:
    percent = 1.0 if score is _tau else 100.0
    value = percent * score(found["held-out"], right["held-out"])
    floors = {
        "training sets": percent * score(found["training"], right["training"]),
        "random order": percent * score(chance, right["held-out"]),
    }
    error = percent * 2.0 / np.sqrt(len(chance))
    unit = "%" if percent > 1 else ""
    return Metric(name=name, value=value, floors=floors, better="higher", unit=unit, note=note, tolerance=error)


def _tours(found: NDArray[np.int64], holdout: Any) -> list[Metric]:
    """Gaps to the labels, in percent of mean lengths."""
    distance = distance_matrix(torch.from_numpy(np.asarray(holdout[0], dtype=np.float64)))
    near = nearest_neighbour(distance)
    label = tour_lengths(distance, torch.from_numpy(np.asarray(holdout[1], dtype=np.int64))).mean()

    def gap(tours: torch.Tensor) -> float:
        return float(100 * (tour_lengths(distance, tours).mean() / label - 1))

    floors = {
        "labels": 0.0,
        "nearest neighbour and local search": gap(local_search(distance, near)),
        "nearest neighbour": gap(near),
    }
    tours = torch.from_numpy(found)
    note = f"mean length over that of the labels, {len(found):,} sets"
    improved = local_search(distance, tours)
    return [
        Metric(name="Gap", value=gap(tours), floors=floors, better="lower", unit="%", note=note),
        Metric(name="Gap after local search", value=gap(improved), floors=floors, better="lower", unit="%", note=note),
    ]
