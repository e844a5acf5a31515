"""The contract of noise whose sites take finitely many states, so that its laws can be written down."""

from abc import abstractmethod

import torch
from torch import Tensor

from intarsia.classes import AbstractClasses, Ragged
from intarsia.errors import RequirementError
from intarsia.processes._base import AbstractProcess

IMPOSSIBLE = -1000.0
"""Log-probability that stands for none: it is 0 after `exp`, and finite."""


class AbstractFinite(AbstractProcess[Tensor]):
    """States are classes and, where `has_mask`, the mask one past the last class of a site.

    Noise that is a chain of jumps in continuous time also writes down the `rates` of its reversal. Samplers that leap
    need no more; for others `has_rates` is false, and they refuse.
    """

    @property
    @abstractmethod
    def classes(self) -> AbstractClasses:
        """The layout of class-wise values."""

    @property
    def has_mask(self) -> bool:
        """Whether a site may be in the mask state."""
        return False

    @abstractmethod
    def reverse_law(self, pred: Tensor, xt: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """log p(xs | xt) per site: of the classes (entries), and of the mask state (batch, *sites)."""

    @abstractmethod
    def prior_law(self) -> tuple[Tensor, float]:
        """Probabilities of the classes in the prior as entries of one row, (width,), and that of the mask."""

    def prediction(self, points: Tensor, weights: Tensor) -> Tensor:
        """Logarithms of the class probabilities of every site."""
        hit = self.classes.is_class(points).double()
        probs = (weights @ hit.flatten(1)).view(-1, *hit.shape[1:])
        return probs.log().clamp(min=IMPOSSIBLE)

    def log_probs(self, pred: Tensor) -> Tensor:
        """log p(x0 | xt) that a prediction gives to every class of a site, as entries, float64."""
        return self.classes.log_softmax(pred.double())

    def log_posterior(self, pred: Tensor, x0: Tensor) -> Tensor:
        """log p(x0 | xt) that a prediction gives to `x0`, (batch, *sites)."""
        return self.classes.log_prob(pred, x0)

    def log_likelihood(self, xt: Tensor, t: Tensor) -> Tensor:
        """log q(xt | x0) for every class x0 of a site, as entries, float64; -inf for those that cannot become xt."""
        last = self.classes.counts(xt.device) - 1
        each = [
            self.log_q(xt, torch.zeros_like(xt).add(k).minimum(last), t).double() for k in range(int(last.max()) + 1)
        ]
        table = torch.stack(each, -1)
        if not isinstance(self.classes, Ragged):
            return table
        return torch.cat([table[:, site, :count] for site, count in enumerate(self.classes.num_classes)], 1)

    @property
    def has_leave_one_out(self) -> bool:
        """Whether `leave_one_out` is defined: not for guided kernels, whose prediction is not their own posterior."""
        return True

    def leave_one_out(self, pred: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """The law of x0 given xt at the other sites, from the posterior ∝ loo(x0) q(xt | x0) (Gourevitch et al. 2026).

        As class logits (bit logits for bits). Where only one x0 can have become xt, the posterior has forgotten what
        the other sites say, and is returned as it is.
        """
        logp = self.classes.log_softmax(pred.double())
        told = self.log_likelihood(xt, t)
        possible = told > -torch.inf
        taken = self.classes.log_softmax(logp - torch.where(possible, told, 0.0))
        return torch.where(self.classes.spread(self.classes.sum(possible.double()) > 1.0), taken, logp)

    def from_leave_one_out(self, loo: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """The prediction ∝ loo(x0) q(xt | x0) of a network that says what the other sites tell: `leave_one_out`, back.

        What the site itself tells is known in closed form, and changes with time by more than a network learns soon.
        Exact for every law; x0 that cannot have become xt get the log-odds `IMPOSSIBLE`.
        """
        return self.classes.log_softmax(loo.double()) + self.log_likelihood(xt, t).clamp(min=IMPOSSIBLE)

    @property
    def has_rates(self) -> bool:
        """Whether `rates` is defined."""
        return type(self).rates is not AbstractFinite.rates

    def rates(self, pred: Tensor, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Rates of the reversed chain at `t`: to the classes (entries), and to the mask (batch, *sites); 0 to xt.

        The slope of `reverse_law` in the length of a step that ends at `t`.

        Raises:
            RequirementError: this noise has none.
        """
        raise RequirementError(f"{self} has no jump rates; use `Ancestral`, which needs its reverse kernel only")

    def jump(
        self, entries: Tensor, to_mask: Tensor, xt: Tensor, h: float, rng: torch.Generator | None = None
    ) -> Tensor:
        """Let rates stand still for a time `h`: jump with probability 1 - exp(-h R), to y in proportion to R(y).

        That is the law of any number of jumps, each to its own target wherever it starts: the last one decides.
        """
        to_class = self.classes.sum(entries)
        total = to_class + to_mask
        u = torch.rand((2, *xt.shape), dtype=torch.float64, generator=rng, device=xt.device)
        jumps = u[0] < -torch.expm1(-h * total)
        # where no jump happens the entries may all be 0; any law will do there
        safe = torch.where(self.classes.spread(jumps & (to_class > 0)), entries.log(), 0.0)
        target = torch.where(u[1] * total < to_mask, self.classes.counts(xt.device), self.classes.sample(safe, rng))
        return torch.where(jumps, target, xt)

    def leap(self, pred: Tensor, xt: Tensor, t: Tensor, h: float, rng: torch.Generator | None = None) -> Tensor:
        """One tau-leap of length `h` from `t`."""
        return self.jump(*self.rates(pred, xt, t), xt, h, rng)

    def unmasked(self, shape: torch.Size, device: torch.device) -> Tensor:
        """log p of the mask state where there is none."""
        return torch.full(shape, -torch.inf, dtype=torch.float64, device=device)
