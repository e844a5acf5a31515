"""Distance to the closest record: do generated rows sit nearer to the training rows than they should?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from intarsia.metrics._arrays import as_tables, draw
from intarsia.metrics._records import as_records, nearest


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosestRecord:
    """Which of two equally large real samples the synthetic rows are closest to.

    Attributes:
        share: of synthetic rows whose closest training row is nearer than their closest holdout row, ties
            counting half; 0.5 where nothing was copied.
        standard_error: binomial, of `share`.
        quantile_train: 5 % quantile of the distances to the closest training row, in units where a number's
            whole range and one differing category each count 1.
        quantile_holdout: the same for the holdout.
        n: synthetic rows.
        references: rows of each real sample.
    """

    share: float
    standard_error: float
    quantile_train: float
    quantile_holdout: float
    n: int
    references: int

    @property
    def leaks(self) -> bool:
        """Whether `share` is above ½ by more than 3 standard errors and by more than 0.03."""
        return self.share > max(0.5 + 3 * self.standard_error, 0.53)


def closest_record(
    train: ArrayLike,
    holdout: ArrayLike,
    synthetic: ArrayLike,
    *,
    categorical: ArrayLike,
    seed: int,
    cap: int = 12_000,
    reference_cap: int = 20000,
) -> ClosestRecord:
    """Compare the distances of synthetic rows to their closest training and closest holdout row.

    L1 distance over numbers scaled by the training range, plus one for each category that differs (half the
    L1 distance of one-hot vectors), as in TabSyn's evaluation (arXiv 2310.09656). Both references have the
    same number of rows, so that without copying either is the closer one half of the time. A collapsed model
    can have any share: read it beside the quality metrics.

    Args:
        train: table that the model was fitted on, [rows, columns].
        holdout: table of the same law that it never saw.
        synthetic: generated table.
        categorical: which columns hold codes, [columns].
        seed: of the subsamples.
        cap: synthetic rows used at most.
        reference_cap: rows of each real table used at most. A copied row is noticed only if its source is
            among them.

    Raises:
        ValueError: shapes that do not fit together.
    """
    mask, tables = as_tables(categorical, train=train, holdout=holdout, synthetic=synthetic)
    rng = np.random.default_rng(seed)
    references = min(len(tables[0]), len(tables[1]), reference_cap)
    sizes = (references, references, cap)
    drawn = [draw(table, size, rng) for table, size in zip(tables, sizes, strict=True)]
    seen, unseen, fakes = as_records(drawn, mask)
    to_train, _ = nearest(fakes, seen, power=1, mismatch=1.0)
    to_holdout, _ = nearest(fakes, unseen, power=1, mismatch=1.0)
    share = float(0.5 + 0.5 * np.sign(to_holdout - to_train).mean())  # a tie adds one half
    return ClosestRecord(
        share=share,
        standard_error=float(np.sqrt(share * (1 - share) / len(fakes))),
        quantile_train=float(np.quantile(to_train, 0.05)),
        quantile_holdout=float(np.quantile(to_holdout, 0.05)),
        n=len(fakes),
        references=references,
    )
