"""Editing: exact reconstruction (T11), what is held, and the laws that edits leave alone."""

import pytest
import torch
from torch import Tensor

from intarsia import Ancestral, Cosine, Gaussian, Product, Staged
from intarsia.editing import Dice, Renoise
from intarsia.errors import RequirementError
from intarsia.processes import AbstractProcess, Discrete, Riffle, Xor
from intarsia.testing import BayesDenoiser, all_states, chi_square, enumerated_law

COUNTS = [2, 3]
POINTS = all_states(COUNTS)
LAWS = torch.randn(2, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).mul(1.5).softmax(1)
FINITE: list[AbstractProcess] = [
    Discrete.absorbing((2, 3)),
    Discrete.absorbing((2, 3), Staged((0, 1), Cosine())),
    Discrete.uniform((2, 3)),
    Discrete((2, 3), Cosine(), 0.3, ((0.3, 0.7), (0.2, 0.5, 0.3))),
]
ATOMS = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)


class Labelled:
    """A perfect denoiser of a law per label."""

    def __init__(self, process: AbstractProcess, points=POINTS, laws: Tensor = LAWS) -> None:
        self.bayes = [BayesDenoiser(process, points, law.log()) for law in laws]
        self.time_free = process.time_free

    def __call__(self, xt, t, cond: int):
        return self.bayes[cond](xt, t)


@pytest.mark.parametrize("start", [1.0, 0.6])
@pytest.mark.parametrize("process", [*FINITE, Xor(2), Discrete.uniform(3)], ids=repr)
def test_t11_reconstruction_is_exact(process: AbstractProcess, start: float) -> None:
    points = POINTS if isinstance(process, Discrete) and process.num_classes != 3 else all_states([2, 2])
    laws = LAWS[:, : len(points)]
    denoiser = Labelled(process, points, laws)
    rows = points.repeat(20, 1)
    got = Dice(6, start).edit(process, denoiser, rows, source=0, cond=0, rng=torch.Generator().manual_seed(0))
    assert torch.equal(got, rows)
    other = Dice(6, start).edit(process, denoiser, rows, source=0, cond=1, rng=torch.Generator().manual_seed(0))
    assert other.shape == rows.shape
    assert (other >= 0).all()
    assert (other < torch.tensor([2, 3])).all()


def test_t11_reals_and_records() -> None:
    denoiser = Labelled(Gaussian(), ATOMS, torch.ones(2, 3).double())
    got = Dice(6).edit(Gaussian(), denoiser, ATOMS, source=0, cond=0, rng=torch.Generator().manual_seed(0))
    assert torch.allclose(got, ATOMS, atol=1e-12)
    record = Product({"a": Discrete.uniform(2), "b": Gaussian()})
    x0 = {"a": all_states([2, 2])[:3], "b": ATOMS}
    both = Labelled(record, x0, torch.ones(2, 3).double())
    back = Dice(6).edit(record, both, x0, source=0, cond=0, rng=torch.Generator().manual_seed(0))
    assert torch.equal(back["a"], x0["a"])
    assert torch.allclose(back["b"], x0["b"], atol=1e-12)


def test_a_new_mean_moves_reals_by_what_the_model_says() -> None:
    """With one step from pure noise the edit is the difference of the two means, in the bridge."""
    process = Gaussian()
    x0 = torch.zeros(5, 1, dtype=torch.float64)
    got = Dice(1).edit(process, lambda x, t, c: torch.full_like(x, c), x0, source=0.0, cond=2.0, rng=torch.Generator())
    one, zero = torch.ones(5).double(), torch.zeros(5).double()
    means = [process.bridge_moments(torch.full_like(x0, c), x0, zero, one)[0] for c in (2.0, 0.0)]
    assert torch.allclose(got, means[0] - means[1], atol=1e-12)
    assert got.mean() == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("process", FINITE[:3], ids=repr)
def test_noise_without_residuals_is_ancestral_sampling(process: Discrete) -> None:
    """λ1 = 0 and λ2 = 1 from t = 1: the argmax over Gumbel noise draws from the kernel (but the masks of a mixture)."""
    denoiser = Labelled(process)
    rows = POINTS[:1].expand(4000, -1)
    got = Dice(3, 1.0, 0.0, 1.0).edit(process, denoiser, rows, source=0, cond=1, rng=torch.Generator().manual_seed(0))
    states, law = enumerated_law(Ancestral(3), process, denoiser.bayes[1], 2)
    assert chi_square((got[:, None] == states).all(2).double().sum(0), law) >= 1e-4


def test_a_condition_that_rules_out_the_old_value_is_met_once_residuals_are_weak() -> None:
    process = Discrete.absorbing((2, 3))
    laws = torch.tensor([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0, 0]], dtype=torch.float64)
    denoiser = Labelled(process, POINTS, laws)
    x0 = POINTS[:1].expand(50, -1)
    got = Dice(5, 1.0, 0.4).edit(process, denoiser, x0, source=0, cond=1, rng=torch.Generator().manual_seed(0))
    assert torch.equal(got, POINTS[4:5].expand(50, -1))


