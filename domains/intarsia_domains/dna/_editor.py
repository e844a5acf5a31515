"""What `edit` asks of a fitted model: drawing sites again, doubt about letters, and the score of a target."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import SETS, Bools, Codes
from intarsia_domains.dna._edit import Edits, edited
from intarsia_domains.dna._generation import Reward, Wish, generate
from intarsia_domains.dna._raw import Rows
from intarsia_domains.dna._scoring import site_log_prob
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._slots import Slots, known_slots, padded

if TYPE_CHECKING:
    from intarsia_domains.dna._designer import SequenceDesigner

Floats = NDArray[np.float64]


class Editor:
    """Binds `edited` to a model and a target.

    Args:
        model: fitted.
        rows: what is edited.
        target: conditions.
        score: what should rise; None for how much likelier the target makes the letters.
        guidance: scale of the target.
    """

    def __init__(
        self, model: "SequenceDesigner", rows: Rows, target: Mapping[str, Any], score: Reward | None, guidance: float
    ) -> None:
        unknown = np.flatnonzero(~rows.sequences.is_known())
        if unknown.size:
            raise SequenceError(f"{rows.sequences.names[int(unknown[0])]!r} has unknown letters; complete it first")
        self.model, self.guidance = model, guidance
        self.slots = known_slots(model.lengths_, model.conditions_, rows, target)
        self.codes = padded(rows.sequences, model.lengths_.longest)
        self._reward = score

    def run(self, edits: Edits, keep: Bools | None, seed: int) -> Codes:
        """Edited letters, (rows, length)."""
        fixed = np.zeros(self.codes.shape, dtype=bool)
        if keep is not None:
            fixed[:, : np.shape(keep)[1]] |= np.asarray(keep, dtype=bool)
        return edited(self.codes, fixed, self._redraw, self._doubt, self._score, edits, seed)[0]

    def _redraw(self, rows: NDArray[np.int64], codes: Codes, sites: Bools, seed: int) -> Codes:
        slots = self._slots(rows, codes)
        allowed = slots.allowed | (sites & slots.inside)[..., None]
        wish = Wish(guidance=self.guidance)
        return generate(
            self.model.denoiser_, Slots(allowed, slots.lengths, slots.features), wish, self.model.alphabet_, seed
        )

    def _doubt(self, rows: NDArray[np.int64], codes: Codes) -> Floats:
        return -site_log_prob(self.model.denoiser_, self._slots(rows, codes), codes)

    def _score(self, rows: NDArray[np.int64], codes: Codes) -> Floats:
        if self._reward is not None:
            return np.asarray(self._reward(Sequences.from_codes(codes, alphabet=self.model.alphabet_)), np.float64)
        slots = self._slots(rows, codes)
        told, free = (site_log_prob(self.model.denoiser_, s, codes) for s in (slots, slots.without_conditions()))
        return (told - free).sum(1)

    def _slots(self, rows: NDArray[np.int64], codes: Codes) -> Slots:
        return Slots(SETS[codes], self.slots.lengths[rows], self.slots.features[rows])
