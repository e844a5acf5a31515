"""The two texts of 27 symbols, their splits, and windows of them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

SYMBOLS = 27
FILES = {"kjv27": "kjv27.txt.gz", "text8": "text8_prefix.txt.gz"}
SPLITS = {
    "kjv27": "the first 15/17, the next 1/17 and the last 1/17: the proportions of the other text",
    "text8": "[0, 6.0M), [6.0M, 6.4M), [6.4M, 6.8M) of the prefix: not the split of the published figures",
}


@dataclass(frozen=True)
class Text:
    """A text as numbers 0 (space) and 1 to 26, int64."""

    name: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def load(name: str, folder: Path) -> Text:
    """Read and split a text from `folder`/text."""
    path = folder / "text" / FILES[name]
    if not path.exists():
        raise FileNotFoundError(f"there is no {path.name} in {path.parent}; say where the data is with --data PATH")
    raw = np.frombuffer(gzip.decompress(path.read_bytes()).rstrip(b"\n"), dtype=np.uint8)
    ids = np.where(raw == ord(" "), 0, raw.astype(np.int64) - ord("a") + 1)
    if ids.min() < 0 or ids.max() >= SYMBOLS:
        raise ValueError(f"{path.name} holds more than a to z and the space")
    cuts = (6_000_000, 6_400_000, 6_800_000) if name == "text8" else [len(ids) * n // 17 for n in (15, 16, 17)]
    return Text(name, ids[: cuts[0]], ids[cuts[0] : cuts[1]], ids[cuts[1] : cuts[2]])


def letters(ids: np.ndarray) -> bytes:
    """The text again."""
    return np.where(ids == 0, ord(" "), ids + ord("a") - 1).astype(np.uint8).tobytes()


def windows_at(ids: Tensor, starts: Tensor, sites: int) -> Tensor:
    """Windows (rows, sites) that begin at `starts`."""
    return ids[starts[:, None] + torch.arange(sites, device=ids.device)]


def tiled(ids: Tensor, sites: int, most: int | None) -> Tensor:
    """Windows side by side, all that fit or `most` of them spread evenly over the text, (rows, sites)."""
    rows = ids[: len(ids) // sites * sites].view(-1, sites)
    if most is None or most >= len(rows):
        return rows
    return rows[torch.linspace(0, len(rows) - 1, most, dtype=torch.float64).round().long()]
