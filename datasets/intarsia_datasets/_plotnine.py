"""Tables that come with plotnine."""

from typing import TYPE_CHECKING

from intarsia_datasets._card import Card
from intarsia_datasets._packaged import packaged_file

if TYPE_CHECKING:
    import pandas as pd

DIAMONDS = Card(
    name="diamonds",
    rows=53_940,
    columns=10,
    task="regression",
    target="price",
    origin="Prices and attributes of round cut diamonds, collected for ggplot2; read from plotnine",
    licence="MIT, as ggplot2 and plotnine",
    note="Three ordered categories and seven numbers; 146 repeated rows; x, y or z is 0 in 20 rows.",
)
PENGUINS = Card(
    name="penguins",
    rows=344,
    columns=8,
    task="classification",
    target="species",
    origin="Penguins of the Palmer Archipelago, Horst, Hill and Gorman 2020; read from plotnine",
    licence="CC0-1.0, as palmerpenguins",
    note="Small, mixed, with 19 missing cells.",
)
TXHOUSING = Card(
    name="txhousing",
    rows=8_602,
    columns=9,
    task="regression",
    target="median",
    origin="Monthly housing sales in 46 Texas cities from 2000 to 2015, TAMU Real Estate Center; read from plotnine",
    licence="MIT, as ggplot2 and plotnine",
    note="Missing cells in five columns; `date` is a year with a fraction and follows from `year` and `month`.",
)


def diamonds() -> "pd.DataFrame":
    """Prices of 53,940 diamonds: three ordered categories and seven numbers. See the card."""
    import pandas as pd

    frame = _read("diamonds.csv", "diamonds")
    levels = {
        "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
        "color": ["D", "E", "F", "G", "H", "I", "J"],
        "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
    }
    return frame.astype({name: pd.CategoricalDtype(order, ordered=True) for name, order in levels.items()})


def penguins() -> "pd.DataFrame":
    """Sizes of 344 penguins of three species, with missing cells. See the card."""
    return _read("penguins.csv", "penguins")


def txhousing() -> "pd.DataFrame":
    """Housing sales in Texas by city and month, with missing cells. See the card."""
    return _read("txhousing.csv", "txhousing")


def _read(file: str, dataset: str) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(packaged_file("plotnine", f"data/{file}", dataset=dataset, install="intarsia[demo]"))
