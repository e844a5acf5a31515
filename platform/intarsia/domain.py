"""The contract of a domain: a scikit-learn style density estimator over raw data of one kind."""

import importlib
import inspect
from abc import ABC, abstractmethod
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Self

from intarsia._installed import installed
from intarsia.command import AbstractCommand
from intarsia.errors import ArtifactError, NotFittedError
from intarsia.persistence import read_type
from intarsia.report import Report


class AbstractDomain(ABC):
    """Fit raw data, then sample, complete, score and evaluate it.

    Parameters are plain keyword arguments of the constructor, stored unchanged under their names; what `fit`
    learns ends in an underscore. `get_params` and `set_params` follow, so scikit-learn's `clone` works.
    """

    @abstractmethod
    def fit(self, raw: Any) -> Self:
        """Learn the distribution of `raw`."""

    @abstractmethod
    def sample(self, n: int, *, given: Any = None, seed: int = 0) -> Any:
        """Draw `n` new items, holding what `given` says."""

    @abstractmethod
    def complete(self, raw: Any, *, seed: int = 0) -> Any:
        """Fill in what is missing in `raw`, jointly."""

    @abstractmethod
    def score_samples(self, raw: Any) -> Any:
        """Lower bound of the log-likelihood of every item, in nats."""

    @abstractmethod
    def evaluate(self, train: Any, holdout: Any) -> Report:
        """Compare fresh samples with real data, beside the floors."""

    @abstractmethod
    def save(self, path: str | Path) -> None:
        """Write a saved model, a directory, replacing an older one only when the new one is whole."""

    @classmethod
    @abstractmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model of this class."""

    @classmethod
    def command(cls) -> AbstractCommand[Any]:
        """How the command line handles this domain's data; raises TypeError where a domain does not support it."""
        raise TypeError(f"{cls.__name__} cannot be used from the command line; use it from Python")

    @classmethod
    def type_name(cls) -> str:
        """How artifacts name this class."""
        return f"{cls.__module__.partition('._')[0]}:{cls.__qualname__}"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in _parameters(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; raises ValueError for a name that is not one."""
        known = _parameters(type(self))
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = (
            f"{name}={getattr(self, name)!r}"
            for name, default in _parameters(type(self)).items()
            if getattr(self, name) != default
        )
        return f"{type(self).__name__}({', '.join(changed)})"

    def _fitted(self, attribute: str) -> Any:
        """A learned attribute; raises NotFittedError before `fit`."""
        if attribute not in self.__dict__:
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call `fit` first")
        return self.__dict__[attribute]


def _parameters(cls: type) -> dict[str, Any]:
    signature = inspect.signature(cls)
    return {name: parameter.default for name, parameter in signature.parameters.items()}


def installed_domains() -> dict[str, EntryPoint]:
    """Domains that installed distributions offer, by name; nothing is imported."""
    return installed("intarsia.domains")


def load(path: str | Path) -> AbstractDomain:
    """Read a saved model of any installed domain. Only types that installed distributions declare are imported.

    Raises:
        ArtifactError: it is damaged, or of a type that no installed domain declares.
    """
    wanted = read_type(path)
    allowed = {point.value: point for point in installed_domains().values()}
    if wanted not in allowed:
        raise ArtifactError(
            f"{path} holds a {wanted!r}, which no installed domain declares (installed: {', '.join(sorted(allowed))})"
        )
    module, _, name = wanted.partition(":")
    domain: type[AbstractDomain] = getattr(importlib.import_module(module), name)
    return domain.load(path)
