"""Saved models: hostile and damaged ones are refused, and a failing save leaves the old one whole."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intarsia import ArtifactError, load
from intarsia.persistence import (
    FORMAT_VERSION,
    MAX_HEADER_BYTES,
    Artifact,
    load_artifact,
    read_type,
    rebuilding,
    save_artifact,
    state_into,
)

TYPE = "acme.noise:Rift"
PARTS = ["card.md", "codec.json", "config.json", "weights.safetensors"]


def artifact(value: float = 1.0, **kwargs: object) -> Artifact:
    parts = {
        "config": {"width": 3, "name": "Zürich \N{GRINNING FACE}", "none": None},
        "codec": {"values": [1, 2.5, "x"], "nested": {"a": []}},
        "weights": {"w": torch.full((2, 2), value), "b": torch.arange(3), "odd": torch.arange(6.0).view(2, 3).T},
        "card": "# A card\n",
    }
    return Artifact(TYPE, **{**parts, **kwargs})  # type: ignore[arg-type]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_artifact(tmp_path / "model", artifact())
    return tmp_path / "model"


def edit(path: Path, **changes: object) -> None:
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    (path / "config.json").write_text(json.dumps({**config, **changes}), encoding="utf-8")


def same(a: Artifact, b: Artifact) -> bool:
    tensors = all(torch.equal(a.weights[k], b.weights[k]) for k in a.weights.keys() | b.weights.keys())
    return (a.type, a.config, a.codec, a.card) == (b.type, b.config, b.codec, b.card) and tensors


def test_round_trip(saved: Path) -> None:
    assert sorted(p.name for p in saved.iterdir()) == PARTS
    assert same(load_artifact(saved, type=TYPE), artifact())
    assert read_type(saved) == TYPE
    assert [p.name for p in saved.parent.iterdir()] == ["model"]


def test_nothing_is_a_pickle(saved: Path) -> None:
    """No file starts as a pickle, zip or joblib file does."""
    for part in saved.iterdir():
        assert not part.read_bytes().startswith(
            (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK", b"\x1f\x8b")
        )


@pytest.mark.parametrize("name", PARTS)
def test_missing_parts_are_refused(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(ArtifactError, match="missing"):
        load_artifact(saved, type=TYPE)


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated_parts_are_refused(saved: Path, name: str, share: float) -> None:
    data = (saved / name).read_bytes()
    (saved / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(ArtifactError):
        load_artifact(saved, type=TYPE)


@pytest.mark.parametrize("name", ["card.md", "codec.json", "weights.safetensors"])
def test_one_altered_byte_is_refused(saved: Path, name: str) -> None:
    whole = (saved / name).read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 20)):
        data = bytearray(whole)
        data[place] ^= 1
        (saved / name).write_bytes(data)
        with pytest.raises(ArtifactError, match="truncated or altered"):
            load_artifact(saved, type=TYPE)


@pytest.mark.parametrize("name", PARTS)
def test_symbolic_links_are_refused(saved: Path, name: str, tmp_path: Path) -> None:
    """A link inside a model could read any file of the user who loads it."""
    elsewhere = tmp_path / "elsewhere"
    shutil.move(saved / name, elsewhere)
    (saved / name).symlink_to(elsewhere)
    with pytest.raises(ArtifactError, match="not a plain file"):
        load_artifact(saved, type=TYPE)


def test_directories_in_place_of_files_are_refused(saved: Path) -> None:
    (saved / "codec.json").unlink()
    (saved / "codec.json").mkdir()
    with pytest.raises(ArtifactError, match="not a plain file"):
        load_artifact(saved, type=TYPE)


def test_names_in_the_hashes_are_not_paths(saved: Path, tmp_path: Path) -> None:
    """Only the four known names are ever opened, whatever the config lists."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    config = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    edit(saved, sha256={**config["sha256"], "../secret": "0" * 64, str(secret): "0" * 64})
    assert same(load_artifact(saved, type=TYPE), artifact())
    edit(saved, sha256={"../secret": "0" * 64})
    with pytest.raises(ArtifactError, match="altered"):
        load_artifact(saved, type=TYPE)


@pytest.mark.parametrize("size", [2**62, MAX_HEADER_BYTES + 1, 2**64 - 1])
def test_huge_headers_are_refused_before_they_are_read(saved: Path, size: int) -> None:
    import hashlib

    data = size.to_bytes(8, "little") + b"{}"
    (saved / "weights.safetensors").write_bytes(data)
    config = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    edit(saved, sha256={**config["sha256"], "weights.safetensors": hashlib.sha256(data).hexdigest()})
    with pytest.raises(ArtifactError, match="header"):
        load_artifact(saved, type=TYPE)


@given(data=st.binary(max_size=200))
def test_weights_that_are_anything_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    import hashlib

    path = tmp_path_factory.mktemp("x") / "model"
    save_artifact(path, artifact())
    (path / "weights.safetensors").write_bytes(data)
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    edit(path, sha256={**config["sha256"], "weights.safetensors": hashlib.sha256(data).hexdigest()})
    with pytest.raises(ArtifactError):
        load_artifact(path, type=TYPE)


