"""All data sets by name."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from intarsia_datasets import _orders, _plotnine, _sequences, _sklearn, _statsmodels
from intarsia_datasets._card import Card

if TYPE_CHECKING:
    import pandas as pd

_ALL: "tuple[tuple[Card, Callable[..., pd.DataFrame]], ...]" = (
    (_sklearn.BREAST_CANCER, _sklearn.breast_cancer),
    (_sklearn.CALIFORNIA_HOUSING, _sklearn.california_housing),
    (_sequences.CRP_SITES, _sequences.crp_sites),
    (_plotnine.DIAMONDS, _plotnine.diamonds),
    (_statsmodels.FAIR, _statsmodels.fair),
    (_sequences.HUMAN_5SS, _sequences.human_5ss),
    (_orders.LUNCH_BALLOTS, _orders.lunch_ballots),
    (_plotnine.PENGUINS, _plotnine.penguins),
    (_statsmodels.RANDHIE, _statsmodels.randhie),
    (_orders.TEXAS_CITIES, _orders.texas_cities),
    (_plotnine.TXHOUSING, _plotnine.txhousing),
    (_sklearn.WINE, _sklearn.wine),
)


def list_datasets() -> list[Card]:
    """The cards of all data sets, by name."""
    return [entry for entry, _ in _ALL]


def card(name: str) -> Card:
    """The card of a data set; raises ValueError for an unknown name."""
    return _entry(name)[0]


def load(name: str, *, download: bool = False) -> "pd.DataFrame":
    """Read a data set.

    Args:
        name: one of `list_datasets()`.
        download: fetch it where it is not on this machine; only for data sets whose card speaks of it.

    Raises:
        ValueError: there is no data set of that name, or it is never downloaded.
        MissingDatasetError: the package that ships it is not installed, or it has to be downloaded first.
    """
    loader = _entry(name)[1]
    if not download:
        return loader()
    if "download" not in inspect.signature(loader).parameters:
        raise ValueError(f"the data set {name!r} is never downloaded; leave out `download`")
    return loader(download=True)


def _entry(name: str) -> "tuple[Card, Callable[..., pd.DataFrame]]":
    for entry in _ALL:
        if entry[0].name == name:
            return entry
    raise ValueError(f"there is no data set {name!r}; there are {', '.join(entry.name for entry, _ in _ALL)}")
