"""Rankings: one made of a table that comes with plotnine, and one that is generated."""

from typing import TYPE_CHECKING

from intarsia_datasets._card import Card
from intarsia_datasets._plotnine import txhousing

if TYPE_CHECKING:
    import pandas as pd

LUNCH_BALLOTS = Card(
    name="lunch_ballots",
    rows=2_000,
    columns=6,
    task="ranking",
    target="rank 1",
    origin="Generated: ballots over six dishes by two kinds of guests, see `lunch_ballots`",
    licence="CC0-1.0",
    note="Column k is the dish at rank k, None from where the guest stopped; 850 of the ballots rank all six. Choices "
    "depend on the dish before, so no mixture of Plackett-Luce laws is exact.",
)
TEXAS_CITIES = Card(
    name="texas_cities",
    rows=187,
    columns=10,
    task="ranking",
    target="rank 1",
    origin="Ten Texas markets ranked by median house price, monthly from 2000 to 2015, TAMU Real Estate Center; made "
    "of `txhousing` as read from plotnine",
    licence="MIT, as ggplot2 and plotnine",
    note="Column k is the market at rank k, dearest first. Rows are months in order, so neighbours are alike; equal "
    "prices, in 6 months, stand in the order of the alphabet.",
)

_DISHES = ("Curry", "Dumplings", "Lasagne", "Salad", "Soup", "Tacos")
_TASTES = ((1.2, 0.6, 0.0, -0.9, -0.6, 0.8), (-1.0, 0.0, 0.5, 1.1, 0.9, -0.8))  # scores of the two kinds of guests
_HEARTY, _LIGHT = (0, 2, 5), (3, 4)


def lunch_ballots() -> "pd.DataFrame":
    """2,000 ballots over six dishes; most stop before the last rank. See the card.

    A guest is of the first kind with probability 0.6 and chooses dish after dish with probability proportional to
    exp(score), where a hearty dish loses 1.5 right after a hearty one, and a light dish gains 0.8. After each rank but
    the last two he stops with probability 0.2.
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(20)
    scores = np.where(rng.random((2_000, 1)) < 0.6, *(np.array([taste]) for taste in _TASTES))
    hearty, light = np.isin(np.arange(6), _HEARTY), np.isin(np.arange(6), _LIGHT)
    after, left = np.zeros_like(scores), np.ones_like(scores)
    orders = np.empty(scores.shape, dtype=np.int64)
    for rank in range(6):
        chance = np.cumsum(np.exp(scores + after) * left, axis=1)
        orders[:, rank] = (rng.random((2_000, 1)) * chance[:, -1:] >= chance).sum(1)
        left[np.arange(2_000), orders[:, rank]] = 0
        after = np.where(hearty[orders[:, rank], None], 0.8 * light - 1.5 * hearty, 0.0)
    goes_on = np.cumprod(rng.random((2_000, 4)) >= 0.2, axis=1, dtype=bool)
    names = np.array(_DISHES, dtype=object)[orders]
    names[:, 1:][~goes_on[:, [0, 1, 2, 3, 3]]] = None
    return pd.DataFrame(names, columns=pd.Index([f"rank {k}" for k in range(1, 7)]))


def texas_cities() -> "pd.DataFrame":
    """187 monthly rankings of ten Texas markets by median house price. See the card."""
    import numpy as np
    import pandas as pd

    frame = txhousing()
    prices = frame.pivot_table(index=["year", "month"], columns="city", values="median")
    prices = prices.loc[:, prices.notna().all()]
    sold = frame.groupby("city")["volume"].sum()[prices.columns]
    prices = prices[sorted(sold.nlargest(10).index)]
    orders = np.argsort(-prices.to_numpy(), axis=1, kind="stable")
    names = prices.columns.to_numpy(dtype=object)[orders]
    return pd.DataFrame(names, columns=pd.Index([f"rank {k}" for k in range(1, 11)]))
