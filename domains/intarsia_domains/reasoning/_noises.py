"""What hides a solution from the network: masks (absorbing noise), or flips of bits (XOR) of Boolean variables."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from intarsia.processes import AbstractProcess, Discrete, Xor

from ._denoiser import Belief, FactorGraphDenoiser, marks
from ._problem import Problem

_SURE = 0.9998  # trust at most; beyond it the odds of a bit say more than float32 keeps beside a network's logits


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A noised solution as the network is shown it.

    Args:
        xt: indices of values, masks as the number of values, (batch, variables).
        trust: how much of each is signal, from 0 (nothing, as if masked) to 1, (batch, variables); None is 1.
        t: the time at which it stands.
    """

    xt: Tensor
    trust: Tensor | None = None
    t: float = 1.0

    def marks(self, domains: Tensor) -> Tensor:
        """What is known of every atom; see `_denoiser.marks`."""
        return marks(domains, self.xt, self.trust)

    def take(self, rows: Tensor) -> "Shown":
        """Some of a batch."""
        return Shown(self.xt[rows], None if self.trust is None else self.trust[rows], self.t)


class AbstractNoise(ABC):
    """A noise over the variables of problems: what lessons show, and what a pass of solving shows on its way."""

    name: ClassVar[str] = ""
    moves: ClassVar[bool] = False
    """Whether a pass changes what it shows, so that it has to look often."""

    @abstractmethod
    def check(self, problem: Problem) -> None:
        """Raise ValueError for problems that this noise cannot hide."""

    @abstractmethod
    def teach(
        self, states: np.ndarray, given: np.ndarray, values: int, revealed: float, chance: np.random.Generator
    ) -> Shown:
        """What lessons show of solutions (batch, variables), of which `given`, -1 where free, is observed.

        `revealed` is that of `Mix`.
        """

    @abstractmethod
    def revise(self, states: Tensor, rng: torch.Generator | None) -> Shown:
        """What is shown of the network's own answers (batch, variables), which it has to mend."""

    @abstractmethod
    def begin(self, domains: Tensor, rng: torch.Generator | None) -> Shown:
        """What a pass starts from, for domains (batch, variables, values)."""

    @abstractmethod
    def mend(self, states: Tensor, wrong: Tensor, values: int, rng: torch.Generator | None) -> Shown:
        """Answers to start from, of which some variables are in violated constraints, both (batch, variables)."""

    @abstractmethod
    def step(self, shown: Shown, belief: Belief, looks: int, rng: torch.Generator | None) -> Shown:
        """What is shown next, with so many looks left in the pass, the last one included."""

    @abstractmethod
    def judge(self, belief: Belief, shown: Shown) -> Belief:
        """The belief with what the noised values themselves say."""

    @abstractmethod
    def process(self, problem: Problem) -> AbstractProcess:
        """The engine's process."""

    @abstractmethod
    def denoiser(self, network: FactorGraphDenoiser) -> Callable[..., Any]:
        """The engine's denoiser `(xt, t, cond) -> pred`, where `cond` is `(graph, domains)`."""


@dataclass(frozen=True, slots=True)
class Masks(AbstractNoise):
    """Absorbing noise. A pass shows what it started from: its iterations go on in the network's state alone."""

    name: ClassVar[str] = "absorbing"

    def check(self, problem: Problem) -> None:
        """Every problem will do."""

    def teach(
        self, states: np.ndarray, given: np.ndarray, values: int, revealed: float, chance: np.random.Generator
    ) -> Shown:
        rows = len(states)
        shown = np.where(chance.random(rows) < revealed, chance.random(rows), 0.0)[:, None]
        seen = (given >= 0) | (chance.random(given.shape) < shown)
        return Shown(torch.from_numpy(np.where(seen, states, values)))

    def revise(self, states: Tensor, rng: torch.Generator | None) -> Shown:
        return Shown(states)

    def begin(self, domains: Tensor, rng: torch.Generator | None) -> Shown:
        return Shown(torch.full(domains.shape[:2], domains.shape[-1], device=domains.device))

    def mend(self, states: Tensor, wrong: Tensor, values: int, rng: torch.Generator | None) -> Shown:
        return Shown(torch.where(wrong, values, states))

    def step(self, shown: Shown, belief: Belief, looks: int, rng: torch.Generator | None) -> Shown:
        return shown

    def judge(self, belief: Belief, shown: Shown) -> Belief:
        return belief

    def process(self, problem: Problem) -> AbstractProcess:
        return Discrete.absorbing(len(problem.values))

    def denoiser(self, network: FactorGraphDenoiser) -> Callable[..., Any]:
        return network


