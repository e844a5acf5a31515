"""Class logits, dense and ragged: one contract, held against a loop over sites."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intarsia.classes import Dense, Ragged, classes_of, invert
from intarsia.testing import chi_square

counts = st.lists(st.integers(1, 70), min_size=1, max_size=6).map(tuple)


def random(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@given(counts, st.integers(0, 2**31))
def test_ragged_operations_are_those_of_each_site(num_classes: tuple[int, ...], seed: int) -> None:
    classes = Ragged(num_classes)
    logits = 3 * random((4, sum(num_classes)), seed)
    x = torch.stack([torch.arange(4) % k for k in num_classes], 1)
    parts = [logits[:, part] for part in classes.slices()]
    assert classes.width == sum(num_classes)
    expected = torch.stack([part.logsumexp(1) for part in parts], 1)
    assert torch.allclose(classes.logsumexp(logits), expected)
    assert torch.allclose(classes.sum(logits), torch.stack([part.sum(1) for part in parts], 1))
    assert torch.allclose(classes.log_softmax(logits), torch.cat([part.log_softmax(1) for part in parts], 1))
    picked = torch.stack([part.gather(1, x[:, i, None])[:, 0] for i, part in enumerate(parts)], 1)
    assert torch.equal(classes.pick(logits, x), picked)
    assert torch.allclose(classes.log_prob(logits, x), picked - expected)
    hits = torch.cat([torch.nn.functional.one_hot(x[:, i], k) for i, k in enumerate(num_classes)], 1)
    assert torch.equal(classes.is_class(x), hits.bool())
    spread = torch.cat([x[:, i, None].expand(4, k) for i, k in enumerate(num_classes)], 1)
    assert torch.equal(classes.spread(x), spread)
    u = torch.rand(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    drawn = torch.stack([invert(part, u[:, i]) for i, part in enumerate(parts)], 1)
    assert torch.equal(classes.quantile(logits, u), drawn)


@given(st.integers(1, 9), st.integers(0, 2**31))
def test_dense_and_ragged_agree_on_equal_counts(count: int, seed: int) -> None:
    dense, ragged = Dense(count), Ragged((count,) * 3)
    logits = random((5, 3, count), seed)
    x = torch.randint(count, (5, 3), generator=torch.Generator().manual_seed(seed))
    flat = logits.flatten(1)
    assert torch.allclose(dense.log_softmax(logits).flatten(1), ragged.log_softmax(flat))
    assert torch.allclose(dense.log_prob(logits, x), ragged.log_prob(flat, x))
    a, b = (c.sample(z, torch.Generator().manual_seed(1)) for c, z in ((dense, logits), (ragged, flat)))
    assert torch.equal(a, b)


def test_draws_follow_the_law() -> None:
    probs = torch.tensor([0.5, 0.3, 0.15, 0.05, 0.0], dtype=torch.float64)
    drawn = Dense(5).sample(probs.log().expand(20_000, 5), torch.Generator().manual_seed(0))
    assert chi_square(torch.bincount(drawn, minlength=5), probs) >= 1e-4


def test_impossible_classes_are_never_drawn() -> None:
    """A quantile at the very end of the distribution function stays inside the support (trap 3)."""
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf], [0.0, -torch.inf, -torch.inf]]).expand(2, 3)
    for u in (0.0, 0.5, 1.0 - 2.0**-53, 1.0):
        assert invert(logits, torch.full((2,), u, dtype=torch.float64)).tolist() == [1, 0]


def test_tiny_probabilities_are_drawn() -> None:
    """Trap 1 (T15): 262,144 tail tokens 20.5 nats down have 32.76 hits in 100,000 trials, not none."""
    tail = 262_144
    logits = torch.zeros(1 + tail)
    logits[1:] = -20.5
    u = torch.rand(100_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    cdf = logits.double().softmax(0).cumsum(0)
    hits = int((u >= cdf[0]).sum())
    assert 1e5 * (1 - cdf[0].item()) == pytest.approx(32.76, abs=0.01)
    assert 15 <= hits <= 55
    late = invert(logits[None], torch.tensor([1.0 - 1e-6], dtype=torch.float64))
    assert late.item() > 1
    drawn = Dense(1 + tail).sample(logits.expand(8, -1), torch.Generator().manual_seed(0))
    assert (drawn == 0).all()


def test_half_precision_logits_are_normalized_in_single() -> None:
    assert Dense(3).log_softmax(torch.zeros(2, 3, dtype=torch.bfloat16)).dtype == torch.float32


@pytest.mark.parametrize("law", [(0.5, 0.6), (0.5, 0.25, 0.25), (-0.1, 1.1), "no"])
def test_laws_must_be_laws(law) -> None:
    with pytest.raises((ValueError, TypeError)):
        Dense(2).law(law)
    with pytest.raises((ValueError, TypeError)):
        Ragged((2, 3)).law((law, (0.2, 0.3, 0.5)))


def test_a_tuple_of_counts_is_ragged() -> None:
    assert isinstance(classes_of((2, 2)), Ragged)
    assert isinstance(classes_of(2), Dense)
