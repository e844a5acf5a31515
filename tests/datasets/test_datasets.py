"""The tables are what their cards say, and are read without importing what ships them."""

import subprocess
import sys

import pytest

import intarsia_datasets
from intarsia_datasets import Card, MissingDatasetError, card, diamonds, list_datasets, load

SHIPPED = [entry for entry in list_datasets() if entry.name != "california_housing"]


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_cards_tell_the_truth(entry: Card) -> None:
    pytest.importorskip(next((x for x in ("plotnine", "logomaker") if x in entry.origin), "sklearn"))
    frame = load(entry.name)
    assert frame.shape == (entry.rows, entry.columns)
    assert entry.target in frame
    assert frame.equals(getattr(intarsia_datasets, entry.name)())
    assert card(entry.name) == entry


def test_diamonds_have_ordered_categories_and_the_notes_hold() -> None:
    pytest.importorskip("plotnine")
    frame = diamonds()
    assert frame["cut"].cat.ordered
    assert list(frame["clarity"].cat.categories[[0, -1]]) == ["I1", "IF"]
    assert frame.isna().sum().sum() == 0
    assert frame.duplicated().sum() == 146
    assert (frame[["x", "y", "z"]] == 0).any(axis=1).sum() == 20


def test_rankings_are_permutations_or_stop_early() -> None:
    ballots = load("lunch_ballots")
    ranked = ballots.notna().to_numpy()
    assert (ranked[:, :-1] | ~ranked[:, 1:]).all()
    assert all(row.dropna().is_unique for _, row in ballots.iterrows())
    assert (ranked.all(axis=1).sum(), ranked[:, 4].sum()) == (850, 850)  # who ranks five dishes ranks the last one
    assert ballots["rank 1"].value_counts().to_dict() == {
        "Curry": 470, "Dumplings": 343, "Salad": 332, "Tacos": 301, "Soup": 281, "Lasagne": 273,
    }  # fmt: skip


def test_texas_cities_are_ranked_by_price() -> None:
    pytest.importorskip("plotnine")
    cities = load("texas_cities")
    assert (cities.nunique(axis=1) == 10).all()
    prices = load("txhousing").pivot_table(index=["year", "month"], columns="city", values="median")
    first = [prices.iloc[0][name] for name in cities.iloc[0]]
    assert first == sorted(first, reverse=True)
    assert ((prices[sorted(set(cities.iloc[0]))].nunique(axis=1) < 10).sum()) == 6


def test_names_are_sorted_and_unknown_ones_refused() -> None:
    names = [entry.name for entry in list_datasets()]
    assert names == sorted(set(names))
    with pytest.raises(ValueError, match="there are breast_cancer"):
        load("adult")
    with pytest.raises(ValueError, match="never downloaded"):
        load("wine", download=True)


def test_nothing_is_downloaded_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(MissingDatasetError, match="download=True"):
        load("california_housing")


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intarsia_datasets._packaged.find_spec", lambda _: None)
    with pytest.raises(MissingDatasetError, match=r"`plotnine`.*pip install 'intarsia\[demo\]'"):
        diamonds()


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, intarsia_datasets as d\n"
        "assert 'pandas' not in sys.modules\n"
        "d.load('wine'), d.load('diamonds'), d.load('fair')\n"
        "assert not {'plotnine', 'statsmodels', 'sklearn', 'torch', 'intarsia'} & set(sys.modules)\n"
    )
    pytest.importorskip("plotnine")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
