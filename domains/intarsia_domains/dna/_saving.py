"""A sequence model as a directory of files, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from intarsia.persistence import Artifact, load_artifact, rebuilding, save_artifact, state_into
from intarsia.training import Settings
from intarsia_domains.dna._alphabet import DNA, RNA
from intarsia_domains.dna._card import card
from intarsia_domains.dna._conditions import Conditions
from intarsia_domains.dna._fitting import built
from intarsia_domains.dna._lengths import Lengths
from intarsia_domains.dna._networks import AbstractNetwork
from intarsia_domains.dna._noises import AbstractNoise
from intarsia_domains.dna._parts_json import from_json, to_json

if TYPE_CHECKING:
    from intarsia_domains.dna._designer import SequenceDesigner

Designer = TypeVar("Designer", bound="SequenceDesigner")
_OBJECTS: dict[str, type] = {"noise": AbstractNoise, "network": AbstractNetwork, "settings": Settings}
_OF_THE_MACHINE = ("device", "progress")


def save_designer(model: "SequenceDesigner", path: str | Path) -> None:
    """Write a fitted model; raises TypeError for noises and networks that are not ours."""
    parameters = {name: value for name, value in model.get_params().items() if name not in _OF_THE_MACHINE}
    config = {
        "parameters": {name: to_json(value) if name in _OBJECTS else value for name, value in parameters.items()},
        "noise": to_json(model.noise_),
        "network": to_json(model.network_),
        "sequences": model.n_sequences_,
        "training": {key: value for key, value in model.training_.items() if key != "seconds"},
    }
    learned = {
        "alphabet": model.alphabet_.name,
        "lengths": {"shortest": model.lengths_.shortest, "counts": list(model.lengths_.counts)},
        "conditions": model.conditions_.to_json(),
        "law": list(model.law_),
    }
    weights = dict(model.denoiser_.network.state_dict())
    save_artifact(path, Artifact(model.type_name(), config, learned, weights, card(model)))


def load_designer(cls: type[Designer], path: str | Path) -> Designer:
    """Read a saved model; raises ArtifactError where it is damaged, hostile, or of another type."""
    artifact = load_artifact(path, type=cls.type_name())
    with rebuilding(path, "sequence model"):
        saved = {name: _object(name, value) for name, value in artifact.config["parameters"].items()}
        model, learned = cls(**saved), artifact.codec
        model.alphabet_ = {kind.name: kind for kind in (DNA, RNA)}[learned["alphabet"]]
        lengths = learned["lengths"]
        model.lengths_ = Lengths(int(lengths["shortest"]), tuple(int(count) for count in lengths["counts"]))
        model.conditions_ = Conditions.from_json(learned["conditions"])
        model.law_ = tuple(float(share) for share in learned["law"])
        model.noise_ = from_json(AbstractNoise, artifact.config["noise"])
        model.network_ = from_json(AbstractNetwork, artifact.config["network"])
        model.n_sequences_ = int(artifact.config["sequences"])
        model.training_ = dict(artifact.config["training"])
        channels, length = model.conditions_.channels, model.lengths_.longest
        model.denoiser_ = built(model.noise_, model.network_, model.law_, length, channels, 0)
    state_into(model.denoiser_.network, artifact.weights, path)
    model.denoiser_.eval()
    return model


def _object(name: str, value: Any) -> Any:
    if name not in _OBJECTS or value is None:
        return value
    return Settings(**value) if name == "settings" else from_json(_OBJECTS[name], value)
