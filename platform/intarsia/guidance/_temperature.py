"""Temperature on the law of a site given the others, where it means the same at every time."""

from typing import Any

from torch import Tensor

from intarsia._types import Clock, Denoiser, clock
from intarsia.errors import RequirementError
from intarsia.processes import AbstractFinite, AbstractProcess, Product


class Temperature:
    """p(x0_i | xt) ∝ loo(x0_i)^(1/T) q(xt_i | x0_i): the leave-one-out law is tempered, the evidence of xt_i is not.

    Tempering the posterior itself would also temper what the noised site says, more so the less noise there is
    (Gourevitch et al. 2026, arXiv 2605.22765). For one site the leave-one-out law is that of the data, so sampling
    gives p^(1/T) / Z at every number of steps. For absorbing noise it is the familiar temperature of the logits at
    masked sites. Over several sites no temperature on conditionals is one of the joint law.

    Args:
        process: noise of finitely many states a site, or a record of such fields.
        denoiser: predicts the posterior.
        temperature: T; below 1 sharpens.

    Raises:
        RequirementError: the noise has no leave-one-out law: its prediction is a mean, or a law of whole orders of
            items, or that of a guided kernel.
        ValueError: the temperature is not positive.
    """

    def __init__(self, process: AbstractProcess[Any], denoiser: Denoiser, temperature: float) -> None:
        _check(process, "")
        if not temperature > 0:
            raise ValueError(f"`temperature` must be positive, got {temperature}")
        self.process = process
        self.time_free = bool(getattr(denoiser, "time_free", False)) and process.time_free
        self._denoiser, self._temperature = denoiser, temperature

    def __call__(self, xt: Any, t: Clock, cond: Any = None) -> Any:
        """The tempered prediction: class logits, bit logits, or a dict of them."""
        pred = self._denoiser(xt, t, cond)
        if isinstance(self.process, Product):
            fields = self.process.fields.items()
            return {name: self._tempered(field, pred[name], xt[name], clock(t, name)) for name, field in fields}
        return self._tempered(self.process, pred, xt, t)

    def _tempered(self, process: AbstractProcess[Any], pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        assert isinstance(process, AbstractFinite)
        loo = process.leave_one_out(pred, xt, t)
        # the difference is log q(xt | x0), up to a constant
        logits = pred.double()
        return (loo / self._temperature + (logits - loo)).where(loo.isfinite() & logits.isfinite(), logits)


def _check(process: AbstractProcess[Any], where: str) -> None:
    if isinstance(process, Product):
        for name, field in process.fields.items():
            _check(field, f" in the field {name!r}")
    elif not isinstance(process, AbstractFinite) or not process.has_leave_one_out:
        raise RequirementError(
            f"`Temperature` needs noise of finitely many states whose prediction is its posterior, got {process}"
            f"{where}: elsewhere there is no law of a site given the others to be tempered"
        )
