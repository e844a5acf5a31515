"""What a half-written Countdown answer leaves open: operands that are there, legal signs, results that follow."""

import torch
from torch import Tensor

from ._strings import BLANK, SIGN, SYMBOLS

_CLASSES = len(SYMBOLS)


def legal(xt: Tensor, question: Tensor, numbers: int, width: int) -> Tensor:
    """Which classes every character of an answer can have, Booleans (batch, answer sites, classes).

    An operand is one of the numbers, or of the results before it, that no other operand has used up; a sign gives a
    whole result that is not negative and fits, and the one that is written; a result follows from its step, and the
    last one is the target. A result that is not written yet can be anything, so some contradictions are seen late;
    solutions are never struck.

    Args:
        xt: with masks as class `len(SYMBOLS)`, (batch, answer sites).
        question: numbers of two characters and a target of three, (batch, question sites).
        numbers: that are given.
        width: characters of an operand and of a result.
    """
    batch, steps = len(xt), numbers - 1
    cells = xt.view(batch, steps, 3 * width + 1)
    left, sign, right, result = cells.split([width, 1, width, width], -1)
    target = _padded(question[:, 2 * numbers :], width)
    given = _padded(question[:, : 2 * numbers].view(batch, numbers, 2), width)
    result = _forced(left, sign, right, result, target)
    operands = torch.stack([left, right], 2).flatten(1, 2)
    all_ = torch.cat([given, result], 1)
    open_ = [_operand(operands, place, all_[:, : numbers + place // 2], all_) for place in range(2 * steps)]
    sides = torch.stack(open_, 1).view(batch, steps, 2, width, _CLASSES)
    parts = [sides[:, :, 0], _signs(left, right, result)[:, :, None], sides[:, :, 1], _fixed(result)]
    return torch.cat(parts, 2).flatten(1, 2)


def _padded(field: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(field, (width - field.shape[-1], 0), value=BLANK)


def _value(field: Tensor) -> Tensor:
    """The number in a field, -1 where it is not all written or is none."""
    digits = torch.where(field < 10, field, 0)
    powers = 10 ** torch.arange(field.shape[-1] - 1, -1, -1, device=field.device)
    blank = field == BLANK
    leading = (blank[..., 1:] <= blank[..., :-1]).all(-1) & ~blank[..., -1]
    return torch.where(((field < 10) | blank).all(-1) & leading, (digits * powers).sum(-1), -1)


def _written(number: Tensor, width: int) -> Tensor:
    """The field of a number that fits, (..., width)."""
    powers = 10 ** torch.arange(width - 1, -1, -1, device=number.device)
    leading = (number[..., None] < powers) & (powers > 1)
    return torch.where(leading, BLANK, number[..., None] // powers % 10)


def _results(left: Tensor, right: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Results of the four signs and whether they are legal, (..., 4) each, for operands that are written."""
    divisor = right.clamp(min=1)
    exact = (right > 0) & (left % divisor == 0)
    outcomes = torch.stack([left + right, left - right, left * right, left // divisor], -1)
    fits = (outcomes >= 0) & (outcomes < 10**width)
    return outcomes, fits & torch.stack([fits[..., 0], left >= right, fits[..., 2], exact], -1)


def _forced(left: Tensor, sign: Tensor, right: Tensor, result: Tensor, target: Tensor) -> Tensor:
    """Results where their step determines them, masks where not, and the target at the end."""
    width = result.shape[-1]
    a, b, which = _value(left), _value(right), sign.squeeze(-1) - SIGN
    known = (a >= 0) & (b >= 0) & (which >= 0) & (which < 4)
    outcomes, possible = _results(a.clamp(min=0), b.clamp(min=0), width)
    chosen = which.clamp(0, 3)[..., None]
    follows = known & possible.gather(-1, chosen).squeeze(-1)
    outcome = torch.where(follows, outcomes.gather(-1, chosen).squeeze(-1), 0)
    result = torch.where(follows[..., None], _written(outcome, width), result)
    return torch.cat([result[:, :-1], target[:, None]], 1)


def _fixed(result: Tensor) -> Tensor:
    """Written characters as they are, digits and blanks where nothing is."""
    classes = torch.arange(_CLASSES, device=result.device)
    free = (classes < 10) | (classes == BLANK)
    return torch.where(result[..., None] < _CLASSES, result[..., None] == classes, free)


def _signs(left: Tensor, right: Tensor, result: Tensor) -> Tensor:
    """Signs that fit operands and result, as far as these are written, (batch, steps, classes)."""
    a, b, c = _value(left), _value(right), _value(result)
    outcomes, possible = _results(a.clamp(min=0), b.clamp(min=0), result.shape[-1])
    possible &= (outcomes == c[..., None]) | (c < 0)[..., None]
    possible |= ((a < 0) | (b < 0))[..., None]
    out = torch.zeros((*a.shape, _CLASSES), dtype=torch.bool, device=left.device)
    out[..., SIGN : SIGN + 4] = possible
    return out


def _operand(operands: Tensor, place: int, there: Tensor, all_: Tensor) -> Tensor:
    """Characters of one operand that lead to a quantity which is there and not used up, (batch, width, classes).

    Operands up to the same step use what is there by then; those of all steps use what there is in the end.

    Args:
        operands: all of them, (batch, operands, width).
        place: which one.
        there: quantities before this step, with masks where they are not known yet, (batch, quantities, width).
        all_: these and the later results.
    """
    own = operands[:, place]
    others = torch.cat([operands[:, :place], operands[:, place + 1 :]], 1)
    soon = others[:, : 2 * (place // 2) + 1]
    known = (there < _CLASSES).all(-1)
    later = (all_ == _CLASSES).any(-1).sum(1, keepdim=True)
    free = _count(there, soon) < _count(there, there)
    free &= _count(there, others) < _count(there, all_) + later
    fits = (own[:, None] == there) | (own[:, None] == _CLASSES) | (there == _CLASSES)
    kept = fits.all(-1) & (free | ~known)
    classes = torch.arange(_CLASSES, device=own.device)
    digits = (classes < 10) | (classes == BLANK)
    offers = torch.where(there[..., None] < _CLASSES, there[..., None] == classes, digits)
    return (offers & kept[..., None, None]).any(1)


def _count(fields: Tensor, among: Tensor) -> Tensor:
    """How many written fields (batch, m, width) are equal to each of (batch, n, width), (batch, n)."""
    written = (among < _CLASSES).all(-1)
    return ((fields[:, :, None] == among[:, None]).all(-1) & written[:, None]).sum(-1)
