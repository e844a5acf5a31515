"""The most probable permutations of a head that chooses item by item: greedy and beam search."""

import math

import torch
from torch import Tensor

from intarsia.processes import AbstractSequentialHead

ELEMENTS = 2**24
"""Numbers that the parameters of all beams of a block of rows may hold."""


def beam(head: AbstractSequentialHead, pred: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Search for the most probable permutations, keeping `width` prefixes; 1 is the greedy choice.

    Args:
        head: the law.
        pred: its parameters, one set a row.
        width: prefixes kept at every rank; n! or more make it exact.

    Returns:
        Permutations (rows, k, n), the most probable first, and their log-probabilities in float64 (rows, k); k is
        `width`, or n! where that is less.
    """
    if width < 1:
        raise ValueError(f"the width of a beam must be at least 1, got {width}")
    each = max(1, ELEMENTS // (pred[0].numel() * width)) if len(pred) else 1
    found = [_search(head, part.double(), width) for part in pred.split(each)]
    return torch.cat([x for x, _ in found]), torch.cat([score for _, score in found])


def _search(head: AbstractSequentialHead, pred: Tensor, width: int) -> tuple[Tensor, Tensor]:
    rows, n = len(pred), pred.shape[-1]
    prefix = torch.empty((rows, 1, 0), dtype=torch.long, device=pred.device)
    taken = torch.zeros((rows, 1, n), dtype=torch.bool, device=pred.device)
    score = torch.zeros((rows, 1), dtype=torch.float64, device=pred.device)
    wide = pred
    for rank in range(n):
        kept = prefix.shape[1]
        if len(wide) != rows * kept:
            wide = pred.repeat_interleave(kept, 0)
        logits = head.logits(wide, prefix.flatten(0, 1)).view(rows, kept, n)
        total = score[:, :, None] + logits.masked_fill(taken, -torch.inf).log_softmax(2)
        # never more than there are prefixes, so that none is taken twice or impossible
        score, best = total.flatten(1).topk(min(width, math.perm(n, rank + 1)), 1)
        parent, item = best // n, best % n
        prefix = prefix.gather(1, parent[:, :, None].expand(-1, -1, rank))
        prefix = torch.cat([prefix, item[:, :, None]], 2)
        taken = taken.gather(1, parent[:, :, None].expand(-1, -1, n)).scatter(2, item[:, :, None], True)
    return prefix, score
