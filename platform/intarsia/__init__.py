"""intarsia: generative modelling of structured data by learning to undo noise.

The names below are loaded when they are first used, so that importing the package costs little.
"""

from intarsia._lazy import attach
from intarsia._version import __version__ as __version__

_HOME = {
    "spaces": (
        "Bits",
        "Categorical",
        "Count",
        "Ordinal",
        "Permutation",
        "Real",
        "Simplex",
    ),
    "schedules": (
        "Argmax",
        "Cosine",
        "LearnedPolynomial",
        "Linear",
        "LogLinear",
        "Polynomial",
        "Staged",
    ),
    "processes": (
        "ClasswiseAbsorbing",
        "Death",
        "Discrete",
        "Gaussian",
        "Insertion",
        "Jacobi",
        "LearnedExploding",
        "Mixing",
        "PlackettLuce",
        "Product",
        "Reflected",
        "Riffle",
        "Structured",
        "Transposition",
        "VarianceExploding",
        "VariancePreserving",
        "Xor",
    ),
    "denoisers": (
        "FromLeaveOneOut",
        "RealMLP",
        "RecordMLP",
        "ResidualMLP",
        "Transformer",
    ),
    "diffusion": (
        "Diffusion",
        "Nelbo",
    ),
    "objectives": (
        "AnyOrderObjective",
        "HybridObjective",
        "LearnedNoise",
        "LossAware",
        "LossMemory",
        "MinSNR",
        "MultiGranularity",
        "NelboObjective",
        "Recall",
        "SelfConditioned",
    ),
    "samplers": (
        "Ancestral",
        "DDIM",
        "FirstHitting",
        "Gibbs",
        "Heun",
        "HeunRemask",
        "Nested",
        "Planner",
        "Psi",
        "Remask",
        "Stratified",
        "TauLeaping",
        "ThetaTrapezoidal",
        "Unmask",
    ),
    "guidance": (
        "ClassifierFree",
        "Compose",
        "Forbid",
        "NullCondition",
        "Predictor",
        "Project",
        "Temperature",
    ),
    "particles": ("FeynmanKac",),
    "likelihood": (
        "any_order_log_prob",
        "classify",
        "exact_log_prob",
        "importance_bound",
        "site_nelbo",
    ),
    "editing": (
        "Dice",
        "Renoise",
    ),
    "evidence": ("Evidence",),
    "training": (
        "Budget",
        "Settings",
        "train",
    ),
    "domain": (
        "AbstractDomain",
        "load",
    ),
    "report": (
        "Metric",
        "Report",
    ),
    "errors": (
        "ArtifactError",
        "IntarsiaError",
        "MissingExtraError",
        "NotFittedError",
        "RequirementError",
    ),
}

__getattr__, __dir__, _names = attach(__name__, _HOME)
__all__ = ["__version__", *_names]  # pyright: ignore[reportUnsupportedDunderAll]
