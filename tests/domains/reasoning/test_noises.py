"""XOR noise: what it teaches, how a pass moves, and that its posterior and bound are those of enumeration."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intarsia.diffusion import Diffusion
from intarsia.processes import Xor
from intarsia_domains.reasoning import Problem, check, sudoku
from intarsia_domains.reasoning._denoiser import BESIDE, FIXED, OPEN, REVEALED, Belief, marks
from intarsia_domains.reasoning._ladder import Climber, Ladder
from intarsia_domains.reasoning._model import ReasoningModel
from intarsia_domains.reasoning._noises import Flips, Masks, Shown, noise_from_json, noise_to_json
from intarsia_domains.reasoning._random_formulas import random_formulas
from intarsia_domains.reasoning._solution import Status
from intarsia_domains.reasoning._stack import stack
from intarsia_domains.reasoning._training import Curriculum
from intarsia_domains.reasoning._weights import build_network
from intarsia_domains.reasoning.presets import cnf


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def belief(logits: Tensor) -> Belief:
    return Belief(logits, torch.zeros(logits.shape[:2]), torch.zeros(len(logits)))


def ignorant(width: int = 4) -> Any:
    """A network whose logits are all equal."""
    network = build_network({"width": width, "hidden": 4})
    torch.nn.init.zeros_(network.value.weight)
    torch.nn.init.zeros_(network.value.bias)
    return network


def test_marks_without_trust_are_those_of_masks_and_with_full_trust_those_of_revealed_values() -> None:
    domains = torch.tensor([[[True, True], [True, True], [False, True]]])
    xt = torch.tensor([[1, 0, 1]])
    weights = marks(domains, xt, torch.tensor([[0.0, 1.0, 0.5]]))[0]
    assert weights.sum(-1).tolist() == [[1.0, 1.0]] * 3
    assert weights[0, :, OPEN].tolist() == [1.0, 1.0]
    assert weights[1, 0, REVEALED] == weights[1, 1, BESIDE] == 1.0
    assert weights[2, 1, FIXED] == 1.0  # what is observed needs no trust
    half = marks(domains, xt, torch.full((1, 3), 0.25))[0]
    assert half[0, 1, [OPEN, REVEALED]].tolist() == [0.75, 0.25]
    network = build_network({"width": 4, "hidden": 4})
    plain, soft = (
        network.known.weight[marks(domains, xt)],
        marks(domains, xt, torch.ones(1, 3)) @ network.known.weight,
    )
    torch.testing.assert_close(plain, soft)


def test_lessons_flip_as_many_bits_as_the_trust_says() -> None:
    states = np.random.default_rng(0).integers(0, 2, (4_000, 25))
    shown = Flips(noised=0.7).teach(states, np.full_like(states, -1), 2, 0.0, np.random.default_rng(1))
    assert shown.trust is not None
    wrong = (shown.xt.numpy() != states).mean(1)
    trust = shown.trust[:, 0].numpy()
    assert np.isclose((trust == 0.0).mean(), 0.3, atol=0.03)
    for low, high in ((0.0, 0.0), (0.01, 0.3), (0.3, 0.7), (0.7, 1.0)):
        part = (trust >= low) & (trust <= high)
        assert np.isclose(wrong[part].mean(), ((1 - trust[part]) / 2).mean(), atol=0.015)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9, 1.0])
def test_the_posterior_of_a_uniform_law_is_that_of_enumeration(t: float) -> None:
    problem = cnf([[1, 2, 3]])
    graph, domains = stack([problem])
    denoiser, process = Flips().denoiser(ignorant()), Flips().process(problem)
    xt = torch.tensor(list(product([0, 1], repeat=3)))
    found = denoiser(xt, torch.full((8,), t), (graph, domains))
    one = process.log_q(xt, torch.ones_like(xt), torch.full((8,), t))
    zero = process.log_q(xt, torch.zeros_like(xt), torch.full((8,), t))
    torch.testing.assert_close(found, (one - zero).to(found.dtype), atol=1e-5, rtol=1e-5)


def test_the_bound_of_a_uniform_law_is_its_log_likelihood() -> None:
    problem = cnf([[1, 2, 3, 4]])
    graph, domains = stack([problem])
    diffusion = Diffusion(Flips().process(problem), Flips().denoiser(ignorant()))
    x0 = torch.tensor(list(product([0, 1], repeat=4))).repeat(256, 1)
    bound = diffusion.nelbo(x0, (graph, domains), steps=4, rng=rng()).total
    assert float(bound.mean()) == pytest.approx(4 * np.log(2), rel=0.015)


def test_a_step_follows_the_enumerated_reverse_kernel() -> None:
    rows, looks = 40_000, 4
    noise, process = Flips(), Xor(2)
    logits = torch.tensor([[[0.0, 1.0], [0.0, -0.4]]])
    shown = Shown(torch.tensor([[1, 0]]).expand(rows, -1), torch.full((rows, 2), 0.4), t=0.6)
    moved = noise.step(shown, belief(logits.expand(rows, -1, -1)), looks, rng())
    s = 0.6 * 3 / 4
    assert moved.t == pytest.approx(s)
    assert moved.trust is not None
    torch.testing.assert_close(moved.trust, torch.full((rows, 2), 1.0 - s))
    pred = (logits[..., 1] - logits[..., 0]).double()
    want = torch.zeros(2, dtype=torch.float64)
    for site in range(2):
        p1 = torch.sigmoid(pred[0, site])
        for x0, weight in ((0, 1 - p1), (1, p1)):
            start, end = torch.full((1, 2), x0), torch.tensor([[1, 0]])
            # Bayes over the two steps of the channel: q(xs | x0) q(xt | xs), with q(xt | xs) from q(t) and q(s)
            ratio = (1 - 0.6) / (1 - s)
            up = [
                torch.exp(process.log_q(torch.full((1, 2), xs), start, torch.tensor([s])))[0, site]
                * ((1 + ratio) / 2 if xs == end[0, site] else (1 - ratio) / 2)
                for xs in (0, 1)
            ]
            want[site] += weight * up[1] / (up[0] + up[1])
    np.testing.assert_allclose(moved.xt.double().mean(0).numpy(), want.numpy(), atol=0.01)


def test_mending_redraws_what_is_wrong_and_trusts_the_rest() -> None:
    states, wrong = torch.ones(5_000, 2, dtype=torch.int64), torch.tensor([[True, False]]).expand(5_000, -1)
    shown = Flips(mended=0.2).mend(states, wrong, 2, rng())
    assert shown.t == 0.2
    assert shown.trust is not None
    assert shown.trust[0].tolist() == pytest.approx([0.0, 0.8])
    assert shown.xt.double().mean(0).tolist() == pytest.approx([0.5, 0.9], abs=0.02)
    moved = Flips().step(shown, belief(torch.zeros(5_000, 2, 2)), 2, rng())
    assert moved.trust is not None
    assert moved.trust[0].tolist() == pytest.approx([0.9, 0.9])


def test_a_pass_moves_from_random_bits_to_what_the_network_believes_and_ends_there() -> None:
    class Recording:
        """Believes that all is rather False, where all has to be True."""

        def __init__(self) -> None:
            self.known: list[Tensor] = []

        def start(self, domains: Tensor, rng: Any = None) -> Tensor:
            return torch.zeros(*domains.shape, 1)

        def iterate(self, graph: Any, state: Tensor, known: Tensor, count: int, rng: Any = None) -> Tensor:
            self.known.append(known)
            return state

        def read(self, state: Tensor, domains: Tensor) -> Belief:
            return belief(torch.tensor([0.5, 0.0]).expand(domains.shape).clone())

    network: Any = Recording()
    problem = cnf([[k] for k in range(1, 13)])
    graph, domains = stack([problem])
    out = Climber(network, graph, domains.expand(64, -1, -1), noise=Flips(), rng=rng()).climb(
        Ladder(iterations=8, every=2, restarts=1, mends=1)
    )
    clock = [float(known[0, 0, 0, OPEN]) for known in network.known]
    assert clock[:8] == pytest.approx([1.0, 0.75, 0.5, 0.25] * 2)
    assert clock[8:] in ([0.5, 0.375, 0.25, 0.125], [1.0, 0.375, 0.25, 0.125])  # the first if the first bit was right
    assert out.iterations.tolist() == [24] * 64
    assert not out.solved.any()


def test_only_boolean_problems_have_xor_noise_and_the_variable_is_named() -> None:
    with pytest.raises(ValueError, match=r"'r1c1' can be 1, 2, 3, 4; use masks"):
        ReasoningModel(noise=Flips(), steps=1, progress=False).fit(["." * 16], np.zeros((1, 16), dtype=int))
    Masks().check(sudoku(4))
    Flips().check(cnf([[1, -2]]))


def test_noises_survive_json_and_old_models_have_masks() -> None:
    for noise in (Masks(), Flips(noised=0.25, mended=0.75)):
        assert noise_from_json(noise_to_json(noise)) == noise
    assert noise_from_json(None) == Masks()


def test_an_xor_model_learns_formulas_solves_fresh_ones_scores_and_survives_saving(tmp_path: Path) -> None:
    lessons, asked = random_formulas(200, 5, seed=0), random_formulas(40, 5, seed=9)
    model = ReasoningModel(
        noise=Flips(), steps=150, width=16, hidden=24, curriculum=Curriculum(batch=16), progress=False
    )
    model.fit(lessons.problems(), lessons.states)
    once = Ladder(iterations=16, every=4, restarts=0, mends=0)
    problems = asked.problems()
    answers = model.solve(problems, ladder=once)
    luck = ReasoningModel.of(ignorant(), problems[0], {}, noise=Flips()).solve(problems, ladder=once)
    assert sum(answer.valid for answer in answers) >= 22 > 14 >= sum(answer.valid for answer in luck)
    assert {answer.status for answer in answers} <= {Status.SAT, Status.UNKNOWN}
    for problem, answer in zip(problems, answers, strict=True):
        if answer.values is not None:
            assert check(problem, problem.state(answer.values)).valid.all()
    solved = [observed(problem, state) for problem, state in zip(problems, asked.states, strict=True)]
    broken = [observed(problem, 1 - state) for problem, state in zip(problems, asked.states, strict=True)]
    assert model.score_samples(solved).mean() > model.score_samples(broken).mean()
    model.save(tmp_path / "model")
    other = ReasoningModel.load(tmp_path / "model")
    assert other.noise == Flips()
    again = other.solve(problems[:8], ladder=once)
    assert [a.values for a in again] == [a.values for a in model.solve(problems[:8], ladder=once)]
    assert "XOR noise" in (tmp_path / "model" / "card.md").read_text()


def observed(problem: Problem, state: np.ndarray) -> Problem:
    return problem.observe({name: bool(bit) for name, bit in zip(problem.variables, state, strict=True)})
