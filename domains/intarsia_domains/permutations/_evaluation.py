"""How good are synthetic rankings? Every answer beside what real ballots and trivial models score."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from intarsia._version import __version__
from intarsia.report import Metric, Report, Table
from intarsia_domains.permutations._consensus import borda, pairwise_matrix, rank_matrix
from intarsia_domains.permutations._figures import pairwise_figure, rank_figure
from intarsia_domains.permutations._metrics import kendall_tau
from intarsia_domains.permutations._rankings import Rankings

if TYPE_CHECKING:
    from intarsia_domains.permutations._ranking_model import RankingModel

HOLDOUT, UNIFORM, SYNTHETIC = "real holdout", "uniform", "synthetic"


def evaluate_rankings(
    train: Rankings,
    holdout: Rankings,
    synthetic: Rankings,
    *,
    model: "RankingModel | None" = None,
    seed: int = 0,
) -> Report:
    """Score synthetic rankings, and beside them held-out ballots and uniform rankings on the same tests.

    Distances are against the training ballots: of ranks (which share has each item at each rank), of pairs (who is
    before whom) and of first choices, as mean absolute differences. With the `model` there are nats of held-out
    ballots, beside those of the uniform law.

    Args:
        train: ballots that the model was fitted on.
        holdout: ballots of the same law that it never saw.
        synthetic: generated rankings, best as many as `train` has.
        model: what made them, where it is known.
        seed: of the uniform rankings.

    Raises:
        ValueError: the three are over different items, or one of them is empty.
    """
    for part in (train, holdout, synthetic):
        part.at_least_one("a report")
    if not train.items == holdout.items == synthetic.items:
        raise ValueError(f"training, held-out and synthetic rankings must be over the same items, got {train.items}")
    noise = np.argsort(np.random.default_rng(seed).random((synthetic.ballots, train.n)), axis=1)
    others = {HOLDOUT: holdout, UNIFORM: Rankings(train.items, noise)}
    tests = {
        "Ranks": (_rank_shares, "mean difference of the share of ballots with an item at a rank"),
        "Pairs": (_pair_shares, "mean difference of the share of ballots with one item before another"),
        "First choices": (_first_shares, "total variation of who is first"),
    }
    metrics: list[Metric] = []
    for name, (shares, note) in tests.items():
        real = shares(train)
        floors = {other: _distance(real, shares(part)) for other, part in others.items()}
        value = _distance(real, shares(synthetic))
        metrics.append(
            Metric(name=name, value=value, floors=floors, better="lower", unit="%", note=note, headline=True)
        )
    if model is not None:
        metrics.insert(0, _likelihood(model, train, holdout))
    parts = {"training": train, SYNTHETIC: synthetic}
    return Report(
        title="Synthetic rankings report",
        metrics=metrics,
        tables=[_consensus_table(train, holdout, synthetic)],
        figures=[rank_figure(parts), pairwise_figure(parts)],
        provenance={
            "Ballots": f"{train.ballots:,} training, {holdout.ballots:,} held out, {synthetic.ballots:,} synthetic",
            "Items": f"{train.n}",
            "Software": f"intarsia {__version__}",
        },
    )


def _likelihood(model: "RankingModel", train: Rankings, holdout: Rankings) -> Metric:
    """Nats of held-out ballots; the best that can be expected is about what training ballots have."""
    score = {name: float(-(model.score_samples(x) @ x.counts) / x.ballots) for name, x in _both(train, holdout).items()}
    told = holdout.lengths
    uniform = gammaln(holdout.n + 1) - gammaln(holdout.n - told + 1)
    spread = float(np.sqrt(np.cov(model.score_samples(holdout), fweights=holdout.counts) / holdout.ballots))
    return Metric(
        name="Held-out nats",
        value=score["holdout"],
        floors={"training ballots": score["train"], UNIFORM: float(uniform @ holdout.counts) / holdout.ballots},
        better="lower",
        unit="nats",
        note=f"mean -log p of {holdout.ballots:,} held-out ballots, partial ones by the event that they tell",
        tolerance=spread if np.isfinite(spread) else 0.0,
        headline=True,
    )


def _both(train: Rankings, holdout: Rankings) -> dict[str, Rankings]:
    return {"train": train, "holdout": holdout}


def _rank_shares(rankings: Rankings) -> NDArray[np.float64]:
    return 100 * rank_matrix(rankings) / rankings.ballots


def _pair_shares(rankings: Rankings) -> NDArray[np.float64]:
    wins = pairwise_matrix(rankings)
    told = wins + wins.T
    return np.where(told > 0, 100 * wins / np.maximum(told, 1), 50.0)[~np.eye(len(wins), dtype=bool)]


def _first_shares(rankings: Rankings) -> NDArray[np.float64]:
    first = np.bincount(rankings.orders[:, 0], rankings.counts, rankings.n)
    return 100 * first / rankings.ballots * rankings.n / 2  # so that the mean difference is the total variation


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.abs(a - b).mean())


def _consensus_table(train: Rankings, holdout: Rankings, synthetic: Rankings) -> Table:
    orders = {name: borda(part) for name, part in {"training": train, HOLDOUT: holdout, SYNTHETIC: synthetic}.items()}
    real = orders["training"].order
    rows = [
        [name, " > ".join(order.items[:8]), float(kendall_tau(order.order[None], real[None])[0])]
        for name, order in orders.items()
    ]
    return Table(
        title="Consensus by Borda scores", columns=["ballots", "order", "Kendall's tau to training"], rows=rows
    )
