"""Several models at once, kernel by kernel: the naive composition."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.guidance._heads import is_absorbing, site_logits
from intarsia.guidance._kernel import Mixed
from intarsia.guidance._mix import AbstractMix
from intarsia.processes import AbstractFinite, AbstractProcess, Gaussian, Product


class Compose:
    """The kernels of several denoisers, mixed at every step and site (Du et al. 2023, arXiv 2302.11552).

    **This is not the sampler of the product (or mixture) of the models**, even where every denoiser is perfect:
    p_a(x_i | xt) p_b(x_i | xt) is not the conditional of p_a p_b / Z, whose other sites would have to agree too. On
    two bits the total variation can be 0.013. For the product itself give particles the reward log p_b,
    `FeynmanKac(lambda x0: exact_log_prob(process, b, x0), proposal=Compose(...))`; for a mixture of models draw one
    of them a row.

    Absorbing noise mixes the posteriors of the masked sites and keeps the times of unmasking; Gaussian noise mixes
    means, which for powers that sum to 1 is the kernels' product. Then `process` is the process that was given; else
    it is one with `Mixed` kernels, and must be sampled with.

    Args:
        process: the noise of all denoisers, of one field or of records.
        denoisers: as many as the mix has weights; each gets the same condition.
        mix: `Powers` (and), `Shares` (or).

    Raises:
        RequirementError: the process has no kernel that can be mixed.
        ValueError: there are not as many denoisers as weights.
    """

    process: AbstractProcess[Any]

    def __init__(self, process: AbstractProcess[Any], denoisers: Sequence[Denoiser], mix: AbstractMix) -> None:
        if len(denoisers) != len(mix.weights):
            raise ValueError(f"expected a denoiser for each of the weights {mix.weights}, got {len(denoisers)}")
        self.process = _kernel(process, mix)
        self.time_free = all(bool(getattr(denoiser, "time_free", False)) for denoiser in denoisers)
        self._noise, self._denoisers, self._mix = process, list(denoisers), mix

    def __call__(self, xt: Any, t: Any, cond: Any = None) -> Any:
        """The prediction that `process` takes."""
        return _joined(self._noise, [denoiser(xt, t, cond) for denoiser in self._denoisers], self._mix)

    def site_logits(self, xt: Tensor, t: Tensor, cond: Any, site: int) -> Tensor:
        """Log-probabilities of one site of absorbing noise, (batch, classes of that site)."""
        heads = [site_logits(self._noise, denoiser, xt, t, cond, site) for denoiser in self._denoisers]
        return self._mix.logs([head.double().log_softmax(-1) for head in heads])


def _kernel(process: AbstractProcess[Any], mix: AbstractMix) -> AbstractProcess[Any]:
    if isinstance(process, Product):
        return Product({name: _kernel(field, mix) for name, field in process.fields.items()})
    if isinstance(process, Gaussian):
        mix.means([torch.zeros(())] * len(mix.weights))  # refuses weights that it cannot take
        return process
    if isinstance(process, AbstractFinite):
        return process if is_absorbing(process) else Mixed(process, mix)
    raise RequirementError(f"kernels of {process} cannot be mixed; they must be Gaussian or have finitely many states")


def _joined(process: AbstractProcess[Any], preds: Sequence[Any], mix: AbstractMix) -> Any:
    if isinstance(process, Product):
        fields = process.fields.items()
        return {name: _joined(field, [pred[name] for pred in preds], mix) for name, field in fields}
    if isinstance(process, Gaussian):
        return mix.means(preds)
    if is_absorbing(process):
        assert isinstance(process, AbstractFinite)
        return mix.logs([process.classes.log_softmax(pred.double()) for pred in preds])
    return torch.stack(list(preds), 1)