@pytest.mark.parametrize("process", [*FINITE, Gaussian()], ids=repr)
@pytest.mark.parametrize("editor", [Dice(4, 1.0, 0.03, 1.0), Renoise(1.0, 4)], ids=repr)
def test_everything_outside_the_region_is_held(process: AbstractProcess, editor) -> None:
    real = isinstance(process, Gaussian)
    points = POINTS.double() if real else POINTS
    rows = points.repeat(50, 1)
    region = torch.tensor([[False, True]])
    extra = {"source": 0} if isinstance(editor, Dice) else {}
    rng = torch.Generator().manual_seed(0)
    got = editor.edit(process, Labelled(process, points), rows, region=region, cond=1, rng=rng, **extra)
    assert torch.equal(got[:, 0], rows[:, 0])
    assert not torch.equal(got[:, 1], rows[:, 1])


def test_fields_outside_the_region_are_held() -> None:
    record = Product({"a": Discrete.uniform(2), "b": Gaussian()})
    x0 = {"a": all_states([2, 2])[:3].repeat(20, 1), "b": ATOMS.repeat(20, 1)}
    denoiser = Labelled(record, {"a": x0["a"][:3], "b": ATOMS}, torch.ones(2, 3).double())
    for editor in (Renoise(1.0, 4), Dice(4, 1.0, 0.0, 1.0)):
        region = {"b": torch.ones(1, 2, dtype=torch.bool)}
        extra = {"source": 0} if isinstance(editor, Dice) else {}
        got = editor.edit(record, denoiser, x0, region=region, cond=0, rng=torch.Generator().manual_seed(0), **extra)
        assert torch.equal(got["a"], x0["a"])
        assert not torch.equal(got["b"], x0["b"])
    with pytest.raises(TypeError, match="record"):
        Renoise().edit(record, denoiser, x0, region=torch.ones(1, dtype=torch.bool), cond=0)


@pytest.mark.parametrize("process", FINITE, ids=repr)
@pytest.mark.parametrize("level", [0.3, 1.0])
def test_edits_of_draws_are_draws(process: AbstractProcess, level: float) -> None:
    """One site is renoised with the other held: exact at any number of steps, so p is kept; at level 1 it forgets."""
    law = LAWS[0]
    rng = torch.Generator().manual_seed(1)
    rows = POINTS[torch.multinomial(law, 5000, replacement=True, generator=rng)]
    region = torch.tensor([[False, True]])
    got = Renoise(level, 2).edit(process, Labelled(process), rows, region=region, cond=0, rng=rng)
    assert chi_square(torch.bincount(got @ torch.tensor([3, 1]), minlength=6), law) >= 1e-4
    moved = (got[:, 1] != rows[:, 1]).double().mean().item()
    table = law.view(2, 3)
    stay = float((table.square() / table.sum(1, keepdim=True)).sum())
    if level == 1.0:
        assert moved == pytest.approx(1 - stay, abs=0.03)
    else:
        assert moved < 0.8 * (1 - stay)


def test_an_edit_turns_towards_its_condition() -> None:
    process = Discrete.absorbing((2, 3))
    rows = POINTS[:1].expand(4000, -1)
    got = Renoise(1.0, 2).edit(
        process,
        Labelled(process),
        rows,
        region=torch.tensor([[False, True]]),
        cond=1,
        rng=torch.Generator().manual_seed(0),
    )
    expected = LAWS[1].view(2, 3)[0]
    assert chi_square(torch.bincount(got[:, 1], minlength=3), expected / expected.sum()) >= 1e-4


def test_nothing_of_the_callers_changes_and_seeds_repeat() -> None:
    process = Discrete.uniform((2, 3))
    x0, state = POINTS.clone(), torch.random.get_rng_state()
    for editor in (Renoise(0.7, 3), Dice(3, 0.7, 0.5, 0.5)):
        extra = {"source": 0} if isinstance(editor, Dice) else {}
        a, b = (
            editor.edit(process, Labelled(process), x0, cond=1, rng=torch.Generator().manual_seed(4), **extra)
            for _ in "ab"
        )
        assert torch.equal(a, b)
    assert torch.equal(x0, POINTS)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_bad_arguments_are_refused() -> None:
    for kind in (Renoise, Dice):
        with pytest.raises(ValueError, match="level"):
            kind(**{"level" if kind is Renoise else "start": 0.0})
        with pytest.raises(ValueError, match="steps"):
            kind(steps=0)
    process = Discrete.uniform((2, 3))
    path = Dice(3).invert(process, Labelled(process), POINTS, cond=0, rng=torch.Generator())
    with pytest.raises(ValueError, match="3 steps"):
        Dice(4).replay(process, Labelled(process), path, cond=0)
    with pytest.raises(RequirementError, match="Renoise"):
        Dice(3).invert(Product({"a": Riffle(3, 4)}), Labelled(process), {"a": POINTS})
