"""Nested sampling: as exact as its inner sampler, and whole samples from the first step on."""

import itertools

import pytest
import torch

from intarsia import Evidence
from intarsia.processes import AbstractProcess, Discrete, Gaussian, Mixing, Product, Structured, Xor
from intarsia.samplers import (
    Ancestral,
    FirstHitting,
    Gibbs,
    Nested,
    Shift,
    TauLeaping,
    ThetaTrapezoidal,
    Unmask,
)
from intarsia.samplers._until import FiniteUntil, Until, until
from intarsia.testing import (
    BayesDenoiser,
    all_states,
    check_refusal,
    check_sampler,
    chi_square,
    enumerated_law,
    total_variation,
)
from intarsia.testing._enumerate import reverse_rates
from intarsia.testing._finite import FiniteSites

POINTS = all_states([2, 2])
LAW = torch.tensor([0.45, 0.05, 0.05, 0.45], dtype=torch.float64)


@pytest.mark.parametrize("inner", [FirstHitting(), Unmask()], ids=repr)
@pytest.mark.parametrize("steps", [1, 4])
def test_every_estimate_of_an_exact_inner_sampler_is_exact(inner, steps: int) -> None:
    """Strongly dependent pairs, n = 4,000, with and without evidence: each x0 of the stream has the joint's law."""
    process, n = Discrete.absorbing(2), 4000
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    nested = Nested(steps, inner)
    assert nested.claim == "exact"
    seen = Evidence(torch.ones(n, 2, dtype=torch.long), torch.tensor([[True, False]]).expand(n, 2))
    for given, law in ((None, LAW), (seen, torch.tensor([0.0, 0.0, 0.1, 0.9]))):
        rng = torch.Generator().manual_seed(0)
        found = list(nested.stream(process, denoiser, process.prior((n, 2)), given=given, rng=rng))
        assert len(found) == steps
        for estimate in found:
            counts = torch.bincount(estimate.sample[:, 0] * 2 + estimate.sample[:, 1], minlength=4)
            assert chi_square(counts, law) >= 1e-4


def test_the_law_of_an_inner_sampler_of_one_call() -> None:
    """Masks and one inner step: the first sketch has P(odd) = 1/2 of {00, 11}, after T outer steps it is 1/(2T)."""
    process, n = Discrete.absorbing(2), 6000
    denoiser = BayesDenoiser(process, torch.tensor([[0, 0], [1, 1]]), torch.zeros(2))
    stream = Nested(5, Ancestral(1)).stream(
        process, denoiser, process.prior((n, 2)), rng=torch.Generator().manual_seed(0)
    )
    odd = [float((e.sample[:, 0] != e.sample[:, 1]).double().mean()) for e in stream]
    assert odd[0] == pytest.approx(0.5, abs=5 * 0.5 / n**0.5)
    # a pair is drawn apart in the end only if both sites were masked together down to its last draw: 1/(2T)
    assert odd[-1] == pytest.approx(0.1, abs=5 * 0.3 / n**0.5)
    states, law = enumerated_law(Ancestral(5), process, denoiser, 2)
    assert float(law[states[:, 0] != states[:, 1]].sum()) == pytest.approx(0.1, abs=1e-12)
    assert sorted(odd, reverse=True) == odd


@pytest.mark.parametrize("process", [Discrete.uniform(2), Xor(2), Discrete(2, mask=0.4)], ids=repr)
def test_inner_steps_start_in_the_middle_of_the_noise(process) -> None:
    """More inner steps, less error of the last x0: n = 8,000; one inner call is ancestral sampling's x0."""
    denoiser, n = BayesDenoiser(process, POINTS, LAW.log()), 8000

    def error(steps: int, inner: int) -> float:
        rng = torch.Generator().manual_seed(0)
        x = Nested(steps, Ancestral(inner)).sample(process, denoiser, process.prior((n, 2), rng), rng=rng)
        return total_variation(torch.bincount(x[:, 0] * 2 + x[:, 1], minlength=4) / n, LAW)

    coarse, fine = error(2, 1), error(2, 16)
    assert fine < 0.03 < coarse


def test_calls_are_counted_and_every_estimate_is_whole() -> None:
    process = Discrete.uniform(2)
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    found = list(Nested(3, Ancestral(4)).stream(process, denoiser, process.prior((5, 2))))
    assert [estimate.nfe for estimate in found] == [4, 8, 12]
    assert denoiser.nfe == 12
    masks = Discrete.absorbing(2)
    for estimate in Nested(4, FirstHitting()).stream(
        masks, BayesDenoiser(masks, POINTS, LAW.log()), masks.prior((9, 2))
    ):
        assert (estimate.sample < 2).all()


def test_a_stream_may_be_left_and_time_may_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Discrete.absorbing(2)
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    stream = Nested(50, FirstHitting()).stream(process, denoiser, process.prior((5, 2)))
    assert (next(stream).sample < 2).all()
    calls = denoiser.nfe
    stream.close()
    assert denoiser.nfe == calls
    clock = itertools.count()
    monkeypatch.setattr("intarsia.samplers._nested.time.monotonic", lambda: float(next(clock)))
    # the clock ticks once a look: at the start, and before every step but the first
    found = list(Nested(50, FirstHitting(), seconds=3.0).stream(process, denoiser, process.prior((5, 2))))
    assert len(found) == 3
    once = Nested(50, FirstHitting(), seconds=1e-9).sample(process, denoiser, process.prior((5, 2)))
    assert (once < 2).all()


