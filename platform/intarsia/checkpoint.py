"""An interrupted training run in one file: tensors as safetensors, numbers as JSON in its header."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from intarsia._atomic import write_atomically
from intarsia.errors import ArtifactError
from intarsia.persistence import read_tensors


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Tensors and plain numbers of a run."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]

    def expect(self, name: str, value: object) -> None:
        """Raise ArtifactError unless a number is what the run that resumes has."""
        if self.numbers.get(name) != value:
            raise ArtifactError(
                f"the checkpoint was made with {name}={self.numbers.get(name)}, this run has {name}={value}. "
                "Remove the checkpoint to start anew"
            )

    def tensor(self, name: str, like: Tensor) -> Tensor:
        """A tensor of the shape of `like`; raise ArtifactError where there is none."""
        found = self.tensors.get(name)
        if found is None or found.shape != like.shape or found.dtype != like.dtype:
            got = "nothing" if found is None else f"{found.dtype} {tuple(found.shape)}"
            raise ArtifactError(
                f"the checkpoint has {got} for `{name}`, this model needs {like.dtype} {tuple(like.shape)}. "
                "Remove the checkpoint to start anew"
            )
        return found


def save_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write a checkpoint under a temporary name and move it into place."""
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.tensors.items()}
    write_atomically(path, safetensors.torch.save(tensors, {"run": json.dumps(state.numbers)}))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ArtifactError: the file is truncated or is no checkpoint.
    """
    try:
        data = path.read_bytes()
        tensors = read_tensors(data, path)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        numbers: dict[str, Any] = json.loads(header["__metadata__"]["run"])
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ArtifactError(f"{path} is no readable checkpoint ({error}). Remove it to start anew") from error
    return Checkpoint(tensors, numbers)
