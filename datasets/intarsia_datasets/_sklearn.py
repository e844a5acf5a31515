"""Tables that come with scikit-learn, and one that it downloads when asked to."""

from typing import TYPE_CHECKING, Any, cast

from intarsia_datasets._card import Card
from intarsia_datasets._packaged import MissingDatasetError, packaged_file

if TYPE_CHECKING:
    import pandas as pd

WINE = Card(
    name="wine",
    rows=178,
    columns=14,
    task="classification",
    target="cultivar",
    origin="Chemical analysis of wines of three cultivars, Forina et al. 1988, UCI; read from scikit-learn",
    licence="CC BY 4.0 (UCI); the copy is part of scikit-learn, BSD-3-Clause",
    note="Thirteen numbers and a class.",
)
BREAST_CANCER = Card(
    name="breast_cancer",
    rows=569,
    columns=31,
    task="classification",
    target="diagnosis",
    origin="Breast Cancer Wisconsin (Diagnostic), Street, Wolberg and Mangasarian 1993, UCI; read from scikit-learn",
    licence="CC BY 4.0 (UCI); the copy is part of scikit-learn, BSD-3-Clause",
    note="Thirty correlated numbers and a class.",
)
CALIFORNIA_HOUSING = Card(
    name="california_housing",
    rows=20_640,
    columns=9,
    task="regression",
    target="MedHouseVal",
    origin="Houses of the 1990 census, Pace and Barry 1997, StatLib; fetched and hashed by scikit-learn",
    licence="public (StatLib)",
    note="All numbers, strongly correlated, with caps at 5.00001 and 52. Needs download=True the first time.",
)

_WINE_COLUMNS = (
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280_od315",
    "proline",
)
_CELL_FEATURES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
)


def wine() -> "pd.DataFrame":
    """Chemical analyses of 178 wines of three cultivars. See the card."""
    return _read("wine_data.csv", "wine", [*_WINE_COLUMNS, "cultivar"])


def breast_cancer() -> "pd.DataFrame":
    """Measurements of cell nuclei of 569 tumors, malignant or benign. See the card."""
    columns = [f"{which}_{feature}" for which in ("mean", "error", "worst") for feature in _CELL_FEATURES]
    return _read("breast_cancer.csv", "breast_cancer", [*columns, "diagnosis"])


def california_housing(*, download: bool = False) -> "pd.DataFrame":
    """House values in 20,640 Californian blocks, 1990. See the card.

    Args:
        download: let scikit-learn fetch the table where its cache does not hold it yet; it verifies the SHA-256.

    Raises:
        MissingDatasetError: it is not in the cache and `download` is false.
    """
    try:
        from sklearn.datasets import fetch_california_housing
    except ModuleNotFoundError as error:
        raise MissingDatasetError(
            "the data set 'california_housing' needs `sklearn`, which is not installed. "
            "Run: pip install 'intarsia[tabular]'"
        ) from error
    try:
        bunch = cast(Any, fetch_california_housing(as_frame=True, download_if_missing=download))
    except OSError as error:
        if download:
            raise
        raise MissingDatasetError(
            "the data set 'california_housing' is not on this machine yet; "
            "download it once with load('california_housing', download=True)"
        ) from error
    return bunch.frame


def _read(file: str, dataset: str, columns: list[str]) -> "pd.DataFrame":
    """Rows of numbers and a class number, below a header that counts them and names the classes."""
    import pandas as pd

    path = packaged_file("sklearn", f"datasets/data/{file}", dataset=dataset, install="intarsia[tabular]")
    with path.open(encoding="utf-8") as lines:
        labels = lines.readline().strip().split(",")[2:]
        frame = pd.read_csv(lines, header=None, names=columns)
    target = columns[-1]
    frame[target] = pd.Categorical.from_codes(frame[target].tolist(), categories=pd.Index(labels))
    return frame
