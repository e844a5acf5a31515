"""What `check_domain` does to saved models: damage, hostile configs, a full disk."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from intarsia.domain import AbstractDomain
from intarsia.errors import ArtifactError
from intarsia.testing._ensure import ensure, ensure_raises

FLIPS = 8
"""Bytes changed in every file of a saved model, one at a time."""


def check_saved_faults(domain: AbstractDomain, path: Path, seed: int, name: str) -> None:
    """Damage copies of the model saved at `path`, which stays; raises AssertionError where one is taken for whole.

    A file that is missing, cut or altered is refused with ArtifactError; a config may be anything, and either loads or
    is refused the same way; what a full disk breaks off leaves the saved model whole and nothing beside it.
    """
    kind = type(domain)
    for part in sorted(path.iterdir()):
        data = part.read_bytes()
        _refused(kind, path, lambda copy, part=part: (copy / part.name).unlink(), f"{name} without {part.name}")
        for share in (0.0, 0.5, 0.99):
            cut = data[: int(share * len(data))]
            _refused(kind, path, _written(part.name, cut), f"{name} with {part.name} cut after {len(cut)} bytes")
        rng = np.random.default_rng(seed)
        for place in rng.integers(len(data), size=FLIPS):
            altered = bytearray(data)
            altered[place] ^= int(rng.integers(1, 256))
            what = f"{name} with byte {place} of {part.name} altered"
            if part.name == "config.json":  # which holds the hashes of the others, and may still make sense
                _loads_or_refused(kind, path, _written(part.name, bytes(altered)), what)
            else:
                _refused(kind, path, _written(part.name, bytes(altered)), what)
    _check_config(kind, path, name)
    _check_full_disk(domain, path, name)


def _check_config(kind: type[AbstractDomain], path: Path, name: str) -> None:
    """Every entry of the config in turn is missing, or of a type that it cannot have."""
    whole: dict[str, Any] = json.loads((path / "config.json").read_text())
    values: list[Any] = [None, -1, "../../x", [], {}, 1e18]
    for key in whole["config"]:
        for value in values:
            hostile = {**whole, "config": {**whole["config"], key: value}}
            write = _written("config.json", json.dumps(hostile).encode())
            _loads_or_refused(kind, path, write, f"{name} whose config has {key!r}: {value!r}")
        less = {**whole, "config": {k: v for k, v in whole["config"].items() if k != key}}
        _loads_or_refused(kind, path, _written("config.json", json.dumps(less).encode()), f"{name} without {key!r}")
    newer = _written("config.json", json.dumps({**whole, "format_version": 10**6}).encode())
    _refused(kind, path, newer, f"{name} of a newer format")


def _check_full_disk(domain: AbstractDomain, path: Path, name: str) -> None:
    before = {part.name: part.read_bytes() for part in path.iterdir()}
    with mock.patch.object(os, "fsync", side_effect=OSError(28, "No space left on device")):
        ensure_raises(OSError, lambda: domain.save(path), f"`save` of {name} on a full disk")
    after = {part.name: part.read_bytes() for part in path.iterdir()}
    ensure(after == before, f"`save` of {name} on a full disk spoils the model that was there")
    ensure([p.name for p in path.parent.iterdir()] == [path.name], f"`save` of {name} on a full disk leaves files")


def _written(name: str, data: bytes) -> Callable[[Path], Any]:
    return lambda copy: (copy / name).write_bytes(data)


def _refused(kind: type[AbstractDomain], path: Path, damage: Callable[[Path], Any], what: str) -> None:
    copy = _damaged(path, damage)
    try:
        ensure_raises(ArtifactError, lambda: kind.load(copy), f"loading {what}")
    finally:
        shutil.rmtree(copy)


def _loads_or_refused(kind: type[AbstractDomain], path: Path, damage: Callable[[Path], Any], what: str) -> None:
    copy = _damaged(path, damage)
    try:
        kind.load(copy)
    except ArtifactError:
        pass
    except Exception as error:
        raise AssertionError(f"loading {what} must raise ArtifactError, got {type(error).__name__}: {error}") from error
    finally:
        shutil.rmtree(copy)


def _damaged(path: Path, damage: Callable[[Path], Any]) -> Path:
    copy = Path(shutil.copytree(path, path.with_name("damaged")))
    damage(copy)
    return copy
