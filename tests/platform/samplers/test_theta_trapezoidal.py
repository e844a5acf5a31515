"""T5: orders of convergence of leaping schemes, as exact laws of the formulas that the samplers use."""

import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch

from intarsia import Polynomial
from intarsia.errors import RequirementError
from intarsia.processes import AbstractFinite, ClasswiseAbsorbing, Discrete, Gaussian, Mixing, Structured, Xor
from intarsia.samplers import AbstractLeap, Ancestral, Redraw, Shift, TauLeaping, ThetaTrapezoidal
from intarsia.samplers._theta_trapezoidal import extrapolate
from intarsia.schedules import AbstractSchedule
from intarsia.testing import (
    BayesDenoiser,
    all_states,
    check_refusal,
    check_sampler,
    chi_square,
    enumerated_law,
    total_variation,
)


@dataclass(frozen=True)
class Horizon(AbstractSchedule):
    """alpha(t) = exp(-length t): a constant rate for a time `length`."""

    length: float = 12.0

    def alpha(self, t):
        return (-self.length * t).exp()

    def dalpha(self, t):
        return -self.length * (-self.length * t).exp()

    def inverse(self, alpha):
        return -alpha.log() / self.length


RING = Discrete.uniform(15, Horizon())
POINTS = torch.arange(15)[:, None]
SMOOTH = (1 + 0.15 * torch.cos(2 * torch.pi * torch.arange(15).double() / 15)) / 15
RAMP = torch.arange(1, 16).double() / 120


def leap_law(leap: AbstractLeap, rates: torch.Tensor, x: torch.Tensor, h: float) -> torch.Tensor:
    """Law (rows, classes) of one site from `x` (rows,) at labelled rates (rows, classes); by FFT for shifts."""
    total = rates.sum(1, keepdim=True)
    if isinstance(leap, Single):
        none = torch.nn.functional.one_hot(torch.zeros_like(x), rates.shape[1]).double()
        law = (-h * total).exp() * none - torch.expm1(-h * total) * rates / total.clamp(min=1e-300)
        return law.gather(1, (torch.arange(rates.shape[1]) - x[:, None]) % rates.shape[1])
    if isinstance(leap, Shift):
        law = torch.fft.ifft((h * (torch.fft.fft(rates, dim=1) - total)).exp(), dim=1).real
        return law.gather(1, (torch.arange(rates.shape[1]) - x[:, None]) % rates.shape[1])
    here = torch.nn.functional.one_hot(x, rates.shape[1]).double()
    return (-h * total).exp() * here - torch.expm1(-h * total) * rates / total.clamp(min=1e-300)


class Single(Shift):
    """Displacements of which at most one happens in a leap, as where jumps are drawn from a categorical law."""


def ring_error(p0: torch.Tensor, steps: int, leap: AbstractLeap, theta: float | None) -> float:
    """Total variation from `p0` of that law."""
    return total_variation(ring_law(p0, steps, leap, theta), p0)


def ring_law(
    p0: torch.Tensor, steps: int, leap: AbstractLeap, theta: float | None, midpoint: bool = False
) -> torch.Tensor:
    """Law of `steps` equal steps from uniform; no theta is tau-leaping, and `midpoint` the θ-RK-2 scheme."""
    denoiser, h, n = BayesDenoiser(RING, POINTS, p0.log()), 1.0 / steps, 15
    law = torch.full((n,), 1.0 / n, dtype=torch.float64)

    def rates(t: float) -> torch.Tensor:
        time = torch.full((n,), t, dtype=torch.float64)
        return leap.labelled(RING, RING.rates(denoiser(POINTS, time), POINTS, time), POINTS)[0][:, 0]

    for k in range(steps):
        t = 1.0 - k * h
        first = rates(t)
        if theta is None:
            law = law @ leap_law(leap, first, POINTS[:, 0], h)
            continue
        half = leap_law(leap, first, POINTS[:, 0], theta * h)
        second = rates(max(t - theta * h, 1e-9))  # at 0 itself sites have forgotten nothing, and stay
        none = torch.zeros(1)
        if midpoint:  # x' from x, and not from where the first stage has led
            weight = 0.5 / theta
            ahead = ((1.0 - weight) * first[:, None] + weight * second).clamp(min=0.0).reshape(n * n, n)
            rest = leap_law(leap, ahead, POINTS[:, 0].repeat_interleave(n), h).view(n, n, n)
            law = law @ torch.einsum("xy,xyz->xz", half, rest)
            continue
        ahead = extrapolate((first[:, None], none), (second[None], none), theta)[0].reshape(n * n, n)
        rest = leap_law(leap, ahead, POINTS[:, 0].repeat(n), (1.0 - theta) * h).view(n, n, n)
        law = law @ torch.einsum("xy,xyz->xz", half, rest)
    return law


