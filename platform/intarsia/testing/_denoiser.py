"""`check_denoiser`: a trained network shows the law that it was trained on."""

from typing import Any

import torch
from torch import Tensor

from intarsia._types import Denoiser
from intarsia.processes import AbstractProcess, Discrete
from intarsia.samplers import AbstractSampler, Ancestral, FirstHitting
from intarsia.testing._ensure import ensure, leaves
from intarsia.testing._joint import joint_of
from intarsia.testing._statistics import total_variation


def check_denoiser(
    process: AbstractProcess[Any],
    denoiser: Denoiser,
    support: Any,
    log_prob: Tensor,
    *,
    sampler: AbstractSampler | None = None,
    n: int = 4000,
    tolerance: float = 0.05,
    seed: int = 0,
) -> None:
    """Check a trained denoiser; raises AssertionError with a sentence at the first failure.

    Predictions have the shape that `process.prediction` gives and are finite at both ends of time, with times per row
    and per site; draws are within `tolerance` of the law in total variation.

    Args:
        process: the noise that it was trained with.
        denoiser: a module in evaluation mode, or a function.
        support: the states that have probability, as for `BayesDenoiser`.
        log_prob: their log-probabilities, (points,).
        sampler: by default first-hitting for absorbing noise, and else 100 ancestral steps.
        n: draws.
        tolerance: of the law; sampling noise included.
        seed: of the draws.
    """
    joint = joint_of(process, support, log_prob.double().softmax(0))
    points = len(joint.law)
    wanted = process.prediction(support, torch.eye(points, dtype=torch.float64))
    absorbing = isinstance(process, Discrete) and process.time_free
    with torch.no_grad():
        for t in (0.0, 0.5, 1.0):
            time = torch.full((points,), t, dtype=torch.float64)
            pred = denoiser(process.corrupt(support, time, torch.Generator().manual_seed(seed)), time, None)
            for got, shape in zip(leaves(pred), leaves(wanted), strict=True):
                ensure(
                    got.shape == shape.shape,
                    f"the denoiser must predict {tuple(shape.shape)} for {points} states of {process}, "
                    f"got {tuple(got.shape)}",
                )
                ensure(bool(got.isfinite().all()), f"the denoiser's prediction is not finite at t = {t:g}")
        chosen = sampler or (FirstHitting() if absorbing else Ancestral(100))
        rng = torch.Generator().manual_seed(seed)
        x = chosen.sample(process, denoiser, process.prior(joint.shape(n), rng), rng=rng)
    declared = torch.cat([joint.law, torch.zeros(1, dtype=torch.float64)])
    distance = total_variation(joint.counts(x) / n, declared)
    ensure(distance < tolerance, f"draws are {distance:.3f} from the law in total variation, more than {tolerance:g}")
