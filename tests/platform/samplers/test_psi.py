"""T6 for psi samplers: marginals at s are kept by any mixture of bridge and forward noise."""

from itertools import pairwise, permutations

import pytest
import torch

from intarsia import Cosine
from intarsia.processes import (
    AbstractFinite,
    AbstractProcess,
    ClasswiseAbsorbing,
    Discrete,
    Enumerated,
    Gaussian,
    Mixing,
    Product,
    Riffle,
    Xor,
)
from intarsia.samplers import Psi
from intarsia.samplers._psi import mixed, stepped
from intarsia.samplers._remask import unmask_chance
from intarsia.testing import BayesDenoiser, check_refusal, check_sampler, chi_square

LAW = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
NOISES: list[Discrete] = [
    Discrete.absorbing(3),
    Discrete.uniform(3, Cosine()),
    Discrete(3, mask=0.35, law=(0.15, 0.6, 0.25)),
    Discrete.marginal((0.7, 0.1, 0.2)),
]
POINTS = torch.arange(3)[:, None]


def times(t: float, rows: int) -> torch.Tensor:
    return torch.full((rows,), t, dtype=torch.float64)


def forward(process: Discrete, t: float) -> torch.Tensor:
    """q(xt | x0), (classes, states)."""
    most = 3 + process.has_mask
    x0, xt = torch.arange(3).repeat_interleave(most)[:, None], torch.arange(most).repeat(3)[:, None]
    return process.log_q(xt, x0, times(t, len(x0))).exp().view(3, most)


def kernel(process: Discrete, s: float, t: float, kappa: float) -> torch.Tensor:
    """κ p(xs | xt) + (1 - κ) Σ p(x0 | xt) q(xs | x0), (states, states), with the exact posterior."""
    most = 3 + process.has_mask
    states = torch.arange(most)[:, None]
    denoiser = BayesDenoiser(process, POINTS, LAW.log())
    pred = denoiser(states, times(t, most))
    entries, mask = process.reverse_law(pred, states, times(s, most), times(t, most))
    back = torch.cat([entries.exp()[:, 0], mask.exp()], 1)[:, :most]
    return kappa * back + (1 - kappa) * pred[:, 0].softmax(1) @ forward(process, s)


@pytest.mark.parametrize("process", NOISES, ids=repr)
@pytest.mark.parametrize("kappa", [0.0, 0.37, 1.0])
def test_t6_marginals_are_kept(process: Discrete, kappa: float) -> None:
    for s, t in ((0.2, 0.7), (0.5, 1.0), (0.6, 0.6), (0.0, 0.4)):
        after = LAW @ forward(process, t) @ kernel(process, s, t, kappa)
        assert torch.allclose(after, LAW @ forward(process, s), atol=1e-12)


@pytest.mark.parametrize("process", NOISES, ids=repr)
def test_draws_follow_that_kernel(process: Discrete) -> None:
    """Three steps of one site from the prior, n = 6,000; then the law is the law of the data, as T6 says."""
    denoiser, n = BayesDenoiser(process, POINTS, LAW.log()), 6000
    rng = torch.Generator().manual_seed(0)
    x = Psi(3, 0.4).sample(process, denoiser, process.prior((n, 1), rng), rng=rng)
    assert chi_square(torch.bincount(x[:, 0], minlength=3), LAW) >= 1e-4
    # one step from a state of time t, through the same calls
    start = torch.zeros(n, 1, dtype=torch.long)
    here, there = times(0.7, n), times(0.2, n)
    x0 = process.reverse(denoiser(start, here), start, times(0.0, n), here, rng)
    back = process.bridge(x0, start, there, here, rng)
    drawn = mixed(process, back, process.corrupt(x0, there, rng), 0.4, rng)
    most = 3 + process.has_mask
    assert chi_square(torch.bincount(drawn[:, 0], minlength=most), kernel(process, 0.2, 0.7, 0.4)[0]) >= 1e-4


@pytest.mark.parametrize("kappa", [0.0, 0.5, 0.9])
def test_for_masks_it_is_remasking(kappa: float) -> None:
    """σ = (1 - κ)(1 - alpha(s)), that is κ = 1 - σ / (1 - alpha(s))."""
    s, t = 0.4, 0.65
    got = kernel(NOISES[0], s, t, kappa)
    sigma = torch.tensor((1 - kappa) * s, dtype=torch.float64)
    gained = unmask_chance(torch.tensor(1 - s, dtype=torch.float64), torch.tensor(1 - t, dtype=torch.float64), sigma)
    assert got[3, 3] == pytest.approx(float(1 - gained), abs=1e-12)
    assert torch.allclose(got[3, :3], gained * LAW, atol=1e-12)
    assert torch.allclose(got.diagonal()[:3], 1 - sigma, atol=1e-12)


