"""The sets that an evaluation compares, and metrics with the floors in a fixed order."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from intarsia.report import Metric
from intarsia_domains.dna._sequences import Sequences

MADE, HOLDOUT, PAIRS, SINGLES = "generated", "real holdout", "shuffled pairs", "shuffled letters"
_SPREAD = 0.15  # how much a noise floor itself varies from draw to draw, as a share of it


@dataclass(frozen=True)
class Parts:
    """Equally many sequences of each system, and of the reference.

    Args:
        n: how many.
        reference: one half of the holdout.
        systems: generated, the other half of the holdout, other models, shuffles.
    """

    n: int
    reference: Sequences
    systems: Mapping[str, Sequences]

    def every(self) -> dict[str, Sequences]:
        """The systems and the reference by name."""
        return {**self.systems, "reference": self.reference}


def floored(
    name: str,
    values: Mapping[str, float],
    note: str,
    *,
    higher: bool = False,
    unit: str = "",
    tolerance: float | None = None,
    headline: bool = False,
) -> Metric:
    """A metric of the generated set with all other systems as floors, the real holdout first."""
    floors = {key: value for key, value in values.items() if key != MADE}
    spread = _SPREAD * abs(floors[HOLDOUT]) if np.isfinite(floors[HOLDOUT]) else 0.0
    if higher and tolerance is None:
        spread = _SPREAD * max(1.0 - floors[HOLDOUT], 0.0) if np.isfinite(floors[HOLDOUT]) else 0.0
    return Metric(
        name=name,
        value=values[MADE],
        floors=floors,
        better="higher" if higher else "lower",
        unit=unit,
        note=note,
        tolerance=spread if tolerance is None else tolerance,
        headline=headline,
    )
