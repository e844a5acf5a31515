"""Classical laws of rankings with one protocol: fit on ballots, log-probability of orders in nats.

Each is `fit(rankings)` and then `log_prob(orders)`, (rows,), of item numbers (rows, n), best first. An order that ends
in -1 is a top-k ballot, whose probability is that of the event "these come first, in this order". `Uniform`,
`Histogram`, `PlackettLuce`, `PlackettLuceMixture` and `StaticGeneralized` have it in closed form or by enumeration;
`Mallows` takes complete orders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import gammaln, log_softmax, logsumexp, softmax

from intarsia_domains.permutations import Rankings
from intarsia_domains.permutations._consensus import kemeny
from intarsia_domains.permutations._metrics import kendall_distance

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Law(Protocol):
    """What the benchmark asks of every system."""

    parameters: int

    def fit(self, rankings: Rankings) -> Self: ...

    def log_prob(self, orders: Integers) -> Floats: ...


def nats(law: Law, rankings: Rankings) -> float:
    """Mean negative log-probability of the ballots."""
    return float(-(law.log_prob(rankings.orders) @ rankings.counts) / rankings.ballots)


@dataclass
class Uniform:
    """All orders alike."""

    parameters: int = 0

    def fit(self, rankings: Rankings) -> Self:
        return self

    def log_prob(self, orders: Integers) -> Floats:
        n, length = orders.shape[1], (orders >= 0).sum(1)
        return gammaln(n - length + 1) - gammaln(n + 1)


@dataclass
class Histogram:
    """Relative frequencies of complete orders, each counted `pseudocount` times more; for at most 6 items."""

    pseudocount: float = 0.5
    parameters: int = 0
    _law: Floats = field(default_factory=lambda: np.zeros(0), repr=False)

    def fit(self, rankings: Rankings) -> Self:
        if rankings.n > 6:
            raise ValueError(f"a histogram has n! cells; at most 6 items, got {rankings.n}")
        full = rankings.completed().complete_rows()
        cells = np.bincount(_codes(full.orders), full.counts, rankings.n**rankings.n)
        self._states = np.array(list(permutations(range(rankings.n))))
        counts = cells[_codes(self._states)] + self.pseudocount
        self._law = counts / counts.sum()
        self.parameters = len(counts) - 1
        return self

    def log_prob(self, orders: Integers) -> Floats:
        agree = ((orders[:, None] == self._states) | (orders[:, None] < 0)).all(2)
        with np.errstate(divide="ignore"):
            return np.log(agree @ self._law)


@dataclass
class Mallows:
    """p(x) = exp(-theta d(x, centre)) / Z with Kendall's distance; centre by Kemeny, theta by maximum likelihood.

    Z = Π_j (1 - e^{-j theta}) / (1 - e^{-theta}) (Mallows 1957; Fligner and Verducci 1986).
    """

    parameters: int = 1

    def fit(self, rankings: Rankings) -> Self:
        full = rankings.completed().complete_rows()
        best = kemeny(full)
        self.centre, mean = best.order, best.disagreements / full.ballots
        self.theta = float(
            minimize_scalar(
                lambda theta: theta * mean + mallows_log_normalizer(theta, rankings.n),
                bounds=(1e-9, 50.0),
                method="bounded",
                options={"xatol": 1e-12},
            ).x
        )
        return self

    def log_prob(self, orders: Integers) -> Floats:
        distance = kendall_distance(orders, self.centre[None])
        return -self.theta * distance - mallows_log_normalizer(self.theta, orders.shape[1])


def mallows_log_normalizer(theta: float, n: int) -> float:
    """log Z of Mallows' law with Kendall's distance."""
    j = np.arange(1, n + 1)
    return float((np.log(-np.expm1(-j * theta)) - np.log(-np.expm1(-theta))).sum())


@dataclass
class PlackettLuce:
    """p(x) = Π_i w[x_i] / Σ_{j ≥ i} w[x_j] by Hunter's MM updates (2004); exact on top-k ballots.

    A ridge of `ghost` ballots in which each pair of items meets once either way keeps the weights of items that always
    win or lose finite; 0 is plain maximum likelihood.
    """

    iterations: int = 2000
    tolerance: float = 1e-12
    ghost: float = 0.0
    parameters: int = 0

    def fit(self, rankings: Rankings) -> Self:
        self.scores = fit_plackett_luce(
            rankings.orders, rankings.counts.astype(float), self.iterations, self.tolerance, self.ghost
        )
        self.parameters = rankings.n - 1
        return self

    def log_prob(self, orders: Integers) -> Floats:
        return plackett_luce_log_prob(self.scores, orders)


@dataclass
class PlackettLuceMixture:
    """Σ_k share_k PL_k by EM with one MM update a step (Gormley and Murphy 2008); the best of several starts."""

    components: int
    iterations: int = 300
    starts: int = 4
    seed: int = 0
    ghost: float = 1e-3
    parameters: int = 0

    def fit(self, rankings: Rankings) -> Self:
        self.parameters = self.components * rankings.n - 1
        best = -np.inf
        for start in range(self.starts):
            rng = np.random.default_rng([self.seed, start])
            shares, scores = self._climb(rankings, rng)
            level = rankings.counts @ _mixture_log_prob(shares, scores, rankings.orders)
            if level > best:
                best, self.shares, self.scores = level, shares, scores
        return self

    def log_prob(self, orders: Integers) -> Floats:
        return _mixture_log_prob(self.shares, self.scores, orders)

    def _climb(self, rankings: Rankings, rng: np.random.Generator) -> tuple[Floats, Floats]:
        data, counts = _Stages.of(rankings.orders), rankings.counts.astype(float)
        shares = np.full(self.components, 1 / self.components)
        scores = rng.normal(size=(self.components, rankings.n))
        for _ in range(self.iterations):
            joint = data.log_prob(scores) + np.log(shares)[:, None]
            weight = softmax(joint, axis=0) * counts
            shares = np.maximum(weight.sum(1) / counts.sum(), 1e-12)
            scores = data.step(scores, weight, self.ghost)
        return shares / shares.sum(), scores


@dataclass
class StaticGeneralized:
    """Generalised Plackett-Luce with one score a rank and item for all ballots, by L-BFGS.

    The ridge `penalty` / 2 times the squared scores stands beside the summed log-likelihood. Ranks after the last of a
    top-k ballot do not count, which is exact.
    """

    penalty: float = 1e-2
    iterations: int = 5000
    parameters: int = 0

    def fit(self, rankings: Rankings) -> Self:
        n, data, counts = rankings.n, _Stages.of(rankings.orders), rankings.counts.astype(float)

        def objective(flat: Floats) -> tuple[float, Floats]:
            scores = flat.reshape(n, n)
            value, slope = data.generalized(scores, counts)
            return -value + self.penalty / 2 * float(flat @ flat), (self.penalty * scores - slope).ravel()

        options = {"maxiter": self.iterations, "maxfun": 2 * self.iterations, "ftol": 1e-14, "gtol": 1e-6}
        found = minimize(objective, np.zeros(n * n), jac=True, method="L-BFGS-B", options=options)
        self.scores = found.x.reshape(n, n)
        self.parameters = (n - 1) ** 2
        return self

    def log_prob(self, orders: Integers) -> Floats:
        return _Stages.of(orders).generalized_log_prob(self.scores)


def plackett_luce_log_prob(scores: Floats, orders: Integers) -> Floats:
    """log p of orders (rows, n) that may end in -1, (rows,), by scores (n,)."""
    return _Stages.of(orders).log_prob(scores[None])[0]


def fit_plackett_luce(
    orders: Integers, counts: Floats, iterations: int = 2000, tolerance: float = 1e-12, ghost: float = 0.0
) -> Floats:
    """Scores (n,) of mean 0 of the maximum likelihood, by MM."""
    data = _Stages.of(orders)
    scores = np.zeros((1, orders.shape[1]))
    for _ in range(iterations):
        new = data.step(scores, counts[None], ghost)
        moved, scores = float(np.abs(new - scores).max()), new
        if moved < tolerance:
            break
    return scores[0]


def _mixture_log_prob(shares: Floats, scores: Floats, orders: Integers) -> Floats:
    return logsumexp(_Stages.of(orders).log_prob(scores) + np.log(shares)[:, None], axis=0)


@dataclass(frozen=True)
class _Stages:
    """Ballots with the unranked items, in any order, behind the ranked ones: every row is a whole permutation.

    Attributes:
        x: item numbers, (rows, n).
        chosen: whether the rank is a choice that the ballot made, (rows, n); the last item of a complete one is none.
    """

    x: Integers
    chosen: NDArray[np.bool_]

    @classmethod
    def of(cls, orders: Integers) -> _Stages:
        rows, n = orders.shape
        place = np.full((rows, n + 1), n)
        np.put_along_axis(place, orders % (n + 1), np.arange(n)[None], 1)
        x = np.argsort(place[:, :-1], axis=1, kind="stable")
        return cls(x, orders >= 0)

    def log_prob(self, scores: Floats) -> Floats:
        """Plackett-Luce, (components, rows), of scores (components, n)."""
        s = scores[:, self.x]
        top = s.max(2, keepdims=True)
        left = np.log(np.cumsum(np.exp(s - top)[:, :, ::-1], 2)[:, :, ::-1]) + top
        return ((s - left) * self.chosen).sum(2)

    def step(self, scores: Floats, counts: Floats, ghost: float) -> Floats:
        """One MM update of scores (components, n) with counts (components, rows), to mean 0 (Hunter 2004, eq. 23)."""
        n = scores.shape[1]
        w = np.exp(scores - scores.max(1, keepdims=True))
        left = np.cumsum(w[:, self.x][:, :, ::-1], 2)[:, :, ::-1]
        share = np.cumsum(self.chosen / left, 2)  # an item takes part in every choice up to its own
        wins = _scattered(self.x, counts[:, :, None] * self.chosen, n)
        parts = _scattered(self.x, counts[:, :, None] * share, n)
        if ghost:
            wins = wins + ghost * (n - 1)
            pairs = 2 * ghost / (w[:, :, None] + w[:, None, :])
            parts = parts + pairs.sum(2) - pairs.diagonal(axis1=1, axis2=2)
        with np.errstate(divide="ignore"):
            new = np.log(wins) - np.log(parts)
        new = np.maximum(new, new.max(1, keepdims=True) - 60)  # an item that never wins has weight 0
        return new - new.mean(1, keepdims=True)

    def generalized_log_prob(self, scores: Floats) -> Floats:
        """Generalised Plackett-Luce, (rows,), of scores (ranks, items)."""
        laws = self._generalized(scores)
        return (laws.diagonal(axis1=1, axis2=2) * self.chosen).sum(1)

    def generalized(self, scores: Floats, counts: Floats) -> tuple[float, Floats]:
        """Summed log-likelihood and its slope in the scores."""
        n, laws = len(scores), self._generalized(scores)
        value = (laws.diagonal(axis1=1, axis2=2) * self.chosen).sum(1) @ counts
        weight = counts[:, None, None] * self.chosen[:, :, None]
        change = (np.eye(n) - np.exp(laws)) * weight  # (rows, ranks, places)
        cell = np.arange(n)[None, :, None] * n + self.x[:, None, :]
        return float(value), np.bincount(cell.ravel(), change.ravel(), n * n).reshape(n, n)

    def _generalized(self, scores: Floats) -> Floats:
        """Log-law of the item at each place that is still there, at each rank: (rows, ranks, places)."""
        n = len(scores)
        s = np.where(np.tri(n, k=-1, dtype=bool), -np.inf, scores[:, self.x].swapaxes(0, 1))
        return log_softmax(s, axis=2)


def _scattered(x: Integers, weights: Floats, n: int) -> Floats:
    """Sums of weights (components, rows, n) by the item numbers x (rows, n), (components, n)."""
    size = len(weights)
    place = np.arange(size)[:, None, None] * n + x
    return np.bincount(place.ravel(), weights.ravel(), size * n).reshape(size, n)


def _codes(orders: Integers) -> Integers:
    """A number for every row of n items, below n^n."""
    n = orders.shape[1]
    return orders @ n ** np.arange(n)


def entropy(rankings: Rankings) -> float:
    """Of the ballots as they are, in nats: no law has less on them."""
    share = rankings.merge().counts / rankings.ballots
    return float(-(share @ np.log(share)))


def classical(n: int) -> dict[str, Law]:
    """The baselines of the benchmark by name, unfitted."""
    systems: dict[str, Law] = {"uniform": Uniform(), "Mallows": Mallows(), "Plackett-Luce": PlackettLuce(ghost=1e-3)}
    systems |= {f"mixture of {k} PL": PlackettLuceMixture(k) for k in (2, 3, 4, 6)}
    systems["static GPL"] = StaticGeneralized()
    return systems | ({"histogram": Histogram()} if n <= 6 else {})
