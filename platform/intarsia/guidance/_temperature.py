"""Temperature on the law of a site given the others, where it means the same at every time."""

from typing import Any

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.processes import AbstractProcess, Discrete


class Temperature:
    """p(x0_i | xt) ∝ loo(x0_i)^(1/T) q(xt_i | x0_i): the leave-one-out law is tempered, the evidence of xt_i is not.

    Tempering the posterior itself would also temper what the noised site says, more so the less noise there is. For one
    site the leave-one-out law is that of the data, so sampling gives p^(1/T) / Z at every number of steps. For
    absorbing noise it is the familiar temperature of the logits at masked sites. Over several sites no temperature on
    conditionals is one of the joint law.

    Args:
        process: `Discrete` noise.
        denoiser: predicts the posterior.
        temperature: T; below 1 sharpens.

    Raises:
        RequirementError: the noise has no leave-one-out law.
        ValueError: the temperature is not positive.
    """

    process: Discrete

    def __init__(self, process: AbstractProcess[Any], denoiser: Denoiser, temperature: float) -> None:
        if not isinstance(process, Discrete):
            raise RequirementError(f"`Temperature` needs `Discrete` noise, got {process}")
        if not temperature > 0:
            raise ValueError(f"`temperature` must be positive, got {temperature}")
        self.process = process
        self.time_free = bool(getattr(denoiser, "time_free", False)) and process.time_free
        self._denoiser, self._temperature = denoiser, temperature

    def __call__(self, xt: Tensor, t: Tensor, cond: Any = None) -> Tensor:
        """Tempered class logits."""
        pred = self._denoiser(xt, t, cond)
        logp = self.process.classes.log_softmax(pred.double())
        loo = self.process.leave_one_out(pred, xt, t)
        # the difference is log q(xt | x0), up to a constant
        tempered = loo / self._temperature + (logp - loo)
        return torch.where((logp == -torch.inf) | (loo == -torch.inf), -torch.inf, tempered)
