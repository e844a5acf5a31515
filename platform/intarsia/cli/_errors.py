"""Every error as one sentence on standard error, and the exit code that goes with it."""

import os
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from intarsia.errors import IntarsiaError

_UsageError: Any = typer.BadParameter.__mro__[1]
_EXPECTED = (IntarsiaError, ValueError, TypeError, ImportError, ArithmeticError)


class Refusal(IntarsiaError, ValueError):
    """The command cannot do what its arguments ask."""


def explain(error: Exception) -> int:
    """Tell the user what is wrong; the result is the exit code: 2 for bad input, 1 for what we did not foresee."""
    if os.environ.get("INTARSIA_DEBUG", "0") not in ("", "0"):
        traceback.print_exception(error)
    code, sentence = _sentence(error)
    typer.secho("error: ", err=True, nl=False, fg="red", bold=True)
    typer.echo(" ".join(sentence.split()), err=True)
    return code


def _sentence(error: Exception) -> tuple[int, str]:
    if isinstance(error, _UsageError):
        return 2, _usage(error)
    if isinstance(error, MemoryError):
        return 2, "there is not enough memory for this; work on fewer rows at a time"
    if isinstance(error, OSError):
        why = error.strerror or str(error)
        return 2, f"{error.filename}: {_lower(why)}" if error.filename else _lower(why)
    if isinstance(error, _EXPECTED) and str(error):
        return 2, str(error)
    return 1, (
        f"this should not have happened: {type(error).__name__}: {error}. "
        "Set INTARSIA_DEBUG=1 to see where, and please report it"
    )


def _usage(error: Any) -> str:
    message = _lower(error.format_message().strip().rstrip("."))
    return message if error.ctx is None else f"{message}; see {error.ctx.command_path} --help"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def interrupted(kept: str) -> NoReturn:
    """End after Ctrl-C, saying what was kept."""
    typer.echo(f"interrupted: {kept}", err=True)
    raise typer.Exit(130)


@contextmanager
def writing(target: str) -> Generator[None, None, None]:
    """Name the target in errors of the system, such as a full disk."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if target == "-" else target
        why = _lower(error.strerror) if error.strerror else str(error)
        raise Refusal(f"{name} cannot be written: {why}") from error
