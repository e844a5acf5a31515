"""Noise processes: what corruption does to one kind of field, and everything that follows from it."""

from intarsia.processes._base import AbstractProcess as AbstractProcess
from intarsia.processes._base import Exactness as Exactness
from intarsia.processes._discrete import Discrete as Discrete
from intarsia.processes._finite import IMPOSSIBLE as IMPOSSIBLE
from intarsia.processes._finite import AbstractFinite as AbstractFinite
from intarsia.processes._gaussian import AbstractNoiseLevel as AbstractNoiseLevel
from intarsia.processes._gaussian import Gaussian as Gaussian
from intarsia.processes._gaussian import VarianceExploding as VarianceExploding
from intarsia.processes._gaussian import VariancePreserving as VariancePreserving
from intarsia.processes._product import Product as Product
from intarsia.processes._xor import Xor as Xor
