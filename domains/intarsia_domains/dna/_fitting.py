"""Training a denoiser of letters."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from intarsia.training import Budget, Settings, Trained, Watch, own_generator, train
from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._conditions import Conditions
from intarsia_domains.dna._denoiser import FIXED, LetterDenoiser, coarsened, told
from intarsia_domains.dna._networks import AbstractNetwork
from intarsia_domains.dna._noises import AbstractNoise
from intarsia_domains.dna._sequences import Sequences

_LEAST_SHARE = 1e-3
_HELD_OUT = 1000  # rows of a measurement, at most: twenty of them have to cost little beside the training


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What training rows lose, so that the model can do without it.

    Args:
        drop: share that is not told its conditions.
        sets: share that is told sets of letters at some sites, as IUPAC codes are.
    """

    drop: float
    sets: float


def built(
    noise: AbstractNoise, network: AbstractNetwork, law: tuple[float, ...], length: int, channels: int, seed: int
) -> LetterDenoiser:
    """An untrained denoiser whose first weights follow from `seed`; torch's global generator stays as it was."""
    with own_generator():
        torch.manual_seed(seed)
        return LetterDenoiser(noise, noise.process(law), network.build(length, channels))


def letter_law(sequences: Sequences) -> tuple[float, ...]:
    """Shares of A, C, G, T, none of them 0."""
    counts = np.bincount(sequences.codes[sequences.codes < BASES].ravel(), minlength=BASES)
    shares = np.maximum(counts / counts.sum(), _LEAST_SHARE)
    return tuple(float(share) for share in shares / shares.sum())


def fit_denoiser(
    denoiser: LetterDenoiser,
    sequences: Sequences,
    conditions: Conditions,
    labels: dict[str, Any],
    augmentation: Augmentation,
    budget: Budget,
    settings: Settings,
    seed: int,
    watch: Watch | None,
) -> Trained:
    """Train on sequences of bases alone; a tenth of them see when to stop."""
    device = next(denoiser.parameters()).device
    length = sequences.codes.shape[1]
    codes = torch.from_numpy(sequences.codes.astype(np.int64)).to(device)
    features = torch.from_numpy(conditions.encode(labels, len(sequences), length)).to(device)
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed)).to(device)
    out = order[: min(len(codes) // 10, _HELD_OUT)]
    rest = order[len(out) :]
    out = out if len(out) else rest
    passes = max(1, min(4, _HELD_OUT // len(out)))
    noise, process = denoiser.noise, denoiser.process

    def prepared(rows: Tensor) -> tuple[Tensor, Tensor]:
        inside = codes[rows] < BASES
        letters = torch.where(inside, codes[rows], 0)
        every = torch.ones((*letters.shape, BASES), dtype=torch.bool, device=device)
        return letters, told(every, inside, features[rows])

    def loss(network: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        letters, cond = prepared(rest[rows.to(device)])
        kept = torch.rand((len(rows), 1, 1), generator=rng, device=device) >= augmentation.drop
        cond = torch.cat([cond[..., :FIXED], cond[..., FIXED:] * kept], -1)
        if augmentation.sets > 0:
            cond = coarsened(cond, letters, augmentation.sets, rng)
        return noise.objective(process, network, noise.encode(letters), cond, rng)

    def held_out(network: nn.Module) -> float:
        rng = torch.Generator(device).manual_seed(seed)
        total = torch.zeros((), dtype=torch.float64)
        for _ in range(passes):
            for rows in out.split(512):
                letters, cond = prepared(rows)
                nats = noise.objective(process, network, noise.encode(letters), cond, rng)
                total += nats.sum().double().cpu()
        return float(total) / (passes * len(out))

    return train(denoiser, loss, len(rest), held_out, budget, settings, seed=seed, watch=watch)
