"""Records: T17, clocks and evidence of their own for every field."""

import pytest
import torch

from intarsia import Ancestral, Diffusion
from intarsia.processes import Discrete, Gaussian, Product, Xor
from intarsia.testing import BayesDenoiser

CLASSES = torch.tensor([[0, 1], [2, 0], [1, 1]])
BITS = torch.tensor([[0, 1], [1, 1]])
LAW_A, LAW_B = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.7, 0.3])


def record() -> tuple[Product, BayesDenoiser, dict[str, BayesDenoiser]]:
    fields = {"a": Discrete.uniform(3), "b": Xor(2)}
    process = Product(fields)
    pairs = torch.cartesian_prod(torch.arange(3), torch.arange(2))
    support = {"a": CLASSES[pairs[:, 0]], "b": BITS[pairs[:, 1]]}
    joint = BayesDenoiser(process, support, (LAW_A[pairs[:, 0]] * LAW_B[pairs[:, 1]]).log())
    alone = {
        "a": BayesDenoiser(fields["a"], CLASSES, LAW_A.log()),
        "b": BayesDenoiser(fields["b"], BITS, LAW_B.log()),
    }
    return process, joint, alone


@pytest.mark.parametrize("s", [None, 0.2])
def test_t17_independent_blocks_add_up(s: float | None) -> None:
    process, joint, alone = record()
    rng = torch.Generator().manual_seed(0)
    x0 = {"a": CLASSES[torch.randint(3, (50,), generator=rng)], "b": BITS[torch.randint(2, (50,), generator=rng)]}
    t = torch.rand(50, dtype=torch.float64, generator=rng) * 0.7 + 0.25
    start = None if s is None else torch.full((50,), s, dtype=torch.float64)
    xt = process.corrupt(x0, t, rng)
    together = process.loss(joint(xt, t), x0, xt, t, start)
    for name, field in process.fields.items():
        single = field.loss(alone[name](xt[name], t), x0[name], xt[name], t, start)
        assert torch.allclose(together[name], single, atol=1e-12)


def test_t17_nelbo_is_the_sum_over_fields() -> None:
    process, joint, _ = record()
    x0 = {"a": CLASSES[:2], "b": BITS}
    parts = Diffusion(process, joint).nelbo(x0, samples=3, rng=torch.Generator().manual_seed(1))
    kl = process.prior_kl(x0)
    assert torch.allclose(parts.prior, kl["a"].sum(1) + kl["b"].sum(1))
    assert torch.allclose(parts.total, parts.prior + parts.diffusion + parts.reconstruction)


def test_fields_may_have_clocks_of_their_own() -> None:
    process, _, _ = record()
    x0 = {"a": CLASSES.repeat(100, 1), "b": BITS.repeat(150, 1)}
    zero, one = torch.zeros(300), torch.ones(300)
    xt = process.corrupt(x0, {"a": zero, "b": one}, torch.Generator().manual_seed(0))
    assert torch.equal(xt["a"], x0["a"])
    assert 0.4 < (xt["b"] != x0["b"]).float().mean() < 0.6


def test_exactness_is_that_of_the_worst_field() -> None:
    assert Product({"a": Xor(1), "b": Discrete.uniform(2)}).reverse_is == "exact"
    assert Product({"a": Xor(1), "b": Gaussian()}).reverse_is == "first order"


def test_shapes_come_by_field() -> None:
    process, joint, _ = record()
    with pytest.raises(TypeError, match="shape per field"):
        Diffusion(process, joint).sample((3, 2), Ancestral(2))
    with pytest.raises(ValueError, match="at least one field"):
        Product({})
