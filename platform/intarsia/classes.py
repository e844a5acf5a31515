"""Operations on class logits, written once for equal and for ragged class counts.

Where every site has as many classes, logits are (batch, *sites, classes). Where counts differ, the sites of a row
share one flat tensor (batch, sum of classes): no padding to the largest column, no loop over columns. Reductions
over the classes of ragged sites run on a few buckets of sites of similar size, at most doubling the work.
"""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor


class AbstractClasses(ABC):
    """A layout of class-wise values ("entries") over sites."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Entries of the last axis: classes of one site, or of all sites where they are ragged."""

    @abstractmethod
    def counts(self, device: torch.device) -> Tensor:
        """Number of classes, broadcastable to (batch, *sites); it is also the id of the mask state."""

    @abstractmethod
    def logsumexp(self, entries: Tensor) -> Tensor:
        """Reduce entries over the classes of each site, to (batch, *sites)."""

    @abstractmethod
    def sum(self, entries: Tensor) -> Tensor:
        """Sum entries over the classes of each site, to (batch, *sites)."""

    @abstractmethod
    def spread(self, values: Tensor) -> Tensor:
        """Repeat per-site values (batch, *sites) for each class of the site."""

    @abstractmethod
    def pick(self, entries: Tensor, x: Tensor) -> Tensor:
        """The entry of class `x` at each site, to (batch, *sites)."""

    @abstractmethod
    def is_class(self, x: Tensor) -> Tensor:
        """Entries that stand for the class `x` of their site, as bools."""

    @abstractmethod
    def quantile(self, logits: Tensor, u: Tensor) -> Tensor:
        """Inverse distribution function of the sites at `u` (batch, *sites) in [0, 1): classes (batch, *sites)."""

    @abstractmethod
    def top(self, entries: Tensor, k: int) -> Tensor:
        """The `k` largest entries of each site, falling, (batch, *sites, k); -inf where it has fewer classes."""

    @abstractmethod
    def numbers(self, device: torch.device) -> Tensor:
        """Which class of its site each entry stands for, (width,)."""

    @abstractmethod
    def roll(self, entries: Tensor, x: Tensor) -> Tensor:
        """Entries counted from class `x`: entry n of a site becomes that of class (x + n) mod its number of classes."""

    @abstractmethod
    def law(self, probs: object) -> Tensor:
        """Read per-site class probabilities into entries of one row; raise ValueError if they are not laws."""

    def log_softmax(self, logits: Tensor) -> Tensor:
        """Logits normalized over the classes of each site, in float32 at least."""
        logits = _precise(logits)
        return logits - self.spread(self.logsumexp(logits))

    def log_prob(self, logits: Tensor, x: Tensor) -> Tensor:
        """Log-probability of the classes `x`, to (batch, *sites), without normalising the other entries."""
        logits = _precise(logits)
        return self.pick(logits, x) - self.logsumexp(logits)

    def sample(self, logits: Tensor, rng: torch.Generator | None) -> Tensor:
        """Draw a class per site by inversion in float64, which no float32 race distorts (Zheng et al. 2024)."""
        shape = self._sites(logits)
        return self.quantile(logits, torch.rand(shape, dtype=torch.float64, generator=rng, device=logits.device))

    @abstractmethod
    def _sites(self, logits: Tensor) -> torch.Size: ...


def _precise(logits: Tensor) -> Tensor:
    # the error of half-precision logits is visible in a nelbo
    return logits if logits.dtype == torch.float64 else logits.float()


def invert(logits: Tensor, u: Tensor) -> Tensor:
    """Classes at which the distribution functions of `logits` (…, classes) pass `u` (…)."""
    cdf = logits.double().softmax(-1).cumsum(-1)
    total = cdf[..., -1:]
    # strictly below the total, so that a class of probability 0 is never drawn
    level = torch.minimum(u.double().unsqueeze(-1) * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cdf, level, right=True).squeeze(-1)


def _top(entries: Tensor, k: int) -> Tensor:
    """The `k` largest of the last axis, with -inf for those that do not exist."""
    missing = max(0, k - entries.shape[-1])
    return torch.nn.functional.pad(entries.topk(k - missing, -1).values, (0, missing), value=-math.inf)


@dataclass(frozen=True, slots=True)
class Dense(AbstractClasses):
    """The same number of classes at every site: entries are (batch, *sites, num_classes)."""

    num_classes: int

    @property
    def width(self) -> int:
        return self.num_classes

    def counts(self, device: torch.device) -> Tensor:
        return torch.tensor(self.num_classes, device=device)

    def logsumexp(self, entries: Tensor) -> Tensor:
        return entries.logsumexp(-1)

    def sum(self, entries: Tensor) -> Tensor:
        return entries.sum(-1)

    def spread(self, values: Tensor) -> Tensor:
        return values.unsqueeze(-1)

    def pick(self, entries: Tensor, x: Tensor) -> Tensor:
        entries = entries.expand(*x.shape, self.num_classes)
        return entries.gather(-1, x.unsqueeze(-1)).squeeze(-1)

    def is_class(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1) == torch.arange(self.num_classes, device=x.device)

    def quantile(self, logits: Tensor, u: Tensor) -> Tensor:
        return invert(logits, u)

    def top(self, entries: Tensor, k: int) -> Tensor:
        return _top(entries, k)

    def numbers(self, device: torch.device) -> Tensor:
        return torch.arange(self.num_classes, device=device)

    def roll(self, entries: Tensor, x: Tensor) -> Tensor:
        return entries.gather(-1, (x.unsqueeze(-1) + self.numbers(x.device)) % self.num_classes)

    def law(self, probs: object) -> Tensor:
        law = torch.as_tensor(probs, dtype=torch.float64)
        if law.shape[-1:] != (self.num_classes,) or not _is_law(law):
            raise ValueError(f"expected probabilities over {self.num_classes} classes that sum to 1, got {probs!r}")
        return law

    def _sites(self, logits: Tensor) -> torch.Size:
        return logits.shape[:-1]


