"""Progress of training for people: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from intarsia.training import Progress, Watch

Item = TypeVar("Item")


def tracked(items: Sequence[Item], show: bool | None, title: str) -> Iterator[Item]:
    """The items, with progress on standard error where there is more than one.

    Args:
        items: pieces of work of about the same size.
        show: true or false; None shows it only on a terminal.
        title: what is being done.
    """
    terminal = sys.stderr.isatty()
    if len(items) < 2 or show is False or (show is None and not terminal):
        yield from items
    elif terminal:
        from rich.console import Console
        from rich.progress import track

        yield from track(items, title, console=Console(stderr=True))
    else:
        tenths = 0
        for done, item in enumerate(items, start=1):
            yield item
            if 10 * done // len(items) > tenths:
                tenths = 10 * done // len(items)
                print(f"{title}: {done / len(items):4.0%}", file=sys.stderr, flush=True)


@contextmanager
def shown(show: bool | None, title: str) -> Generator[Watch, None, None]:
    """An observer for `train` that shows progress on standard error.

    Args:
        show: true or false; None shows it only on a terminal.
        title: what is being trained.
    """
    terminal = sys.stderr.isatty()
    if show is False or (show is None and not terminal):
        yield lambda _: None
    elif terminal:
        with _bar(title) as watch:
            yield watch
    else:
        yield _lines(title)


@contextmanager
def _bar(title: str) -> Generator[Watch, None, None]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    note = TextColumn("{task.fields[note]}")
    with Bar(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), note, console=Console(stderr=True)
    ) as bar:
        task = bar.add_task(title, total=1.0, note="")
        held_out = ""

        def watch(progress: Progress) -> None:
            nonlocal held_out
            if progress.held_out_loss is not None:
                held_out = f"held-out {progress.held_out_loss:.3f} nats"
            bar.update(task, completed=min(progress.share, 1.0), note=f"step {progress.step:,}  {held_out}")

        yield watch
        bar.update(task, completed=1.0)


def _lines(title: str) -> Callable[[Progress], None]:
    def watch(progress: Progress) -> None:
        if progress.held_out_loss is not None:
            print(
                f"{title}: {min(progress.share, 1.0):4.0%}  step {progress.step:,}  "
                f"held-out {progress.held_out_loss:.3f} nats",
                file=sys.stderr,
                flush=True,
            )

    return watch
