"""All noises with the exact network of a known law: likelihoods and samples must be the law's, for each of them."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from intarsia.likelihood import exact_log_prob
from intarsia.processes import AbstractFinite
from intarsia.samplers import Ancestral
from intarsia.testing import BayesDenoiser
from intarsia_domains.dna import DNA, Absorbing, AnalogBits, Marginal, Multinomial, Simplex
from intarsia_domains.dna._denoiser import LetterDenoiser, coarsened, told
from intarsia_domains.dna._generation import Wish, generate
from intarsia_domains.dna._likelihood import enumerated_log_prob, log_prob, set_log_prob
from intarsia_domains.dna._noises import AbstractNoise
from intarsia_domains.dna._slots import Slots

SHARES = (0.1, 0.2, 0.3, 0.4)
NOISES: list[AbstractNoise] = [Absorbing(), Multinomial(64), Marginal(64), Simplex(64), AnalogBits(64)]
STATES = torch.tensor(list(itertools.product(range(4), repeat=2)))


class ExactNetwork(nn.Module):
    """What the other site tells of each letter, under a law of two letters: it reads beliefs alone, and no time."""

    def __init__(self, law: Tensor) -> None:
        super().__init__()
        self.law = nn.Parameter(law.view(4, 4), requires_grad=False)

    def forward(self, belief: Tensor, inside: Tensor, told: Tensor) -> Tensor:
        seen = (belief + 0.25).double()
        first = torch.einsum("ab,nb->na", self.law, seen[:, 1])
        second = torch.einsum("ab,na->nb", self.law, seen[:, 0])
        return torch.stack([first, second], 1).clamp(min=1e-30).log().float()


def law_of_pairs() -> Tensor:
    rng = torch.Generator().manual_seed(3)
    return (1.2 * torch.randn(16, dtype=torch.float64, generator=rng)).softmax(0)


def denoiser_of(noise: AbstractNoise, network: nn.Module) -> LetterDenoiser:
    return LetterDenoiser(noise, noise.process(SHARES), network)


def free_slots(rows: int, length: int) -> Slots:
    return Slots(np.ones((rows, length, 4), bool), np.full(rows, length), np.zeros((rows, length, 0), np.float32))


def free(rows: int, length: int) -> Tensor:
    return told(*free_slots(rows, length).tensors(torch.device("cpu")))


def chi_square(codes: Sequence[Sequence[int]] | np.ndarray, law: np.ndarray) -> float:
    """Of frequencies, in standard deviations above its mean."""
    place = np.asarray(codes).astype(int) @ (4 ** np.arange(np.shape(codes)[1])[::-1])
    found = np.bincount(place, minlength=len(law))
    seen = law > 0
    assert not found[~seen].any()
    expected = len(place) * law[seen]
    value = ((found[seen] - expected) ** 2 / expected).sum()
    degrees = seen.sum() - 1
    return float((value - degrees) / math.sqrt(2 * degrees))


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_beliefs_suffice_for_the_exact_posterior(noise: AbstractNoise) -> None:
    """The network reads neither the time nor the state, and yet the prediction is Bayes' at all times and states."""
    law = law_of_pairs()
    denoiser = denoiser_of(noise, ExactNetwork(law))
    perfect = BayesDenoiser(denoiser.process, noise.encode(STATES), law.log())
    rng = torch.Generator().manual_seed(0)
    t = torch.linspace(0.02, 0.98, 320, dtype=torch.float64)
    xt = denoiser.process.corrupt(noise.encode(STATES).repeat(20, *[1] * (noise.encode(STATES).ndim - 1)), t, rng)
    found, expected = denoiser(xt, t, free(320, 2)).double(), perfect(xt, t).double()
    if not isinstance(noise, AnalogBits):  # class logits
        found, expected = found.softmax(-1), expected.softmax(-1)
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize("noise", [Absorbing(), AnalogBits()], ids=lambda noise: noise.name)
def test_the_bound_is_tight_with_the_exact_network(noise: AbstractNoise) -> None:
    """Chains of unmaskings and the bound of letters under Gaussian noise, which are written here."""
    law, repeats = law_of_pairs(), 40
    denoiser = denoiser_of(noise, ExactNetwork(law))
    allowed = torch.nn.functional.one_hot(STATES, 4).bool().repeat(repeats, 1, 1)
    _, inside, features = free_slots(16 * repeats, 2).tensors(torch.device("cpu"))
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        found = log_prob(denoiser, allowed, inside, features, 2, rng).view(repeats, 16)
    error, spread = found.mean(0) - law.log(), found.std(0) / math.sqrt(repeats) + 1e-5
    assert bool((error.abs() < 5 * spread).all())
    # their mean under the law has the least noise
    deviation = float((law * spread).square().sum().sqrt())
    assert deviation < 0.06
    assert abs(float((law * error).sum())) < 4 * deviation


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_samples_follow_the_law_with_the_exact_network(noise: AbstractNoise) -> None:
    law = law_of_pairs()
    codes = generate(denoiser_of(noise, ExactNetwork(law)), free_slots(2000, 2), Wish(), DNA, 0)
    assert chi_square(codes, law.numpy()) < 4.0


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_sets_of_letters_condition_the_law(noise: AbstractNoise) -> None:
    law = law_of_pairs().view(4, 4)
    slots = free_slots(2000, 2)
    slots.allowed[:, 0] = [True, False, True, False]  # R
    slots.allowed[:, 1] = [False, True, True, True]  # B
    codes = generate(denoiser_of(noise, ExactNetwork(law.flatten())), slots, Wish(), DNA, 1)
    inside = torch.zeros(4, 4, dtype=torch.float64)
    inside[[0, 2], 1:] = law[[0, 2], 1:]
    assert chi_square(codes, (inside / inside.sum()).flatten().numpy()) < 4.0


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_a_known_letter_conditions_the_other(noise: AbstractNoise) -> None:
    law = law_of_pairs().view(4, 4)
    slots = free_slots(1500, 2)
    slots.allowed[:, 1] = [False, False, True, False]
    codes = generate(denoiser_of(noise, ExactNetwork(law.flatten())), slots, Wish(), DNA, 2)
    assert (codes[:, 1] == 2).all()
    assert chi_square(codes[:, :1], (law[:, 2] / law[:, 2].sum()).numpy()) < 4.0


