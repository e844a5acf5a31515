"""The report on synthetic tables: floors, leaks, hard inputs, and agreement with SDMetrics."""

import json

import numpy as np
import pandas as pd
import pytest

from intarsia.metrics import shape_scores, trend_scores
from intarsia_domains.tabular._evaluation import evaluate_tables
from intarsia_domains.tabular._evaluation_tables import encode_tables, independent_columns

KINDS = {"age": "number", "income": "number", "job": "category", "since": "datetime", "buys": "category"}


def people(rows: int, seed: int) -> pd.DataFrame:
    """Dependent columns of every kind, with missing values."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows)
    job = np.where(age < 30, "student", np.where(rng.random(rows) < 0.7, "clerk", "cook")).astype(object)
    income = np.where(rng.random(rows) < 0.1, np.nan, age * 100 + rng.normal(0, 200, rows))
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(age * 10 + rng.integers(0, 9, rows), unit="D")
    job[rng.random(rows) < 0.05] = None
    buys = (age + rng.normal(0, 6, rows)) > 45
    return pd.DataFrame({"age": age, "income": income, "job": job, "since": since, "buys": buys})


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    return pd.DataFrame({name: rng.permutation(column.to_numpy()) for name, column in frame.items()})


@pytest.fixture(scope="module")
def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    return people(900, 0), people(800, 1)


@pytest.fixture(scope="module")
def good(frames):
    return evaluate_tables(*frames, people(900, 2), kinds=KINDS, target="buys")


def test_a_perfect_synthesizer_is_at_the_floor(good) -> None:
    for name in ("Shape error", "Trend error", "Mutual information error"):
        metric = good.metric(name)
        assert metric.value < 1.6 * metric.floors["real holdout"]
    assert good.metric("C2ST against train").value > 0.85
    assert good.metric("C2ST against holdout").value > 0.85
    utility = good.metric("Train on synthetic, AUC")
    assert utility.value == pytest.approx(utility.floors["real train"], abs=0.03)
    share = good.metric("Closest-record share")
    assert share.value == pytest.approx(50, abs=7)
    assert not share.alarm


def test_the_product_of_marginals_is_told_apart(good, frames) -> None:
    report = evaluate_tables(*frames, shuffled(frames[0]), kinds=KINDS, target="buys")
    assert report.metric("Shape error").value < 0.01
    assert report.metric("C2ST against train").value < 0.15
    assert report.metric("Mutual information error").value > 20
    assert report.metric("Train on synthetic, AUC").value < 0.75
    floors = good.metric("C2ST against train").floors
    assert floors["product of marginals"] < 0.15
    assert floors["real holdout"] > 0.85


def test_copies_of_training_rows_raise_the_alarm(frames) -> None:
    report = evaluate_tables(*frames, frames[0].sample(700, random_state=0), kinds=KINDS, target=None)
    share = report.metric("Closest-record share")
    assert share.alarm
    assert share.value > 90
    assert any(note.startswith("Leak:") for note in report.notes)
    assert report.metric("Exact copies of training rows").value == 100.0
    assert "no more copies" not in report.to_markdown()


def test_synthetic_rows_that_follow_the_holdout_are_called_out(frames) -> None:
    report = evaluate_tables(*frames, frames[1], kinds=KINDS, target=None)
    assert report.metric("Closest-record share").value < 5
    assert "was the holdout trained on" in report.metric("Closest-record share").verdict


def test_the_report_is_a_function_of_its_seed(good, frames) -> None:
    again = evaluate_tables(*frames, people(900, 2), kinds=KINDS, target="buys")
    other = evaluate_tables(*frames, people(900, 2), kinds=KINDS, target="buys", seed=1)
    assert again.to_json() == good.to_json()
    assert other.metric("C2ST against train").value != good.metric("C2ST against train").value


def test_numbers_are_regressed(frames) -> None:
    report = evaluate_tables(*frames, people(900, 2), kinds=KINDS, target="income")
    assert report.metric("Train on synthetic, R²").value > 0.9


def test_tables_and_figures_name_the_columns(good) -> None:
    figure = json.dumps(good.to_dict()["figures"])
    for table in good.tables[:3]:
        assert {cell for row in table.rows for cell in row if isinstance(cell, str)} >= set(KINDS)
    assert all(name in figure for name in KINDS)
    assert [len(figure.panels) for figure in good.figures] == [5, 3, 1]


def test_figures_are_what_plotly_takes(good) -> None:
    graphs = pytest.importorskip("plotly.graph_objects")
    for figure in good.figures:
        for panel in figure.panels:
            assert graphs.Figure(panel).data  # plotly refuses names and values that it does not know


def test_hostile_labels_do_no_harm(frames) -> None:
    evil = "<script>alert(1)</script>"
    renamed = [frame.rename(columns={"job": evil}).replace({evil: {"clerk": evil}}) for frame in frames]
    kinds = {evil if name == "job" else name: kind for name, kind in KINDS.items()}
    report = evaluate_tables(*renamed, renamed[0], kinds=kinds, target=evil)
    assert evil not in report.to_html()
    assert "&lt;script&gt;" in report.to_html()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="age"), "synthetic table.*missing 'age'"),
        (lambda f: f.assign(more=1), "synthetic table.*extra 'more'"),
        (lambda f: pd.concat([f, f[["age"]]], axis=1), "repeated 'age'"),
        (lambda f: f.iloc[:0], "has 0 rows"),
        (lambda f: f.iloc[:9], "has 9 rows"),
        (lambda f: f.assign(age="old"), "column 'age' of the synthetic table is declared a number"),
        (lambda f: f.assign(since="someday"), "column 'since' of the synthetic table is declared a datetime"),
        (lambda f: f.assign(job=[[1]] * len(f)), "column 'job' is a category"),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(frames, change, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate_tables(*frames, change(frames[0]), kinds=KINDS, target=None)


def test_bad_declarations_are_refused(frames) -> None:
    with pytest.raises(ValueError, match="target 'wage' is not a column"):
        evaluate_tables(*frames, frames[0], kinds=KINDS, target="wage")
    with pytest.raises(ValueError, match="kind 'text'"):
        evaluate_tables(*frames, frames[0], kinds={**KINDS, "age": "text"}, target=None)
    with pytest.raises(ValueError, match="`kinds` is empty"):
        evaluate_tables(*frames, frames[0], kinds={}, target=None)


def test_twenty_rows_of_every_dtype() -> None:
    rng = np.random.default_rng(0)
    rows = 20
    frame = pd.DataFrame(
        {
            "whole": pd.array([*rng.integers(0, 9, rows - 1), None], dtype="Int64"),
            "flag": pd.array([True, None] * (rows // 2), dtype="boolean"),
            "text": pd.array(["a", "b"] * (rows // 2), dtype="string"),
            "level": pd.Categorical(["lo", "hi"] * (rows // 2), categories=["lo", "hi", "unused"]),
            "bool": rng.random(rows) < 0.5,
            "constant": 3.5,
            "same": "x",
            "empty": np.full(rows, np.nan),
            "none": np.full(rows, None, dtype=object),
            "mixed": np.array([1, "one"] * (rows // 2), dtype=object),
            "infinite": np.array([np.inf, 1.0] * (rows // 2)),
            "when": pd.date_range("2024-01-01", periods=rows, tz="Europe/Paris"),
        }
    )
    numbers = ("whole", "constant", "empty", "infinite")
    kinds = {name: "number" if name in numbers else "category" for name in frame}
    kinds["when"] = "datetime"
    fake = frame.assign(text=pd.array(["a", "new"] * (rows // 2), dtype="string"))
    report = evaluate_tables(frame, frame.iloc[::-1], fake, kinds=kinds, target="bool")
    assert np.isfinite(report.metric("Shape error").value)
    assert report.metric("Shape error").floors["real holdout"] == 0.0
    assert "2 of 12 columns have no score" in report.metric("Shape error").note
    assert any("'new'" in note for note in report.notes)
    json.loads(report.to_json())
    assert "could not" not in report.metric("Trend error").note
    assert report.to_html().startswith("<!doctype html>")


def test_a_single_column_and_a_single_class() -> None:
    frame = pd.DataFrame({"x": np.arange(30.0)})
    report = evaluate_tables(frame, frame, frame, kinds={"x": "number"}, target=None)
    assert np.isnan(report.metric("Trend error").value)
    assert report.metric("Shape error").value == 0.0
    two = pd.DataFrame({"x": np.arange(30.0), "y": ["a", "b"] * 15})
    report = evaluate_tables(two, two, two.assign(y="a"), kinds={"x": "number", "y": "category"}, target="y")
    assert report.metric("Train on synthetic, AUC").value == 0.5
    assert "one class" in report.metric("Train on synthetic, AUC").note


def test_a_target_of_many_classes_is_grouped() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=120), "y": rng.integers(0, 60, 120).astype(str)})
    report = evaluate_tables(frame, frame, frame, kinds={"x": "number", "y": "category"}, target="y")
    assert "All but the 19 most frequent classes" in report.metric("Train on synthetic, AUC").note


def test_marginals_floor_resamples_each_column_on_its_own() -> None:
    table = np.repeat(np.arange(500.0)[:, None], 2, axis=1)
    drawn = independent_columns(table, 300, np.random.default_rng(0))
    assert drawn.shape == (300, 2)
    assert np.isin(drawn, table).all()
    assert (drawn[:, 0] == drawn[:, 1]).mean() < 0.05


@pytest.mark.filterwarnings("ignore")  # theirs, about constant columns
def test_shape_and_trend_equal_sdmetrics() -> None:
    sdmetrics = pytest.importorskip("sdmetrics.reports.single_table", reason="sdmetrics is not installed")
    real, fake = people(3000, 0), shuffled(people(2500, 1))
    fake["income"] = fake["income"] * 1.1
    fake.loc[:30, "job"] = "unseen"
    for frame in (real, fake):
        frame["flat"] = 2.0
        frame["rare"] = np.where(np.arange(len(frame)) % 50, np.nan, np.arange(len(frame)))
        frame.loc[::7, "since"] = pd.NaT
        frame["buys"] = frame["buys"].astype(bool)
    kinds = {**KINDS, "flat": "number", "rare": "number"}
    tables = encode_tables(real, real, fake, kinds)
    names = {"category": "categorical", "number": "numerical", "datetime": "datetime"}
    columns = {name: {"sdtype": names[kind]} for name, kind in kinds.items()}
    report = sdmetrics.QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0  # score all pairs
    report.generate(real.copy(), fake.copy(), {"columns": columns}, verbose=False)

    shapes = shape_scores(tables.train, tables.synthetic, categorical=tables.categorical)
    theirs = report.get_details("Column Shapes").set_index("Column")["Score"]
    for place, name in enumerate(kinds):
        assert shapes[place] == pytest.approx(theirs[name], abs=1e-9, nan_ok=True), name
    trends = trend_scores(tables.train, tables.synthetic, categorical=tables.categorical)
    order = list(kinds)
    pairs = report.get_details("Column Pair Trends")
    assert len(pairs) == 21
    for row in pairs.itertuples():
        ours = trends[order.index(row[1]), order.index(row[2])]
        assert ours == pytest.approx(row.Score, abs=1e-9, nan_ok=True), row
    overall = report.get_properties().set_index("Property")["Score"]
    assert np.nanmean(shapes) == pytest.approx(overall["Column Shapes"], abs=1e-9)
    upper = trends[np.triu_indices(len(order), 1)]
    assert np.nanmean(upper) == pytest.approx(overall["Column Pair Trends"], abs=1e-9)
