"""How far the jumps of a predicted reversal are from the true one: the sum over classes in one pass over the logits."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from intarsia.classes import AbstractClasses
from intarsia.processes._finite import IMPOSSIBLE
from intarsia.processes._logspace import log

_OUT = -1e5
"""The logit of a class that is left out; finite, so that a site with no other class has gradients."""
_LOWEST = -700.0


def jump_divergence(
    classes: AbstractClasses,
    pred: Tensor,
    x0: Tensor,
    xt: Tensor,
    alpha: Tensor,
    here: Tensor,
    share: Tensor,
    law: Tensor | None,
) -> Tensor:
    """Σ_y P(y) - Q(y) + Q(y) log(Q(y) / P(y)) over the jumps xt → y ≠ xt of reversed chains, (batch, *sites), float64.

    With odds = alpha / (1 - alpha), the rates to classes are P(y) = odds p(y) + m π(y) of the model, m = 1 - ρ p(xt),
    ρ = alpha / (alpha + (1 - alpha) π(xt)) (Campbell et al. 2022, prop. 1, averaged over the posterior p), and Q(y), n
    the same for a posterior that is sure of x0; to a mask they are m π and n π. All but Σ n π(y) log(1 + odds p(y) / (m
    π(y))) is known in closed form, so few temporaries have an entry a class, in the precision of `pred`, float32 at
    least. Every term vanishes with alpha, by which the rates are divided, and none is a difference of larger ones.

    Args:
        classes: layout of `pred`.
        pred: class logits.
        x0: data (batch, *sites).
        xt: states (batch, *sites).
        alpha: survival of every site, between 0 and 1, 1 excluded.
        here: π(xt) of every site, positive.
        share: mass of π on all classes together, per site.
        law: how that is spread over the classes, entries of one row; None for evenly.
    """
    pred = pred if pred.dtype == torch.float64 else pred.float()
    masked = xt == classes.counts(xt.device)
    others = torch.where(classes.is_class(xt), _OUT, pred)
    rest = classes.logsumexp(others).double()
    own = classes.pick(pred, torch.where(masked, 0, xt)).double()
    own = torch.where(masked, rest.detach() + IMPOSSIBLE, own)
    same, away = logsigmoid(own - rest).exp(), logsigmoid(rest - own).exp()
    total = torch.logaddexp(own, rest)

    moved = xt != x0
    odds, reach = alpha / (1.0 - alpha), alpha + (1.0 - alpha) * here
    rho, noise = alpha / reach, (1.0 - alpha) * here / reach
    n, m = torch.where(moved, 1.0, noise), noise + rho * away
    difference = rho * torch.where(moved, -same, away)  # m - n
    log_ratio = _log_ratio(m, n, difference)
    log_odds = log(odds).clamp(min=_LOWEST)
    gain = log_odds - m.log()

    spread_out = _mean_gain(classes, others, gain - total, share, law)
    pi = _mass(classes, x0, share, law)
    most, got = _gain(log_odds - n.log(), pi), _gain(classes.pick(pred, x0).double() - total + gain, pi)
    jumped = n * pi * most - odds * (log_ratio + got - most)
    nats = odds * torch.where(moved, -same, away) + (1.0 - here) * (difference - n * log_ratio) - n * spread_out
    return nats + torch.where(moved, jumped, 0.0)


def _log_ratio(m: Tensor, n: Tensor, difference: Tensor) -> Tensor:
    """log(m / n), with the digits of small differences m - n."""
    change = difference / n
    close = change.abs() < 0.5
    return torch.where(close, torch.log1p(torch.where(close, change, 0.0)), m.log() - n.log())


def _mass(classes: AbstractClasses, x: Tensor, share: Tensor, law: Tensor | None) -> Tensor:
    """π(x) of classes `x`."""
    return share / classes.counts(x.device) if law is None else share * classes.pick(law, x)


def _gain(odds: Tensor, pi: Tensor) -> Tensor:
    """log(1 + exp(odds) / π), and where π is 0 what is left of a difference of two of them."""
    return torch.where(pi > 0, _softplus(odds - log(torch.where(pi > 0, pi, 1.0))), odds)


def _mean_gain(classes: AbstractClasses, logits: Tensor, shift: Tensor, share: Tensor, law: Tensor | None) -> Tensor:
    """Σ_y π(y) log(1 + exp(logit(y) + shift) / π(y)), float64."""
    shift = shift - log(torch.where(share > 0, share, 1.0))
    if law is None:
        counts = classes.counts(logits.device).double()
        gains = _softplus(logits + classes.spread((shift + counts.log()).to(logits.dtype)))
        return share / counts * classes.sum(gains).double()
    levels = log(torch.where(law > 0, law, 1.0)).to(logits.dtype)
    gains = _softplus(logits + classes.spread(shift.to(logits.dtype)) - levels)
    return share * classes.sum(gains * law.to(logits.dtype)).double()


def _softplus(x: Tensor) -> Tensor:
    return softplus(x, threshold=40.0)  # log(1 + exp(-40)) is 0 to all digits
