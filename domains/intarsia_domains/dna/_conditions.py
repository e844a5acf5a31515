"""Conditions of sequences: class labels, numbers, and signals with a value a site; missing ones are the null."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._sequence_error import SequenceError

Floats = NDArray[np.float32]
_MOST_CLASSES = 50


@dataclass(frozen=True)
class AbstractCondition(ABC):
    """One condition, learned from its values; channels of a missing value are all zero."""

    kind: ClassVar[str]
    """Stands for it in saved models."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """Numbers a site."""

    @abstractmethod
    def encode(self, values: Any, name: str, length: int) -> Floats:
        """Channels (rows, length, channels), or (rows, 1, channels) where all sites are told the same."""

    @abstractmethod
    def about(self) -> str:
        """What values it takes, for messages and reports."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""


@dataclass(frozen=True)
class ClassLabel(AbstractCondition):
    """One of several classes.

    Args:
        classes: texts, or numbers.
    """

    kind: ClassVar[str] = "class"

    classes: tuple[str, ...] | tuple[float, ...]

    @property
    def channels(self) -> int:
        return len(self.classes)

    def encode(self, values: Any, name: str, length: int) -> Floats:
        column = _column(values, name)
        place = {value: k for k, value in enumerate(self.classes)}
        out = np.zeros((len(column), 1, len(self.classes)), dtype=np.float32)
        for row, value in enumerate(column):
            if _missing(value):
                continue
            key = value if value in place else self._read(value)
            if key not in place:
                raise SequenceError(f"the condition {name!r} is one of {self.about()}, got {value!r} in row {row + 1}")
            out[row, 0, place[key]] = 1.0
        return out

    def _read(self, value: Any) -> Any:
        """A text for a number, or the other way round."""
        if isinstance(self.classes[0], str):
            return str(value)
        try:
            return float(value)
        except (TypeError, ValueError):
            return value

    def about(self) -> str:
        return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in self.classes)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "classes": list(self.classes)}


@dataclass(frozen=True)
class Scalar(AbstractCondition):
    """A number, such as an activity.

    Args:
        mean, deviation: of the training values.
        low, high: their range, for messages.
    """

    kind: ClassVar[str] = "scalar"

    mean: float
    deviation: float
    low: float
    high: float

    @property
    def channels(self) -> int:
        return 2

    def encode(self, values: Any, name: str, length: int) -> Floats:
        numbers = _numbers(_column(values, name), name, self.about())
        known = np.isfinite(numbers)
        scaled = np.where(known, (np.where(known, numbers, 0.0) - self.mean) / self.deviation, 0.0)
        return np.stack([scaled, known], -1).astype(np.float32)[:, None]

    def about(self) -> str:
        return f"a number (training values {self.low:g} to {self.high:g})"

    def to_json(self) -> dict[str, Any]:
        parts = {"mean": self.mean, "deviation": self.deviation, "low": self.low, "high": self.high}
        return {"kind": self.kind, **parts}


@dataclass(frozen=True)
class Signal(AbstractCondition):
    """A number a site, such as a coverage; sites behind the end of a sequence are not read.

    Args:
        mean, deviation: of all training values.
    """

    kind: ClassVar[str] = "signal"

    mean: float
    deviation: float

    @property
    def channels(self) -> int:
        return 2

    def encode(self, values: Any, name: str, length: int) -> Floats:
        numbers = _numbers(np.asarray(values), name, self.about())
        if numbers.ndim == 1:
            numbers = numbers[None]
        if numbers.ndim != 2 or numbers.shape[1] != length:
            raise SequenceError(
                f"the condition {name!r} has a value for each of {length} sites, got an array of {numbers.shape}"
            )
        known = np.isfinite(numbers)
        scaled = np.where(known, (np.where(known, numbers, 0.0) - self.mean) / self.deviation, 0.0)
        return np.stack([scaled, known], -1).astype(np.float32)

    def about(self) -> str:
        return "a number a site"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "mean": self.mean, "deviation": self.deviation}


