"""The acceptance tests catch what they are for: every broken object here must be refused, with the law it breaks."""

import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from intarsia import Ancestral, FirstHitting, Linear
from intarsia._time import per_site
from intarsia.codecs import QuantileDigits
from intarsia.evidence import hold
from intarsia.processes import AbstractProcess, Death, Discrete, Gaussian, Reflected, Xor
from intarsia.samplers import AbstractSampler, TauLeaping
from intarsia.schedules import AbstractSchedule
from intarsia.testing import check_codec, check_process, check_refusal, check_sampler


class BiasedCorruption(Discrete):
    def corrupt(self, x0, t, rng=None):
        return super().corrupt(x0, t * t, rng)


class BridgeOfAnotherTime(Discrete):
    def bridge(self, x0, xt, s, t, rng=None):
        return super().bridge(x0, xt, s * 0.7, t, rng)


class LooPlugIn(Discrete):
    """The published mistake: probabilities in place of x0 in the bridge."""

    def reverse_law(self, pred, xt, s, t):
        shift = torch.zeros_like(pred).masked_fill(self.classes.is_class(xt), 1.0)
        return super().reverse_law(pred + shift, xt, s, t)


class HalfTheLoss(Discrete):
    def loss(self, pred, x0, xt, t, s=None):
        return 0.5 * super().loss(pred, x0, xt, t, s)


class NegativeLoss(Discrete):
    def loss(self, pred, x0, xt, t, s=None):
        return super().loss(pred, x0, xt, t, s) - 0.1


class BrokenGradient(Discrete):
    def loss(self, pred, x0, xt, t, s=None):
        return super().loss(pred, x0, xt, t, s) + (0.0 * pred.sum()).sqrt()


class Reconstructs(Discrete):
    def reconstruction(self, pred, x0, xt):
        return super().reconstruction(pred, x0, xt) + 1.0


class PhantomMask(Discrete):
    def reverse_law(self, pred, xt, s, t):
        entries, mask = super().reverse_law(pred, xt, s, t)
        return entries, torch.zeros_like(mask)


class NoPriorKl(Discrete):
    def prior_kl(self, x0):
        return super().prior_kl(x0) + 0.01


class Unnormalized(Discrete):
    def log_q(self, xt, x0, t):
        return super().log_q(xt, x0, t) + 1e-6


class GlobalRandomness(Discrete):
    def corrupt(self, x0, t, rng=None):
        torch.rand(1)
        return super().corrupt(x0, t, rng)


class InPlace(Discrete):
    def bridge(self, x0, xt, s, t, rng=None):
        drawn = super().bridge(x0, xt, s, t, rng)
        x0.copy_(drawn)
        return drawn


class OneTimeForAll(Discrete):
    """Reads one time a row where there is one per site."""

    def corrupt(self, x0, t, rng=None):
        return super().corrupt(x0, t.flatten(1).amax(1) if t.ndim > 1 else t, rng)


class FloatStates(Discrete):
    def reverse(self, pred, xt, s, t, rng=None):
        return super().reverse(pred, xt, s, t, rng).double()


class ForgetsTheSeed(Discrete):
    def bridge(self, x0, xt, s, t, rng=None):
        return super().bridge(x0, xt, s, t, torch.Generator().manual_seed(random.SystemRandom().randrange(2**31)))


class NotFiniteAtTheEnds(Xor):
    def log_q(self, xt, x0, t):
        return super().log_q(xt, x0, t) + 0.0 * per_site(t, x0).log()


BROKEN: list[tuple[AbstractProcess, str]] = [
    (BiasedCorruption.uniform(3), "corrupt"),
    (BridgeOfAnotherTime.uniform(3), "must not move"),
    (BridgeOfAnotherTime.absorbing(3), "bridge"),
    (LooPlugIn.uniform(3), "reverse kernel"),
    (HalfTheLoss.uniform(3), "nelbo"),
    (HalfTheLoss.absorbing(3), "nelbo"),
    (NegativeLoss.uniform(3), "perfect prediction"),
    (BrokenGradient.uniform(3), "gradient"),
    (NoPriorKl.uniform(3), "prior_kl"),
    (Unnormalized.uniform(3), "q"),
    (GlobalRandomness.uniform(3), "global generator of torch"),
    (InPlace.uniform(3), "changed the data"),
    (OneTimeForAll.uniform(3), "time 0"),
    (FloatStates.uniform(3), "turns"),
    (ForgetsTheSeed.uniform(3), "same seed"),
    (Reconstructs.uniform(3), "reconstruction"),
    (PhantomMask.uniform(3), "gives the mask"),
    (NotFiniteAtTheEnds(2), "NaN|not finite"),
]


