"""Particles: laws that no change of the denoiser can give (rewards, products, events), with weights that say so."""

from intarsia.particles._feynman_kac import Cloud as Cloud
from intarsia.particles._feynman_kac import FeynmanKac as FeynmanKac
from intarsia.particles._potentials import AbstractPotential as AbstractPotential
from intarsia.particles._potentials import Difference as Difference
from intarsia.particles._potentials import Max as Max
from intarsia.particles._potentials import Sum as Sum
from intarsia.particles._proposal import AbstractProposal as AbstractProposal
from intarsia.particles._resampling import AbstractResampling as AbstractResampling
from intarsia.particles._resampling import Multinomial as Multinomial
from intarsia.particles._resampling import Systematic as Systematic
from intarsia.particles._steered import Steered as Steered
from intarsia.particles._values import AbstractValue as AbstractValue
from intarsia.particles._values import Known as Known
from intarsia.particles._values import Likeliest as Likeliest
from intarsia.particles._values import Sampled as Sampled
