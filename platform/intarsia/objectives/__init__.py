"""Training objectives: weights and time sampling around the same `loss` of the process."""

from intarsia.objectives._any_order import AnyOrderObjective as AnyOrderObjective
from intarsia.objectives._base import AbstractObjective as AbstractObjective
from intarsia.objectives._base import AbstractTimed as AbstractTimed
from intarsia.objectives._hybrid import HybridObjective as HybridObjective
from intarsia.objectives._learned_noise import LearnedNoise as LearnedNoise
from intarsia.objectives._loss_aware import LossAware as LossAware
from intarsia.objectives._loss_aware import LossMemory as LossMemory
from intarsia.objectives._min_snr import MinSNR as MinSNR
from intarsia.objectives._multi_granularity import MultiGranularity as MultiGranularity
from intarsia.objectives._multi_granularity import falling as falling
from intarsia.objectives._multi_granularity import inverse as inverse
from intarsia.objectives._nelbo import NelboObjective as NelboObjective
from intarsia.objectives._self_conditioned import Recall as Recall
from intarsia.objectives._self_conditioned import SelfConditioned as SelfConditioned
from intarsia.objectives._times import low_discrepancy as low_discrepancy
