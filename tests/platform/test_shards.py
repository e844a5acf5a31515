"""Shards side by side."""

import time

import pytest
import torch

from intarsia.shards import in_shards


def drawn(shard: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(shard)
    return torch.randn(64, 64, generator=rng) @ torch.randn(64, 64, generator=rng)


@pytest.mark.parametrize("workers", [1, 2, 5, None])
def test_the_results_keep_their_order_and_do_not_depend_on_the_workers(workers):
    found = in_shards(drawn, range(7), workers=workers, device="cpu", show=False, title="draw")
    assert all(torch.equal(x, drawn(k)) for k, x in enumerate(found))


def test_each_works_with_one_torch_thread_and_the_number_is_restored():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = in_shards(
            lambda _: torch.get_num_threads(), range(3), workers=2, device="cpu", show=False, title="count"
        )
        assert found == [1, 1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_no_shards_are_no_work():
    assert in_shards(drawn, range(0), workers=2, device="cpu", show=False, title="draw") == []


def test_a_failure_reaches_the_caller_and_the_rest_is_called_off():
    called = []

    def fails(shard: int) -> None:
        called.append(shard)
        time.sleep(0.002)
        raise ValueError(f"shard {shard} is spoilt")

    with pytest.raises(ValueError, match="is spoilt"):
        in_shards(fails, range(1000), workers=2, device="cpu", show=False, title="draw")
    assert len(called) < 1000