class Wrong(nn.Module):
    """Some function of beliefs that belongs to no law."""

    def __init__(self, sites: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(1)
        self.mix = nn.Parameter(torch.randn(sites * 4, sites * 4, generator=rng), requires_grad=False)

    def forward(self, belief: Tensor, inside: Tensor, told: Tensor) -> Tensor:
        return (belief.flatten(1).float() @ self.mix).tanh().view_as(belief) * 2.0


def chain_law(denoiser: LetterDenoiser, steps: int) -> Tensor:
    """The law of three letters after so many ancestral steps, enumerated over all states with masks, (64,)."""
    process = denoiser.process
    assert isinstance(process, AbstractFinite)
    sizes = 5 if process.has_mask else 4
    states = torch.tensor(list(itertools.product(range(sizes), repeat=3)))
    first, mask = process.prior_law()
    one = torch.cat([first.expand(4), torch.tensor([mask])])[:sizes]
    law = one[states].prod(1)
    cond = free(len(states), 3)
    for k in range(steps, 0, -1):
        t, s = (torch.full((len(states),), v / steps, dtype=torch.float64) for v in (k, k - 1))
        entries, to_mask = process.reverse_law(denoiser(states, t, cond), states, s, t)
        rows = torch.cat([entries.exp(), to_mask.exp()[..., None]], -1)[..., :sizes]
        a, b, c = rows.unbind(1)
        law = torch.einsum("n,na,nb,nc->abc", law, a, b, c).flatten()
    return law.view([sizes] * 3)[:4, :4, :4].flatten()


@pytest.mark.parametrize("noise", [Absorbing(), Multinomial(), Marginal()], ids=lambda noise: noise.name)
def test_any_network_samples_the_law_of_its_finite_steps_and_the_bound_holds(noise: AbstractNoise) -> None:
    denoiser, steps = denoiser_of(noise, Wrong(3)), 4
    law = chain_law(denoiser, steps)
    assert float(law.sum()) == pytest.approx(1.0, abs=1e-6)
    rng, rows = torch.Generator().manual_seed(0), 4000
    x1 = denoiser.process.prior((rows, 3), rng)
    with torch.no_grad():
        drawn = Ancestral(steps).sample(denoiser.process, denoiser, x1, cond=free(rows, 3), rng=rng)
    assert chi_square(drawn.numpy(), law.numpy()) < 4.0


def test_first_hitting_samples_what_enumeration_says_and_every_bound_is_below() -> None:
    denoiser = denoiser_of(Absorbing(), Wrong(3))
    exact = enumerated_log_prob(denoiser, 3)
    assert float(exact.exp().sum()) == pytest.approx(1.0, abs=1e-9)
    codes = generate(denoiser, free_slots(4000, 3), Wish(), DNA, 0)
    assert chi_square(codes, exact.exp().numpy()) < 4.0
    states = torch.tensor(list(itertools.product(range(4), repeat=3)))
    cond = free(64, 3)
    one_by_one = exact_log_prob(denoiser.process, denoiser, states, cond=cond)
    torch.testing.assert_close(one_by_one, exact, atol=1e-6, rtol=0)
    allowed = torch.nn.functional.one_hot(states, 4).bool()
    inside = torch.ones_like(states, dtype=torch.bool)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        bound = log_prob(denoiser, allowed, inside, torch.zeros(64, 3, 0), 24, rng)
    assert bool((bound <= exact + 0.15).all())
    assert float(bound.exp().sum()) < 1.0  # the bound is not tight here


def test_the_chain_rule_of_sets_sums_over_letters() -> None:
    law = law_of_pairs()
    denoiser = denoiser_of(Absorbing(), ExactNetwork(law))
    allowed = torch.tensor([[[1, 0, 1, 0], [0, 1, 1, 1]], [[1, 1, 1, 1], [0, 0, 1, 0]]]).bool()
    rng = torch.Generator().manual_seed(0)
    found = set_log_prob(denoiser, allowed, free(2, 2), 3, rng)
    table = law.view(4, 4)
    assert float(found[0].exp()) == pytest.approx(float(table[[0, 2]][:, 1:].sum()), rel=1e-5)
    assert float(found[1].exp()) == pytest.approx(float(table[:, 2].sum()), rel=1e-5)


def test_sites_behind_the_end_count_nothing() -> None:
    for noise in NOISES:
        denoiser = denoiser_of(noise, ExactNetwork(law_of_pairs()))
        inside = torch.tensor([[False, False]])
        cond = told(torch.ones(1, 2, 4, dtype=torch.bool), inside, torch.zeros(1, 2, 0))
        x0 = noise.encode(torch.zeros(1, 2, dtype=torch.long))
        nats = noise.nelbo(denoiser.process, denoiser, x0, cond, 4, torch.Generator().manual_seed(0))
        prior = denoiser.process.prior_kl(x0).sum()
        assert float(nats) == pytest.approx(float(prior), abs=1e-3), noise.name


def test_coarse_sets_hold_the_letter_and_are_as_likely_under_each_of_their_letters() -> None:
    codes = torch.randint(4, (4000, 1), generator=torch.Generator().manual_seed(0))
    cond = coarsened(free(4000, 1), codes, 1.0, torch.Generator().manual_seed(1))
    allowed = cond[:, 0, :4] > 0
    assert bool(allowed.gather(1, codes).all())
    pairs = allowed[(allowed.sum(1) == 2)]
    letters = codes[allowed.sum(1) == 2][:, 0]
    for pair in itertools.combinations(range(4), 2):
        own = letters[pairs[:, list(pair)].all(1)]
        share = float((own == pair[0]).double().mean())
        assert share == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(len(own)))


def test_analog_bits_of_complements_have_opposite_signs() -> None:
    bits = AnalogBits().encode(torch.arange(4))
    torch.testing.assert_close(bits, -bits.flip(0))


def test_beliefs_are_the_posterior_of_a_site_alone() -> None:
    """log_likelihood up to a constant a site, against the processes' own densities."""
    t = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    letters = torch.tensor([[1], [3], [0]])
    for noise in NOISES:
        process = noise.process(SHARES)
        xt = process.corrupt(noise.encode(letters), t, torch.Generator().manual_seed(0))
        found = noise.log_likelihood(process, xt, t).log_softmax(-1)
        own = []
        for k in range(4):
            log_q = process.log_q(xt, noise.encode(torch.full_like(letters, k)), t).double()
            own.append(log_q.sum(-1) if log_q.ndim == 3 else log_q)
        expected = torch.stack(own, -1).log_softmax(-1).clamp(min=-1e4)
        torch.testing.assert_close(found.double().exp(), expected.exp(), atol=1e-5, rtol=1e-4)