def test_huge_json_is_refused_before_it_is_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intarsia.persistence.MAX_JSON_BYTES", 10)
    with pytest.raises(ArtifactError, match="larger"):
        load_artifact(saved, type=TYPE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
config_keys = st.sampled_from(["format_version", "type", "sha256", "config", "intarsia_version"])


@given(config=st.dictionaries(config_keys, json_values) | json_values)
def test_configs_that_are_anything_are_refused(tmp_path_factory: pytest.TempPathFactory, config: object) -> None:
    path = tmp_path_factory.mktemp("x") / "model"
    save_artifact(path, artifact())
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ArtifactError):
        load_artifact(path, type=TYPE)


@pytest.mark.parametrize(
    "text",
    ["", "[", "nul", "[]", '"x"', "{" * 100_000, "[" * 100_000, '{"a": 1e999999, "a": ' + "9" * 5000 + "}", "\udcff"],
)
def test_configs_that_are_no_json_objects_are_refused(saved: Path, text: str) -> None:
    (saved / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArtifactError):
        read_type(saved)


def test_another_type_is_refused(saved: Path) -> None:
    with pytest.raises(ArtifactError, match=r"acme\.noise:Rift"):
        load_artifact(saved, type="acme.noise:Other")


def test_a_newer_format_asks_for_an_upgrade(saved: Path) -> None:
    edit(saved, format_version=FORMAT_VERSION + 1)
    with pytest.raises(ArtifactError, match="Upgrade intarsia"):
        load_artifact(saved, type=TYPE)


@pytest.mark.parametrize("version", [0, -1, "1", None, 1.0, [1]])
def test_versions_are_positive_integers(saved: Path, version: object) -> None:
    edit(saved, format_version=version)
    with pytest.raises(ArtifactError, match="not the config"):
        load_artifact(saved, type=TYPE)


def test_loading_imports_nothing_that_no_domain_declared(saved: Path, tmp_path: Path) -> None:
    edit(saved, type="os:system")
    with pytest.raises(ArtifactError, match="no installed domain"):
        load(saved)
    with pytest.raises(ArtifactError, match="not a saved model"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(("failing", "after"), [("fsync", 0), ("fsync", 1), ("fsync", 3), ("rename", 0), ("rename", 1)])
def test_a_full_disk_keeps_the_old_model_whole(
    saved: Path, monkeypatch: pytest.MonkeyPatch, failing: str, after: int
) -> None:
    """The disk fills up at some write, or a move fails: what was saved before still loads, and nothing is left."""
    calls = 0
    real_rename, real_fsync = Path.rename, os.fsync

    def fsync(handle: int) -> None:
        fail()
        real_fsync(handle)

    def rename(self: Path, target: Path) -> Path:
        if not (target == saved and self.parent.name.endswith(".old")):  # the way back works
            fail()
        return real_rename(self, target)

    def fail() -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync) if failing == "fsync" else patch.setattr(Path, "rename", rename)
        with pytest.raises(OSError, match="No space"):
            save_artifact(saved, artifact(2.0))
    assert same(load_artifact(saved, type=TYPE), artifact())
    assert [p.name for p in saved.parent.iterdir()] == ["model"]
    save_artifact(saved, artifact(2.0))
    assert same(load_artifact(saved, type=TYPE), artifact(2.0))


def test_only_models_are_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/thing").write_text("mine")
    for name in ("file", "folder"):
        with pytest.raises(FileExistsError, match="not a saved model"):
            save_artifact(tmp_path / name, artifact())
    assert (tmp_path / "file").read_text() == (tmp_path / "folder/thing").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    save_artifact(tmp_path / "empty", artifact())
    save_artifact(tmp_path / "new/deep/model", artifact())
    assert read_type(tmp_path / "new/deep/model") == TYPE


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_what_json_cannot_say_is_not_saved(tmp_path: Path, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        save_artifact(tmp_path / "model", artifact(config={"x": value}))
    assert not list(tmp_path.iterdir())


def test_weights_must_fit(saved: Path) -> None:
    torch.manual_seed(0)
    module = torch.nn.Linear(2, 3)
    good = {name: value.clone() for name, value in module.state_dict().items()}
    before = module.weight.detach().clone()
    for wrong in ({}, {"weight": good["weight"]}, {**good, "more": good["bias"]}, {**good, "bias": torch.zeros(4)}):
        with pytest.raises(ArtifactError, match="do not fit"):
            state_into(module, wrong, saved)
    for bad in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ArtifactError, match="not finite: weight"):
            state_into(module, {**good, "weight": torch.full((3, 2), bad)}, saved)
    assert torch.equal(module.weight, before)
    state_into(module, {**good, "weight": torch.ones(3, 2)}, saved)
    assert torch.equal(module.weight, torch.ones(3, 2))


@given(value=json_values)
def test_plain_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    """Whatever JSON can say returns equal; what it cannot (NaN, inf, lone surrogates) is refused, not mangled."""
    path = tmp_path_factory.mktemp("x") / "model"
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        with pytest.raises(ValueError, match="JSON"):
            save_artifact(path, artifact(codec={"value": value}))
        return
    save_artifact(path, artifact(codec={"value": value}))
    assert load_artifact(path, type=TYPE).codec == {"value": value}


@pytest.mark.parametrize("error", [KeyError("a"), TypeError("b"), RuntimeError("c"), OverflowError("d")])
def test_what_a_rebuilt_model_raises_names_its_path(error: Exception) -> None:
    with pytest.raises(ArtifactError, match="there is not a usable saved thing"), rebuilding("there", "thing"):
        raise error
