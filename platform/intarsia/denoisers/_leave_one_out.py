"""A head for noise that leaves values visible: the network says what the other sites tell, the process the rest."""

from collections.abc import Callable
from typing import Any

from torch import nn

from intarsia._types import Clock, Denoiser, clock
from intarsia.errors import RequirementError
from intarsia.processes import AbstractFinite, AbstractProcess, Product


class FromLeaveOneOut(nn.Module):
    """The posterior p(x0 | xt) ∝ loo(x0) q(xt | x0) of a network that predicts the leave-one-out law.

    A posterior of noise that redraws or flips values must say how far xt itself can be trusted, which depends on the
    time and is known in closed form (`AbstractFinite.from_leave_one_out`). A network that predicts the posterior has
    to learn that first: untrained, it bounds the likelihood far worse than a uniform guess. With this head an untrained
    network *is* the uniform guess, log(classes) nats a site, and what is left to learn is what the others say of a site
    (Gourevitch et al. 2026, arXiv 2605.22765). Nothing else changes: losses, samplers and guidance see a posterior.
    For absorbing noise it makes the values of unmasked sites certain and leaves masked sites alone.

    Args:
        process: the noise; in a record the fields with finitely many states get this head, the others pass.
        denoiser: `(xt, t, cond) -> pred` in the form of the process's own predictions, read as leave-one-out laws.

    Raises:
        RequirementError: no field has finitely many states.
    """

    def __init__(self, process: AbstractProcess[Any], denoiser: Denoiser) -> None:
        super().__init__()
        fields = list(process.fields.values()) if isinstance(process, Product) else [process]
        if not any(isinstance(field, AbstractFinite) for field in fields):
            raise RequirementError(f"leave-one-out laws need noise with finitely many states, got {process}")
        self.process, self.denoiser = process, denoiser
        self.time_free = process.time_free and bool(getattr(denoiser, "time_free", False))

    def forward(self, xt: Any, t: Clock, cond: Any = None) -> Any:
        """The prediction that the process takes."""
        return _posterior(self.process, self.denoiser(xt, t, cond), xt, t)

    @property
    def site_logits(self) -> Callable[[Any, Any, Any, int], Any]:
        """The head of `denoiser` for one masked site, which has told nothing; there is none where it has none."""
        return self.denoiser.site_logits  # pyright: ignore[reportFunctionMemberAccess]


def _posterior(process: AbstractProcess[Any], loo: Any, xt: Any, t: Clock) -> Any:
    if isinstance(process, Product):
        fields = process.fields.items()
        return {name: _posterior(field, loo[name], xt[name], clock(t, name)) for name, field in fields}
    return process.from_leave_one_out(loo, xt, t) if isinstance(process, AbstractFinite) else loo
