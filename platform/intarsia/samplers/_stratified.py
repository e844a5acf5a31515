"""First-hitting sampling of a whole table: one order a group of rows, and systematic draws across the rows."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from intarsia._types import Denoiser, State
from intarsia.classes import Ragged, invert
from intarsia.errors import RequirementError
from intarsia.evidence import Evidence, times
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers._base import AbstractSampler, Claim
from intarsia.samplers._first_hitting import absorbing, hitting_times

# fractional part of the golden ratio: multiples of it modulo 1 are spread more evenly than any other's
GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Stratified(AbstractSampler):
    """`FirstHitting` for many rows of one field: every row has the model's law, the table less sampling noise.

    Rows of a group share their hitting times, so a call serves one site of all rows and only that site's logits
    are computed. The uniform numbers that choose the classes are u + rank · golden ratio (mod 1) over the rows
    ranked by their predicted law (systematic sampling; Owen 2013, ch. 8 and 15): each is uniform, so each row
    follows the model exactly, but rows are negatively dependent and frequencies vary less than those of
    independent rows. Use `FirstHitting` where rows must be independent.

    Args:
        group: rows that share an order and a network call.
    """

    claim: ClassVar[Claim] = "exact"

    group: int = 2048

    def __post_init__(self) -> None:
        if self.group < 1:
            raise ValueError(f"`group` must be at least 1 row, got {self.group}")

    def check(self, process: AbstractProcess[Any]) -> None:
        absorbing(process, "Stratified")

    def run(
        self,
        process: AbstractProcess[State],
        denoiser: Denoiser,
        x1: State,
        given: Evidence | None,
        cond: object,
        rng: torch.Generator | None,
    ) -> State:
        masking = absorbing(process, "Stratified")
        x = x1
        if isinstance(x, dict) or x.ndim != 2:
            raise RequirementError("`Stratified` needs one tensor (batch, sites); use `FirstHitting` instead")
        if isinstance(cond, Tensor):
            raise RequirementError("`Stratified` takes no tensor of conditions; use `FirstHitting` instead")
        x, rows = x.clone(), x.shape[0]  # `x1` is the caller's
        # rows in random order, so that an observed block does not end up in one group
        order = torch.randperm(rows, generator=rng, device=x.device)
        for start in range(0, rows, self.group):
            chosen = order[start : start + self.group]
            x[chosen] = self._group(masking, denoiser, x[chosen], cond, rng)
        return x

    def _group(
        self, process: Discrete, denoiser: Denoiser, x: Tensor, cond: object, rng: torch.Generator | None
    ) -> Tensor:
        mask = process.mask_id(x.device).expand(x.shape)
        observed = Evidence(x, x != mask)
        hits = hitting_times(process, torch.Size((1, x.shape[1])), rng, x.device)[0]
        head = getattr(denoiser, "site_logits", None)
        repeats = time_free = bool(getattr(denoiser, "time_free", False))
        for site in map(int, hits.argsort(descending=True)):
            todo = (x[:, site] == mask[:, site]).nonzero()[:, 0]
            if not len(todo):
                continue
            part = x[todo]
            inverse: Tensor | None = None
            if repeats:  # early in the order few states are different, and one call a state is enough
                distinct, places = _distinct(part)
                repeats = 2 * len(distinct) < len(part)
                part, inverse = (distinct, places) if repeats else (part, None)
            t = hits[site].expand(len(part))
            t = t if time_free else times(t, part, _rows(observed, todo))
            logits = _one_site(process, denoiser(part, t, cond), site) if head is None else head(part, t, cond, site)
            logits = logits if inverse is None else logits[inverse]
            x[todo, site] = invert(logits, systematic(logits, rng))
        return x


def _distinct(x: Tensor) -> tuple[Tensor, Tensor]:
    """The different rows of `x`, and which of them each row is."""
    return cast(Any, x).unique(dim=0, return_inverse=True)


def _rows(given: Evidence, rows: Tensor) -> Evidence:
    values, mask = given.field(None) or (None, None)
    if values is None or mask is None:
        raise TypeError("evidence about one tensor has values and a mask")
    return Evidence(values[rows], mask[rows])


def _one_site(process: Discrete, pred: Tensor, site: int) -> Tensor:
    """Logits of one site, (batch, classes of that site)."""
    classes = process.classes
    return pred[:, classes.slices()[site]] if isinstance(classes, Ragged) else pred[:, site]


def systematic(logits: Tensor, rng: torch.Generator | None) -> Tensor:
    """Uniform numbers (batch,), evenly spread over rows of similar law, each uniform on its own."""
    # the mean class, up to sign: rows next to each other in it have similar distribution functions
    mean = logits.double().softmax(-1).cumsum(-1).sum(-1)
    tie = torch.rand((2, len(mean)), dtype=torch.float64, generator=rng, device=mean.device)
    rank = (mean + 1e-9 * tie[0]).argsort().argsort()
    return (tie[1, 0] + rank * GOLDEN) % 1.0
