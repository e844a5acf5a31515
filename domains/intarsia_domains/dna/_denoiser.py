"""A network of beliefs as the denoiser of any of the noises, told of allowed letters, lengths and conditions."""

from typing import Any

import torch
from torch import Tensor, nn

from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._noises import Absorbing, AbstractNoise

FIXED = BASES + 1
"""Channels in front of the conditions: four for the letters that a site may have, one for being inside."""
_NOT = -2e4
"""Log-weight of a letter that is not allowed; below any log-likelihood."""


def told(allowed: Tensor, inside: Tensor, features: Tensor) -> Tensor:
    """All that a denoiser is told of a batch beside the state, (batch, length, 5 + channels).

    Args:
        allowed: bools, letters that each site may have, (batch, length, 4).
        inside: bools, sites of the sequence, (batch, length); the letter of the others is set to A and counts nothing.
        features: conditions, (batch, length, channels).
    """
    first = torch.zeros_like(allowed)
    first[..., 0] = True
    allowed = torch.where(inside[..., None], allowed, first)
    return torch.cat([allowed.float(), inside[..., None].float(), features.float()], -1)


class LetterDenoiser(nn.Module):
    """The posterior p(letter | xt, allowed letters) ∝ network(what the other sites tell) · q(xt | letter) · allowed.

    A site's own state enters in closed form, as in `FromLeaveOneOut`. So do sets of allowed letters: a set is one more
    observation of the letter, whose likelihood is 1 in the set and 0 outside. Known letters, IUPAC codes and lengths
    are all this one thing.

    Args:
        noise: says what a noised site tells.
        process: of the noise.
        network: `(belief, inside, told) -> logits`.
    """

    def __init__(self, noise: AbstractNoise, process: Any, network: nn.Module) -> None:
        super().__init__()
        self.noise, self.process, self.network = noise, process, network
        self.time_free = isinstance(noise, Absorbing)

    def posterior(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        """log p(letter | xt) up to a constant a site, (batch, length, 4)."""
        allowed, inside = cond[..., :BASES], cond[..., BASES] > 0
        seen = self.noise.log_likelihood(self.process, xt, t)
        seen = seen.log_softmax(-1).clamp(min=0.5 * _NOT) + torch.where(allowed > 0, 0.0, _NOT)
        belief = (seen.softmax(-1) - 1.0 / BASES) * inside[..., None]
        return self.network(belief, inside, cond[..., FIXED:]) + seen

    def forward(self, xt: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        """What the process wants to be told."""
        return self.noise.prediction(self.posterior(xt, t, cond))


def without_conditions(cond: Tensor) -> Tensor:
    """The same with the conditions taken away; allowed letters and lengths stay."""
    bare = cond.clone()
    bare[..., FIXED:] = 0.0
    return bare


def coarsened(cond: Tensor, codes: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """Training rows of which a `share` are told sets that hold the letter, at some sites.

    Letters are put into two blocks at random and the block of the letter is shown: a set is as likely under each of
    its letters, so it tells no more than that.

    Args:
        cond: what the rows are told, (batch, length, 5 + channels).
        codes: their letters 0 to 3, (batch, length).
        share: of the rows.
        rng: draws everything.
    """
    rows, device = len(codes), cond.device
    some = torch.rand((rows, 1), generator=rng, device=device) < share
    rate = torch.rand((rows, 1), generator=rng, device=device)
    show = some & (torch.rand(codes.shape, generator=rng, device=device) < rate)
    side = torch.rand((*codes.shape, BASES), generator=rng, device=device) < 0.5
    block = side == side.gather(-1, codes[..., None])
    allowed = cond[..., :BASES] * (block | ~show[..., None])
    return torch.cat([allowed, cond[..., BASES:]], -1)
