"""How much several draws of an order differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Spread:
    """Uncertainty of orders, from draws.

    Attributes:
        places: how often each item stood at each place, (rows, items, places), shares.
        entropy: of the place of each item, in nats, (rows, items); 0 where it never moved.
        tau: mean Kendall's tau between pairs of draws, (rows,); 1 where all draws agree, about 0 for noise.
    """

    places: NDArray[np.float64]
    entropy: NDArray[np.float64]
    tau: NDArray[np.float64]


def spread(draws: NDArray[np.int64]) -> Spread:
    """Compare draws (rows, k, n) of orders, k of at least 2 for each set."""
    _, k, n = draws.shape
    place = draws.argsort(2)
    share = (place[..., None] == np.arange(n)).mean(1)
    entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(2)
    if n < 2:
        return Spread(share, entropy, np.ones(len(draws)))
    # share of draws with a before b; two different draws agree on a pair with probability (p² + q² - 1/k) / (1 - 1/k)
    first = (place[:, :, :, None] < place[:, :, None]).mean(1)
    agree = (first**2 + (1 - first) ** 2 - 1 / k) / (1 - 1 / k)
    upper = np.triu_indices(n, 1)
    return Spread(share, entropy, 2 * agree[:, upper[0], upper[1]].mean(1) - 1)
