"""Tables that come with statsmodels, which plotnine brings along."""

from typing import TYPE_CHECKING

from intarsia_datasets._card import Card
from intarsia_datasets._packaged import packaged_file

if TYPE_CHECKING:
    import pandas as pd

FAIR = Card(
    name="fair",
    rows=6_366,
    columns=9,
    task="regression",
    target="affairs",
    origin="A survey of Redbook, in R. Fair, A Theory of Extramarital Affairs, 1978; read from statsmodels",
    licence="included in statsmodels with permission of the author",
    note="Numbers that are codes of ordered answers; two thirds of `affairs` are 0.",
)
RANDHIE = Card(
    name="randhie",
    rows=20_190,
    columns=10,
    task="regression",
    target="mdvis",
    origin="RAND Health Insurance Experiment, as in Cameron and Trivedi 2005; read from statsmodels",
    licence="public domain",
    note="Counts with many zeros, indicators, logarithms of few distinct values; 11,065 rows repeat an earlier one.",
)


def fair() -> "pd.DataFrame":
    """Answers of 6,366 married women on marriage and affairs. See the card."""
    return _read("fair")


def randhie() -> "pd.DataFrame":
    """Doctor visits and insurance plans of 20,190 person-years. See the card."""
    return _read("randhie")


def _read(dataset: str) -> "pd.DataFrame":
    import pandas as pd

    path = packaged_file("statsmodels", f"datasets/{dataset}/{dataset}.csv", dataset=dataset, install="intarsia[demo]")
    return pd.read_csv(path)