def slopes(errors: list[float]) -> list[float]:
    return [math.log2(a / b) for a, b in pairwise(errors)]


@pytest.mark.parametrize(
    ("theta", "table"),
    [
        (None, "4.71e-02 4.03e-02 2.72e-02 1.57e-02 8.42e-03 4.35e-03"),
        (1 / 2, "3.35e-02 1.42e-02 4.23e-03 1.11e-03 2.81e-04 7.06e-05"),
        (1 / 3, "4.03e-02 2.09e-02 7.17e-03 2.04e-03 5.37e-04 1.38e-04"),
    ],
)
def test_t5_smooth_law(theta: float | None, table: str) -> None:
    """The reference's figures, to the three digits given; N = 4, 8, …, 128."""
    errors = [ring_error(SMOOTH, n, Shift(), theta) for n in (4, 8, 16, 32, 64, 128)]
    for got, said in zip(errors, table.split(), strict=True):
        assert abs(got - float(said)) <= 0.51 * 10 ** (math.floor(math.log10(float(said))) - 2), (errors, table)
    if theta == 1 / 2:
        assert [round(slope, 2) for slope in slopes(errors)[-3:]] == [1.93, 1.98, 2.00]


@pytest.mark.parametrize("leap", [Shift(), Redraw()], ids=repr)
@pytest.mark.parametrize("theta", [1 / 2, 1 / 3])
def test_t5_order_two_from_32_steps_on(leap: AbstractLeap, theta: float) -> None:
    errors = [ring_error(SMOOTH, n, leap, theta) for n in (32, 64, 128)]
    assert all(slope >= 1.9 for slope in slopes(errors)), errors


def test_t5_a_third_tends_to_order_two_and_divergences_to_twice_that() -> None:
    errors = [ring_error(SMOOTH, n, Shift(), 1 / 3) for n in (64, 128)]
    assert round(slopes(errors)[0], 2) == 1.96
    laws = [ring_law(SMOOTH, n, Shift(), 1 / 2) for n in (64, 128)]
    assert slopes([float((SMOOTH * (SMOOTH / law).log()).sum()) for law in laws])[0] == pytest.approx(4.0, abs=0.02)


@pytest.mark.parametrize("theta", [1 / 2, 2 / 3, 1.0])
def test_t5_the_midpoint_scheme_is_of_first_order(theta: float) -> None:
    """θ-RK-2 errs as tau-leaping does, to three digits: it is not offered."""
    table = "4.71e-02 4.03e-02 2.73e-02 1.57e-02 8.42e-03 4.35e-03"
    for n, said in zip((4, 8, 16, 32, 64, 128), table.split(), strict=True):
        error = total_variation(ring_law(SMOOTH, n, Shift(), theta, midpoint=True), SMOOTH)
        assert error == pytest.approx(float(said), rel=6e-3)


def test_t5_single_jumps_cost_the_order() -> None:
    found = slopes([ring_error(SMOOTH, n, Single(), 1 / 2) for n in (32, 64, 128, 256)])
    assert all(slope < 1.2 for slope in found)
    assert found[-1] == pytest.approx(1.0, abs=0.1)


def test_t5_steps_of_the_exact_posterior_err_by_rounding() -> None:
    """Four steps on a random law, where leaps are far from their order."""
    p0 = torch.randn(15, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).mul(3.0).softmax(0)
    _, law = enumerated_law(Ancestral(4), RING, BayesDenoiser(RING, POINTS, p0.log()), 1)
    assert abs(float((p0 * (p0 / law).log()).sum())) < 1e-14
    assert ring_error(p0, 64, Shift(), 1 / 2) > 0.01


@pytest.mark.parametrize(("ratio", "clipped"), [(1.41, False), (1.42, True)])
def test_t5_rates_stay_positive_up_to_a_ratio_of_the_square_root_of_two(ratio: float, clipped: bool) -> None:
    """2 μ(x*) - μ(x) ≥ 0 for all states where (max p / min p)² ≤ 2, at θ = 1/2; two levels show both sides."""
    p0 = torch.where(torch.arange(15) % 4 < 2, ratio, 1.0).double()
    denoiser, time = BayesDenoiser(RING, POINTS, (p0 / p0.sum()).log()), torch.full((15,), 1e-9, dtype=torch.float64)
    rates = Shift().labelled(RING, RING.rates(denoiser(POINTS, time), POINTS, time), POINTS)[0][:, 0]
    ahead = 2.0 * rates - rates[:, None]
    assert bool((ahead < -1e-6).any()) == clipped
    ahead = 2.0 * (SMOOTH.roll(-1) / SMOOTH) - (SMOOTH.roll(-1) / SMOOTH)[:, None]
    assert float(SMOOTH.max() / SMOOTH.min()) == pytest.approx(1.348, abs=5e-4)
    assert bool((ahead > 0).all())


