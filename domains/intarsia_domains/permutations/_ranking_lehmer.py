"""Rankings as Lehmer codes under the discrete noises: the plain categorical model beside the shuffles."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.codecs import AbstractCodec
from intarsia.denoisers import Transformer
from intarsia.diffusion import Diffusion
from intarsia.likelihood import chain_log_prob, exact_log_prob
from intarsia.processes import AbstractPermutationLaw, Discrete
from intarsia.processes.permutations import ENUMERABLE, all_permutations, from_lehmer_code, lehmer_code
from intarsia.samplers import Ancestral, FirstHitting
from intarsia_domains.permutations._ranking_base import AbstractRankingLaw, Drawn, Scores, by_rejection, eval_mode
from intarsia_domains.permutations._ranking_chain import draw_listed, event_log_prob
from intarsia_domains.permutations._ranking_choice import Ballots
from intarsia_domains.permutations._ranking_events import Event
from intarsia_domains.permutations._ranking_noise import AbstractRankingNoise, Pointer, Size

STEPS = 64
"""Of a draw under noise that is not absorbing."""
SCORED = 256


class LehmerCodec(AbstractCodec):
    """Permutations (rows, n) ↔ digits: digit i counts the smaller items to the right of place i, one of n - i classes.

    The last digit is always 0 and has no site, so that digits are a bijection with S_n: every state is a permutation.
    """

    n_: int

    def fit(self, values: Any) -> Self:
        values = np.asarray(values)
        if values.ndim != 2 or not (np.sort(values, 1) == np.arange(values.shape[1])).all():
            raise ValueError("expected permutations of 0 … n - 1, an array (rows, n)")
        self.n_ = values.shape[1]
        return self

    @property
    def num_classes(self) -> tuple[int, ...]:
        return tuple(range(self.n_, 1, -1))

    def encode(self, values: Any) -> NDArray[np.int64]:
        return lehmer_code(torch.as_tensor(np.asarray(values)))[:, :-1].numpy()

    def decode(self, codes: Any, rng: Any = None) -> NDArray[np.int64]:
        codes = torch.as_tensor(np.asarray(codes))
        return from_lehmer_code(torch.nn.functional.pad(codes, (0, 1))).numpy()

    def to_json(self) -> dict[str, Any]:
        return {"n": self.n_}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        codec = cls()
        codec.n_ = int(data["n"])
        return codec


@dataclass(frozen=True, slots=True)
class LehmerDigits(AbstractRankingNoise):
    """Independent noise on the digits of Lehmer codes: `Discrete.absorbing` or `Discrete.uniform`.

    Args:
        kind: makes the process from the digits' classes.
    """

    kind: Callable[[tuple[int, ...]], Discrete] = Discrete.absorbing

    def build(
        self, n: int, head: "AbstractPermutationLaw | Pointer", features: Tensor | None, size: Size
    ) -> "LehmerLaw":
        """The model; digits are predicted by themselves, so `head` is not used."""
        if features is not None:
            raise ValueError("Lehmer codes have no item to whom covariates belong; use `Shuffles`, or no `features`")
        if n < 3:
            raise ValueError(f"Lehmer codes of {n} items have a single digit; use `Shuffles`")
        process = self.kind(tuple(range(n, 1, -1)))
        time_free = process.mask == 1.0
        network = Transformer(
            process.num_classes,
            width=size.width,
            depth=size.depth,
            heads=size.heads,
            dropout=size.dropout,
            time_free=time_free,
        )
        return LehmerLaw(n, process, network)


class LehmerLaw(AbstractRankingLaw):
    """Digits under discrete diffusion. Under absorbing noise the law of one-by-one unmasking is scored exactly up to 8
    items (see `exact_log_prob`), and bounded beyond; under other noise there is the nelbo.
    """

    def __init__(self, n: int, process: Discrete, network: Transformer) -> None:
        super().__init__(n, network)
        self.process = process
        self._law: Tensor | None = None

    @property
    def absorbing(self) -> bool:
        """Whether digits are masked rather than redrawn."""
        return self.process.mask == 1.0

    @property
    def about(self) -> str:
        return f"{'absorbing' if self.absorbing else 'multinomial'} noise on Lehmer digits"

    def forget(self) -> None:
        self._law = None

    def log_law(self) -> Tensor | None:
        if self.n > ENUMERABLE - 1 or not self.absorbing:
            return None
        if self._law is None:
            with eval_mode(self.network):
                parts = [self._exact(x) for x in all_permutations(self.n).to(self.device).split(SCORED)]
            self._law = torch.cat(parts)
        return self._law

    def _exact(self, x: Tensor) -> Tensor:
        return exact_log_prob(self.process, self.network, lehmer_code(x)[:, :-1])

    def loss(self, ballots: Ballots, rng: torch.Generator) -> Tensor:
        """The nelbo of codes; untold ranks are filled in at random, as sites cannot be summed over."""
        code = lehmer_code(_filled(ballots, rng))[:, :-1]
        diffusion = Diffusion(self.process, self.network)
        return diffusion.loss(code, rng=rng)

    def sample(self, rows: int, rng: torch.Generator) -> Tensor:
        sampler = FirstHitting() if self.absorbing else Ancestral(STEPS)
        with eval_mode(self.network):
            code = Diffusion(self.process, self.network).sample((rows, self.n - 1), sampler, rng=rng)
        return from_lehmer_code(torch.nn.functional.pad(code, (0, 1)))

    def score(self, ballots: Ballots, draws: int, rng: torch.Generator) -> Scores:
        law = self.log_law()
        if law is not None:
            return Scores.exact(event_log_prob(law, ballots))
        code = lehmer_code(ballots.x)[:, :-1]
        if bool((ballots.told < self.n - 1).any()):
            raise ValueError("partial rankings are scored under shuffle noises, or up to 7 items; give complete ones")
        with eval_mode(self.network):
            if self.absorbing:
                parts = [
                    chain_log_prob(self.process, self.network, code, orders=1, rng=rng) for _ in range(max(draws, 2))
                ]
                return Scores.of_weights(torch.stack(parts, 1))
            parts = [-Diffusion(self.process, self.network).nelbo(code, rng=rng).total for _ in range(max(draws, 2))]
        nats = torch.stack(parts, 1)
        error = nats.std(1) / math.sqrt(nats.shape[1])
        return Scores(nats.mean(1), error, torch.full_like(error, torch.nan))

    def draw_given(self, event: Event, rng: torch.Generator, particles: int) -> Drawn:
        law = self.log_law()
        if law is not None:
            return draw_listed(law, event, rng)
        return by_rejection(self, event, rng, particles)


def _filled(ballots: Ballots, rng: torch.Generator) -> Tensor:
    """Permutations whose untold ranks are in random order."""
    mask = torch.arange(ballots.x.shape[1], device=ballots.x.device) < ballots.told[:, None]
    tail = torch.rand(mask.shape, generator=rng, device=mask.device).masked_fill(mask, -1.0)
    return ballots.x.gather(1, tail.argsort(dim=1, stable=True))