CASES: list[tuple[Nested, AbstractProcess]] = [
    (Nested(3, FirstHitting()), Discrete.absorbing((2, 3))),
    (Nested(6, Ancestral(6)), Discrete.uniform(3)),
    (Nested(6, Ancestral(6)), Product({"a": Discrete.absorbing(2), "b": Gaussian()})),
    (Nested(3, Nested(3, Ancestral(3))), Xor(2)),
    (Nested(3, TauLeaping(8)), Discrete.uniform(3)),
    (Nested(3, TauLeaping(8)), Discrete(2, mask=0.4)),
    (Nested(2, ThetaTrapezoidal(12)), Xor(2)),
    (Nested(3, Gibbs(6)), Structured.gaussian(3, 1.0)),
]


@pytest.mark.parametrize(("sampler", "process"), CASES, ids=[f"{s.inner}, {p}"[:60] for s, p in CASES])
def test_check_sampler(sampler: Nested, process: AbstractProcess) -> None:
    check_sampler(sampler, process, n=600, tolerance=0.08)


def test_inner_samplers_that_cannot_start_there_are_refused() -> None:
    check_refusal(Nested(3, FirstHitting()), Discrete.uniform(3))
    check_refusal(Nested(3, TauLeaping(3)), Gaussian())
    check_refusal(Nested(3, ThetaTrapezoidal(3, leap=Shift())), Discrete(3, mask=0.4))
    Nested(3, TauLeaping(3)).check(Discrete.absorbing(3))
    for make in (lambda: Nested(0), lambda: Nested(seconds=0.0)):
        with pytest.raises(ValueError, match="must"):
            make()


def test_a_part_of_finite_noise_has_its_rates_and_laws() -> None:
    """`rates` is the slope of the kernel in the part's own time, and what is said of one site is that of the noise."""
    noise = Mixing.hybrid(3)
    part = until(noise, 0.4)
    assert isinstance(part, FiniteUntil)
    assert until(Gaussian(), 0.4) == Until(Gaussian(), 0.4)
    finite, x = FiniteSites(part, 1), torch.arange(4)[:, None]
    t = torch.full((4,), 0.7, dtype=torch.float64)
    pred = torch.randn(4, 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slope = reverse_rates(finite, pred, x, t)
    assert torch.allclose(finite.padded(*part.rates(pred, x, t)), slope, rtol=1e-6, atol=1e-6)
    assert torch.equal(part.leave_one_out(pred, x, t), noise.leave_one_out(pred, x, 0.4 * t))
    assert torch.equal(part.from_leave_one_out(pred, x, t), noise.from_leave_one_out(pred, x, 0.4 * t))
    assert torch.equal(part.log_likelihood(x, t), noise.log_likelihood(x, 0.4 * t))
    assert torch.equal(part.log_posterior(pred, x[:, :] % 3), noise.log_posterior(pred, x[:, :] % 3))
    assert (part.has_mask, part.has_rates, part.has_leave_one_out) == (True, True, True)
    bits = until(Xor(1), 0.4)
    assert isinstance(bits, FiniteUntil)
    assert bits.log_probs(torch.tensor([[0.0]])).exp().tolist() == [[[0.5, 0.5]]]


@pytest.mark.parametrize("inner", [TauLeaping, ThetaTrapezoidal, Ancestral])
def test_inner_leaps_draw_x0_from_the_middle_of_the_noise(inner) -> None:
    """From states of one time the law of x0 is p(x0 | xt), to total variation 0.03 of 60 steps, n = 8,000."""
    process, n = Discrete.uniform(2), 8000
    denoiser, end = BayesDenoiser(process, POINTS, LAW.log()), 0.6
    xt = torch.tensor([[0, 1]]).expand(n, 2)
    law = denoiser.posterior(xt[:1], torch.tensor([end], dtype=torch.float64))[0]
    part = until(process, end)
    x = inner(60).sample(part, lambda x, t, c: denoiser(x, part.clock(t)), xt, rng=torch.Generator().manual_seed(0))
    counts = torch.bincount(x[:, 0] * 2 + x[:, 1], minlength=4)
    assert total_variation(counts / n, law) < 0.03


def test_a_part_of_a_noise_is_a_noise() -> None:
    """Its clock runs to `end`; the nelbo's integrand is taken in its own time."""
    part, noise = Until(Discrete.uniform(3), 0.5), Discrete.uniform(3)
    x0, xt = torch.tensor([[0, 1]]), torch.tensor([[2, 1]])
    t, s = torch.tensor([0.8], dtype=torch.float64), torch.tensor([0.4], dtype=torch.float64)
    pred = torch.randn(1, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(part.log_q(xt, x0, t), noise.log_q(xt, x0, 0.5 * t))
    assert torch.equal(part.loss(pred, x0, xt, t), 0.5 * noise.loss(pred, x0, xt, 0.5 * t))
    assert torch.equal(part.loss(pred, x0, xt, t, s), noise.loss(pred, x0, xt, 0.5 * t, 0.5 * s))

    def rng() -> torch.Generator:
        return torch.Generator().manual_seed(3)

    assert torch.equal(part.corrupt(x0, t, rng()), noise.corrupt(x0, 0.5 * t, rng()))
    assert torch.equal(part.bridge(x0, xt, s, t, rng()), noise.bridge(x0, xt, 0.5 * s, 0.5 * t, rng()))
    assert torch.equal(part.reverse(pred, xt, s, t, rng()), noise.reverse(pred, xt, 0.5 * s, 0.5 * t, rng()))
    assert part.clock({"a": t})["a"].item() == pytest.approx(0.4)
    with pytest.raises(NotImplementedError, match="bring a state"):
        part.prior((1, 2))
