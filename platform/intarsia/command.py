"""What a domain tells the command line: how its data are read, written, conditioned on, compared and described.

The commands (`intarsia fit`, `sample`, …) are written once, against this contract; a domain implements it beside its
estimator and hands it out by `AbstractDomain.command`. A verb of its own, such as `intarsia solve`, needs none of
this: it is an entry point of the group `intarsia.commands` (see `intarsia.cli`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from intarsia.report import Report

Model = TypeVar("Model")
Say = Callable[[str], None]
"""Tells the user one plain line; it goes to standard error."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What `intarsia demo` fits.

    Args:
        dataset: an entry point of the group `intarsia.datasets`, a function without arguments that gives raw data.
        fit: further arguments of `fit`.
    """

    dataset: str
    fit: Mapping[str, Any] = field(default_factory=dict[str, Any])


class AbstractCommand(ABC, Generic[Model]):
    """A domain's side of the command line. Bad input raises ValueError, TypeError or OSError in one sentence."""

    items = "items"
    """What a unit of data is called, in the plural; `len(raw)` counts them."""
    suffix = ".csv"
    """Of the files that the demo writes."""
    demonstration: Demonstration | None = None
    """What the demo fits; None for domains without one."""

    @abstractmethod
    def read(self, source: str, *, like: Any = None, missing: Sequence[str] = (), say: Say) -> Any:
        """Raw data of a file, or of standard input where `source` is `-`.

        Args:
            source: a path or `-`.
            like: a fitted model, or raw data read before, to whose types these data have to conform.
            missing: texts that stand for a missing value, besides the domain's own.
            say: is told what a user should know about the file.
        """

    @abstractmethod
    def writer(self, target: str) -> AbstractContextManager[Callable[[Any], None]]:
        """A function that writes raw data to a file or to standard output (`-`).

        Entered before the work starts, so that a target that cannot be written is known at once; the file appears
        whole at the end, or not at all.
        """

    @abstractmethod
    def parse_given(self, model: Model, texts: Mapping[str, str], say: Say) -> Any:
        """The `given` of `sample`, from texts by name; an empty text means missing."""

    @abstractmethod
    def stack(self, draws: Sequence[Any]) -> Any:
        """Several completions of the same data as one piece of raw data that says which is which."""

    @abstractmethod
    def scores(self, model: Model, raw: Any, *, per_cell: bool, say: Say) -> Any:
        """What `score` writes, as raw data: one score per item, or per cell."""

    @abstractmethod
    def split(self, raw: Any, holdout: float, seed: int) -> tuple[Any, Any]:
        """Training and held-out data, at random; `holdout` is the share of the latter."""

    @abstractmethod
    def compare(
        self, train: Any, holdout: Any, synthetic: Any, *, model: Model | None, target: str | None, seed: int
    ) -> Report:
        """Synthetic data beside training and held-out data, with floors.

        Args:
            train: what the synthetic data imitate.
            holdout: real data that their model never saw.
            synthetic: from any source.
            model: the model that made them, where it is known.
            target: what to predict, instead of the model's own target.
            seed: of subsamples and folds.
        """

    @abstractmethod
    def describe(self, model: Model) -> Report:
        """What a fitted model is: `provenance` says what it learned from and for how long, `tables` list its parts."""
