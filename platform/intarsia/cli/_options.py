"""Arguments and options that several commands share."""

from collections.abc import Sequence
from typing import Annotated

import typer

from intarsia.cli._errors import Refusal

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A saved model, the directory that `fit` wrote.")]
Seed = Annotated[int, typer.Option(min=0, metavar="S", help="The same seed gives the same result.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Missing = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="A text that means that there is no value, such as NA; may be repeated."),
]
Out = Annotated[str, typer.Option(metavar="FILE", help="Where to write; - is standard output, as CSV.")]


def pairs(texts: Sequence[str] | None, option: str, what: str) -> dict[str, str]:
    """Texts such as `age=39` as a mapping; the value may be empty, the name may not.

    Raises:
        Refusal: there is no `=` or no name, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Refusal(f"{option} takes {what}, got {text!r}")
        if name in found:
            raise Refusal(f"{option} names {name!r} twice; give it once")
        found[name] = value
    return found


def read_once(*sources: str) -> None:
    """Refuse to read standard input twice."""
    if sources.count("-") > 1:
        raise Refusal("standard input (-) can be read only once; give a file for the others")
