"""A saved model is a directory: config.json, codec.json, weights.safetensors and card.md. No pickle, no code."""

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
from torch import Tensor

from intarsia._version import __version__
from intarsia.errors import ArtifactError

FORMAT_VERSION = 1
MAX_JSON_BYTES = 256 * 2**20
MAX_HEADER_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a saved model holds.

    Args:
        type: the class that wrote it, as `package.module:Class`.
        config: arguments of that class, and what it learned besides weights; plain JSON.
        codec: how raw data becomes states; plain JSON.
        weights: tensors by name.
        card: Markdown for people.
    """

    type: str
    config: dict[str, Any]
    codec: dict[str, Any]
    weights: dict[str, Tensor]
    card: str


def save_artifact(path: str | Path, artifact: Artifact) -> None:
    """Write an artifact beside `path` under a temporary name, then move it into place.

    An artifact that stood there stays whole until the new one is complete.

    Raises:
        FileExistsError: `path` is a file, or a directory that is not a saved model.
        OSError: the disk is full or the parent directory is not writable.
    """
    path = Path(path)
    if path.exists() and not (path / "config.json").is_file() and (path.is_file() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists and is not a saved model; choose another name")
    weights = {name: value.detach().cpu().contiguous().clone() for name, value in artifact.weights.items()}
    parts = {
        "codec.json": _dump(artifact.codec),
        "weights.safetensors": safetensors.torch.save(weights),
        "card.md": artifact.card.encode(),
    }
    config = {
        "format_version": FORMAT_VERSION,
        "intarsia_version": __version__,
        "type": artifact.type,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()},
        "config": artifact.config,
    }
    parts["config.json"] = _dump(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".tmp"))
    try:
        for name, data in parts.items():
            with (fresh / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        fresh.chmod(0o755)
        _swap(fresh, path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _swap(fresh: Path, path: Path) -> None:
    """Move `fresh` to `path`; an old artifact steps aside first and comes back if the move fails."""
    if not path.exists():
        fresh.rename(path)
        return
    old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".old"))
    try:
        path.rename(old / "model")
        fresh.rename(path)
    except BaseException:
        if (old / "model").exists():
            (old / "model").rename(path)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


def read_type(path: str | Path) -> str:
    """The type that a saved model names, without reading the rest."""
    return str(_read_config(Path(path))["type"])


def load_artifact(path: str | Path, *, type: str) -> Artifact:
    """Read a saved model that must be of `type`, verifying every file against its hash.

    Raises:
        ArtifactError: something is missing, altered, oversized, of another type, or of a newer format.
    """
    path = Path(path)
    config = _read_config(path)
    if config["type"] != type:
        raise ArtifactError(f"{path} holds a {config['type']!r}, not a {type!r}; load it with its own class")
    hashes = config.get("sha256")
    if not isinstance(hashes, dict):
        raise ArtifactError(f"{path / 'config.json'} names no file hashes")
    expected = cast(dict[str, Any], hashes)
    data = {name: _read(path / name, expected.get(name)) for name in ("codec.json", "weights.safetensors", "card.md")}
    inner = config.get("config")
    if not isinstance(inner, dict):
        raise ArtifactError(f"{path / 'config.json'} has no object `config`")
    return Artifact(
        type,
        cast(dict[str, Any], inner),
        _parse(data["codec.json"], path / "codec.json"),
        read_tensors(data["weights.safetensors"], path / "weights.safetensors"),
        data["card.md"].decode(errors="replace"),
    )


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        raise ArtifactError(f"{path} is not a saved model: a directory with config.json is needed")
    config = _parse(_read(path / "config.json", None, hashed=False), path / "config.json")
    version = config.get("format_version")
    if not isinstance(version, int) or version < 1 or not isinstance(config.get("type"), str):
        raise ArtifactError(f"{path / 'config.json'} is not the config of a saved model")
    if version > FORMAT_VERSION:
        raise ArtifactError(
            f"{path} has format {version}, this is intarsia {__version__}, which reads up to {FORMAT_VERSION}. "
            "Upgrade intarsia"
        )
    return config


def _read(path: Path, digest: object, *, hashed: bool = True) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise ArtifactError(f"{path} is missing or is not a plain file")
    if path.suffix != ".safetensors" and path.stat().st_size > MAX_JSON_BYTES:
        raise ArtifactError(f"{path} is larger than {MAX_JSON_BYTES} bytes")
    data = path.read_bytes()
    if hashed and hashlib.sha256(data).hexdigest() != digest:
        raise ArtifactError(f"{path} was truncated or altered: its hash is not the one in config.json")
    return data


def _parse(data: bytes, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ArtifactError(f"{path} must hold a JSON object")
    return cast(dict[str, Any], value)


def read_tensors(data: bytes, path: Path) -> dict[str, Tensor]:
    """Tensors by name from the bytes of a safetensors file; raises ArtifactError where they are none."""
    if len(data) < 8 or int.from_bytes(data[:8], "little") > MAX_HEADER_BYTES:
        raise ArtifactError(f"{path} has no header, or one of more than {MAX_HEADER_BYTES} bytes")
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise ArtifactError(f"{path} is not a safetensors file: {error}") from error


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass") + b"\n"


@contextmanager
def rebuilding(path: str | Path, what: str) -> Generator[None, None, None]:
    """Inside, a model is made of an artifact's JSON: what that can raise becomes an ArtifactError.

    Args:
        path: of the artifact.
        what: is made of it, for the message.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError, MemoryError) as error:
        raise ArtifactError(f"{path} is not a usable saved {what}: {error}") from error


def state_into(module: Any, weights: dict[str, Tensor], path: str | Path) -> None:
    """Load weights whose names and shapes must be exactly those of `module`.

    Raises:
        ArtifactError: they are not, or some weight is not finite.
    """
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    got = {name: tuple(value.shape) for name, value in weights.items()}
    if wanted != got:
        wrong = sorted(name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name))
        raise ArtifactError(f"the weights of {path} do not fit its config: {', '.join(wrong[:3])}")
    broken = [name for name, value in weights.items() if not math.isfinite(float(value.double().abs().sum()))]
    if broken:
        raise ArtifactError(f"the weights of {path} are not finite: {', '.join(broken[:3])}")
    module.load_state_dict(weights)
