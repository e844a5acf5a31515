"""The contract of noise on states that are one variable each, as permutations are."""

from abc import abstractmethod
from typing import Self

from torch import Tensor

from intarsia.processes._base import AbstractProcess


class AbstractJoint(AbstractProcess[Tensor]):
    """Quantities "per site" are one column (batch, 1), a row has one time, and evidence restricts the prediction."""

    @abstractmethod
    def given(self, values: Tensor, mask: Tensor) -> Self:
        """This noise, with predictions restricted to x0 = `values` where `mask`, both (batch, *sites).

        Raises:
            RequirementError: what is predicted cannot be restricted to that event.
        """
