"""Tables on the command line, below the commands: types of further tables, and conditions typed as text."""

import decimal
import io
from pathlib import Path

import pandas as pd
import pytest

from intarsia_domains.tabular import TableError, TabularSynthesizer, read_table

COMMAND = TabularSynthesizer.command()


def quiet(_: str) -> None:
    pass


def fitted(frame: pd.DataFrame, **options: object) -> TabularSynthesizer:
    return TabularSynthesizer(steps=1, progress=False, **options).fit(frame)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model() -> TabularSynthesizer:
    dates = pd.date_range("2020-01-01", periods=60)
    frame = pd.DataFrame(
        {
            "zip": ["00501", "12", "1.50"] * 20,
            "n": range(60),
            "x": [i / 4 for i in range(60)],
            "price": [decimal.Decimal(i).scaleb(-2) for i in range(60)],
            "flag": pd.array([True, False, None] * 20, dtype="boolean"),
            "when": dates.tz_localize("Europe/Berlin"),
            "took": pd.to_timedelta(range(60), unit="min"),
            "level": pd.Categorical(["lo", "hi", "lo"] * 20, categories=["lo", "hi"], ordered=True),
            "size": [1.0, 2.0, 3.0] * 20,
            7: ["a", "b", "a"] * 20,
        }
    )
    return fitted(frame, kinds={"size": "category"})


def test_texts_become_values_of_their_columns(model: TabularSynthesizer) -> None:
    texts = {"zip": "1.50", "n": "7", "x": "2.5", "price": "0.05", "flag": "", "level": "hi", "size": "2", "7": "b"}
    given = COMMAND.parse_given(model, {**texts, "when": "2020-01-05", "took": "0:05:00"}, quiet)
    assert given["zip"] == "1.50"
    assert given["size"] == 2.0
    assert given["price"] == decimal.Decimal("0.05")
    assert given["flag"] is None
    drawn = model.sample(2, given=given)
    assert drawn[7].tolist() == ["b", "b"]
    assert drawn["n"].tolist() == [7, 7]
    assert drawn["flag"].isna().all()
    assert drawn["when"].dt.strftime("%Y-%m-%d %z").tolist() == 2 * ["2020-01-05 +0100"]
    assert drawn["took"].dt.total_seconds().tolist() == [300, 300]


@pytest.mark.parametrize("text", ["TRUE", "true", "True"])
def test_truth_values_in_any_case(model: TabularSynthesizer, text: str) -> None:
    assert COMMAND.parse_given(model, {"flag": text}, quiet) == {"flag": True}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Zip", "12", "did you mean 'zip'"),
        ("zip", "501", "'00501'"),
        ("n", "1e3", "whole numbers"),
        ("x", "inf", "numbers"),
        ("price", "cheap", "numbers"),
        ("when", "NaT", "times"),
        ("took", "long", "durations"),
        ("level", "mid", "'lo'"),
    ],
)
def test_texts_that_are_no_values(model: TabularSynthesizer, name: str, text: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        COMMAND.parse_given(model, {name: text}, quiet)


def test_hidden_rare_values_can_be_given_and_are_said() -> None:
    values = [f"v{i}" for i in range(60)] * 2 + ["Rare"]
    told: list[str] = []
    given = COMMAND.parse_given(fitted(pd.DataFrame({"v": values})), {"v": "Rare"}, told.append)
    assert given == {"v": "Rare"}
    assert "rare values" in told[0]


def test_further_tables_get_the_types_of_the_model(model: TabularSynthesizer, tmp_path: Path) -> None:
    text = "7,size,level,took,when,flag,price,x,n,zip\na,2,lo,,2020-01-05T00:00:00+01:00,True,0.05,1,3,12\n"
    (tmp_path / "t.csv").write_text(text)
    frame = COMMAND.read(str(tmp_path / "t.csv"), like=model, say=quiet)
    assert frame.columns.tolist() == [7, "size", "level", "took", "when", "flag", "price", "x", "n", "zip"]
    assert frame.loc[0, "zip"] == "12"
    assert frame.loc[0, "price"] == decimal.Decimal("0.05")
    assert len(model.score_samples(frame)) == 1


@pytest.mark.parametrize(("column", "cells"), [("n", "many"), ("when", "12"), ("x", "2020-01-01"), ("flag", "perhaps")])
def test_columns_of_another_kind_are_refused(
    model: TabularSynthesizer, tmp_path: Path, column: str, cells: str
) -> None:
    (tmp_path / "t.csv").write_text(f"{column},zip\n{cells},12\n")
    with pytest.raises(TableError, match=f"column '{column}' has"):
        COMMAND.read(str(tmp_path / "t.csv"), like=model, say=quiet)


def test_a_table_can_be_the_model_of_another(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code,n\n007,1\n12,2\n")
    (tmp_path / "b.csv").write_text("code,n\n12,\n13,\n")
    first = COMMAND.read(str(tmp_path / "a.csv"), say=quiet)
    second = COMMAND.read(str(tmp_path / "b.csv"), like=first, say=quiet)
    assert second["code"].tolist() == ["12", "13"]


def test_text_columns_of_the_reader() -> None:
    frame = read_table(io.StringIO("a,b\n1.50,1.50\n"), text={"a"})
    assert frame.loc[0].tolist() == ["1.50", 1.5]


def test_completions_are_numbered_and_a_taken_name_is_refused() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    assert COMMAND.stack([frame, frame])["draw"].tolist() == [1, 1, 2, 2]
    with pytest.raises(TableError, match="'draw'"):
        COMMAND.stack([frame.assign(draw=0)] * 2)


def test_split_is_a_partition() -> None:
    frame = pd.DataFrame({"a": range(100)})
    train, holdout = COMMAND.split(frame, 0.1, seed=3)
    assert (len(train), len(holdout)) == (90, 10)
    assert sorted([*train["a"], *holdout["a"]]) == list(range(100))
    assert train.equals(COMMAND.split(frame, 0.1, seed=3)[0])
