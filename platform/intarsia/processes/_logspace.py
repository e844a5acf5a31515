"""Arithmetic of laws in log space that is finite, with its gradients, where probabilities are 0."""

import torch
from torch import Tensor


def ratio(a: Tensor, b: Tensor, empty: float) -> Tensor:
    """a / b, and `empty` where b is 0 (a flat or exhausted schedule)."""
    return torch.where(b > 0, a / torch.where(b > 0, b, 1.0), empty)


def log(x: Tensor) -> Tensor:
    """log x, and -inf with gradient 0 where x is 0."""
    return torch.where(x > 0, torch.where(x > 0, x, 1.0).log(), -torch.inf)


def logaddexp(a: Tensor, b: Tensor) -> Tensor:
    """log(exp a + exp b), and -inf with gradient 0 where both are -inf."""
    none = (a == -torch.inf) & (b == -torch.inf)
    return torch.where(none, -torch.inf, torch.logaddexp(torch.where(none, 0.0, a), torch.where(none, 0.0, b)))


def kl_terms(log_b: Tensor, log_p: Tensor) -> Tensor:
    """b log(b / p), and 0 where b = 0, with gradients 0."""
    none = log_b == -torch.inf
    log_b, log_p = torch.where(none, 0.0, log_b), torch.where(none, 0.0, log_p)
    return torch.where(none, 0.0, log_b.exp() * (log_b - log_p))