def test_targets_make_better_labels_than_displacements() -> None:
    """Half the error on the smooth law, and less clipping on the steep one."""
    for p0, theta in ((SMOOTH, 1 / 2), (SMOOTH, 1 / 3), (RAMP, 1 / 2)):
        assert ring_error(p0, 64, Redraw(), theta) < 0.66 * ring_error(p0, 64, Shift(), theta)


def test_t5_clipping_costs_the_order_but_not_the_gain() -> None:
    errors = [ring_error(RAMP, n, Shift(), 1 / 2) for n in (8, 16, 32, 64, 128, 256)]
    assert [round(slope, 2) for slope in slopes(errors)] == [1.14, 1.26, 1.23, 1.17, 1.11]
    assert f"{errors[-1]:.2e}" == "1.26e-03"
    assert ring_error(RAMP, 256, Shift(), None) == pytest.approx(1.05e-2, abs=5e-5)


def joint_law(process: AbstractFinite, logits: torch.Tensor, steps: int, theta: float = 0.5) -> torch.Tensor:
    """Law of `ThetaTrapezoidal` on two sites, over all states, by the product of the laws of its leaps."""
    count, most = 2, 2 + process.has_mask
    states = all_states([most, most])
    denoiser = BayesDenoiser(process, all_states([count, count]), logits)
    prior, mask = process.prior_law()
    start = torch.cat([prior, torch.tensor([mask], dtype=torch.float64)])[:most]
    law, leap, h = start[states].prod(1), Redraw(), 1.0 / steps

    def rates(x: torch.Tensor, t: float) -> torch.Tensor:
        time = torch.full((len(x),), t, dtype=torch.float64)
        entries, to_mask = leap.labelled(process, process.rates(denoiser(x, time), x, time), x)
        return torch.cat([entries, to_mask[..., None]], 2)[..., :most]

    def both(r: torch.Tensor, x: torch.Tensor, length: float) -> torch.Tensor:
        sites = [leap_law(leap, r[:, k], x[:, k], length)[:, states[:, k]] for k in (0, 1)]
        return sites[0] * sites[1]

    for k in range(steps):
        t, size = 1.0 - k * h, len(states)
        first, second = rates(states, t), rates(states, t - theta * h)
        ahead = extrapolate((first[:, None], first), (second[None], second), theta)[0].flatten(0, 1)
        rest = both(ahead, states.repeat(size, 1), (1.0 - theta) * h).view(size, size, size)
        law = law @ torch.einsum("xy,xyz->xz", both(first, states, theta * h), rest)
    if process.has_mask:
        pred = denoiser(states, torch.zeros(size, dtype=torch.float64)).softmax(-1)
        filled = torch.cat([pred, torch.zeros(size, 2, 1, dtype=torch.float64)], 2)
        still = torch.nn.functional.one_hot(states, most).double()
        ends = torch.where((states == count)[..., None], filled, still)
        law = law @ (ends[:, 0, states[:, 0]] * ends[:, 1, states[:, 1]])
    return law


NOISES = [Discrete.absorbing(2), Discrete.uniform(2), Discrete(2, mask=0.5, law=(0.4, 0.6))]
SKEW = torch.tensor([[-0.3, 0.3], [0.7, -0.7]], dtype=torch.float64)
OTHERS: list[AbstractFinite] = [
    Xor(2),
    Structured(SKEW),
    Mixing.hybrid(2),
    ClasswiseAbsorbing(2, Polynomial((0.7, 2.0))),
]
GENTLE = torch.tensor([0.1, -0.15, -0.1, 0.15], dtype=torch.float64)
STEEP = torch.tensor([1.0, -1.0, -0.5, 0.8], dtype=torch.float64)


def joint_errors(process: AbstractFinite, logits: torch.Tensor, grid: tuple[int, ...]) -> list[float]:
    most = 2 + process.has_mask
    truth = torch.zeros(most, most, dtype=torch.float64)
    truth[:2, :2] = logits.softmax(0).view(2, 2)
    return [total_variation(joint_law(process, logits, n), truth.flatten()) for n in grid]


@pytest.mark.parametrize(
    "process", [Discrete.uniform(2, Horizon(6.0)), Xor(2, Horizon(6.0)), Structured(SKEW, Horizon(6.0))], ids=repr
)
def test_two_sites_are_of_second_order(process: AbstractFinite) -> None:
    errors = joint_errors(process, GENTLE, (16, 32, 64, 128))
    assert all(slope > 1.95 for slope in slopes(errors)), errors