@pytest.mark.parametrize(
    "process",
    [
        Discrete.absorbing((2, 3)),
        Discrete.uniform(3),
        Xor(2),
        Product({"a": Discrete.uniform((2, 3)), "b": Xor(2)}),
        Product({"a": Xor(2), "b": Gaussian()}),
    ],
    ids=repr,
)
def test_check_sampler(process: AbstractFinite | Product) -> None:
    check_sampler(Psi(12), process, n=500)


def test_kappa_one_is_ancestral() -> None:
    assert Psi(kappa=1.0).claim == "first order"
    assert Psi().claim == "biased"
    check_sampler(Psi(40, 1.0), Xor(2), n=2000)


JOINT: list[tuple[AbstractProcess, torch.Tensor]] = [
    (Riffle(3, 6, Enumerated()), torch.tensor(list(permutations(range(3))))),
    (Mixing(6), torch.arange(6)[:, None]),
    (ClasswiseAbsorbing(6), torch.arange(6)[:, None]),
]


@pytest.mark.parametrize(("process", "points"), JOINT, ids=["riffle", "mixing", "classwise"])
def test_t6_any_noise_of_one_variable_keeps_its_law(process: AbstractProcess, points: torch.Tensor) -> None:
    """One variable has no error of factorisation, so every κ and every number of steps is exact; n = 4,000."""
    law = torch.tensor([0.4, 0.05, 0.1, 0.2, 0.05, 0.2], dtype=torch.float64)
    denoiser, rng = BayesDenoiser(process, points, law.log()), torch.Generator().manual_seed(0)
    x = Psi(6, 0.6).sample(process, denoiser, process.prior((4000, points.shape[1]), rng), rng=rng)
    counts = (x[:, None] == points).all(2).sum(0)
    assert counts.sum() == 4000
    assert chi_square(counts, law) >= 1e-4


def test_outside_the_window_it_is_ancestral() -> None:
    """With masks a value is forgotten only inside the window."""
    process, seen = Discrete.absorbing(2), []

    def network(x: torch.Tensor, t: torch.Tensor, cond: object) -> torch.Tensor:
        seen.append((float(t[0]), x.clone()))
        return torch.zeros(*x.shape, 2)

    Psi(10, 0.3, window=(0.3, 0.6)).sample(
        process, network, process.prior((200, 5)), rng=torch.Generator().manual_seed(0)
    )
    for (_, before), (t, after) in pairwise(seen):
        forgot = bool(((before != 2) & (after == 2)).any())
        assert forgot == (0.3 - 1e-9 <= t <= 0.6 + 1e-9), t


def test_rows_choose_as_one_where_sites_do_not_choose_apart() -> None:
    a, b = torch.zeros(400, 5), torch.ones(400, 5)
    rng = torch.Generator().manual_seed(0)
    rows = mixed(Gaussian(), a, b, 0.25, rng)
    assert rows.sum(1).unique().tolist() == [0.0, 5.0]
    assert 60 < int((rows[:, 0] == 0).sum()) < 140
    assert len(mixed(Xor(5), a, b, 0.25, rng).sum(1).unique()) > 2


def test_fields_of_means_take_ancestral_steps() -> None:
    """With κ = 0 bits are noised anew from x0, and reals go down the kernel that the process has."""
    process, n = Product({"bits": Xor(2), "real": Gaussian()}), 4000
    x = {"bits": torch.zeros(n, 2, dtype=torch.long), "real": torch.full((n, 1), 0.3, dtype=torch.float64)}
    pred = {"bits": torch.full((n, 2), 40.0), "real": torch.ones(n, 1, dtype=torch.float64)}
    s, t = {name: times(0.5, n) for name in x}, {name: times(0.9, n) for name in x}
    got = stepped(process, pred, x, s, t, 0.0, torch.Generator().manual_seed(0))
    flips = torch.stack([(got["bits"] == 0).double().sum(), (got["bits"] == 1).double().sum()])
    assert chi_square(flips, torch.tensor([0.25, 0.75]).double()) >= 1e-4
    alone = Gaussian().reverse(pred["real"], x["real"], s["real"], t["real"], torch.Generator().manual_seed(1))
    for moment in (torch.mean, torch.std):
        assert float(moment(got["real"])) == pytest.approx(float(moment(alone)), abs=0.1)


def test_what_it_cannot_do_is_refused() -> None:
    check_refusal(Psi(), Gaussian())
    check_refusal(Psi(), Product({"b": Gaussian()}))
    for make in (lambda: Psi(kappa=1.1), lambda: Psi(window=(0.5, 0.5)), lambda: Psi(0)):
        with pytest.raises(ValueError, match="must"):
            make()
