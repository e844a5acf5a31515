"""Whether Ctrl-C was pressed, although what it interrupted went on in an orderly way."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Counts them."""

    seen = 0


@contextmanager
def counted_interrupts() -> Generator[Interrupts, None, None]:
    """Raise KeyboardInterrupt at Ctrl-C, as always, and remember that it came."""
    interrupts = Interrupts()
    before = signal.getsignal(signal.SIGINT)
    if before in (signal.SIG_IGN, None) or threading.current_thread() is not threading.main_thread():
        yield interrupts
        return

    def note(_: int, __: FrameType | None) -> None:
        interrupts.seen += 1
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)
