"""What particles leave behind: weighted states, one draw a group, and an estimate of the normalizing constant."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Steered:
    """The end of a run of particles in independent groups.

    Args:
        x: one state a group, drawn by weight, (groups, *sites) or a dict of them. In a group whose particles all weigh
            nothing it is just one of them.
        particles: all states, group by group, (groups · particles, *sites).
        log_weights: of the particles, since the last resampling, (groups, particles).
        log_evidence: log of each group's estimate of E[exp reward(x0)], (groups,); the estimate itself is unbiased.
    """

    x: Any
    particles: Any
    log_weights: Tensor
    log_evidence: Tensor

    @property
    def probability(self) -> float:
        """Estimate of E[exp reward(x0)], for an event its probability: unbiased for the sampler's finite steps."""
        return float(self.log_evidence.exp().mean())

    @property
    def standard_error(self) -> float:
        """Standard error of `probability`, from the spread over groups; NaN for a single one."""
        groups = self.log_evidence.numel()
        return float(self.log_evidence.exp().std() / math.sqrt(groups)) if groups > 1 else math.nan

    @property
    def satisfied(self) -> Tensor:
        """Groups some particle of which has a weight, as bools (groups,): false where no particle met the event."""
        return torch.isfinite(self.log_evidence)
