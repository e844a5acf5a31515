"""The noises of the text benchmark: a process, the network on its states, what is minimized, and the code of a letter.

To add one, add a line to `NOISES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine_cells.networks import OnBits, Scale
from engine_cells.texts import SYMBOLS
from intarsia import AnyOrderObjective, Discrete, NelboObjective, Xor
from intarsia.denoisers import FromLeaveOneOut
from intarsia.processes import AbstractProcess

BITS = 5


@dataclass(frozen=True)
class Setup:
    """What is trained."""

    process: AbstractProcess[Tensor]
    network: nn.Module
    objective: Any = NelboObjective()
    encode: Callable[[Tensor], Tensor] = lambda x: x


def _classes(process: Any, scale: Scale, objective: Any = NelboObjective()) -> Setup:
    return Setup(process, scale.network(SYMBOLS, time_free=process.time_free), objective)


def _marginal(train: np.ndarray) -> tuple[float, ...]:
    counts = np.bincount(train, minlength=SYMBOLS)
    return tuple((counts / counts.sum()).tolist())


def _neighbours(train: np.ndarray) -> Tensor:
    """A letter by what comes before and after it: logarithms of the chances of both, (symbols, 2 · symbols)."""
    pairs = np.bincount(train[:-1] * SYMBOLS + train[1:], minlength=SYMBOLS**2).reshape(SYMBOLS, SYMBOLS) + 1.0
    both = np.concatenate([pairs / pairs.sum(1, keepdims=True), (pairs / pairs.sum(0)).T], 1)
    return torch.from_numpy(np.log(both))


def _structured(train: np.ndarray, scale: Scale) -> Setup:
    from intarsia.processes import Structured

    # three neighbours, or the letters fall apart into groups that never meet
    return _classes(Structured.nearest(_neighbours(train), 3), scale)


def _leave_one_out(train: np.ndarray, scale: Scale) -> Setup:
    process = Discrete.uniform(SYMBOLS)
    return Setup(process, FromLeaveOneOut(process, scale.network(SYMBOLS, time_free=False)))


def _xor(train: np.ndarray, scale: Scale) -> Setup:
    return Setup(
        Xor(BITS), OnBits(scale, BITS), encode=lambda x: (x[..., None] >> torch.arange(BITS, device=x.device)) & 1
    )


NOISES: dict[str, Callable[[np.ndarray, Scale], Setup]] = {
    "absorbing": lambda train, scale: _classes(Discrete.absorbing(SYMBOLS), scale),
    "uniform": lambda train, scale: _classes(Discrete.uniform(SYMBOLS), scale),
    "mixture": lambda train, scale: _classes(Discrete(SYMBOLS, mask=0.8), scale),
    "marginal": lambda train, scale: _classes(Discrete.marginal(_marginal(train)), scale),
    "structured": _structured,
    "xor": _xor,
    "absorbing-any-order": lambda train, scale: _classes(Discrete.absorbing(SYMBOLS), scale, AnyOrderObjective()),
    "uniform-leave-one-out": _leave_one_out,
}

MEANING = {
    "absorbing": "masks",
    "uniform": "letters redrawn uniformly (multinomial)",
    "mixture": "four fifths masks, one fifth uniform",
    "marginal": "letters redrawn by their frequency",
    "structured": "letters move to the 3 nearest by left and right context (D3PM's nearest neighbours)",
    "xor": "bits flipped, 5 a letter; the bound counts the 5 codes that are no letter",
    "absorbing-any-order": "masks, minimizing the same bound as a sum over unmaskings (`AnyOrderObjective`)",
    "uniform-leave-one-out": "uniform, the network predicting what the other sites tell",
    "mdlm": "masks, MDLM's recipe by hand in plain torch (`engine_cells/mdlm.py`)",
}
