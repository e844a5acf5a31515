"""What objectives refuse, and what they say."""

import pytest
import torch

from intarsia import NelboObjective
from intarsia.errors import RequirementError
from intarsia.objectives import LossMemory, MinSNR, MultiGranularity, SelfConditioned
from intarsia.processes import Discrete, Xor


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MinSNR(0.0), "positive"),
        (lambda: MultiGranularity(steps=0), "steps >= 1"),
        (lambda: MultiGranularity(beta=-1.0), "beta >= 0"),
        (lambda: LossMemory(0), "bins >= 1"),
        (lambda: LossMemory(floor=1.5), "floor <= 1"),
        (lambda: SelfConditioned(NelboObjective(), 1.5), "between 0 and 1"),
    ],
)
def test_arguments_that_cannot_be_are_refused(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_objectives_say_which_noise_they_need() -> None:
    x0 = torch.zeros(2, 2, dtype=torch.long)
    with pytest.raises(RequirementError, match="Gaussian"):
        MinSNR()(Xor(2), lambda x, t, c: x, x0)
    for process in (Discrete.uniform(2), Discrete(2, mask=0.9), Xor(2)):
        with pytest.raises(RequirementError, match="absorbing"):
            MultiGranularity()(process, lambda x, t, c: x, x0)
