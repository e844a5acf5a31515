"""Pieces of a large piece of work, side by side."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from intarsia.progress import tracked
from intarsia.training import threads

Shard = TypeVar("Shard")
Made = TypeVar("Made")


def in_shards(
    work: Callable[[Shard], Made],
    shards: Sequence[Shard],
    *,
    workers: int | None,
    device: str | torch.device,
    show: bool | None,
    title: str,
) -> list[Made]:
    """What `work` makes of every shard, in their order.

    On the CPU several shards are worked on at once, each with one torch thread: products of a network's size gain
    little from a second thread, and a result does not depend on how many there are. An accelerator takes one at a time.

    Args:
        work: is called in threads; it must draw from generators of its own, and set `no_grad` itself.
        shards: what it is called with, pieces of about the same size.
        workers: how many at once; None is torch's number of threads.
        device: where the work is done.
        show: whether to show progress; None only on a terminal.
        title: what is being done.
    """
    if torch.device(device).type != "cpu":
        return [work(shard) for shard in tracked(shards, show, title)]
    workers = torch.get_num_threads() if workers is None else workers
    with threads(1), ThreadPoolExecutor(max(1, min(workers, len(shards)))) as pool:
        waiting = [pool.submit(work, shard) for shard in shards]
        try:
            return [future.result() for future in tracked(waiting, show, title)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
