"""The plain objective."""

import torch

from intarsia import NelboObjective
from intarsia.processes import Gaussian, Product, Xor


def test_nelbo_objective_takes_records() -> None:
    process = Product({"a": Xor(2), "b": Gaussian()})
    x0 = {"a": torch.zeros(6, 2, dtype=torch.long), "b": torch.zeros(6, 3)}
    loss = NelboObjective()(process, lambda x, t, c: {"a": torch.zeros(6, 2), "b": torch.zeros(6, 3)}, x0, None)
    assert loss.shape == (6,)
    assert (loss >= 0).all()
