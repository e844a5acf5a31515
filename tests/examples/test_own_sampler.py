"""A sampler of one's own: every site goes from noise to data in one step, the first one first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch

from intarsia import Discrete, Evidence, Gaussian, RequirementError
from intarsia.evidence import hold, times
from intarsia.processes import AbstractFinite, AbstractProcess
from intarsia.samplers import AbstractSampler, Claim
from intarsia.testing import check_refusal, check_sampler


@dataclass(frozen=True)
class SiteBySite(AbstractSampler):
    """Times of their own for the sites: 0 left of a site, 1 right of it; L calls for L sites.

    A step moves one site, so nothing is lost by drawing sites independently given xt, and any noise of finitely many
    states will do. For absorbing noise it is autoregressive generation (Hoogeboom et al. 2022, arXiv 2110.02037).

    Args:
        backwards: the last site first.
    """

    backwards: bool = False
    claim: ClassVar[Claim] = "exact"

    def check(self, process: AbstractProcess[Any]) -> None:
        if not isinstance(process, AbstractFinite):
            raise RequirementError(f"`SiteBySite` needs sites of finitely many states, got {process}. Use `Ancestral`.")

    def run(
        self,
        process: AbstractProcess[Any],
        denoiser: Callable[[Any, Any, Any], Any],
        x1: Any,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> Any:
        x = x1
        clock = torch.ones(x.shape, dtype=torch.float64, device=x.device).flatten(1)
        order = range(clock.shape[1])
        for site in reversed(order) if self.backwards else order:
            t = times(clock.view(x.shape), x, given)
            clock = clock.index_fill(1, torch.tensor([site], device=x.device), 0.0)
            s = times(clock.view(x.shape), x, given)
            x = hold(process.reverse(denoiser(x, t, cond), x, s, t, rng), given)
        return x


@pytest.mark.parametrize("sampler", [SiteBySite(), SiteBySite(backwards=True)])
@pytest.mark.parametrize("process", [Discrete.absorbing((3, 3)), Discrete.uniform(3)])
def test_it_is_exact(sampler: SiteBySite, process: AbstractFinite) -> None:
    check_sampler(sampler, process)


def test_it_refuses_what_it_cannot_do() -> None:
    check_refusal(SiteBySite(), Gaussian())
