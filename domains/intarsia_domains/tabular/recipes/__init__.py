"""Recipes: how the rows of a table are coded, noised, denoised and trained."""

from intarsia_domains.tabular.recipes._base import AbstractRecipe as AbstractRecipe
from intarsia_domains.tabular.recipes._base import AbstractTableModel as AbstractTableModel
from intarsia_domains.tabular.recipes._digits import AbsorbingDigits as AbsorbingDigits
from intarsia_domains.tabular.recipes._mixed import Mixed as Mixed
from intarsia_domains.tabular.recipes._noises import AbstractNoise as AbstractNoise
from intarsia_domains.tabular.recipes._noises import Counted as Counted
from intarsia_domains.tabular.recipes._noises import FlippedBits as FlippedBits
from intarsia_domains.tabular.recipes._noises import LearnedMasks as LearnedMasks
from intarsia_domains.tabular.recipes._noises import LearnedReal as LearnedReal
from intarsia_domains.tabular.recipes._noises import Masked as Masked
from intarsia_domains.tabular.recipes._noises import Ordered as Ordered
from intarsia_domains.tabular.recipes._noises import Real as Real
from intarsia_domains.tabular.recipes._noises import RealBits as RealBits
from intarsia_domains.tabular.recipes._noises import Uniform as Uniform
