"""intarsia: generative modelling of structured data by learning to undo noise.

The names below are loaded when they are first used, so that importing the package costs little.
"""

from intarsia._lazy import attach
from intarsia._version import __version__ as __version__

_HOME = {
    "spaces": ("Bits", "Categorical", "Ordinal", "Real"),
    "schedules": ("Cosine", "Linear", "LogLinear", "Polynomial", "Staged"),
    "processes": ("Discrete", "Gaussian", "Product", "VarianceExploding", "VariancePreserving", "Xor"),
    "denoisers": ("RealMLP", "ResidualMLP", "Transformer"),
    "diffusion": ("Diffusion", "Nelbo"),
    "objectives": ("AnyOrderObjective", "HybridObjective", "NelboObjective"),
    "samplers": ("Ancestral", "DDIM", "FirstHitting", "Heun", "Stratified", "TauLeaping"),
    "guidance": ("Forbid",),
    "evidence": ("Evidence",),
    "training": ("Budget", "Settings", "train"),
    "domain": ("AbstractDomain", "load"),
    "report": ("Metric", "Report"),
    "errors": ("ArtifactError", "IntarsiaError", "MissingExtraError", "NotFittedError", "RequirementError"),
}

__getattr__, __dir__, _names = attach(__name__, _HOME)
__all__ = ["__version__", *_names]  # pyright: ignore[reportUnsupportedDunderAll]
