"""Recipes as JSON."""

from dataclasses import asdict
from typing import Any

from intarsia.training import Settings
from intarsia_domains.tabular._network import Recipe


def recipe_to_json(recipe: Recipe) -> dict[str, Any]:
    """Plain JSON."""
    return asdict(recipe)


def recipe_from_json(data: dict[str, Any]) -> Recipe:
    """Rebuild; raises TypeError for unknown names."""
    return Recipe(**{**data, "settings": Settings(**data["settings"])})
