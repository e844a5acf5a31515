"""Editing: another version of given states, with a region, or the rest of it, held."""

from intarsia.editing._dice import Dice as Dice
from intarsia.editing._dice import Path as Path
from intarsia.editing._renoise import Renoise as Renoise
