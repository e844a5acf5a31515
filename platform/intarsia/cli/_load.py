"""Domains, models and data sets by name, imported when they are needed."""

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from intarsia._installed import installed
from intarsia.cli._errors import Refusal
from intarsia.errors import MissingExtraError

if TYPE_CHECKING:
    from intarsia.domain import AbstractDomain


def load_point(point: EntryPoint) -> Any:
    """What an entry point names; the message of a failure names its distribution.

    Raises:
        MissingExtraError: it needs a library that is not installed.
        Refusal: it does not exist.
    """
    owner = "an installed distribution" if point.dist is None else point.dist.name
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if error.name is not None and point.module.startswith(error.name):
            raise Refusal(f"{owner} names {point.value}, which does not exist; reinstall {owner}") from error
        raise _missing(point, error) from error
    except AttributeError as error:
        raise Refusal(f"{owner} names {point.value}, which does not exist; reinstall {owner}") from error


def _missing(point: EntryPoint, error: ModuleNotFoundError) -> MissingExtraError:
    """By convention a domain's extra bears its name."""
    what = f"{point.name!r} needs `{error.name}`, which is not installed"
    extras = [] if point.dist is None else point.dist.metadata.get_all("Provides-Extra") or []
    if point.dist is None or point.name not in extras:
        return MissingExtraError(f"{what}. Run: pip install {error.name}")
    return MissingExtraError(f"{what}. Run: pip install '{point.dist.name}[{point.name}]'")


def domain_named(name: str | None) -> "type[AbstractDomain]":
    """An installed domain; None means the only one there is."""
    points = installed("intarsia.domains")
    if not points:
        raise Refusal("no domain is installed; run: pip install 'intarsia[tabular]'")
    if name is None and len(points) > 1:
        raise Refusal(f"say which domain reads this, with --domain; installed: {', '.join(points)}")
    name = next(iter(points)) if name is None else name
    if name not in points:
        raise Refusal(f"there is no domain {name!r}; installed: {', '.join(points)}")
    return load_point(points[name])


def open_model(path: str, quiet: bool) -> "AbstractDomain":
    """A saved model of an installed domain."""
    try:
        from intarsia.domain import load

        model = load(path)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{path} needs `{error.name}`, which is not installed. Run: pip install {error.name}"
        ) from error
    if "progress" in model.get_params():
        model.set_params(progress=not quiet)
    return model


def dataset_named(name: str) -> Any:
    """The raw data of an installed data set."""
    points = installed("intarsia.datasets")
    if name not in points:
        raise Refusal(f"there is no data set {name!r}; installed: {', '.join(points) or 'none'}")
    return load_point(points[name])()
