"""Bit flips: the numbers of T1, and T16: two uniform classes are the binary symmetric channel."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intarsia import Cosine, Linear
from intarsia.processes import Discrete, Xor
from intarsia.testing._finite import FiniteSites


def test_t1_binary_symmetric_channel() -> None:
    """e_s = .1 and e_t = .3 are alpha = .8 and .4."""
    process = Xor(1)
    finite = FiniteSites(process, 1)
    bridge = finite.bridge(0.2, 0.6)[0]  # x0, xt, xs
    move = (finite.marginal(0.6)[0, 0, :, None] * bridge[0]).T / finite.marginal(0.2)[0, 0, :, None]  # xs, xt
    assert move[0, 1].item() == pytest.approx(0.25)
    assert bridge[1, 0, 1].item() == pytest.approx(0.75)
    assert bridge[1, 1, 1].item() == pytest.approx(27 / 28)


@given(st.floats(0.0, 0.99), st.floats(0.001, 1.0), st.integers(0, 999), st.sampled_from([Linear(), Cosine()]))
def test_t16_two_uniform_classes(s: float, step: float, seed: int, schedule) -> None:
    t = s + (1.0 - s) * step
    bits, classes = Xor(3, schedule), Discrete.uniform(2, schedule)
    rng = torch.Generator().manual_seed(seed)
    x0, xt = (torch.randint(2, (8, 3), generator=rng) for _ in range(2))
    logit = torch.randn((8, 3), generator=rng, dtype=torch.float64)
    pair = torch.stack([torch.zeros_like(logit), logit], -1)
    start, now = (torch.full((8,), u, dtype=torch.float64) for u in (s, t))
    assert torch.allclose(bits.log_q(xt, x0, now), classes.log_q(xt, x0, now), atol=1e-12)
    assert torch.allclose(bits.loss(logit, x0, xt, now), classes.loss(pair, x0, xt, now), atol=1e-12)
    assert torch.allclose(bits.loss(logit, x0, xt, now, start), classes.loss(pair, x0, xt, now, start), atol=1e-12)
    a, b = bits.reverse_law(logit, xt, start, now)[0], classes.reverse_law(pair, xt, start, now)[0]
    assert torch.allclose(a.exp(), b.exp(), atol=1e-12)
    assert torch.allclose(bits.prior_kl(x0), classes.prior_kl(x0), atol=1e-12)


def test_bits_stay_bits() -> None:
    process = Xor(64)
    x0 = torch.randint(2, (50, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    xt = process.corrupt(x0, torch.full((50,), 0.5), torch.Generator().manual_seed(1))
    assert xt.dtype == torch.uint8
    assert set(xt.unique().tolist()) == {0, 1}
    with pytest.raises(ValueError, match="bit"):
        Xor(0)