def _is_law(law: Tensor) -> bool:
    total = law.sum(-1)
    return bool((law >= 0).all() and torch.allclose(total, torch.ones_like(total), atol=1e-6))


@dataclass(frozen=True, slots=True)
class Ragged(AbstractClasses):
    """A class count per site: states are (batch, sites), entries one flat (batch, sum of classes)."""

    num_classes: tuple[int, ...]
    _offsets: Tensor = field(init=False, repr=False, compare=False)
    _site: Tensor = field(init=False, repr=False, compare=False)
    _buckets: tuple[tuple[Tensor, Tensor], ...] = field(init=False, repr=False, compare=False)
    _unbucket: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        counts = torch.tensor(self.num_classes)
        ends = counts.cumsum(0)
        buckets: dict[int, list[int]] = {}
        for site, count in enumerate(self.num_classes):
            buckets.setdefault(math.ceil(math.log2(count)) if count > 1 else 0, []).append(site)
        tables: list[tuple[Tensor, Tensor]] = []
        for _, sites in sorted(buckets.items()):
            chosen = torch.tensor(sites)
            classes = torch.arange(int(counts[chosen].max()))
            entry = (ends - counts)[chosen, None] + classes
            # padding reads the extra last entry, which is -inf or 0
            tables.append((chosen, torch.where(classes < counts[chosen, None], entry, int(ends[-1]))))
        object.__setattr__(self, "_offsets", ends - counts)
        object.__setattr__(self, "_site", torch.repeat_interleave(torch.arange(len(counts)), counts))
        object.__setattr__(self, "_buckets", tuple(tables))
        object.__setattr__(self, "_unbucket", torch.argsort(torch.cat([sites for sites, _ in tables])))

    @property
    def width(self) -> int:
        return sum(self.num_classes)

    def slices(self) -> list[slice]:
        """The entries of each site."""
        ends = itertools.accumulate(self.num_classes)
        return [slice(end - k, end) for end, k in zip(ends, self.num_classes, strict=True)]

    def counts(self, device: torch.device) -> Tensor:
        return torch.tensor(self.num_classes, device=device)

    def _padded(self, entries: Tensor, fill: float) -> list[Tensor]:
        padded = torch.nn.functional.pad(entries, (0, 1), value=fill)
        return [padded[:, table.to(entries.device)] for _, table in self._buckets]

    def _reduce(self, parts: list[Tensor]) -> Tensor:
        return torch.cat(parts, 1)[:, self._unbucket.to(parts[0].device)]

    def logsumexp(self, entries: Tensor) -> Tensor:
        return self._reduce([part.logsumexp(-1) for part in self._padded(entries, -math.inf)])

    def sum(self, entries: Tensor) -> Tensor:
        return self._reduce([part.sum(-1) for part in self._padded(entries, 0.0)])

    def spread(self, values: Tensor) -> Tensor:
        return values.expand(-1, len(self.num_classes))[:, self._site.to(values.device)]

    def pick(self, entries: Tensor, x: Tensor) -> Tensor:
        return entries.expand(x.shape[0], -1).gather(1, x + self._offsets.to(x.device))

    def is_class(self, x: Tensor) -> Tensor:
        entry = torch.arange(self.width, device=x.device)
        return self.spread(x + self._offsets.to(x.device)) == entry

    def quantile(self, logits: Tensor, u: Tensor) -> Tensor:
        parts = [
            invert(part, u[:, sites.to(u.device)])
            for part, (sites, _) in zip(self._padded(logits, -math.inf), self._buckets, strict=True)
        ]
        return self._reduce(parts)

    def top(self, entries: Tensor, k: int) -> Tensor:
        return self._reduce([_top(part, k) for part in self._padded(entries, -math.inf)])

    def numbers(self, device: torch.device) -> Tensor:
        return torch.arange(self.width, device=device) - self._offsets[self._site].to(device)

    def roll(self, entries: Tensor, x: Tensor) -> Tensor:
        counts = self.counts(x.device).expand(x.shape)
        turned = (self.spread(x) + self.numbers(x.device)) % self.spread(counts)
        return entries.gather(1, self._offsets[self._site].to(x.device) + turned)

    def law(self, probs: object) -> Tensor:
        laws: Sequence[object] = cast(Sequence[object], probs) if isinstance(probs, Sequence) else []
        rows = [torch.as_tensor(law, dtype=torch.float64) for law in laws]
        if tuple(row.numel() for row in rows) != self.num_classes or not all(map(_is_law, rows)):
            raise ValueError(
                f"expected one law per site over {self.num_classes} classes, each summing to 1, got {probs!r}"
            )
        return torch.cat(rows)

    def _sites(self, logits: Tensor) -> torch.Size:
        return torch.Size((logits.shape[0], len(self.num_classes)))


def classes_of(num_classes: int | tuple[int, ...]) -> AbstractClasses:
    """The layout for one class count, or for one count per site."""
    return Ragged(num_classes) if isinstance(num_classes, tuple) else Dense(num_classes)
