"""T6 for remasking: single sites keep their law at every σ; strategies; the enumerated law of two sites."""

import math

import pytest
import torch

from intarsia import Evidence
from intarsia.processes import Discrete, Xor
from intarsia.samplers import AbstractRemasking, Ancestral, Cap, LeastConfident, Loop, Remask, Rescale
from intarsia.samplers._remask import unmask_chance
from intarsia.samplers._remasking import largest_chance
from intarsia.testing import BayesDenoiser, all_states, check_refusal, check_sampler, chi_square, enumerated_law

PROCESS = Discrete.absorbing(2)
STRATEGIES = [Cap(0.3), Rescale(0.5), Rescale(1.0), Loop(Cap(0.4), level=0.5, first=0.4, last=0.8)]


def pair(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 1.0])
def test_t6_the_share_of_unmasked_sites(sigma: float) -> None:
    """alpha(s) = 0.6, alpha(t) = 0.35: P(value at s) = 0.6 for all σ."""
    alpha_s, alpha_t = pair(0.6), pair(0.35)
    gained = unmask_chance(alpha_s, alpha_t, pair(sigma))
    assert float(0.35 * (1 - sigma) + 0.65 * gained) == pytest.approx(0.6, abs=1e-15)


def test_t6_the_largest_chance() -> None:
    """At σ_max every masked site is drawn, or every unmasked one is masked."""
    alpha_s, alpha_t = pair(0.9, 0.6, 0.5, 1.0), pair(0.8, 0.35, 0.0, 0.9)
    most = largest_chance(alpha_s, alpha_t)
    assert most.tolist() == pytest.approx([0.125, 1.0, 1.0, 0.0])
    gained = unmask_chance(alpha_s, alpha_t, most)
    assert gained[0] == pytest.approx(1.0)
    assert torch.allclose(alpha_t * (1 - most) + (1 - alpha_t) * gained, alpha_s)


