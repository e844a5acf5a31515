"""The any-order objective: the nelbo of absorbing noise by counting masks."""

import pytest
import torch

from intarsia import AnyOrderObjective, Cosine, Linear, NelboObjective, Staged
from intarsia.errors import RequirementError
from intarsia.processes import Discrete, Gaussian, Xor
from intarsia.testing import BayesDenoiser, all_states

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "schedule", [Linear(), Cosine(), Staged((0, 1, 0)), Staged((2, 1, 0)), Staged((1, 0, 0), Cosine())], ids=repr
)
@pytest.mark.parametrize("counts", [(2, 2, 2), (2, 3, 4)])
def test_any_order_is_the_nelbo_of_any_network(schedule, counts: tuple[int, ...], table, exact_nelbo) -> None:
    """Mean of 20,000 draws of one state, within 5 standard errors of the enumerated value."""
    process, network = Discrete.absorbing(counts, schedule), table(counts)
    x0 = torch.tensor([[1, 0, 1]])
    exact = exact_nelbo(process, network, x0)
    drawn = AnyOrderObjective()(process, network, x0.expand(20_000, -1), None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact, abs=5 * drawn.std().item() / 20_000**0.5)
    plain = NelboObjective()(process, network, x0.expand(20_000, -1), None, torch.Generator().manual_seed(0))
    assert plain.mean().item() == pytest.approx(exact, abs=5 * plain.std().item() / 20_000**0.5)
    assert drawn.std() < plain.std()


def test_one_fixed_order_is_the_chain_rule_for_every_draw_of_the_step(table, exact_nelbo) -> None:
    """With a stage a site exactly one site is scored, with weight L: three draws in three strata give the sum."""
    process, network = Discrete.absorbing((2, 3, 4), Staged((2, 0, 1))), table((2, 3, 4))
    x0 = torch.tensor([[1, 2, 3]])
    state, _, weight = AnyOrderObjective().draw(process, x0.expand(300, -1), torch.Generator().manual_seed(0))
    assert (weight > 0).sum(1).eq(1).all()
    assert torch.allclose(weight.sum(1), torch.tensor(3.0, dtype=torch.float64))
    drawn = AnyOrderObjective()(process, network, x0.expand(300, -1), None, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(exact_nelbo(process, network, x0), rel=1e-9)
    assert ((state == process.mask_id(CPU)) | (weight == 0)).all()


def test_any_order_and_nelbo_agree_at_the_optimum() -> None:
    process, points = Discrete.absorbing(2), all_states([2, 2])
    law = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    denoiser = BayesDenoiser(process, points, law.log())
    drawn = AnyOrderObjective()(process, denoiser, points.repeat_interleave(4000, 0), None, torch.Generator())
    assert torch.allclose(drawn.view(4, -1).mean(1), -law.log(), atol=0.08)


@pytest.mark.parametrize("process", [Discrete.uniform(2), Discrete(2, mask=0.9), Xor(2), Gaussian()], ids=repr)
def test_any_order_needs_absorbing_noise(process) -> None:
    with pytest.raises(RequirementError, match="absorbing"):
        AnyOrderObjective()(process, lambda x, t, c: x, torch.zeros(2, 2, dtype=torch.long))
