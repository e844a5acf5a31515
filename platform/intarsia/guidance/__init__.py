"""Guidance: the reverse kernel (or its rates) bent towards a condition, a constraint or a second model.

A guidance is a denoiser: build it from `process` and a denoiser, and sample from `Diffusion(guided.process, guided)`.
Where guidance equals a change of the posterior, `guided.process` is the process itself and every sampler takes it;
elsewhere it is the process with another reverse kernel, for samplers that call `reverse`.
"""

from intarsia.guidance._classifier_free import ClassifierFree as ClassifierFree
from intarsia.guidance._compose import Compose as Compose
from intarsia.guidance._forbid import Forbid as Forbid
from intarsia.guidance._kernel import Mixed as Mixed
from intarsia.guidance._kernel import Tilted as Tilted
from intarsia.guidance._mix import AbstractMix as AbstractMix
from intarsia.guidance._mix import Powers as Powers
from intarsia.guidance._mix import Shares as Shares
from intarsia.guidance._null import NullCondition as NullCondition
from intarsia.guidance._predictor import Predictor as Predictor
from intarsia.guidance._project import Project as Project
from intarsia.guidance._ratios import AbstractRatios as AbstractRatios
from intarsia.guidance._ratios import EnumeratedRatios as EnumeratedRatios
from intarsia.guidance._ratios import FirstOrderRatios as FirstOrderRatios
from intarsia.guidance._temperature import Temperature as Temperature
