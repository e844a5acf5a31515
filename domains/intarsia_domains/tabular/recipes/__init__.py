"""Recipes: how the rows of a table are coded, noised, denoised and trained."""

from intarsia_domains.tabular.recipes._base import AbstractRecipe as AbstractRecipe
from intarsia_domains.tabular.recipes._base import AbstractTableModel as AbstractTableModel
from intarsia_domains.tabular.recipes._digits import AbsorbingDigits as AbsorbingDigits
