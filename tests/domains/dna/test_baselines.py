"""Markov and autoregressive baselines: laws that sum to one, samples that follow them, likelihoods that are theirs."""

import itertools

import numpy as np
import pytest
import torch

from intarsia.training import Budget, Settings
from intarsia_domains.dna import SequenceError, Sequences, fit_autoregressive, fit_markov
from intarsia_domains.dna._markov import MarkovModel

EVERY = ["".join(word) for word in itertools.product("ACGT", repeat=4)]


def chain(n: int, length: int, seed: int = 0) -> Sequences:
    """Letters that mostly repeat with a period: order 1 is right."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length))
    for site in range(1, length):
        codes[:, site] = np.where(rng.random(n) < 0.8, (codes[:, site - 1] + 1) % 4, codes[:, site])
    return Sequences.from_codes(codes)


def test_the_order_that_is_right_is_chosen_and_its_law_sums_to_one() -> None:
    model = fit_markov(chain(600, 12), seed=0)
    assert (model.order, model.aligned) == (1, False)
    truth = 0.8 + 0.2 / 4
    np.testing.assert_allclose(model.laws[1][0, [0, 1, 2, 3], [1, 2, 3, 0]], truth, atol=0.03)
    short = fit_markov(chain(600, 4), seed=0)
    assert np.exp(short.score_samples(Sequences.of(EVERY))).sum() == pytest.approx(1.0, abs=1e-9)


def test_counts_by_hand() -> None:
    """Two contexts, one strength: p(C | A) = (2 + p(C)) / (2 + 1) with p(C) = (2 + 1/4) / (5 + 1)."""
    known = Sequences.of(["AC", "AC", "G"])
    base = fit_markov(chain(60, 4), orders=(1,), strengths=(1.0,))
    from intarsia_domains.dna._lengths import Lengths
    from intarsia_domains.dna._markov import _counts

    model = MarkovModel(_counts(known.codes, 1, False), 1.0, Lengths.fit(known.lengths), base.alphabet)
    first = (2 + 0.25) / 6
    np.testing.assert_allclose(model.laws[0][0, 0, 1], first)
    np.testing.assert_allclose(model.laws[1][0, 0, 1], (2 + first) / 3)
    expected = np.log((2 + 0.25) / 6) + np.log((2 + first) / 3) + np.log(2.5 / 4)
    np.testing.assert_allclose(model.score_samples(Sequences.of(["AC"])), expected)


def test_sites_with_laws_of_their_own_are_found() -> None:
    rng = np.random.default_rng(0)
    codes = np.stack([rng.choice(4, 500, p=np.roll([0.85, 0.05, 0.05, 0.05], k)) for k in (0, 1, 2, 1)], 1)
    model = fit_markov(Sequences.from_codes(codes))
    assert model.aligned
    assert model.order == 0
    shares = np.stack([np.bincount(column, minlength=4) for column in model.sample(4000).codes.T]) / 4000
    np.testing.assert_allclose(shares, model.laws[0][:, 0], atol=0.03)


def test_samples_follow_the_scores_and_seeds_count() -> None:
    model = fit_markov(chain(400, 4), seed=0)
    drawn = model.sample(6000, seed=1)
    place = drawn.codes.astype(int) @ (4 ** np.arange(4)[::-1])
    law = np.exp(model.score_samples(Sequences.of(EVERY)))
    found = np.bincount(place, minlength=256)
    seen = 6000 * law > 5
    value = ((found - 6000 * law)[seen] ** 2 / (6000 * law)[seen]).sum()
    assert abs(value - seen.sum()) < 4 * np.sqrt(2 * seen.sum())
    assert drawn.equals(model.sample(6000, seed=1))
    assert not drawn.equals(model.sample(6000, seed=2))


def test_what_cannot_be_scored_is_named() -> None:
    model = fit_markov(chain(50, 4))
    with pytest.raises(SequenceError, match="'sequence 2' has letters other"):
        model.score_samples(Sequences.of(["ACGT", "ACGN"]))
    with pytest.raises(SequenceError, match="'sequence 1' has 5 letters"):
        model.score_samples(Sequences.of(["ACGTA"]))
    with pytest.raises(SequenceError, match="at least two"):
        fit_markov(Sequences.of(["ACGT"]))


@pytest.mark.parametrize("fixed", [True, False])
def test_the_autoregressive_law_sums_to_one_and_is_sampled(fixed: bool) -> None:
    codes = chain(200, 3).codes
    if not fixed:
        codes = codes.copy()
        codes[::2, 2:] = 4
        codes[::4, 1:] = 4
    model = fit_autoregressive(
        Sequences.from_codes(codes), budget=Budget(steps=30), width=12, layers=1, torch_threads=1
    )
    words = [word for n in ((3,) if fixed else (1, 2, 3)) for word in itertools.product("ACGT", repeat=n)]
    every = Sequences.of(["".join(word) for word in words])
    law = np.exp(model.score_samples(every))
    # a sequence of three letters has no end of its own: nothing can follow
    assert law.sum() == pytest.approx(1.0, abs=1e-5)
    texts = model.sample(3000, seed=0).texts()
    found = np.array([texts.count(text) for text in every.texts()])
    seen = 3000 * law > 3
    value = ((found - 3000 * law)[seen] ** 2 / (3000 * law)[seen]).sum()
    assert value < seen.sum() + 5 * np.sqrt(2 * seen.sum())
    assert found.sum() == 3000


def test_the_autoregressive_model_hears_its_condition() -> None:
    low, high = ["AAC"] * 60, ["GTT"] * 60
    labels = {"kind": ["low"] * 60 + ["high"] * 60}
    model = fit_autoregressive(
        Sequences.of(low + high),
        labels,
        budget=Budget(steps=60),
        width=16,
        layers=1,
        settings=Settings(learning_rate=2e-2, warmup=5),
        torch_threads=1,
    )
    texts = model.sample(40, given={"kind": "high"}, seed=0).texts()
    assert texts.count("GTT") > 30
    scores = model.score_samples(Sequences.of(["GTT", "GTT"]), {"kind": ["high", "low"]})
    assert scores[0] > scores[1] + 1.0


def test_global_generators_are_left_alone() -> None:
    before = torch.get_rng_state()
    fit_autoregressive(chain(40, 3), budget=Budget(steps=2), width=8, layers=1, torch_threads=1).sample(5)
    assert torch.equal(before, torch.get_rng_state())
