"""Checkpoints: whole or not there, and readable only as what they are."""

import math
import os
from pathlib import Path

import pytest
import torch

from intarsia import ArtifactError
from intarsia.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

STATE = Checkpoint(
    {"a": torch.arange(6.0).view(2, 3), "n": torch.tensor(3), "odd": torch.arange(10.0)[::2]},
    {"step": 7, "loss": 1 / 3, "plan": None, "history": [[1, 0.5]]},
)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    save_checkpoint(path, STATE)
    back = load_checkpoint(path)
    assert back.numbers == STATE.numbers
    assert sorted(back.tensors) == sorted(STATE.tensors)
    for name, value in STATE.tensors.items():
        assert torch.equal(back.tensors[name], value)
        assert back.tensors[name].dtype == value.dtype
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


@pytest.mark.parametrize("keep", [0, 4, 20, 150])
def test_truncated_files_are_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "run.safetensors"
    save_checkpoint(path, STATE)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ArtifactError, match="no readable checkpoint"):
        load_checkpoint(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    import safetensors.torch

    plain = tmp_path / "plain.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, plain)
    for path in (plain, tmp_path / "missing", tmp_path):
        with pytest.raises(ArtifactError, match="no readable checkpoint"):
            load_checkpoint(path)


def test_a_full_disk_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.safetensors"
    save_checkpoint(path, STATE)
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, Checkpoint({"a": torch.ones(1)}, {"step": 8}))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


def test_expectations_name_both_sides() -> None:
    STATE.expect("step", 7)
    with pytest.raises(ArtifactError, match="step=7, this run has step=8"):
        STATE.expect("step", 8)
    with pytest.raises(ArtifactError, match="missing=None"):
        STATE.expect("missing", 1)
    assert torch.equal(STATE.tensor("a", torch.zeros(2, 3)), STATE.tensors["a"])
    for name, like in (("a", torch.zeros(3, 2)), ("a", torch.zeros(2, 3).double()), ("b", torch.zeros(1))):
        with pytest.raises(ArtifactError, match="this model needs"):
            STATE.tensor(name, like)


def test_numbers_keep_their_last_digit(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", Checkpoint({}, {"loss": math.pi, "tiny": 5e-324, "large": 2**53 + 1}))
    assert load_checkpoint(tmp_path / "c").numbers == {"loss": math.pi, "tiny": 5e-324, "large": 2**53 + 1}
