"""`check_process`: the laws that every noise process owes."""

from collections.abc import Mapping
from typing import Any

import torch

from intarsia.processes import AbstractFinite, AbstractProcess, Gaussian, Product
from intarsia.testing._ensure import ensure, untouched, untouched_randomness
from intarsia.testing._examples import example_prediction, example_states
from intarsia.testing._process_clock import check_endpoints, check_site_times, clocks_agree
from intarsia.testing._process_fields import check_fields
from intarsia.testing._process_finite import check_finite
from intarsia.testing._process_gaussian import check_gaussian
from intarsia.testing._process_loss import check_loss
from intarsia.testing._process_nelbo import check_gaussian_nelbo, check_nelbo
from intarsia.testing._process_shapes import check_determinism, check_shapes


def check_process(
    process: AbstractProcess[Any],
    x0: Any = None,
    pred: Any = None,
    *,
    variants: Mapping[str, object] | None = None,
    seed: int = 0,
) -> None:
    """Check the laws of a process; raises AssertionError with a sentence at the first that fails.

    Every process: shapes and dtypes, one seed one output, times per row and per site agree, sites at time 0 stay,
    finite at s = t and at times 0 and 1, losses and their gradients finite, every constructor argument matters.
    `AbstractFinite`: q and bridges sum to 1 and come from one Markov chain, the reverse kernel of one site is exact,
    the nelbo of one site is -log p. `Gaussian`: moments, marginals of bridges, nelbo of Gaussian data. `Product`: all
    of that for its fields.

    Args:
        process: a process object.
        x0: data (at least 8 rows) for a process that is not one of the engine's kinds.
        pred: a prediction for that data; by default one made with `process.prediction`.
        variants: another valid value by constructor argument, where the check cannot guess one.
        seed: of the data and noise.
    """
    ensure(not isinstance(process, type), f"`check_process` needs an object, got the class {process}")
    rng = torch.Generator().manual_seed(seed)
    if x0 is None:
        x0 = example_states(process, 64, rng)
    if pred is None:
        pred = example_prediction(process, x0, rng)
    with untouched_randomness(f"{process}"), untouched((x0, pred), f"{process}"):
        with untouched((x0, pred), f"{process}"):  # in-place changes would show as something else further down
            check_shapes(process, x0, pred)
        check_determinism(process, x0, pred)
        check_site_times(process, x0, pred)
        check_endpoints(process, x0, pred)
        check_loss(process, x0, pred)
        check_fields(process, x0, pred, dict(variants or {}))
        if isinstance(process, AbstractFinite):
            check_finite(process, seed)
            check_nelbo(process, seed)
        if isinstance(process, Gaussian):
            check_gaussian(process, seed)
            check_gaussian_nelbo(process)
        if isinstance(process, Product):
            clocks_agree(process, x0, pred)
            for name, field in process.fields.items():
                check_process(field, x0[name], pred[name], seed=seed)
