"""Recipes as JSON: names from allow-lists and plain values."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from intarsia import codecs
from intarsia.training import Settings
from intarsia_domains.tabular.columns._values import values_from_json, values_to_json
from intarsia_domains.tabular.recipes._base import AbstractRecipe
from intarsia_domains.tabular.recipes._digits import AbsorbingDigits
from intarsia_domains.tabular.recipes._mixed import Mixed
from intarsia_domains.tabular.recipes._noises import (
    AbstractNoise,
    Counted,
    FlippedBits,
    LearnedMasks,
    LearnedReal,
    Masked,
    Ordered,
    Real,
    RealBits,
    Uniform,
)

RECIPES: dict[str, type[AbstractRecipe]] = {kind.name: kind for kind in (AbsorbingDigits, Mixed)}
NOISES: dict[str, type[AbstractNoise]] = {
    kind.name: kind
    for kind in (Counted, FlippedBits, LearnedMasks, LearnedReal, Masked, Ordered, Real, RealBits, Uniform)
}
CODES = {kind.__name__: kind for kind in (codecs.BinaryCode, codecs.FrequencyTree, codecs.Gray, codecs.ResBit)}


def recipe_to_json(recipe: AbstractRecipe) -> dict[str, Any]:
    """Plain JSON; raises TypeError for recipes, noises and codes that are not ours, whose models are not saved."""
    if type(recipe) not in RECIPES.values():
        raise TypeError(f"a model with the recipe {recipe!r} cannot be saved; recipes are {', '.join(RECIPES)}")
    values = {f.name: _plain(getattr(recipe, f.name)) for f in fields(recipe)}  # type: ignore[arg-type]
    return {"name": recipe.name, **values}


def recipe_from_json(data: Mapping[str, Any]) -> AbstractRecipe:
    """Rebuild; raises KeyError for a recipe, noise or code that is not ours, TypeError for unknown arguments."""
    values = dict(data)
    kind = RECIPES[values.pop("name", AbsorbingDigits.name)]
    return kind(**{key: _object(key, value) for key, value in values.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return asdict(value)
    if isinstance(value, AbstractNoise):
        if type(value) not in NOISES.values():
            raise TypeError(f"a model with the noise {value!r} cannot be saved; noises are {', '.join(NOISES)}")
        own = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}  # type: ignore[arg-type]
        return {"noise": value.name, **own}
    if isinstance(value, Mapping):
        return [[values_to_json([key])[0], _plain(own)] for key, own in value.items()]
    if isinstance(value, type):
        if value not in CODES.values():
            raise TypeError(f"a model with the code {value.__name__} cannot be saved; codes are {', '.join(CODES)}")
        return value.__name__
    return value


def _object(key: str, value: Any) -> Any:
    if key == "settings":
        return Settings(**value)
    if key == "columns":
        return {values_from_json([name])[0]: _object("", noise) for name, noise in value}
    if isinstance(value, Mapping):
        own = {k: CODES[v] if isinstance(v, str) else v for k, v in value.items() if k != "noise"}
        return NOISES[value["noise"]](**own)
    return value
