"""Recipes as JSON: a name from an allow-list and plain values."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from intarsia.training import Settings
from intarsia_domains.tabular.recipes._base import AbstractRecipe
from intarsia_domains.tabular.recipes._digits import AbsorbingDigits

NAMED: dict[str, type[AbstractRecipe]] = {AbsorbingDigits.name: AbsorbingDigits}


def recipe_to_json(recipe: AbstractRecipe) -> dict[str, Any]:
    """Plain JSON."""
    return {"name": recipe.name, **asdict(recipe)}  # type: ignore[call-overload]


def recipe_from_json(data: Mapping[str, Any]) -> AbstractRecipe:
    """Rebuild; raises KeyError for a recipe that is not ours, TypeError for unknown arguments."""
    values = dict(data)
    kind = NAMED[values.pop("name", AbsorbingDigits.name)]
    return kind(**{**values, "settings": Settings(**values["settings"])})  # type: ignore[call-arg]
