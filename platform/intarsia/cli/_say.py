"""Words for the user, on standard error: results alone go to standard output."""

import os
import sys
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

Say = Callable[[str], None]


def say(line: str) -> None:
    """One plain line."""
    typer.echo(line, err=True)


def speaker(quiet: bool) -> Say:
    """`say`, or nothing where the user wants quiet."""
    return (lambda line: None) if quiet else say


@contextmanager
def working(title: str, quiet: bool, *, brief: bool = False) -> Generator[None, None, None]:
    """Show that something is going on: a spinner with a clock on a terminal; elsewhere a line, if it is not brief."""
    if quiet:
        yield
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), SpinnerColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            bar.add_task(title, total=None)
            yield
    else:
        if not brief:
            say(f"{title} …")
        yield


def duration(start: float) -> str:
    """Time since `start` of `time.monotonic`, in words."""
    seconds = round(time.monotonic() - start)
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


@contextmanager
def warnings_as_notes() -> Generator[None, None, None]:
    """Show warnings to the user as plain notes, and what is meant for programmers only on demand."""
    if os.environ.get("INTARSIA_DEBUG", "0") not in ("", "0"):
        yield
        return

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        say(f"note: {' '.join(str(message).split())}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("default", category=UserWarning)
        warnings.showwarning = show
        yield


def aligned(rows: Sequence[Sequence[Any]]) -> str:
    """Rows of cells as columns of text: numbers to the right, the rest to the left."""
    texts = [["" if cell is None else _text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines: list[str] = []
    for row, cells in zip(texts, rows, strict=True):
        padded = [
            text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
            for text, cell, width in zip(row, cells, widths, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return f"{cell:,}" if isinstance(cell, int) else " ".join(str(cell).split())