@dataclass(frozen=True)
class Conditions:
    """All conditions of a model, side by side.

    Args:
        parts: by name.
    """

    parts: Mapping[str, AbstractCondition]

    @classmethod
    def fit(cls, labels: Mapping[str, Any], rows: int) -> "Conditions":
        """Learn from labels: texts, bools and at most two different numbers are classes, other numbers are scalars.

        Raises:
            SequenceError: not as many values as sequences, too many classes, or nothing but missing values.
        """
        return cls({name: _learned(values, name, rows) for name, values in labels.items()})

    @property
    def channels(self) -> int:
        """Numbers a site."""
        return sum(part.channels for part in self.parts.values())

    def encode(self, values: Mapping[str, Any], rows: int, length: int) -> Floats:
        """Channels (rows, length, channels); conditions that are not named are missing.

        Args:
            values: by name, one for all rows, or `rows` of them.
            rows: how many.
            length: sites.

        Raises:
            SequenceError: an unknown name or value, or another number of values.
        """
        for name in values:
            if name not in self.parts:
                known = ", ".join(map(repr, self.parts)) or "none"
                raise SequenceError(f"the model has no condition {name!r}; it has {known}")
        out = np.zeros((rows, length, self.channels), dtype=np.float32)
        start = 0
        for name, part in self.parts.items():
            if name in values:
                own = part.encode(values[name], name, length)
                if len(own) not in (1, rows):
                    raise SequenceError(f"the condition {name!r} needs one value or {rows}, got {len(own)}")
                out[:, :, start : start + part.channels] = own
            start += part.channels
        return out

    def to_json(self) -> list[list[Any]]:
        """Plain JSON, in order."""
        return [[name, part.to_json()] for name, part in self.parts.items()]

    @classmethod
    def from_json(cls, data: Sequence[Sequence[Any]]) -> "Conditions":
        """Rebuild; raises KeyError or TypeError where it is malformed."""
        return cls({str(name): _from_json(part) for name, part in data})


def _learned(values: Any, name: str, rows: int) -> AbstractCondition:
    array = np.asarray(values)
    if array.shape[:1] != (rows,) or array.ndim > 2:
        raise SequenceError(f"the label {name!r} needs a value for each of {rows} sequences, got {array.shape}")
    if array.ndim == 2:
        numbers = _numbers(array, name, "a number a site")
        return Signal(*_moments(numbers, name)[:2])
    present = [value for value in array.tolist() if not _missing(value)]
    if not present:
        raise SequenceError(f"the label {name!r} is missing for all sequences; leave it out")
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        different = sorted(set(map(float, present)))
        if len(different) > 2:
            return Scalar(*_moments(_numbers(array, name, "a number"), name))
        return ClassLabel(tuple(different))
    classes = sorted({str(value) for value in present})
    if len(classes) > _MOST_CLASSES:
        raise SequenceError(
            f"the label {name!r} has {len(classes)} different texts; a condition has at most {_MOST_CLASSES} classes"
        )
    return ClassLabel(tuple(classes))


def usable(labels: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Labels that can be conditions, and the names of those with too many texts or with one value alone."""
    kept, dropped = dict[str, Any](), list[str]()
    for name, values in labels.items():
        array = np.asarray(values)
        different = {str(value) for value in array.ravel().tolist() if not _missing(value)}
        texts = array.dtype.kind not in "fiub"
        good = len(different) > 1 and not (texts and len(different) > _MOST_CLASSES)
        (kept.__setitem__(name, values) if good else dropped.append(name))
    return kept, dropped


def _moments(numbers: NDArray[np.float64], name: str) -> tuple[float, float, float, float]:
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        raise SequenceError(f"the label {name!r} is missing for all sequences; leave it out")
    return float(known.mean()), max(float(known.std()), 1e-6), float(known.min()), float(known.max())


def _from_json(data: Mapping[str, Any]) -> AbstractCondition:
    parts = {key: value for key, value in data.items() if key != "kind"}
    if data["kind"] == ClassLabel.kind:
        return ClassLabel(tuple(parts["classes"]))
    kinds: dict[str, type[AbstractCondition]] = {kind.kind: kind for kind in (Scalar, Signal)}
    return kinds[data["kind"]](**{key: float(value) for key, value in parts.items()})


def _missing(value: Any) -> bool:
    return value is None or value != value


def _column(values: Any, name: str) -> list[Any]:
    """Values of the rows as a list; one value is a list of one."""
    array = values if isinstance(values, str) else np.asarray(values).tolist()
    column = list(array) if isinstance(array, list) else [array]
    if any(isinstance(value, list) for value in column):
        raise SequenceError(f"the condition {name!r} has one value a sequence, got {values!r}")
    return column


def _numbers(values: Any, name: str, about: str) -> NDArray[np.float64]:
    try:
        numbers = np.array([np.nan if _missing(v) else float(v) for v in np.asarray(values, dtype=object).ravel()])
    except (TypeError, ValueError):
        raise SequenceError(f"the condition {name!r} is {about}, got {values!r}") from None
    if np.isinf(numbers).any():
        raise SequenceError(f"the condition {name!r} has an infinite value; replace it")
    return numbers.reshape(np.shape(values))
