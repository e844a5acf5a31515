"""The public names, listed once more by hand: a name that appears or vanishes does so on purpose."""

import ast
import importlib
from pathlib import Path

import pytest

import intarsia

NAMES = {
    "spaces": ["Bits", "Categorical", "Count", "Ordinal", "Permutation", "Real", "Simplex"],
    "schedules": ["Argmax", "Cosine", "LearnedPolynomial", "Linear", "LogLinear", "Polynomial", "Staged"],
    "processes": [
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
    ],
    "denoisers": ["FromLeaveOneOut", "RealMLP", "RecordMLP", "ResidualMLP", "Transformer"],
    "diffusion": ["Diffusion", "Nelbo"],
    "objectives": [
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
    ],
    "samplers": [
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
    ],
    "guidance": ["ClassifierFree", "Compose", "Forbid", "NullCondition", "Predictor", "Project", "Temperature"],
    "particles": ["FeynmanKac"],
    "likelihood": ["any_order_log_prob", "classify", "exact_log_prob", "importance_bound", "site_nelbo"],
    "editing": ["Dice", "Renoise"],
    "evidence": ["Evidence"],
    "training": ["Budget", "Settings", "train"],
    "domain": ["AbstractDomain", "load"],
    "report": ["Metric", "Report"],
    "errors": ["ArtifactError", "IntarsiaError", "MissingExtraError", "NotFittedError", "RequirementError"],
}

TESTING = [
    *["BayesDenoiser", "all_states", "check_codec", "check_denoiser", "check_domain", "check_process", "check_refusal"],
    *["check_sampler", "chi_square", "enumerated_law", "total_variation"],
]
ALL = [(home, name) for home, names in NAMES.items() for name in names]


def stub_imports() -> dict[str, str | None]:
    """Module by name, as the stub has it."""
    stub = Path(str(intarsia.__file__)).with_suffix(".pyi").read_text(encoding="utf-8")
    imports = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom)]
    assert all(alias.asname == alias.name for node in imports for alias in node.names)
    return {alias.name: node.module for node in imports for alias in node.names}


def test_the_public_names_are_these() -> None:
    assert sorted(dir(intarsia)) == sorted(name for _, name in ALL)
    assert set(stub_imports()) == {*dir(intarsia), "__version__"}


@pytest.mark.parametrize(("home", "name"), ALL)
def test_every_name_loads_from_where_the_stub_says(home: str, name: str) -> None:
    assert stub_imports()[name] == f"intarsia.{home}"
    assert getattr(intarsia, name) is getattr(importlib.import_module(f"intarsia.{home}"), name)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="Anything"):
        intarsia.Anything  # noqa: B018


def test_the_testing_names_are_these() -> None:
    testing = importlib.import_module("intarsia.testing")
    public = {name for name in vars(testing) if not name.startswith("_")}
    assert public == set(TESTING)
