"""Settings of the whole suite: one thread, strict numerics, and hypothesis without chance."""

import os
from collections.abc import Generator

import hypothesis
import numpy as np
import pytest
import torch

# subprocesses that tests start
os.environ.setdefault("OMP_NUM_THREADS", "1")
# workers of pytest-xdist share the cores, and sums do not depend on how many threads there are
torch.set_num_threads(1)

hypothesis.settings.register_profile(
    "intarsia",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=50,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "intarsia"))


@pytest.fixture(autouse=True)
def _strict_numerics() -> Generator[None]:
    """Memory that was never written is NaN, and numpy's division, overflow and invalid operations are errors.

    torch's global settings are put back, whatever a test did to them.
    """
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    torch.use_deterministic_algorithms(True)
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs an accelerator where there is none."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="needs an accelerator"))
