"""Recipes: every noise on every kind of column keeps values valid, conditions exact and models savable."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from intarsia.codecs import FrequencyTree, Gray, ResBit
from intarsia.errors import ArtifactError
from intarsia.processes import Discrete
from intarsia.testing import check_domain
from intarsia.training import Settings
from intarsia_domains.tabular import AbsorbingDigits, TabularSynthesizer
from intarsia_domains.tabular.recipes import (
    AbstractNoise,
    Counted,
    FlippedBits,
    Masked,
    Mixed,
    Ordered,
    Real,
    RealBits,
    Uniform,
)
from intarsia_domains.tabular.recipes._json import recipe_from_json, recipe_to_json
from intarsia_domains.tabular.recipes._noises import AbstractClassNoise

RECIPES: dict[str, Callable[[], Mixed]] = {
    "tab_ddpm": Mixed.tab_ddpm,
    "binary_diffusion": Mixed.binary_diffusion,
    "res_bit": Mixed.res_bit,
    "analog_bits": Mixed.analog_bits,
    "masked": Mixed.masked,
    "tab_diff": Mixed.tab_diff,
    "ordinal": Mixed.ordinal,
    "counts": lambda: Mixed(Masked(), Counted(), {"real": Real()}),
    "a noise a column": lambda: Mixed(
        Uniform(),
        Real(),
        {"city": FlippedBits(ResBit), "size": RealBits(Gray), "big": Masked(), "price": FlippedBits(FrequencyTree)},
    ),
}


def table(rows: int = 300) -> pd.DataFrame:
    """Every kind of column, with missing values, a constant, an identifier and integers past 2^53."""
    rng = np.random.default_rng(0)
    size = pd.Categorical(rng.choice(["S", "M", "L"], rows), ["S", "M", "L"], ordered=True)
    return pd.DataFrame(
        {
            "id": [f"row-{i}" for i in range(rows)],
            "city": rng.choice(["Köln", "Bern", "Wien", "Graz", "Linz"], rows).astype(object),
            "size": size,
            "flag": pd.array(rng.choice([True, False, None], rows), dtype="boolean"),  # type: ignore[call-overload]
            "count": pd.array(np.where(rng.random(rows) < 0.2, None, rng.poisson(3, rows)), dtype="Int64"),  # type: ignore[call-overload]
            "big": 2**60 + rng.integers(0, 1000, rows),
            "price": np.where(rng.random(rows) < 0.3, 0.0, rng.gamma(2.0, 50.0, rows).round(2)),
            "real": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, rows), "s"),
            "same": 7,
        }
    )


def synthesizer(recipe: Mixed, **kwargs: Any) -> TabularSynthesizer:
    small = replace(recipe, width=32, blocks=1, steps=8, settings=Settings(batch_size=64, evaluations=4))
    return TabularSynthesizer(**{"steps": 15, "threads": 1, "progress": False, "recipe": small, **kwargs})


@pytest.mark.parametrize("make", RECIPES.values(), ids=RECIPES)
def test_every_draw_is_a_valid_row_whatever_was_learned(make: Callable[[], Mixed]) -> None:
    """A network of 15 steps draws nearly anything, and all of it must decode."""
    raw = table()
    model = synthesizer(make()).fit(raw)
    drawn = model.sample(400, seed=3)
    assert (drawn.dtypes == raw.dtypes).all()
    assert set(drawn["city"]) <= set(raw["city"])
    assert drawn["id"].is_unique
    for name in ("count", "big", "price", "real", "when"):
        present = drawn[name].dropna()
        assert present.between(raw[name].min(), raw[name].max()).all(), name
    assert np.array_equal(drawn["price"], drawn["price"].round(2))
    assert (drawn["same"] == 7).all()
    assert drawn[["city", "size", "big", "price", "when"]].notna().all().all()


@pytest.mark.parametrize("make", RECIPES.values(), ids=RECIPES)
def test_conditions_and_completions_hold(make: Callable[[], Mixed]) -> None:
    raw = table()
    model = synthesizer(make()).fit(raw)
    given = {"city": "Wien", "price": 12.34, "count": None, "size": "M"}
    drawn = model.sample(50, given=given, seed=1)
    assert (drawn["city"] == "Wien").all()
    assert (drawn["price"] == 12.34).all()
    assert (drawn["size"] == "M").all()
    assert drawn["count"].isna().all()
    holes = raw.head(60).assign(city=None, when=pd.NaT)
    filled = model.complete(holes, seed=2)
    assert filled.notna().all().all()
    known = holes.notna()
    pd.testing.assert_frame_equal(filled[known], holes[known], check_dtype=False)


@pytest.mark.parametrize("make", RECIPES.values(), ids=RECIPES)
def test_scores_are_finite_and_their_cells_too(make: Callable[[], Mixed]) -> None:
    raw = table()
    model = synthesizer(make()).fit(raw)
    assert np.isfinite(model.score_samples(raw.head(20))).all()
    cells = model.score_samples(raw.head(20), per_cell=True)
    assert np.isfinite(cells.to_numpy()).all()
    assert (cells[["id", "same"]] == 0).all().all()
    with pytest.raises(ValueError, match="row 1 lacks cells"):
        model.score_samples(raw.head(3).assign(city=["Wien", None, "Graz"]))


@pytest.mark.parametrize("make", RECIPES.values(), ids=RECIPES)
def test_a_saved_model_draws_the_same_rows(make: Callable[[], Mixed], tmp_path: Path) -> None:
    model = synthesizer(make()).fit(table())
    model.save(tmp_path / "model")
    assert "Diffusion of a record of fields" in (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    loaded = TabularSynthesizer.load(tmp_path / "model")
    assert loaded.recipe_ == model.recipe_
    pd.testing.assert_frame_equal(loaded.sample(30, seed=5), model.sample(30, seed=5))


LEARNERS = [Mixed.tab_ddpm, Mixed.binary_diffusion, Mixed.masked, Mixed.analog_bits, Mixed.tab_diff, Mixed.ordinal]


@pytest.mark.parametrize("make", LEARNERS)
def test_dependence_between_columns_is_learned(make: Callable[[], Mixed]) -> None:
    """Two classes that decide a third and shift a number: not possible for a network that ignores its input."""
    rng = np.random.default_rng(1)
    a, b = rng.choice(["x", "y"], 2000), rng.choice(["u", "v"], 2000)
    both = np.where((a == "x") == (b == "u"), "same", "other")
    raw = pd.DataFrame({"a": a, "b": b, "c": both, "z": ((a == "x") * 5.0 + rng.normal(size=2000)).round(2)})
    recipe = replace(make(), width=64, blocks=2, dropout=0.0, steps=25, settings=Settings(batch_size=256, patience=0))
    model = TabularSynthesizer(steps=600, threads=1, progress=False, recipe=recipe).fit(raw)
    drawn = model.sample(1000, seed=0)
    agree = ((drawn["a"] == "x") == (drawn["b"] == "u")) == (drawn["c"] == "same")
    assert agree.mean() > 0.7  # 0.5 for a network that sees one column at a time
    means = drawn.groupby("a")["z"].mean()
    assert 3.0 < means["x"] - means["y"] < 6.0
    given = model.sample(500, given={"a": "x"}, seed=1)
    assert 3.5 < given["z"].mean() < 6.0


def test_counts_depend_on_classes() -> None:
    rng = np.random.default_rng(1)
    a = rng.choice(["x", "y"], 2000)
    raw = pd.DataFrame({"a": a, "n": rng.poisson(np.where(a == "x", 20, 4))})
    recipe = replace(Mixed.counts(), width=64, blocks=2, dropout=0.0, steps=25, settings=Settings(batch_size=256))
    model = TabularSynthesizer(steps=400, threads=1, progress=False, recipe=recipe).fit(raw)
    means = model.sample(1000, seed=0).groupby("a")["n"].mean()
    assert means["x"] == pytest.approx(20, abs=2.5)
    assert means["y"] == pytest.approx(4, abs=1.5)
    assert model.sample(300, given={"a": "y"}, seed=1)["n"].mean() == pytest.approx(4, abs=1.5)


def test_learned_clocks_move_and_are_saved(tmp_path: Path) -> None:
    model = synthesizer(Mixed.tab_diff()).fit(table())
    saved = {k: v for k, v in model.model_.network.state_dict().items() if k.startswith("noise.")}
    assert len(saved) == 2
    assert all(value.unique().numel() > 1 for value in saved.values())  # every column started alike
    model.save(tmp_path / "model")
    loaded = TabularSynthesizer.load(tmp_path / "model").model_.network.state_dict()
    assert all(np.array_equal(loaded[name], value) for name, value in saved.items())


def test_the_contract_of_a_domain_holds_for_both_models() -> None:
    raw = table(200).drop(columns=["id"])
    holes = raw.head(20).assign(city=None)
    check_domain(synthesizer(Mixed.tab_ddpm()), raw, holes)
    small = AbsorbingDigits(width=32, blocks=1, settings=Settings(batch_size=64, evaluations=4))
    check_domain(TabularSynthesizer(steps=15, threads=1, progress=False, recipe=small), raw, holes)


def test_json_names_only_what_is_ours() -> None:
    recipe = RECIPES["a noise a column"]()
    assert recipe_from_json(json.loads(json.dumps(recipe_to_json(recipe)))) == recipe
    plain = recipe_to_json(AbsorbingDigits(width=64))
    assert recipe_from_json(plain) == AbsorbingDigits(width=64)
    del plain["name"]  # as models were saved before there was a choice
    assert recipe_from_json(plain) == AbsorbingDigits(width=64)
    with pytest.raises(KeyError):
        recipe_from_json({**plain, "name": "os.system"})

    @dataclass(frozen=True)
    class Own(AbstractClassNoise):
        name: ClassVar[str] = "masked"

        def process(self, codecs: Sequence[Any]) -> Discrete:
            return Discrete.absorbing(tuple(k for codec in codecs for k in codec.num_classes))

    with pytest.raises(TypeError, match="cannot be saved"):
        recipe_to_json(Mixed(classes=Own()))


@pytest.mark.parametrize("damage", ["too few codes", "no codes", "an odd code", "an unknown recipe"])
def test_damaged_encodings_are_refused(damage: str, tmp_path: Path) -> None:
    """Damage with hashes that fit, so that it is the content that is refused."""
    synthesizer(Mixed.res_bit()).fit(table()).save(tmp_path / "model")
    config_file, codec_file = tmp_path / "model" / "config.json", tmp_path / "model" / "codec.json"
    config, codec = json.loads(config_file.read_text()), json.loads(codec_file.read_text())
    if damage == "too few codes":
        codec["encoding"]["parts"] = codec["encoding"]["parts"][:2]
    elif damage == "no codes":
        del codec["encoding"]
    elif damage == "an odd code":
        codec["encoding"]["parts"][0] = {"type": "os.system", "codec": {}}
    else:
        config["config"]["recipe"] = {"name": "nothing"}
    codec_file.write_text(json.dumps(codec))
    config["sha256"]["codec.json"] = hashlib.sha256(codec_file.read_bytes()).hexdigest()
    config_file.write_text(json.dumps(config))
    with pytest.raises(ArtifactError, match="is not a usable saved table model"):
        TabularSynthesizer.load(tmp_path / "model")


@pytest.mark.parametrize("noise", [Real(), Ordered(), Counted()], ids=repr)
def test_a_number_noise_refuses_classes(noise: AbstractNoise) -> None:
    with pytest.raises(TypeError, match="takes numbers"):
        synthesizer(Mixed(classes=noise)).fit(table())


def test_counts_refuse_numbers_off_the_grid() -> None:
    with pytest.raises(TypeError, match="counts are integers"):
        synthesizer(Mixed.counts()).fit(table())
