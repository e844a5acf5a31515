"""Samplers: policies over the kernels of a process."""

from intarsia.samplers._ancestral import Ancestral as Ancestral
from intarsia.samplers._base import AbstractSampler as AbstractSampler
from intarsia.samplers._base import Claim as Claim
from intarsia.samplers._cache import Cached as Cached
from intarsia.samplers._first_hitting import FirstHitting as FirstHitting
from intarsia.samplers._gaussian import DDIM as DDIM
from intarsia.samplers._gaussian import Heun as Heun
from intarsia.samplers._stratified import Stratified as Stratified
from intarsia.samplers._tau_leaping import TauLeaping as TauLeaping