def law_of(steps: int, strategy: AbstractRemasking, law: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """States and law of two sites after the steps; for strategies whose σ does not look at the values."""
    states = all_states([3, 3])
    denoiser = BayesDenoiser(PROCESS, all_states([2, 2]), law.log())
    out = (states == 2).all(1).double()
    nothing = torch.zeros(states.shape, dtype=torch.float64)
    grid = strategy.grid(steps)
    for s, t in zip(grid[1:], grid[:-1], strict=True):
        alpha_s, alpha_t = 1 - s.expand(states.shape), 1 - t.expand(states.shape)
        most = largest_chance(alpha_s, alpha_t)
        sigma = torch.minimum(strategy.sigma(most, s == t, nothing, states != 2), most)
        probs = denoiser(states, t.expand(9)).softmax(-1)
        gained = unmask_chance(alpha_s, alpha_t, sigma)[..., None]
        from_mask = torch.cat([gained * probs, 1 - gained], 2)
        still = torch.nn.functional.one_hot(states, 3).double()
        from_value = (1 - sigma)[..., None] * still + sigma[..., None] * torch.tensor([0.0, 0.0, 1.0])
        kernel = torch.where((states == 2)[..., None], from_mask, from_value)
        out = out @ (kernel[:, 0, states[:, 0]] * kernel[:, 1, states[:, 1]])
    return states, out


JOINT = torch.tensor([0.45, 0.05, 0.1, 0.4], dtype=torch.float64)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_draws_follow_the_enumerated_law(strategy: AbstractRemasking) -> None:
    """Five steps, n = 6,000; no mask is left."""
    states, law = law_of(5, strategy, JOINT)
    full = (states < 2).all(1)
    assert law[full].sum().item() == pytest.approx(1.0, abs=1e-12)
    denoiser = BayesDenoiser(PROCESS, all_states([2, 2]), JOINT.log())
    x = Remask(5, strategy).sample(PROCESS, denoiser, PROCESS.prior((6000, 2)), rng=torch.Generator().manual_seed(0))
    assert chi_square(torch.bincount(x[:, 0] * 2 + x[:, 1], minlength=4), law[full]) >= 1e-4


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_t6_single_sites_keep_their_law(strategy: AbstractRemasking) -> None:
    """Of independent sites the law after the steps is the law itself, to 1e-12."""
    independent = torch.outer(pair(0.3, 0.7), pair(0.6, 0.4)).flatten()
    states, law = law_of(7, strategy, independent)
    assert torch.allclose(law[(states < 2).all(1)], independent, atol=1e-12)


def test_no_remasking_is_ancestral_sampling() -> None:
    denoiser = BayesDenoiser(PROCESS, all_states([2, 2]), JOINT.log())
    assert torch.allclose(law_of(6, Cap(0.0), JOINT)[1], enumerated_law(Ancestral(6), PROCESS, denoiser, 2)[1])


def test_the_joint_is_approached_as_the_square_root_of_the_steps() -> None:
    """P(odd pair) of {00, 11}: 1/(2T) without remasking, order 1/2 with it; a perfect network needs no mending."""
    nearly = torch.tensor([0.5, 1e-12, 1e-12, 0.5], dtype=torch.float64)

    def odd(steps: int, strategy: AbstractRemasking) -> float:
        return float(law_of(steps, strategy, nearly)[1][[1, 3]].sum())

    assert odd(128, Cap(0.0)) == pytest.approx(1 / 256, rel=1e-6)
    for strategy in (Rescale(0.2), Rescale(1.0), Cap(0.5)):
        assert 0.45 < math.log2(odd(128, strategy) / odd(512, strategy)) / 2 < 0.6
        assert odd(16, strategy) > odd(16, Cap(0.0))


def test_strategies() -> None:
    most, unmasked = torch.tensor([[0.5, 0.5, 0.01]]), torch.tensor([[True, True, False]])
    chance, moving = torch.tensor([[0.9, 0.2, 0.0]]), torch.tensor(False)
    assert Cap(0.1).sigma(most, moving, chance, unmasked).tolist() == [pytest.approx([0.1, 0.1, 0.01])]
    assert Rescale(0.1).sigma(most, moving, chance, unmasked).tolist() == [pytest.approx([0.05, 0.05, 0.001])]
    shared = LeastConfident(Cap(0.1)).sigma(most, moving, chance, unmasked)
    doubt = torch.tensor([-0.9, -0.2]).softmax(0)
    assert shared.tolist() == [pytest.approx([*(0.1 * doubt).tolist(), 0.0])]
    nothing = LeastConfident().sigma(most, moving, chance, torch.zeros_like(unmasked))
    assert nothing.tolist() == [[0.0, 0.0, 0.0]]
    assert Loop(Cap(0.1)).sigma(most, moving, chance, unmasked).sum() == 0.0
    assert Loop(Cap(0.1)).sigma(most, torch.tensor(True), chance, unmasked)[0, 0] == pytest.approx(0.1)
    assert torch.equal(LeastConfident(Loop()).grid(9), Loop().grid(9))


@pytest.mark.parametrize("steps", [3, 4, 10, 100])
def test_the_grid_of_a_loop(steps: int) -> None:
    grid = Loop(level=0.2, first=0.3, last=0.9).grid(steps)
    assert len(grid) == steps + 1
    assert (grid[0], grid[-1]) == (1.0, 0.0)
    assert (grid.diff() <= 0).all()
    assert (grid.diff() == 0).any()
    assert grid[1:-1].min() <= 0.2
    if steps == 100:
        assert int((grid == grid[50]).sum()) == 61, "60 of 100 steps stand still"


def test_least_confident_values_go_first() -> None:
    """Values drawn with the chances 0.99 and 0.2 are masked again with softmax(-p) of the σ; n = 4,000 loops."""
    laws = torch.tensor([[0.99, 0.0025, 0.0025, 0.0025, 0.0025], [0.2] * 5]).log()
    seen: list[torch.Tensor] = []

    def network(x: torch.Tensor, t: torch.Tensor, cond: object) -> torch.Tensor:
        seen.append(x)
        return laws.expand(len(x), 2, 5)

    process = Discrete.absorbing(5)
    strategy = LeastConfident(Loop(Cap(1.0), level=0.5, first=0.2, last=0.8))
    Remask(20, strategy).sample(process, network, process.prior((4000, 2)), rng=torch.Generator().manual_seed(0))
    known = torch.stack([(a == torch.tensor([0, 1])).all(1) for a in seen[5:15]])
    masked = torch.stack([b == 5 for b in seen[6:16]])
    # both sites of a row that is whole use one chance each: 0.31 and 0.69
    share = torch.tensor([-0.99, -0.2]).softmax(0)
    for site in (0, 1):
        hits = masked[known][:, site]
        deviation = (share[site] * (1 - share[site]) / len(hits)).sqrt()
        assert hits.double().mean().item() == pytest.approx(float(share[site]), abs=5 * float(deviation))


def test_observed_sites_are_never_masked() -> None:
    seen: list[torch.Tensor] = []

    def network(x: torch.Tensor, t: torch.Tensor, cond: object) -> torch.Tensor:
        seen.append(x)
        assert (t[:, 1] == 0).all()
        return torch.zeros(*x.shape, 2)

    mask = torch.tensor([[False, True, False]]).expand(50, 3)
    given = Evidence(torch.ones(50, 3, dtype=torch.long), mask)
    for strategy in (Rescale(1.0), LeastConfident()):
        x = Remask(6, strategy).sample(
            PROCESS, network, PROCESS.prior((50, 3)), given=given, rng=torch.Generator().manual_seed(0)
        )
        assert (x[:, 1] == 1).all()
    assert all((x[:, 1] == 1).all() for x in seen)


@pytest.mark.parametrize("sampler", [Remask(20), Remask(20, LeastConfident()), Remask(20, Loop())], ids=repr)
def test_check_sampler(sampler: Remask) -> None:
    check_sampler(sampler, Discrete.absorbing((2, 3)), n=500)


def test_nonsense_is_refused() -> None:
    check_refusal(Remask(), Xor(2))
    check_refusal(Remask(), Discrete.uniform(3))
    for make in (lambda: Cap(1.5), lambda: Rescale(-0.1), lambda: Loop(level=0.0), lambda: Remask(0)):
        with pytest.raises(ValueError, match="must"):
            make()
    with pytest.raises(ValueError, match="first"):
        Loop(first=0.9, last=0.5)
    with pytest.raises(ValueError, match="3 steps"):
        Remask(2, Loop()).sample(PROCESS, lambda x, t, c: x, PROCESS.prior((1, 2)))
