"""Hard constraints under every noise: the law is the enumerated one, and every draw keeps them."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from intarsia.diffusion import Diffusion
from intarsia.particles import FeynmanKac
from intarsia.samplers import AbstractSampler, Ancestral
from intarsia_domains.dna import (
    Absorbing,
    AbstractNoise,
    AnalogBits,
    Avoid,
    GCWindow,
    Marginal,
    MaxRun,
    Multinomial,
    Require,
    Simplex,
    compile_constraints,
)
from intarsia_domains.dna._constrained import LetterDraw
from intarsia_domains.dna._denoiser import LetterDenoiser, told

LENGTH, ROWS = 5, 1500
LOGITS = torch.randn(LENGTH, 4, generator=torch.Generator().manual_seed(0))
PARTS = [Require("CA"), Avoid("GA", both_strands=False), MaxRun(2), GCWindow(0.2, 0.6)]
NOISES: list[tuple[AbstractNoise, int]] = [
    (Absorbing(), 3),
    (Multinomial(), 3),
    (Marginal(), 3),
    (Simplex(), 12),  # exact to first order of the step; the others at any number
    (AnalogBits(), 3),
]


class Independent(nn.Module):
    """Letters that tell nothing of each other: the product law is the law."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(LOGITS, requires_grad=False)

    def forward(self, belief: Tensor, inside: Tensor, told: Tensor) -> Tensor:
        return self.logits.expand(len(belief), -1, -1)


def kept(text: str) -> bool:
    strong = sum(letter in "CG" for letter in text) / len(text)
    return "CA" in text and "GA" not in text and not any(3 * b in text for b in "ACGT") and 0.2 <= strong <= 0.6


def conditioned() -> dict[str, float]:
    probs = LOGITS.double().softmax(-1).tolist()
    weights = {
        "".join("ACGT"[k] for k in codes): math.prod(probs[site][k] for site, k in enumerate(codes))
        for codes in itertools.product(range(4), repeat=LENGTH)
    }
    weights = {text: weight for text, weight in weights.items() if kept(text)}
    return {text: weight / sum(weights.values()) for text, weight in weights.items()}


def drawn(noise: AbstractNoise, sampler: AbstractSampler, rows: int) -> list[str]:
    denoiser = LetterDenoiser(noise, noise.process((0.1, 0.2, 0.3, 0.4)), Independent())
    guided = LetterDraw(denoiser, compile_constraints(PARTS, LENGTH), seed=1)
    inside = torch.ones(rows, LENGTH, dtype=torch.bool)
    cond = told(inside[..., None].expand(-1, -1, 4), inside, torch.zeros(rows, LENGTH, 0))
    model = Diffusion(noise.ending(denoiser.process), guided)
    state = model.sample(noise.shape(rows, LENGTH), sampler, cond=cond, rng=torch.Generator().manual_seed(0))
    return ["".join("ACGT"[k] for k in row) for row in noise.decode(state).argmax(-1).tolist()]


@pytest.mark.parametrize(("noise", "steps"), NOISES, ids=[noise.name for noise, _ in NOISES])
def test_draws_follow_the_conditioned_law_under_every_noise(noise: AbstractNoise, steps: int) -> None:
    texts, law = drawn(noise, Ancestral(steps), ROWS), conditioned()
    assert set(texts) <= set(law)
    distance = 0.5 * sum(abs(texts.count(text) / ROWS - share) for text, share in law.items())
    # the expected distance of as many exact draws, and how much it varies
    floor = sum(math.sqrt(share * (1 - share) / ROWS / (2 * math.pi)) for share in law.values())
    assert distance < 1.2 * floor + 0.01


@pytest.mark.parametrize("noise", [Multinomial(), AnalogBits()], ids=lambda noise: noise.name)
def test_particles_keep_constraints_too(noise: AbstractNoise) -> None:
    def reward(state: Tensor) -> Tensor:
        return 2.0 * (noise.decode(state).argmax(-1) == 3).double().sum(-1)

    plain, steered = (
        drawn(noise, FeynmanKac(reward if steer else lambda x: 0.0 * reward(x), particles=4, steps=4), 60)
        for steer in (False, True)
    )
    assert all(map(kept, plain + steered))
    count = [np.mean([text.count("T") for text in texts]) for texts in (plain, steered)]
    assert count[1] > count[0] + 0.3


def test_what_noise_all_but_excludes_can_still_be_drawn() -> None:
    """States at little noise that contradict the constraints: the letters that keep them are drawn all the same."""
    noise = AnalogBits()
    denoiser = LetterDenoiser(noise, noise.process((0.25,) * 4), Independent())
    guided = LetterDraw(denoiser, compile_constraints([Require("CAT")], LENGTH))
    state = noise.encode(torch.zeros(3, LENGTH, dtype=torch.long))  # AAAAA
    inside = torch.ones(3, LENGTH, dtype=torch.bool)
    cond = told(inside[..., None].expand(-1, -1, 4), inside, torch.zeros(3, LENGTH, 0))
    codes = noise.decode(guided(state, torch.full((3,), 1e-4), cond)).argmax(-1)
    assert all("CAT" in "".join("ACGT"[k] for k in row) for row in codes.tolist())