@pytest.mark.parametrize(("process", "law"), [(_p, _l) for _p, _l in BROKEN], ids=[type(p).__name__ for p, _ in BROKEN])
def test_broken_processes_are_caught(process: AbstractProcess, law: str) -> None:
    # `Discrete.uniform` and its like construct `Discrete` through `cls`, so these are the broken classes
    assert type(process) not in (Discrete, Xor)
    with pytest.raises(AssertionError, match=law):
        check_process(process)


class DoubledNoise(Gaussian):
    def bridge(self, x0, xt, s, t, rng=None):
        mean, deviation = self.bridge_moments(x0, xt, s, t)
        return mean + 1.1 * deviation * torch.randn(xt.shape, dtype=xt.dtype, generator=rng)


class HalfTheWeight(Gaussian):
    def loss(self, pred, x0, xt, t, s=None):
        return 0.9 * super().loss(pred, x0, xt, t, s)


@pytest.mark.parametrize(("process", "law"), [(DoubledNoise(), "variance"), (HalfTheWeight(), "nelbo")], ids=repr)
def test_broken_gaussians_are_caught(process: Gaussian, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_process(process)


class WantsTheMedian(Death):
    """Right for a sure prediction, and least elsewhere for another one than the mean."""

    def loss(self, pred, x0, xt, t, s=None):
        return super().loss(pred, x0, xt, t, s) + (pred - x0).abs().to(pred.dtype)


class StepsCostTheirLength(Death):
    def loss(self, pred, x0, xt, t, s=None):
        nats = super().loss(pred, x0, xt, t, s)
        return nats if s is None else nats + 0.1 * per_site(t - s, x0)


class ForgetsTheWalls(Reflected):
    """A head that speaks of images, for which the mean of x0 is predicted."""

    def prediction_at(self, points, weights, xt, t):
        return self.prediction(points, weights)


@pytest.mark.parametrize(
    ("process", "law"),
    [
        (WantsTheMedian(), "less for another prediction"),
        (StepsCostTheirLength(), "vanish faster than the step"),
        (ForgetsTheWalls(), "perfect prediction"),
    ],
    ids=repr,
)
def test_broken_losses_of_first_order_processes_are_caught(process: AbstractProcess, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_process(process)


@dataclass(frozen=True)
class Idle(Discrete):
    """An argument that is validated, documented and never used."""

    strength: float = 1.0


def test_arguments_without_effect_are_caught() -> None:
    with pytest.raises(AssertionError, match=r"`strength` of .* changes nothing"):
        check_process(Idle(3, Linear(), 0.0))


@dataclass(frozen=True)
class Rift(AbstractSchedule):
    power: float = 2.0

    def alpha(self, t):
        return (1 - t) ** self.power

    def dalpha(self, t):
        return -self.power * (1 - t) ** (self.power - 1)

    def inverse(self, alpha):
        return 1 - alpha ** (1 / self.power)


def test_third_parties_pass_their_own_objects() -> None:
    check_process(Discrete.uniform(3, Rift()))
    check_sampler(Ancestral(8), Discrete.absorbing(2, Rift()), n=1000)


def test_a_wrong_derivative_is_caught() -> None:
    class Slow(Rift):
        def dalpha(self, t):
            return 0.9 * super().dalpha(t)

    with pytest.raises(AssertionError, match="`rates`"):
        check_process(Discrete.absorbing(3, Slow()))


def test_classes_in_place_of_objects_are_named() -> None:
    for check in (
        lambda: check_process(Discrete),
        lambda: check_sampler(Ancestral, Xor(2)),
        lambda: check_codec(dict, []),
    ):
        with pytest.raises(AssertionError, match="needs an object, got the class"):
            check()


class Wrapped(AbstractSampler):
    """`FirstHitting` from outside: a right sampler that the broken ones below derive from."""

    claim = "exact"

    def check(self, process):
        FirstHitting().check(process)

    def run(self, process, denoiser, x1, given, cond, rng):
        return FirstHitting().sample(process, denoiser, x1, given=given, cond=cond, rng=rng)


class IgnoresEvidence(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        return super().sample(process, denoiser, x1, cond=cond, rng=rng)


class OverwritesEvidence(Wrapped):
    """Generates as if nothing were known, and writes what is known over it."""

    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        return hold(super().sample(process, denoiser, x1, cond=cond, rng=rng), given)


class ClaimsTooMuch(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        self.check(process)
        return Ancestral(2).sample(process, denoiser, x1, given=given, cond=cond, rng=rng)


class TooSharp(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        sharp = lambda x, t, c: 1.3 * denoiser(x, t, c).clamp(min=-700)  # noqa: E731
        return super().sample(process, sharp, x1, given=given, cond=cond, rng=rng)


class GlobalDraws(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        np.random.rand()  # noqa: NPY002
        return super().sample(process, denoiser, x1, given=given, cond=cond, rng=rng)


class ChangesThePrior(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        self.check(process)
        x1.copy_(super().sample(process, denoiser, x1, given=given, cond=cond, rng=rng))
        return x1.clone()


class LeavesMasks(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        x = super().sample(process, denoiser, x1, given=given, cond=cond, rng=rng)
        x[0] = hold(x1, given)[0]
        return x


class SameForEverySeed(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        return super().sample(process, denoiser, x1, given=given, cond=cond, rng=torch.Generator().manual_seed(0))


class RefusesTooLate(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        denoiser(x1, torch.ones(len(x1)) if isinstance(x1, torch.Tensor) else None, cond)
        return super().sample(process, denoiser, x1, given=given, cond=cond, rng=rng)


class DropsCond(Wrapped):
    def sample(self, process, denoiser, x1, *, given=None, cond=None, rng=None):
        return super().sample(process, denoiser, x1, given=given, rng=rng)


class Misspelt(Wrapped):
    claim = "excat"


@dataclass(frozen=True)
class RightWithManySteps(AbstractSampler):
    """Ancestral steps that claim to be exact, and are nearly so by default."""

    claim = "exact"

    steps: int = 400

    def check(self, process):
        FirstHitting().check(process)

    def run(self, process, denoiser, x1, given, cond, rng):
        return Ancestral(self.steps).run(process, denoiser, x1, given, cond, rng)


@pytest.mark.parametrize(
    ("sampler", "law"),
    [
        (IgnoresEvidence(), "observed sites lost"),
        (OverwritesEvidence(), "site 0 observed"),
        (ClaimsTooMuch(), "do not follow the law"),
        (TooSharp(), "do not follow the law"),
        (GlobalDraws(), "global generator of numpy"),
        (ChangesThePrior(), "changed the data"),
        (LeavesMasks(), "do not follow the law"),
        (SameForEverySeed(), "every seed"),
        (RefusesTooLate(), "before it refused"),
        (DropsCond(), "does not hand `cond` on"),
        (Misspelt(), "must be one of"),
        (RightWithManySteps(), "do not follow the law"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_broken_samplers_are_caught(sampler: AbstractSampler, law: str) -> None:
    check_sampler(Wrapped(), Discrete.absorbing(3))
    with pytest.raises(AssertionError, match=law):
        check_sampler(sampler, Discrete.absorbing(3))


def test_samplers_that_take_everything_refuse_nothing() -> None:
    with pytest.raises(AssertionError, match="raised nothing"):
        check_refusal(Ancestral(2), Xor(2))
    check_refusal(TauLeaping(2), Gaussian())


class Digits(QuantileDigits):
    """A right codec that the broken ones below derive from."""


class Shifted(Digits):
    def decode(self, codes, rng):
        return super().decode(codes, rng) + 1


class OutOfRange(Digits):
    def encode(self, values):
        return super().encode(values) + 1


class DrawsGlobally(Digits):
    def decode(self, codes, rng):
        np.random.rand()  # noqa: NPY002
        return super().decode(codes, rng)


class SortsItsInput(Digits):
    def fit(self, values):
        values.sort()
        return super().fit(values)


class ForgetsInJson(Digits):
    def to_json(self):
        return {**super().to_json(), "values": super().to_json()["values"][::-1]}


class NotJson(Digits):
    def to_json(self):
        return {**super().to_json(), "values": tuple(super().to_json()["values"])}


class RejectsStates(Digits):
    def decode(self, codes, rng):
        values = super().decode(codes, rng).astype(float)
        values[codes[:, 0] * self.fine + codes[:, 1] >= len(self.knots_)] = np.nan
        return values

    def encode(self, values):
        return super().encode(np.nan_to_num(values))


@pytest.mark.parametrize(
    ("codec", "law"),
    [
        (Shifted, "must be x up to"),
        (OutOfRange, "outside 0"),
        (DrawsGlobally, "global generator of numpy"),
        (SortsItsInput, "changed the data"),
        (ForgetsInJson, "JSON"),
        (NotJson, "not plain JSON"),
        (RejectsStates, "not finite"),
    ],
)
def test_broken_codecs_are_caught(codec: type[Digits], law: str) -> None:
    values = np.array([5.0, 3.0, 1.0, 4.0, 2.0, 9.0, 7.0])
    check_codec(Digits(3, 3, 2), values)
    with pytest.raises(AssertionError, match=law):
        check_codec(codec(3, 3, 2), values)
