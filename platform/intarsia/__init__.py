"""intarsia: generative modelling of structured data by learning to undo noise.

The names below are loaded when they are first used, so that importing the package costs little.
"""

import importlib
from typing import Any

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
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'intarsia' has no attribute {name!r}")
    return getattr(importlib.import_module(f"intarsia.{_MODULE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
