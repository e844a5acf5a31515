"""Scores of sequences, in shards: of whole rows, of both strands, and of each letter given all others."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia_domains.dna._alphabet import BASES, Codes
from intarsia_domains.dna._denoiser import LetterDenoiser, told
from intarsia_domains.dna._likelihood import log_prob
from intarsia_domains.dna._slots import Slots

Floats = NDArray[np.float64]
_SHARD = 1024
_ROWS = 4096


def row_log_prob(denoiser: LetterDenoiser, slots: Slots, draws: int, seed: int) -> Floats:
    """log P(letters in their sets), nats, (rows,); see `log_prob`."""
    parts = [np.zeros(0)]
    device = next(denoiser.parameters()).device
    with torch.no_grad():
        for start in range(0, len(slots), _SHARD):
            rows = np.arange(start, min(start + _SHARD, len(slots)))
            rng = torch.Generator(device).manual_seed(seed)
            part = log_prob(denoiser, *slots.take(rows).tensors(device), draws, rng)
            parts.append(part.cpu().double().numpy())
    return np.concatenate(parts)


def both_strands(there: Floats, back: Floats) -> Floats:
    """log of the mean of two probabilities."""
    return np.logaddexp(there, back) - np.log(2.0)


def site_log_prob(denoiser: Any, slots: Slots, codes: Codes) -> Floats:
    """log p(letter | all others) of every site, nats, (rows, length); 0 outside.

    Under any noise: the site's own state is told to be anything, the others to be what they are.
    """
    device = next(denoiser.parameters()).device
    _, inside, features = slots.tensors(device)
    letters = torch.where(inside, torch.from_numpy(codes.astype(np.int64)).to(device), 0)
    rows, length = letters.shape
    out = torch.zeros((rows, length), dtype=torch.float64, device=device)
    hot = letters[..., None] == torch.arange(BASES, device=device)
    step = max(1, _ROWS // max(length, 1))
    for start in range(0, rows, step):
        part = slice(start, start + step)
        out[part] = _sites(denoiser, hot[part], inside[part], features[part])
    return out.cpu().numpy()


def _sites(denoiser: LetterDenoiser, hot: Tensor, inside: Tensor, features: Tensor) -> Tensor:
    rows, length = inside.shape
    own = torch.eye(length, dtype=torch.bool, device=hot.device)
    allowed = (hot[:, None] | own[None, :, :, None]).flatten(0, 1)
    cond = told(allowed, inside.repeat_interleave(length, 0), features.repeat_interleave(length, 0))
    # a state that says nothing: what is known comes by the sets alone
    belief = torch.where(cond[..., :BASES] > 0, 0.0, -torch.inf).softmax(-1) - 1.0 / BASES
    within = cond[..., BASES] > 0
    with torch.no_grad():
        logits = denoiser.network(belief * within[..., None], within, cond[..., BASES + 1 :])
    logp = logits.double().log_softmax(-1).view(rows, length, length, BASES).diagonal(dim1=1, dim2=2).transpose(1, 2)
    return torch.where(inside, (logp * hot).sum(-1), 0.0)