@dataclass(frozen=True, slots=True)
class Flips(AbstractNoise):
    """XOR noise of Boolean variables: xt = x0 ⊕ Bernoulli((1 - alpha(t)) / 2), with the exact bridge of `Xor`.

    A pass is ancestral: it starts from random bits, and after every look draws a solution from what the network
    believes and noises it to the next time by the bridge, so that no bit is ever settled before the end. The network
    is told how far to trust a bit, alpha(t), and adds to its own logits what the bit itself says, log q(xt | x0).

    Args:
        noised: share of the lessons at a uniform time; the others are at t = 1, where nothing is known.
        mended: the time from which answers with violated constraints are mended.
    """

    noised: float = 0.8
    mended: float = 0.5
    name: ClassVar[str] = "XOR"
    moves: ClassVar[bool] = True

    def check(self, problem: Problem) -> None:
        for i, name in enumerate(problem.variables):
            if len(problem.values) != 2 or not problem.is_boolean(i):
                own = ", ".join(str(problem.values[k]) for k in problem.allowed[i][:6])
                raise ValueError(f"XOR noise flips Boolean variables, and {name!r} can be {own}; use masks")

    def teach(
        self, states: np.ndarray, given: np.ndarray, values: int, revealed: float, chance: np.random.Generator
    ) -> Shown:
        rows = len(states)
        t = torch.from_numpy(np.where(chance.random(rows) < self.noised, chance.random(rows), 1.0))
        u = torch.from_numpy(chance.random(states.shape))
        return self._corrupted(torch.from_numpy(states), t, u)

    def revise(self, states: Tensor, rng: torch.Generator | None) -> Shown:
        # where an answer is wrong, high trust in its bits would only teach to distrust all bits
        draws = torch.rand((len(states), states.shape[1] + 1), generator=rng, device=states.device)
        return self._corrupted(states, self.mended + (1.0 - self.mended) * draws[:, 0], draws[:, 1:])

    def begin(self, domains: Tensor, rng: torch.Generator | None) -> Shown:
        shape = (len(domains), domains.shape[1])
        xt = torch.randint(2, shape, generator=rng, device=domains.device)
        return Shown(xt, torch.zeros(shape, device=domains.device))

    def mend(self, states: Tensor, wrong: Tensor, values: int, rng: torch.Generator | None) -> Shown:
        t = torch.where(wrong, 1.0, self.mended)
        u = torch.rand(states.shape, generator=rng, device=states.device)
        return replace(self._corrupted(states, t, u), t=self.mended)

    def step(self, shown: Shown, belief: Belief, looks: int, rng: torch.Generator | None) -> Shown:
        s = shown.t * (looks - 1) / looks
        process, trust = self._xor(shown.xt.shape[1]), shown.trust
        assert trust is not None
        now, then = 1.0 - trust.double(), torch.full_like(trust, s, dtype=torch.float64)
        then = torch.minimum(then, now)  # alpha is 1 - t, so a bit that is trusted more stands at an earlier time
        xs = process.reverse(_odds(belief.logits), shown.xt, then, now, rng)
        return Shown(xs, _trust(then), s)

    def judge(self, belief: Belief, shown: Shown) -> Belief:
        trust = torch.zeros_like(belief.settled) if shown.trust is None else shown.trust.float()
        values = torch.arange(belief.logits.shape[-1], device=trust.device)
        agrees = torch.where(shown.xt.unsqueeze(-1) == values, 1.0, -1.0)
        return replace(belief, logits=belief.logits + torch.log1p(agrees * trust.unsqueeze(-1)))

    def process(self, problem: Problem) -> AbstractProcess:
        self.check(problem)
        return self._xor(len(problem))

    def denoiser(self, network: FactorGraphDenoiser) -> Callable[..., Any]:
        return FlipDenoiser(network)

    @staticmethod
    def _xor(width: int) -> Xor:
        return Xor(width)

    def _corrupted(self, x0: Tensor, t: Tensor, u: Tensor) -> Shown:
        """Bits that are flipped where `u` (batch, variables) says so, at times per row or per site."""
        alpha = _trust(t if t.ndim == 2 else t.unsqueeze(-1).expand(x0.shape))
        return Shown(x0 ^ (u < (1.0 - alpha) / 2).to(x0.dtype), alpha)


class FlipDenoiser(nn.Module):
    """A factor-graph network as the engine's denoiser of XOR noise: bit logits (batch, variables) of True.

    Its time is that of the linear schedule, for each row or each site.
    """

    def __init__(self, network: FactorGraphDenoiser) -> None:
        super().__init__()
        self.network = network

    def forward(self, xt: Tensor, t: Tensor, cond: Any) -> Tensor:
        """The posterior; see `Flips.judge`."""
        graph, domains = cond
        domains = domains.expand(len(xt), -1, -1)
        times = t if t.ndim == 2 else t.reshape(-1, 1).expand(xt.shape)
        shown, rng = Shown(xt, _trust(times)), torch.Generator(xt.device).manual_seed(0)
        network = self.network
        state = network.iterate(graph, network.start(domains, rng), shown.marks(domains), network.iterations, rng)
        return _odds(Flips().judge(network.read(state, domains), shown).logits)


def _odds(logits: Tensor) -> Tensor:
    """Bit logits of the second value, which is True; certain where the other is impossible."""
    return torch.nan_to_num(logits[..., 1] - logits[..., 0], nan=0.0, posinf=1e4, neginf=-1e4)


def _trust(t: Tensor) -> Tensor:
    """alpha(t) of the linear schedule."""
    return (1.0 - t.float()).clamp(0.0, _SURE)


_KINDS: dict[str, type[Masks] | type[Flips]] = {"absorbing": Masks, "xor": Flips}


def noise_to_json(noise: AbstractNoise) -> dict[str, Any]:
    """A noise as JSON; raises TypeError for one of another class."""
    for name, kind in _KINDS.items():
        if isinstance(noise, kind):
            return {"kind": name, **asdict(noise)}
    raise TypeError(f"models with {type(noise).__name__} cannot be saved; use Masks or Flips")


def noise_from_json(content: Any) -> AbstractNoise:
    """The inverse; models that were saved before there was a choice have masks."""
    if content is None:
        return Masks()
    return _KINDS[content["kind"]](**{key: float(value) for key, value in content.items() if key != "kind"})
