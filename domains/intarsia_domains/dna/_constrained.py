"""Denoisers whose predictions keep hard constraints, conditioned on what is known and on what has to hold."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from intarsia._time import per_site
from intarsia._types import Denoiser
from intarsia.errors import RequirementError
from intarsia.processes import AbstractFinite, AbstractProcess, Discrete, Xor
from intarsia_domains.dna._alphabet import BASES
from intarsia_domains.dna._rules import Rules

_LEAST = -300.0


class _Constrained:
    """What both wrappers share: the product law that the denoiser predicts, with known sites put in.

    Args:
        process: noise of states (batch, length) with 4 classes, or 5 where the last one is padding.
        denoiser: predicts class logits.
        rules: compiled for the number of sites.

    Raises:
        RequirementError: predictions are not class logits of 4 or 5 classes.
    """

    process: AbstractFinite

    def __init__(self, process: AbstractProcess[Any], denoiser: Denoiser, rules: Rules) -> None:
        if not isinstance(process, AbstractFinite) or isinstance(process, Xor):
            raise RequirementError(f"constraints need predictions that are class logits, got {process}")
        if process.classes.width not in (BASES, BASES + 1):
            raise RequirementError(f"constraints need 4 or 5 classes a site, got {process.classes.width} entries")
        self.process, self.rules = process, rules
        self.time_free = bool(getattr(denoiser, "time_free", False))
        self._denoiser = denoiser

    def _law(self, xt: Tensor, t: Tensor, cond: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        logits = self.process.classes.log_softmax(self._denoiser(xt, t, cond).double())
        # absorbing noise says itself what is known; elsewhere it is what lives at time 0
        absorbing = isinstance(self.process, Discrete) and self.process.mask == 1.0
        known = xt < logits.shape[-1] if absorbing else per_site(t, xt).expand(xt.shape) == 0
        sure = torch.nn.functional.one_hot(torch.where(known, xt, 0), logits.shape[-1]).double()
        return torch.where(known[..., None], sure, logits.exp()).detach().cpu().numpy()


class ConditionedMarginals(_Constrained):
    """Each site's law given all constraints, in place of its own.

    p(x0_i | xt, constraints) under the product law of the sites: what looks ahead, unlike a projection. It is a plain
    change of the posterior. Where a sampler draws one site a call (`FirstHitting`, `Unmask` with one site) every
    sequence keeps the constraints; several sites drawn at once are taken for independent, and may not. Use `JointDraw`
    for those.
    """

    def __call__(self, xt: Tensor, t: Tensor, cond: Any = None) -> Tensor:
        """Log-marginals, (batch, length, classes)."""
        law = self.rules.marginals(self._law(xt, t, cond))
        return _logs(law, xt.device)


class JointDraw(_Constrained):
    """A whole sequence, drawn jointly from the product law given all constraints, as a prediction that is sure of it.

    Samplers that draw x0 and then act on it (all reverse kernels of discrete noise: the mixture of bridges over x0) so
    draw sites that fit together, and at every step of absorbing noise what is known can still be completed. The last
    step, to time 0, gives the sequence itself, so it keeps every constraint for certain, under any discrete noise and
    any number of steps. Scores of confidence mean nothing here: choose sites at random.

    Args:
        process: as for the base.
        denoiser: as for the base.
        rules: as for the base.
        seed: of the draws.
    """

    def __init__(self, process: AbstractProcess[Any], denoiser: Denoiser, rules: Rules, seed: int = 0) -> None:
        super().__init__(process, denoiser, rules)
        self._rng = np.random.default_rng(seed)

    def __call__(self, xt: Tensor, t: Tensor, cond: Any = None) -> Tensor:
        """Logits 0 at the drawn base and -inf elsewhere, (batch, length, classes)."""
        law = self._law(xt, t, cond)
        codes = self.rules.sample(law, self._rng)
        return _logs(np.eye(law.shape[-1])[codes.astype(np.int64)], xt.device)


class LetterDraw:
    """`JointDraw` for the noises of letters, of which some predict no class logits.

    The drawn letters are what the denoiser would predict were it sure of them. All kernels of these noises then act as
    mixtures of bridges over x0, and `AbstractNoise.ending` is the process whose last step gives the letters themselves,
    so that designs keep every constraint for certain under every noise.

    Args:
        denoiser: has the `noise` and the `posterior` of letters; known ones and sets are told to it.
        rules: compiled for the number of sites.
        seed: of the draws.
    """

    def __init__(self, denoiser: Any, rules: Rules, seed: int = 0) -> None:
        self.noise, self.rules, self.time_free = denoiser.noise, rules, bool(denoiser.time_free)
        self._denoiser, self._rng = denoiser, np.random.default_rng(seed)

    def __call__(self, xt: Tensor, t: Tensor, cond: Any = None) -> Tensor:
        """The prediction that is sure of the drawn letters."""
        logp = self._denoiser.posterior(xt, t, cond).double().log_softmax(-1)
        if not self.time_free:  # noise that is nearly gone still excludes nothing
            logp = logp.clamp(min=_LEAST)
        codes = self.rules.sample(logp.exp().detach().cpu().numpy(), self._rng)
        return self.noise.prediction(_logs(np.eye(BASES)[codes.astype(np.int64)], xt.device).float())


def _logs(law: np.ndarray[Any, np.dtype[np.float64]], device: torch.device) -> Tensor:
    return torch.as_tensor(law, device=device).log()
