"""Networks as JSON and tensors."""

from typing import Any

import torch

from intarsia.training import own_generator

from ._denoiser import FactorGraphDenoiser


def build_network(shape: dict[str, Any], seed: int = 0) -> FactorGraphDenoiser:
    """A network of this shape with random weights; torch's generator is left as it was."""
    with own_generator():
        torch.manual_seed(seed)
        return FactorGraphDenoiser(**shape)


def shape_of(network: FactorGraphDenoiser) -> dict[str, Any]:
    """What `build_network` needs."""
    return {
        "width": network.width,
        "hidden": network.hidden,
        "iterations": network.iterations,
        "noise": network.noise,
    }
