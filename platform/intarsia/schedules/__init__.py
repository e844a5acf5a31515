"""Survival schedules alpha(t): how much of the data is left at time t; t = 0 is data, t = 1 is noise.

`Gaussian` noise speaks log-SNR instead; its schedules stand beside it.
"""

from intarsia.schedules._argmax import Argmax as Argmax
from intarsia.schedules._argmax import argmax_survival as argmax_survival
from intarsia.schedules._base import AbstractSchedule as AbstractSchedule
from intarsia.schedules._learned import LearnedPolynomial as LearnedPolynomial
from intarsia.schedules._plain import Cosine as Cosine
from intarsia.schedules._plain import Linear as Linear
from intarsia.schedules._plain import LogLinear as LogLinear
from intarsia.schedules._plain import Polynomial as Polynomial
from intarsia.schedules._staged import Staged as Staged
