"""Classifier-free guidance: a conditional kernel, sharpened against the unconditional one."""

from typing import Any

from torch import Tensor

from intarsia._types import Denoiser
from intarsia.guidance._compose import Compose
from intarsia.guidance._heads import site_logits
from intarsia.guidance._mix import Powers
from intarsia.processes import AbstractProcess


class ClassifierFree(Compose):
    """log p^g(xs | xt) = g log p(xs | xt, cond) + (1 - g) log p(xs | xt), normalized (D-CFG; arXiv 2412.10193).

    On the reverse kernel, not on the denoiser's logits: for noise that is not absorbing those differ, and `process` is
    then one whose kernel is `Mixed`. For absorbing noise it is Tang et al.'s (2022) mixture of posteriors, for Gaussian
    noise Ho & Salimans' (2022) extrapolation of means. With perfect denoisers g = 1 is the conditional law; **g > 1 is
    not the law that is tilted by p(cond | x0)^g**, whatever is said of guidance strength.

    >>> guided = ClassifierFree(process, denoiser, 2.0)                                      # doctest: +SKIP
    >>> Diffusion(guided.process, guided).sample(shape, cond=label, rng=rng)                 # doctest: +SKIP

    Args:
        process: the noise.
        denoiser: takes a condition, and `null` for none; train it in a `NullCondition`.
        strength: g; 1 is the conditional model, 0 the unconditional one, and more exaggerates.
        null: what stands for no condition.
    """

    def __init__(
        self, process: AbstractProcess[Any], denoiser: Denoiser, strength: float, *, null: object = None
    ) -> None:
        free = _Unconditional(process, denoiser, null)
        terms = [(w, d) for w, d in ((strength, denoiser), (1.0 - strength, free)) if w != 0.0]
        super().__init__(process, [d for _, d in terms], Powers(tuple(w for w, _ in terms)))


class _Unconditional:
    """A denoiser that is told no condition."""

    def __init__(self, process: AbstractProcess[Any], denoiser: Denoiser, null: object) -> None:
        self.process, self.denoiser, self.null = process, denoiser, null
        self.time_free = bool(getattr(denoiser, "time_free", False))

    def __call__(self, xt: Any, t: Any, cond: Any = None) -> Any:
        return self.denoiser(xt, t, self.null)

    def site_logits(self, xt: Tensor, t: Tensor, cond: Any, site: int) -> Any:
        return site_logits(self.process, self.denoiser, xt, t, self.null, site)