def test_masks_are_of_second_order_up_to_a_logarithm() -> None:
    """The rate 1/t of absorbing noise has no bound: h² log(1/h), whose slopes rise towards 2."""
    found = slopes(joint_errors(Discrete.absorbing(2), GENTLE, (8, 16, 32, 64, 128)))
    assert found == sorted(found)
    assert found[0] > 1.6
    assert found[-1] > 1.75


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_clipped_steps_beat_tau_leaping_at_the_same_calls(process: Discrete) -> None:
    """A law of strongly dependent sites, where the order is one; 16 and 64 calls."""
    denoiser = BayesDenoiser(process, all_states([2, 2]), STEEP)
    for calls in (16, 64):
        states, law = enumerated_law(TauLeaping(calls), process, denoiser, 2)
        target = torch.zeros_like(law)
        target[(states < 2).all(1)] = STEEP.softmax(0)
        assert joint_errors(process, STEEP, (calls // 2,))[0] < 0.7 * total_variation(law, target)


@pytest.mark.parametrize("process", NOISES + OTHERS, ids=repr)
def test_draws_follow_the_law_of_the_steps(process: AbstractFinite) -> None:
    n, most = 5000, 2 + process.has_mask
    denoiser = BayesDenoiser(process, all_states([2, 2]), STEEP)
    rng = torch.Generator().manual_seed(0)
    x = ThetaTrapezoidal(3).sample(process, denoiser, process.prior((n, 2), rng), rng=rng)
    counts = torch.bincount(x[:, 0] * most + x[:, 1], minlength=most**2)
    assert chi_square(counts, joint_law(process, STEEP, 3).clamp(min=0.0)) >= 1e-4


def test_shifts_are_compound_poisson() -> None:
    """Frozen labelled rates on classes of two counts; n = 4,000 a state."""
    process, n = Discrete.uniform((3, 4)), 4000
    entries = torch.rand(1, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = torch.tensor([[2, 1]])
    drawn = Shift().draw(process, (entries.expand(n, 7), torch.zeros(n, 2)), x.expand(n, 2), 1.3, torch.Generator())
    for site, part in enumerate((entries[:, :3], entries[:, 3:])):
        law = leap_law(Shift(), part, x[:, site], 1.3)[0]
        assert chi_square(torch.bincount(drawn[:, site], minlength=part.shape[1]), law) >= 1e-4


def test_labels_of_shifts_count_from_the_state() -> None:
    process = Discrete.uniform((3, 4))
    entries = torch.arange(7.0)[None].expand(2, 7)
    labelled, _ = Shift().labelled(process, (entries, torch.zeros(2, 2)), torch.tensor([[2, 1], [0, 3]]))
    assert labelled.tolist() == [[2.0, 0.0, 1.0, 4.0, 5.0, 6.0, 3.0], [0.0, 1.0, 2.0, 6.0, 3.0, 4.0, 5.0]]
    dense, _ = Shift().labelled(Discrete.uniform(3), (torch.arange(3.0)[None, None], torch.zeros(1, 1)), POINTS[2:3])
    assert dense.tolist() == [[[2.0, 0.0, 1.0]]]


@pytest.mark.parametrize(
    ("sampler", "process"),
    [
        (ThetaTrapezoidal(12), Discrete.absorbing((2, 3))),
        (ThetaTrapezoidal(12, theta=1 / 3), Discrete.uniform(3)),
        (ThetaTrapezoidal(12, leap=Shift()), Discrete.uniform((2, 3))),
    ],
    ids=repr,
)
def test_check_sampler(sampler: ThetaTrapezoidal, process: Discrete) -> None:
    check_sampler(sampler, process, n=2000)


def test_what_it_cannot_do_is_refused() -> None:
    check_refusal(ThetaTrapezoidal(), Gaussian())
    check_refusal(ThetaTrapezoidal(leap=Shift()), Discrete.absorbing(3))
    with pytest.raises(RequirementError, match="Redraw"):
        ThetaTrapezoidal(leap=Shift()).check(Discrete(3, mask=0.1))
    for theta in (0.0, 1.0):
        with pytest.raises(ValueError, match="theta"):
            ThetaTrapezoidal(theta=theta)


def test_two_calls_a_step() -> None:
    denoiser = BayesDenoiser(RING, POINTS, SMOOTH.log())
    ThetaTrapezoidal(5).sample(RING, denoiser, RING.prior((3, 1)), rng=torch.Generator().manual_seed(0))
    assert denoiser.nfe == 10


def test_leaps_unmask_from_the_very_first_step() -> None:
    """At t = 1 nothing of the data is left, yet the rate -alpha'/(1 - alpha) to a value is 1."""
    process = Discrete.absorbing(2)
    entries, to_mask = process.rates(torch.tensor([[[0.0, 0.0]]]), torch.tensor([[2]]), torch.ones(1))
    assert entries.tolist() == [[[0.5, 0.5]]]
    assert to_mask.tolist() == [[0.0]]
    check_sampler(TauLeaping(3), process, n=2000)
