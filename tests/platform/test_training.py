"""The training loop: budgets, resuming bit for bit, interruption, and losses that are not finite."""

import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from intarsia import ArtifactError, Budget, Settings, train
from intarsia.training import Progress, Trained

ROWS = 64
DATA = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(7))
TARGET = DATA @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.3
SMALL = Settings(batch_size=16, learning_rate=0.02, warmup=5, evaluations=4, ema=0.9, bfloat16=False)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1))


def loss(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
    noise = 0.01 * torch.randn(len(batch), 1, generator=rng)
    return (model(DATA[batch] + noise) - TARGET[batch]).square()[:, 0]


def held_out(model: nn.Module) -> float:
    with torch.no_grad():
        return float((model(DATA) - TARGET).square().mean())


def run(model: nn.Module, steps: int = 40, **kwargs: object) -> Trained:
    return train(model, loss, ROWS, held_out, Budget(steps=steps), SMALL, **kwargs)  # type: ignore[arg-type]


def equal(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def stop_at(step: int) -> Callable[[Progress], None]:
    def watch(progress: Progress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    return watch


def test_it_learns_and_tells_what_it_did() -> None:
    model, seen = network(), list[Progress]()
    before = held_out(model)
    trained = run(model, 200, watch=seen.append)
    assert held_out(model) < 0.3 * before
    assert trained.steps == 200
    assert not trained.interrupted
    assert [p.step for p in seen] == list(range(1, 201))
    assert [step for step, _ in trained.history] == [51, 101, 151, 200]
    assert [p.step for p in seen if p.held_out_loss is not None] == [51, 101, 151]
    assert trained.best_loss == min(value for _, value in trained.history)
    assert (trained.best_step, trained.best_loss) in trained.history
    assert not model.training
    assert trained.seconds > 0


def test_the_seed_decides_everything() -> None:
    first, again, other = network(), network(), network()
    torch.manual_seed(1)
    run(first, seed=5)
    torch.manual_seed(2)
    run(again, seed=5)
    run(other, seed=6)
    assert equal(first, again)
    assert not equal(first, other)


def test_global_generators_stay_as_they_were() -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    run(network_without_seeding())
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    assert random.getstate() == states[2]


def network_without_seeding() -> nn.Module:
    state = torch.get_rng_state()
    model = network()
    torch.set_rng_state(state)
    return model


@pytest.mark.parametrize("stop", [1, 7, 10, 33, 39])
def test_resuming_ends_where_an_unbroken_run_does(stop: int, tmp_path: Path) -> None:
    """Bit for bit: weights, history and best step; broken off in the middle, before and after an evaluation."""
    path = tmp_path / "run.safetensors"
    unbroken, broken, resumed = network(), network(), network(1)
    whole = run(unbroken)
    half = run(broken, checkpoint=path, watch=stop_at(stop))
    assert half.interrupted
    assert half.steps == stop
    rest = run(resumed, checkpoint=path)
    assert not rest.interrupted
    assert rest.steps == 40
    assert equal(resumed, unbroken)
    assert rest.history == whole.history
    assert (rest.best_step, rest.best_loss) == (whole.best_step, whole.best_loss)


def test_checkpoints_on_the_way_resume_too(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    unbroken, killed, resumed = network(), network(), network(1)
    run(unbroken)

    def kill(progress: Progress) -> None:
        if progress.step == 20:
            raise SystemExit

    with pytest.raises(SystemExit):
        run(killed, checkpoint=path, checkpoint_seconds=0.0, watch=kill)
    run(resumed, checkpoint=path, checkpoint_seconds=0.0)
    assert equal(resumed, unbroken)


def test_a_finished_run_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    first, again = network(), network(1)
    run(first, checkpoint=path)
    seen = list[Progress]()
    run(again, checkpoint=path, watch=seen.append)
    assert not seen
    assert equal(first, again)


def test_checkpoints_belong_to_one_run(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    run(network(), checkpoint=path)
    with pytest.raises(ArtifactError, match="seed=0"):
        run(network(), checkpoint=path, seed=1)
    with pytest.raises(ArtifactError, match="rows=64"):
        train(network(), loss, 32, held_out, Budget(steps=50), SMALL, checkpoint=path)
    with pytest.raises(ArtifactError, match="this model needs"):
        train(nn.Linear(3, 1), loss, ROWS, held_out, Budget(steps=50), SMALL, checkpoint=path)


@pytest.mark.parametrize("kind", ["minutes", "cpu_minutes"])
def test_the_steps_of_a_budget_in_time_repeat_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that ticks a second a look, so the test does not depend on the machine."""
    ticks = iter(range(10_000))
    name = "process_time" if kind == "cpu_minutes" else "monotonic"
    timed, counted = network(), network()
    with monkeypatch.context() as patch:
        patch.setattr(f"intarsia.training.time.{name}", lambda: float(next(ticks)))
        trained = train(timed, loss, ROWS, held_out, Budget(**{kind: 0.5}), SMALL)
    assert 10 <= trained.steps <= 60
    repeated = run(counted, trained.steps)
    assert repeated.steps == trained.steps
    assert equal(timed, counted)


def test_budgets_in_time_end_after_enough_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(batch_size=16, max_epochs=10, evaluations=4, warmup=0, bfloat16=False, patience=0)
    trained = train(network(), loss, ROWS, held_out, Budget(minutes=600.0), settings)
    assert trained.steps == 40


def test_the_learning_rate_falls_early_where_nothing_improves(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100_000))
    monkeypatch.setattr("intarsia.training.time.monotonic", lambda: float(next(ticks)))
    settings = Settings(batch_size=16, evaluations=100, warmup=0, patience=2, bfloat16=False)
    stuck = train(network(), loss, ROWS, lambda _: 1.0, Budget(minutes=10.0), settings)
    assert stuck.steps < 120


def test_control_c_keeps_the_best_weights() -> None:
    """Held-out losses fall, then rise: the model gets the weights of the best one, not the last."""
    values, kept = iter([3.0, 1.0, 2.0, 4.0]), list[list[Tensor]]()

    def measured(model: nn.Module) -> float:
        kept.append([p.detach().clone() for p in model.parameters()])
        return next(values)

    model = network()
    trained = train(model, loss, ROWS, measured, Budget(steps=40), SMALL, watch=stop_at(35))
    assert trained.interrupted
    assert trained.steps == 35
    assert trained.best_loss == 1.0
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), kept[1], strict=True))
    assert not model.training


def test_control_c_at_once_leaves_a_usable_model() -> None:
    def at_once(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        raise KeyboardInterrupt

    model, same = network(), network()
    trained = train(model, at_once, ROWS, held_out, Budget(steps=5), SMALL)
    assert trained.interrupted
    assert trained.steps == 0
    assert equal(model, same)


def test_an_unbroken_run_keeps_the_last_averaged_weights() -> None:
    kept = list[list[Tensor]]()
    values = iter([1.0, 2.0, 3.0, 4.0])

    def measured(model: nn.Module) -> float:
        kept.append([p.detach().clone() for p in model.parameters()])
        return next(values)

    model = network()
    train(model, loss, ROWS, measured, Budget(steps=40), SMALL)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), kept[-1], strict=True))


@pytest.mark.parametrize("where", ["loss", "gradient"])
@pytest.mark.parametrize("bad", [{20}, {20, 21, 22}])
def test_a_few_losses_that_are_not_finite_are_survived(where: str, bad: set[int]) -> None:
    step = 0

    def shaky(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        nonlocal step
        step += 1
        fine = loss(model, batch, rng)
        if step not in bad:
            return fine
        if where == "loss":
            return fine * math.nan
        # finite, with a gradient that is not: d sqrt(x) / dx at 0
        return fine + (model(DATA[batch]) * 0.0).sqrt()[:, 0]

    model = network()
    trained = train(model, shaky, ROWS, held_out, Budget(steps=200), SMALL)
    assert trained.steps == 200
    assert all(bool(p.isfinite().all()) for p in model.parameters())
    assert held_out(model) < 2.0


def test_losses_that_stay_bad_are_an_error_that_says_so() -> None:
    def broken(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        return loss(model, batch, rng) * math.inf

    state = torch.get_rng_state()
    with pytest.raises(FloatingPointError, match="learning rate"):
        train(network_without_seeding(), broken, ROWS, held_out, Budget(steps=50), SMALL)
    assert torch.equal(torch.get_rng_state(), state)


def test_frozen_parameters_and_buffers_are_kept() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    run(model)
    assert torch.equal(model[0].weight, before)
    assert (model[1].running_mean != 0).any()


@pytest.mark.parametrize(
    "wrong",
    [{}, {"steps": 0}, {"minutes": -1.0}, {"minutes": 1.0, "steps": 3}, {"minutes": math.nan}, {"cpu_minutes": 0.0}],
)
def test_budgets_are_one_positive_number(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one positive number"):
        Budget(**wrong)  # type: ignore[arg-type]


def test_rows_fewer_than_a_batch() -> None:
    trained = train(network(), lambda m, b, r: loss(m, b, r), 3, held_out, Budget(steps=5), SMALL)
    assert trained.steps == 5


def test_every_row_is_seen_once_an_epoch() -> None:
    seen = list[int]()

    def counting(model: nn.Module, batch: Tensor, rng: torch.Generator) -> Tensor:
        seen.extend(batch.tolist())
        return loss(model, batch, rng)

    train(network(), counting, ROWS, held_out, Budget(steps=8), SMALL)
    assert sorted(seen[:ROWS]) == list(range(ROWS))
    assert sorted(seen[ROWS:]) == list(range(ROWS))
    assert seen[:ROWS] != seen[ROWS:]


def test_one_device_through_fabric_is_the_plain_loop() -> None:
    fabrics = pytest.importorskip("lightning_fabric", reason="lightning-fabric (extra `dist`) is not installed")
    plain, shared = network(), network()
    run(plain)
    fabric = fabrics.Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    run(shared, fabric=fabric)
    assert equal(plain, shared)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((5.0, None, None), Budget(minutes=5.0)),
        ((5.0, 2.0, None), Budget(cpu_minutes=2.0)),
        ((5.0, 2.0, 30), Budget(steps=30)),
    ],
)
def test_the_budget_of_an_estimator_is_the_most_special(given, expected) -> None:
    assert Budget.of(*given) == expected


def test_interruptions_are_told_where_fit_was_called() -> None:
    def fit(interrupted: bool) -> None:
        Trained(7, 1.0, 0.5, 7, interrupted).warn_if_interrupted()

    fit(False)
    with pytest.warns(UserWarning, match="interrupted after 7 steps") as told:
        fit(True)
    assert told[0].filename == __file__
