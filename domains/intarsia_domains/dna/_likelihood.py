"""Log-likelihoods of sequences of whose letters sets are known, and all of them where sequences are short."""

import math
from typing import Any

import torch
from torch import Tensor

from intarsia.likelihood import chain_log_prob
from intarsia.objectives import AnyOrderObjective
from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._denoiser import FIXED, LetterDenoiser, told
from intarsia_domains.dna._sequence_error import SequenceError

CHAINED = 32
"""Sites up to which likelihoods of absorbing noise are whole chains; longer ones are estimated from single links."""
_ROWS = 1 << 16
_MOST_SITES = 10


def log_prob(
    denoiser: LetterDenoiser, allowed: Tensor, inside: Tensor, features: Tensor, draws: int, rng: torch.Generator
) -> Tensor:
    """Lower bound of log P(every letter is in its set), nats, (rows,), float64.

    Args:
        denoiser: of any noise.
        allowed: sets of letters, (rows, length, 4).
        inside: sites of each sequence, (rows, length).
        features: conditions, (rows, length, channels).
        draws: orders of the sites; where single links or times are drawn, 16 each.
        rng: draws everything.

    Raises:
        SequenceError: sets of more than one letter, which only absorbing noise can sum over.
    """
    sizes = torch.where(inside, allowed.sum(-1), 1)
    codes = torch.where(inside, allowed.int().argmax(-1), 0)
    cond = told(torch.ones_like(allowed), inside, features)
    noise, process = denoiser.noise, denoiser.process
    known = sizes == 1
    if not denoiser.time_free:
        if not bool(known.all()):
            row = int((~known).any(1).nonzero()[0, 0])
            raise SequenceError(
                f"row {row} has letters that are not known, and {noise.name} noise cannot sum over them; "
                "leave the row out, or use a model of absorbing noise"
            )
        return -noise.nelbo(process, denoiser, noise.encode(codes), cond, 16 * draws, rng)
    if bool((known | (sizes == BASES)).all()):
        if codes.shape[1] <= CHAINED or not bool(known.all()):
            return chain_log_prob(process, denoiser, codes, known=known, orders=draws, cond=cond, rng=rng)
        links = [AnyOrderObjective()(process, denoiser, codes, cond, rng).double() for _ in range(16 * draws)]
        return -torch.stack(links).mean(0)
    return set_log_prob(denoiser, allowed, cond, draws, rng)


def set_log_prob(denoiser: LetterDenoiser, allowed: Tensor, cond: Tensor, orders: int, rng: torch.Generator) -> Tensor:
    """Mean over orders of Σ log P(x_i in its set | the sets of the sites before i), nats, (rows,), float64.

    The chain rule for sets: what was seen of the sites before enters as what they may be.
    """
    rows, sites = allowed.shape[:2]
    state = torch.full((rows, sites), BASES, device=allowed.device)
    time = torch.full((rows,), 0.5, dtype=torch.float64, device=allowed.device)
    total = torch.zeros(rows, dtype=torch.float64, device=allowed.device)
    for _ in range(orders):
        seen = cond.clone()
        for site in torch.randperm(sites, generator=rng, device=allowed.device).tolist():
            logp = denoiser(state, time, seen)[:, site].double().log_softmax(-1)
            own = allowed[:, site] | (cond[:, site, BASES, None] == 0)
            total += torch.where(own, logp, -torch.inf).logsumexp(-1)
            seen[:, site, :BASES] *= own
    return total / orders


def enumerated_log_prob(denoiser: LetterDenoiser, length: int, features: Tensor | None = None) -> Tensor:
    """log p of all 4^length sequences under one-by-one unmasking in random order, (4^length,), float64.

    `exact_log_prob` for all sequences at once: what is known of a sequence is one of 5^length states, and each is asked
    once. The first site counts most in the number of a sequence.

    Args:
        denoiser: of absorbing noise.
        length: sites, at most 10.
        features: conditions of all sequences, (length, channels).

    Raises:
        SequenceError: another noise, or too many sites.
    """
    if not denoiser.time_free or length > _MOST_SITES:
        raise SequenceError(
            f"all sequences can be scored under absorbing noise with at most {_MOST_SITES} sites, got {length} sites "
            f"under {denoiser.noise.name} noise"
        )
    device = next(denoiser.parameters()).device
    features = torch.zeros(length, 0) if features is None else features
    f: dict[int, Tensor] = {0: torch.zeros(1, dtype=torch.float64, device=device)}
    for subset in range(2**length - 1):
        own = f.pop(subset)
        sites = [site for site in range(length) if subset >> site & 1]
        logp = _conditionals(denoiser, sites, length, features.to(device))
        left = [site for site in range(length) if site not in sites]
        for site in left:
            before = sum(other < site for other in sites)
            shape = (BASES**before, BASES ** (len(sites) - before))
            term = own.view(shape[0], 1, shape[1]) + logp[:, site].view(*shape, BASES).transpose(1, 2)
            term = (term - math.log(len(left))).flatten()
            after = subset | 1 << site
            f[after] = torch.logaddexp(f[after], term) if after in f else term
    return f[2**length - 1]


def _conditionals(denoiser: Any, sites: list[int], length: int, features: Tensor) -> Tensor:
    """log p(each letter of each site | letters of some sites), for all of those, (4^sites, length, 4)."""
    count, device = BASES ** len(sites), features.device
    parts = list[Tensor]()
    for start in range(0, count, _ROWS):
        number = torch.arange(start, min(start + _ROWS, count), device=device)
        state = torch.full((len(number), length), BASES, device=device)
        for place, site in enumerate(sites):
            state[:, site] = number // BASES ** (len(sites) - 1 - place) % BASES
        cond = torch.ones((len(number), length, FIXED), device=device)
        cond = torch.cat([cond, features.expand(len(number), -1, -1)], -1)
        time = torch.full((len(number),), 0.5, dtype=torch.float64, device=device)
        with torch.no_grad():
            parts.append(denoiser(state, time, cond).double().log_softmax(-1))
    return torch.cat(parts)
