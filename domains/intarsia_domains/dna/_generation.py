"""Drawing letters: conditions, sets of letters, hard constraints, oracles and rewards through the engine's samplers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from intarsia.diffusion import Diffusion
from intarsia.evidence import Evidence
from intarsia.particles import FeynmanKac
from intarsia.precision import half
from intarsia.samplers import AbstractSampler, Ancestral, PerStep, RandomOrder, Unmask
from intarsia_domains.dna._alphabet import PAD, Alphabet, Codes
from intarsia_domains.dna._constrained import LetterDraw
from intarsia_domains.dna._constraints import AbstractConstraint
from intarsia_domains.dna._denoiser import LetterDenoiser, told
from intarsia_domains.dna._guidance import Slope, TorchOracle, classifier_free
from intarsia_domains.dna._rules import Rules, compile_constraints
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._slots import Slots

SHARD = 1024
"""Sequences drawn at once; shard i has the seed (seed, i)."""

Reward = Callable[[Sequences], ArrayLike]
"""Log-weights of sequences in nats, or bools, (rows,)."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What drawn sequences should be, beside conditions.

    Args:
        guidance: scale of the conditions; 1 takes them as they are.
        oracle: differentiable in letters, to lean towards.
        strength: factor on its nats.
        constraints: which every sequence keeps.
        reward: log-weight of each sequence, by which particles are weighed.
        particles: of each sequence, where there is a reward.
        steps: of the sampler where constraints or rewards need equal steps.
    """

    guidance: float = 1.0
    oracle: TorchOracle | None = None
    strength: float = 1.0
    constraints: Sequence[AbstractConstraint] = ()
    reward: Reward | None = None
    particles: int = 8
    steps: int = 32

    def __post_init__(self) -> None:
        if not (np.isfinite(self.guidance) and np.isfinite(self.strength)):
            raise ValueError(
                f"`guidance` and `strength` must be finite numbers, got {self.guidance} and {self.strength}"
            )


def generate(denoiser: LetterDenoiser, slots: Slots, wish: Wish, alphabet: Alphabet, seed: int) -> Codes:
    """Fill slots; the same seed gives the same letters, (rows, length) uint8 with padding behind the ends.

    Raises:
        SequenceError: no sequence keeps the constraints, or a reward is not finite.
    """
    codes = np.full(slots.allowed.shape[:2], PAD, dtype=np.uint8)
    rules = dict[int, Rules]()
    if wish.constraints:  # contradictions are known before anything is drawn
        rules = {int(n): compile_constraints(wish.constraints, int(n)) for n in np.unique(slots.lengths)}
    for number, rows in enumerate(_shards(slots.lengths, apart=bool(rules))):
        length = int(slots.lengths[rows].max())
        own = int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> 1)
        part = slots.take(rows, length)
        codes[rows, :length] = _filled(denoiser, part, wish, rules.get(length), alphabet, own)
    return codes


def _shards(lengths: NDArray[np.int64], *, apart: bool) -> list[NDArray[np.int64]]:
    """Rows of at most SHARD; of one length each where they have to be `apart`."""
    groups = [np.flatnonzero(lengths == n) for n in np.unique(lengths)] if apart else [np.arange(len(lengths))]
    return [group[start : start + SHARD] for group in groups for start in range(0, len(group), SHARD)]


def _filled(
    denoiser: LetterDenoiser, slots: Slots, wish: Wish, rules: Rules | None, alphabet: Alphabet, seed: int
) -> Codes:
    device = next(denoiser.parameters()).device
    rng = torch.Generator(device).manual_seed(seed)
    allowed, inside, features = slots.tensors(device)
    noise = denoiser.noise
    rows, length = inside.shape
    guided: Any = denoiser if wish.oracle is None else Slope(denoiser, wish.oracle, wish.strength)
    process, guided = classifier_free(denoiser.process, guided, wish.guidance, joint=rules is not None)
    if rules is not None:
        process, guided = noise.ending(process), LetterDraw(guided, rules, seed)
    cond, given = told(allowed, inside, features), _evidence(noise, allowed, inside)
    model = Diffusion(process, guided)
    with torch.no_grad(), half(device):
        if wish.reward is None:
            sampler = noise.sampler(length) if rules is None else _stepped(denoiser, length, wish.steps)
            state = model.sample(noise.shape(rows, length), sampler, given=given, cond=cond, rng=rng)
        else:
            reward = _reward(wish.reward, noise, allowed, inside, alphabet)
            particles = FeynmanKac(reward, particles=wish.particles, steps=wish.steps)
            state = model.sample(noise.shape(rows, length), particles, given=given, cond=cond, rng=rng)
    return _letters(noise, state, allowed, inside)


def _stepped(denoiser: LetterDenoiser, length: int, steps: int) -> AbstractSampler:
    if denoiser.time_free:
        return Unmask(RandomOrder(), PerStep(-(-length // steps)))
    return Ancestral(steps)


def _evidence(noise: Any, allowed: Tensor, inside: Tensor) -> Evidence | None:
    """Sites with one letter, and those outside, which have A; the state there is not drawn."""
    known = ~inside | (allowed.sum(-1) == 1)
    if not bool(known.any()):
        return None
    letters = torch.where(inside, allowed.int().argmax(-1), 0)
    return Evidence(noise.encode(letters), noise.holds(known))


def _letters(noise: Any, state: Tensor, allowed: Tensor, inside: Tensor) -> Codes:
    weights = torch.where(allowed, noise.decode(state), -torch.inf)
    codes = torch.where(inside, weights.argmax(-1), PAD)
    return codes.cpu().numpy().astype(np.uint8)


def _reward(reward: Reward, noise: Any, allowed: Tensor, inside: Tensor, alphabet: Alphabet) -> Callable[[Any], Tensor]:
    """The reward of states of particles, group by group."""

    def of(state: Tensor) -> Tensor:
        times = len(state) // len(inside)
        codes = _letters(noise, state, allowed.repeat_interleave(times, 0), inside.repeat_interleave(times, 0))
        values = np.asarray(reward(Sequences.from_codes(codes, alphabet=alphabet)))
        if values.shape != (len(codes),):
            raise SequenceError(f"a reward gives one number a sequence, {len(codes)} here, got {values.shape}")
        if values.dtype != bool and (np.isnan(values) | (values == np.inf)).any():
            row = int(np.flatnonzero(np.isnan(values) | (values == np.inf))[0])
            text = alphabet.decode(codes[row : row + 1])[0]
            raise SequenceError(f"the reward of {text} is {values[row]}; it must be a number, or -inf to exclude it")
        return torch.as_tensor(values if values.dtype == bool else values.astype(np.float64), device=state.device)

    return of
