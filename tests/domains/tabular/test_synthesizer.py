"""The synthesizer as its users meet it."""

import copy
import hashlib
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from intarsia import ArtifactError, NotFittedError
from intarsia.training import Settings
from intarsia_domains.tabular import AbsorbingDigits, TableError, TabularSynthesizer

SMALL = AbsorbingDigits(width=64, blocks=2, settings=Settings(batch_size=256, evaluations=4))


def synthesizer(**kwargs: object) -> TabularSynthesizer:
    return TabularSynthesizer(**{"steps": 30, "threads": 1, "progress": False, "recipe": SMALL, **kwargs})


def table(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    color = rng.choice(["red", "green", "blue"], rows, p=[0.5, 0.3, 0.2])
    size = np.where(color == "red", rng.normal(10, 2, rows), rng.normal(30, 5, rows)).round(2)
    frame = pd.DataFrame({"color": color, "size": size, "count": rng.poisson(3, rows), "flag": size > 20})
    frame.loc[rng.random(rows) < 0.1, "size"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fitted() -> TabularSynthesizer:
    return synthesizer(steps=600).fit(table(3000), target="flag")


def test_rows_look_like_the_table(fitted: TabularSynthesizer) -> None:
    real, synthetic = table(3000), fitted.sample(3000, seed=1)
    assert list(synthetic.columns) == list(real.columns)
    assert (synthetic.dtypes == real.dtypes).all()
    for name in ("color", "count", "flag"):
        a, b = real[name].value_counts(normalize=True), synthetic[name].value_counts(normalize=True)
        assert 0.5 * a.sub(b, fill_value=0).abs().sum() < 0.04
    assert abs(real["size"].isna().mean() - synthetic["size"].isna().mean()) < 0.02
    by_color = synthetic.groupby("color")["size"].mean()
    assert abs(by_color["red"] - 10) < 1.5
    assert abs(by_color["blue"] - 30) < 1.5
    known = synthetic.dropna()
    assert ((known["size"] > 20) == known["flag"]).mean() > 0.97


def test_rows_and_scores_do_not_depend_on_how_many_are_worked_on_at_once(fitted: TabularSynthesizer) -> None:
    two = copy.copy(fitted).set_params(threads=2)
    one, other = fitted.sample(9000, seed=5), two.sample(9000, seed=5)
    pd.testing.assert_frame_equal(one, other)
    assert np.array_equal(fitted.score_samples(one), two.score_samples(one))


def test_conditions_hold_exactly_and_change_the_rest(fitted: TabularSynthesizer) -> None:
    rows = fitted.sample(500, given={"color": "red", "count": 2}, seed=3)
    assert (rows["color"] == "red").all()
    assert (rows["count"] == 2).all()
    assert abs(rows["size"].mean() - 10) < 1.5
    each = fitted.sample(3, given={"size": [9.13, None, 31.37]}, seed=3)
    assert each["size"].tolist()[::2] == [9.13, 31.37]
    assert np.isnan(each["size"][1])


def test_conditional_frequencies_match_the_data(fitted: TabularSynthesizer) -> None:
    real = table(3000)
    rows = fitted.sample(4000, given={"flag": True}, seed=5)
    expected = real[real["flag"]]["color"].value_counts(normalize=True)
    got = rows["color"].value_counts(normalize=True)
    assert 0.5 * expected.sub(got, fill_value=0).abs().sum() < 0.06


def test_complete_fills_missing_cells_and_nothing_else(fitted: TabularSynthesizer) -> None:
    frame = table(500, seed=9)
    blanked = frame.copy()
    hidden = np.random.default_rng(1).random(len(frame)) < 0.3
    blanked.loc[hidden, "color"] = None
    draws = fitted.complete(blanked, n_draws=5, seed=0)
    assert len(draws) == 5
    for draw in draws:
        assert draw.notna().all().all()
        pd.testing.assert_series_equal(draw["count"], frame["count"])
        assert (draw.loc[~hidden, "color"] == frame.loc[~hidden, "color"]).all()
    right = np.mean([(draw.loc[hidden, "color"] == frame.loc[hidden, "color"]).mean() for draw in draws])
    assert right > 0.6  # guessing the mode is right half the time; size tells red from the others


def test_scores_find_the_odd_cell(fitted: TabularSynthesizer) -> None:
    frame = table(200, seed=4).dropna().head(50).reset_index(drop=True)
    odd = frame.copy()
    row = int((frame["color"] == "red").to_numpy().argmax())
    odd.loc[row, "flag"] = not frame.loc[row, "flag"]
    scores, odd_scores = fitted.score_samples(frame), fitted.score_samples(odd)
    assert np.isfinite(scores).all()
    assert odd_scores[row] < scores[row] - 1
    cells = fitted.score_samples(odd, per_cell=True)
    assert cells.loc[row].idxmin() in ("flag", "size")
    assert (cells.to_numpy()[~np.isnan(cells.to_numpy())] <= 1e-6).all()


def test_same_seed_same_rows_and_no_global_state(fitted: TabularSynthesizer) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = fitted.sample(50, seed=7), fitted.sample(50, seed=7), fitted.sample(50, seed=8)
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)
    synthesizer(steps=2).fit(table())
    assert torch.equal(torch_state, torch.get_rng_state())
    assert (numpy_state == np.random.get_state()[1]).all()  # noqa: NPY002


def hashes(path: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(path.iterdir())}


def test_a_budget_in_steps_repeats_to_the_byte_and_saves_what_it_samples(tmp_path: Path) -> None:
    frame = table()
    for name in ("a", "b"):
        synthesizer().fit(frame, target="flag").save(tmp_path / name)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    model = synthesizer().fit(frame, target="flag")
    loaded = TabularSynthesizer.load(tmp_path / "a")
    pd.testing.assert_frame_equal(loaded.sample(100, seed=1), model.sample(100, seed=1))
    assert loaded.target_ == "flag"
    assert loaded.get_params()["steps"] == 30
    np.testing.assert_array_equal(loaded.score_samples(frame), model.score_samples(frame))


def test_a_budget_in_time_says_the_steps_that_repeat_it() -> None:
    frame = table()
    timed = synthesizer(steps=None, cpu_minutes=2 / 60).fit(frame)
    again = synthesizer(steps=timed.training_["steps"]).fit(frame)
    pd.testing.assert_frame_equal(timed.sample(50), again.sample(50))


def test_failed_save_leaves_the_old_model_whole(
    fitted: TabularSynthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthesizer().fit(table()).save(tmp_path / "m")
    before = hashes(tmp_path / "m")

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        fitted.save(tmp_path / "m")
    assert hashes(tmp_path / "m") == before
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("name", ["config.json", "codec.json", "weights.safetensors"])
def test_altered_artifacts_are_refused(fitted: TabularSynthesizer, tmp_path: Path, name: str) -> None:
    fitted.save(tmp_path / "m")
    file = tmp_path / "m" / name
    data = file.read_bytes()
    for bad in (data[: len(data) // 2], b"", bytes([data[0] ^ 1]) + data[1:]):
        file.write_bytes(bad)
        with pytest.raises(ArtifactError):
            TabularSynthesizer.load(tmp_path / "m")


def test_ctrl_c_keeps_the_best_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from intarsia_domains.tabular import _synthesizer

    class Interrupting:
        def __enter__(self):
            def watch(progress: object) -> None:
                if progress.step >= 20:  # type: ignore[attr-defined]
                    raise KeyboardInterrupt

            return watch

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(_synthesizer, "shown", lambda *_: Interrupting())
    with pytest.warns(UserWarning, match="interrupted after 20 steps"):
        model = synthesizer(steps=10_000).fit(table())
    assert model.training_["interrupted"]
    assert len(model.sample(10)) == 10


def test_empty_samples_have_columns_and_dtypes(fitted: TabularSynthesizer) -> None:
    empty = fitted.sample(0)
    assert len(empty) == 0
    assert (empty.dtypes == table().dtypes).all()


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"n": -5}, ValueError, "negative"),
        ({"n": 2.5}, TypeError, "whole number"),
        ({"n": True}, TypeError, "whole number"),
        ({"n": 3, "given": {"q": 1}}, TableError, "no column 'q'"),
        ({"n": 3, "given": {"color": "pink"}}, ValueError, "'color'.*'pink'.*'blue', 'green', 'red'"),
        ({"n": 3, "given": {"size": 1e9}}, ValueError, "'size'.*outside"),
        ({"n": 3, "given": {"size": "big"}}, ValueError, "'size'.*'big'"),
        ({"n": 3, "given": {"color": None}}, ValueError, "'color'.*no missing"),
        ({"n": 3, "given": {"color": ["red", "red"]}}, ValueError, "2 values for 3 rows"),
    ],
)
def test_bad_requests_are_one_clear_sentence(
    fitted: TabularSynthesizer, arguments: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        fitted.sample(**arguments)


BAD_TABLES = [
    (lambda: pd.DataFrame({"a": []}), "empty"),
    (lambda: pd.DataFrame(index=range(5)), "empty"),
    (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' is repeated"),
    (lambda: pd.DataFrame({"a": [1.0, np.inf, -np.inf] * 9}), "'a' has 18 infinite"),
    (lambda: pd.DataFrame({("a", 1): [1, 2]}.items(), columns=[("a", 1), "b"]), "neither text nor a number"),
]


@pytest.mark.parametrize(("make", "says"), BAD_TABLES)
def test_bad_tables_are_refused(make: object, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        synthesizer().fit(make())  # type: ignore[operator]


ODD_TABLES = {
    "one row": pd.DataFrame({"a": [1], "b": ["x"]}),
    "one column": pd.DataFrame({"a": np.random.default_rng(0).normal(size=300)}),
    "constant": pd.DataFrame({"a": [5] * 50, "b": ["k"] * 50}),
    "constant and not": pd.DataFrame({"a": [5] * 50, "b": ["k", "l"] * 25}),
    "all missing": pd.DataFrame({"a": [np.nan] * 50, "b": ["k", "l"] * 25, "c": pd.Series([None] * 50, dtype=object)}),
    "integer names": pd.DataFrame({1: range(0, 100, 2), 2.5: ["k", "l"] * 25}),
    "odd names": pd.DataFrame({'a\n"😀<script>': ["k", "l"] * 25}),
    "string index": pd.DataFrame({"a": range(0, 100, 2)}, index=[f"r{i}" for i in range(50)]),
    "two rows": pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}),
}


@pytest.mark.parametrize("name", ODD_TABLES)
def test_odd_tables_work_from_end_to_end(name: str, tmp_path: Path) -> None:
    frame = ODD_TABLES[name]
    copy = frame.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = synthesizer(steps=3).fit(frame)
        rows = model.sample(20, seed=1)
        model.save(tmp_path / "m")
        pd.testing.assert_frame_equal(TabularSynthesizer.load(tmp_path / "m").sample(20, seed=1), rows)
        assert np.isfinite(model.score_samples(frame)).all()
        assert len(model.complete(frame)) == len(frame)
    pd.testing.assert_frame_equal(frame, copy)
    assert list(rows.columns) == list(frame.columns)
    assert (rows.dtypes == frame.dtypes).all()
    if "constant" in name:
        assert (rows["a"] == 5).all()
    if name == "all missing":
        assert rows[["a", "c"]].isna().all().all()


def test_polars_and_arrow_come_back_as_they_went_in() -> None:
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    frame = table().dropna()
    for native in (pl.from_pandas(frame), pa.Table.from_pandas(frame, preserve_index=False)):
        rows = synthesizer(steps=3).fit(native).sample(5)
        assert type(rows) is type(native)
        assert rows.schema == native.schema


def test_wrong_tables_for_a_fitted_model_are_named(fitted: TabularSynthesizer) -> None:
    with pytest.raises(TableError, match="lacks the column 'flag'"):
        fitted.score_samples(table().drop(columns="flag"))
    with pytest.raises(TableError, match="unknown column 'new'"):
        fitted.complete(table().assign(new=1))
    order = ["flag", "count", "size", "color"]
    pd.testing.assert_frame_equal(fitted.complete(table()[order]), fitted.complete(table())[order])


def test_scikit_learn_clones_it_and_unfitted_ones_say_so() -> None:
    clone = pytest.importorskip("sklearn.base").clone
    model = clone(TabularSynthesizer(steps=7, rare=5, kinds={"a": "category"}))
    assert (model.steps, model.rare, model.kinds) == (7, 5, {"a": "category"})
    assert repr(model) == "TabularSynthesizer(steps=7, kinds={'a': 'category'}, rare=5)"
    with pytest.raises(NotFittedError, match="not fitted yet"):
        model.sample(3)
    with pytest.raises(ValueError, match="no parameter 'rarity'"):
        model.set_params(rarity=3)
