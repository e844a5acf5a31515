"""One training loop for every model: a budget, a learning-rate schedule, an average of the weights, resuming."""

import math
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from intarsia.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from intarsia.precision import half

Loss = Callable[[nn.Module, Tensor, torch.Generator], Tensor]
"""`(model, row numbers, rng) -> nats per row`; the rows are looked up by the caller, who also owns the data."""

Watch = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: exactly one of wall-clock minutes, CPU minutes of this process, or optimizer steps.

    A budget in time says how many steps it took (`Trained.steps`); that many steps repeat the run exactly.
    """

    minutes: float | None = None
    cpu_minutes: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        given = [v for v in (self.minutes, self.cpu_minutes, self.steps) if v is not None]
        if len(given) != 1 or not given[0] > 0:
            raise ValueError(
                "a budget is one positive number of `minutes`, `cpu_minutes` or `steps`, "
                f"got minutes={self.minutes}, cpu_minutes={self.cpu_minutes}, steps={self.steps}"
            )

    @classmethod
    def of(cls, minutes: float | None, cpu_minutes: float | None, steps: int | None) -> Self:
        """The budget of an estimator: its `steps` if there are any, else `cpu_minutes`, else `minutes`."""
        if steps is not None:
            return cls(steps=steps)
        return cls(minutes=minutes) if cpu_minutes is None else cls(cpu_minutes=cpu_minutes)

    @property
    def seconds(self) -> float:
        """The budget in seconds, infinite for a budget in steps."""
        minutes = self.minutes if self.minutes is not None else self.cpu_minutes
        return math.inf if minutes is None else 60.0 * minutes

    def clock(self) -> float:
        """Seconds on the clock that this budget is measured by."""
        return time.process_time() if self.cpu_minutes is not None else time.monotonic()


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. The learning rate warms up, stays for a share `hold` of the budget, and falls as a cosine.

    Args:
        batch_size: rows a step.
        learning_rate: of AdamW, at its height.
        weight_decay: of matrices; vectors and biases have none.
        warmup: steps.
        hold: share of the budget before the learning rate falls.
        ema: decay of the averaged weights, reached gradually.
        clip: largest norm of a gradient.
        bfloat16: compute the network in bfloat16; None where the processor is known to gain from it.
        evaluations: how often the held-out loss is measured.
        patience: evaluations without a new best after which the learning rate falls early; 0 for never.
        max_epochs: visits of each row after which a budget in time ends all the same; more only learns by heart.
    """

    batch_size: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup: int = 100
    hold: float = 0.4
    ema: float = 0.999
    clip: float = 1.0
    bfloat16: bool | None = None
    evaluations: int = 20
    patience: int = 4
    max_epochs: int = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """What an observer is told after a step."""

    step: int
    share: float
    train_loss: float
    held_out_loss: float | None


@dataclass(slots=True)
class Trained:
    """What came of training.

    The model holds the averaged weights of the last step, after the learning rate has fallen: they are steadier
    than those of the best evaluation on the way. A run that was interrupted holds the best so far.
    """

    steps: int
    seconds: float
    best_loss: float
    best_step: int
    interrupted: bool
    history: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])

    def warn_if_interrupted(self) -> None:
        """Warn the caller of `fit`, which calls this, where Ctrl-C ended the training."""
        if self.interrupted:
            warnings.warn(
                f"fitting was interrupted after {self.steps} steps; the best weights so far are kept and usable",
                stacklevel=3,
            )


def train(
    model: nn.Module,
    loss: Loss,
    rows: int,
    held_out: Callable[[nn.Module], float],
    budget: Budget,
    settings: Settings = Settings(),
    *,
    seed: int = 0,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 60.0,
    fabric: Any = None,
) -> Trained:
    """Train `model` in place and leave its averaged weights in it.

    All randomness of step k follows from (seed, k), so a run that resumes from a checkpoint ends where an unbroken
    one does (a budget in steps, as many threads, the same torch). torch's global generator is restored.

    Args:
        model: the network; its buffers and frozen parameters are kept.
        loss: nats per row for given row numbers.
        rows: how many rows there are.
        held_out: the loss on rows that are not trained on, called in evaluation mode with the averaged weights.
        budget: when to stop.
        settings: see `Settings`.
        seed: of everything.
        watch: called after every step.
        checkpoint: a file to save to now and then, and to resume from where it exists.
        checkpoint_seconds: seconds between two saves.
        fabric: a launched `lightning_fabric.Fabric`; its processes share each batch.

    Raises:
        FloatingPointError: the loss stayed non-finite although the averaged weights were restored.
        ArtifactError: the checkpoint is unreadable or belongs to another model.
    """
    average = AveragedModel(model, multi_avg_fn=_ema(settings.ema), use_buffers=False)
    optimizer = torch.optim.AdamW(_groups(model, settings.weight_decay), lr=settings.learning_rate, betas=(0.9, 0.99))
    run = _Run(model, average, optimizer, settings, seed, rows)
    if checkpoint is not None and checkpoint.exists():
        run.restore(load_checkpoint(checkpoint))
    inner, stepper = (model, optimizer) if fabric is None else fabric.setup(model, optimizer)
    start = saved = budget.clock()
    spent = run.seconds
    decay_from, total = run.plan if run.plan is not None else _plan(budget, settings)
    interrupted = False
    with own_generator():
        try:
            while run.step < total:
                now = spent + budget.clock() - start
                if decay_from is None and (now >= settings.hold * budget.seconds or run.should_fall()):
                    decay_from, total = _plan(Budget(steps=max(round(run.step / settings.hold), 1)), settings)
                    run.plan = (decay_from, total)
                if now >= 1.25 * budget.seconds:  # the machine slowed down a lot; better late than never
                    break
                share = run.step / total if math.isfinite(total) else now / budget.seconds
                run.advance(inner, stepper, loss, _factor(run.step, decay_from, total, settings.warmup), fabric)
                measured = run.measure(held_out, share) if share >= run.next_share else None
                if watch is not None:
                    watch(Progress(run.step, share, run.train_loss, measured))
                if checkpoint is not None and budget.clock() - saved >= checkpoint_seconds:
                    run.seconds, saved = spent + budget.clock() - start, budget.clock()
                    save_checkpoint(checkpoint, run.snapshot())
        except KeyboardInterrupt:
            interrupted = True
        run.seconds = spent + budget.clock() - start
        if checkpoint is not None:  # before the last measurement, which an unbroken run does not have here
            save_checkpoint(checkpoint, run.snapshot())
        if run.step and (run.history[-1:] or [(-1, 0.0)])[0][0] != run.step:
            run.measure(held_out, 1.0)
    run.finish(best=interrupted)
    return Trained(run.step, run.seconds, run.best_loss, run.best_step, interrupted, run.history)


class _Run:
    """The state of a run: what a checkpoint holds."""

    def __init__(
        self,
        model: nn.Module,
        average: AveragedModel,
        optimizer: torch.optim.AdamW,
        settings: Settings,
        seed: int,
        rows: int,
    ) -> None:
        self.model, self.average, self.optimizer = model, average, optimizer
        self.settings, self.seed, self.rows = settings, seed, rows
        self.step = 0
        self.seconds = 0.0
        self.train_loss = math.nan
        self.failures = 0
        self.best_loss, self.best_step, self.stale = math.inf, 0, 0
        self.next_share = 1.0 / settings.evaluations
        self.plan: tuple[int | None, float] | None = None
        self.history: list[tuple[int, float]] = []
        self.best = self._weights()
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def advance(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss, factor: float, fabric: Any
    ) -> None:
        """One optimizer step at `factor` times the height of the learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * factor
        rng = torch.Generator(next(self.model.parameters()).device).manual_seed(_mix(self.seed, self.step))
        # dropout has no generator of its own
        torch.manual_seed(_mix(self.seed, self.step) ^ 1)  # pyright: ignore[reportUnknownMemberType]
        batch = self._batch()
        if fabric is not None:
            batch = batch[fabric.global_rank :: fabric.world_size]
        model.train()
        with half(next(self.model.parameters()).device, self.settings.bfloat16):
            value = loss(model, batch, rng).mean()
        optimizer.zero_grad(set_to_none=True)
        if fabric is None:
            value.backward()  # pyright: ignore[reportUnknownMemberType]
        else:
            fabric.backward(value)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip, error_if_nonfinite=False)
        self.train_loss = float(value.detach())
        if not (math.isfinite(self.train_loss) and math.isfinite(float(norm))):
            self._recover()
        else:
            self.failures = 0
            optimizer.step()
            self.average.update_parameters(self.model)
        self.step += 1

    def _recover(self) -> None:
        """Go back to the averaged weights after a loss that is not finite; give up when that does not help."""
        self.failures += 1
        if self.failures > 3:
            raise FloatingPointError(
                f"the loss is {self.train_loss} at step {self.step}, for the {self.failures}th time in a row. "
                "Lower the learning rate, or look for values in the data that are not finite"
            )
        with torch.no_grad():
            for own, averaged in zip(self.model.parameters(), self.average.module.parameters(), strict=True):
                own.copy_(averaged)

    def _batch(self) -> Tensor:
        """Row numbers of this step; an epoch visits every row once, in an order that (seed, epoch) gives."""
        size = min(self.settings.batch_size, self.rows)
        epoch, place = divmod(self.step, self._per_epoch())
        if self._order[0] != epoch:
            rng = torch.Generator().manual_seed(_mix(self.seed, -1 - epoch))
            self._order = (epoch, torch.randperm(self.rows, generator=rng))
        return self._order[1][place * size : (place + 1) * size]

    def _per_epoch(self) -> int:
        return self.rows // min(self.settings.batch_size, self.rows)

    def measure(self, held_out: Callable[[nn.Module], float], share: float) -> float:
        """Score the averaged weights on held-out rows and remember the best."""
        self.average.eval()
        with torch.no_grad():
            value = held_out(self.average.module)
        self.history.append((self.step, value))
        self.next_share = (math.floor(share * self.settings.evaluations) + 1) / self.settings.evaluations
        self.stale += 1
        if value < self.best_loss:
            self.best_loss, self.best_step, self.stale = value, self.step, 0
            self.best = self._weights()
        return value

    def should_fall(self) -> bool:
        """Whether the held-out loss has stopped improving, or so many epochs are enough."""
        enough = self.settings.hold * self.settings.max_epochs * self._per_epoch()
        return self.step >= enough or 0 < self.settings.patience <= self.stale

    def finish(self, *, best: bool) -> None:
        """Put the last averaged weights into the model, or the best ones."""
        with torch.no_grad():
            weights = self.best if best else self._weights()
            for parameter, value in zip(self.model.parameters(), weights, strict=True):
                parameter.copy_(value)
        self.model.eval()

    def _weights(self) -> list[Tensor]:
        return [p.detach().clone() for p in self.average.module.parameters()]

    def snapshot(self) -> Checkpoint:
        """Everything that a resumed run needs."""
        tensors: dict[str, Tensor] = {}
        for i, parameter in enumerate(self.model.parameters()):
            tensors[f"model.{i}"] = parameter.detach()
            tensors[f"best.{i}"] = self.best[i]
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"adam.{i}.{key}"] = value
        for i, parameter in enumerate(self.average.module.parameters()):
            tensors[f"average.{i}"] = parameter.detach()
        tensors["averaged"] = self.average.n_averaged
        decay_from, total = self.plan if self.plan is not None else (None, math.inf)
        numbers: dict[str, Any] = {
            "step": self.step,
            "seconds": self.seconds,
            "best_loss": self.best_loss if math.isfinite(self.best_loss) else None,
            "best_step": self.best_step,
            "stale": self.stale,
            "next_share": self.next_share,
            "plan": None if self.plan is None else [decay_from, total],
            "history": self.history,
            "seed": self.seed,
            "rows": self.rows,
        }
        return Checkpoint(tensors, numbers)

    def restore(self, saved: Checkpoint) -> None:
        """Continue from a snapshot."""
        saved.expect("seed", self.seed)
        saved.expect("rows", self.rows)
        with torch.no_grad():
            for i, (own, averaged) in enumerate(
                zip(self.model.parameters(), self.average.module.parameters(), strict=True)
            ):
                own.copy_(saved.tensor(f"model.{i}", own))
                averaged.copy_(saved.tensor(f"average.{i}", averaged))
                self.best[i] = saved.tensor(f"best.{i}", own)
                self.optimizer.state[own] = {
                    key: saved.tensors[f"adam.{i}.{key}"]
                    for key in ("step", "exp_avg", "exp_avg_sq")
                    if f"adam.{i}.{key}" in saved.tensors
                }
        self.average.n_averaged.copy_(saved.tensors["averaged"])
        numbers = saved.numbers
        self.step, self.seconds = int(numbers["step"]), float(numbers["seconds"])
        self.best_loss = math.inf if numbers["best_loss"] is None else float(numbers["best_loss"])
        self.best_step, self.stale = int(numbers["best_step"]), int(numbers["stale"])
        self.next_share = float(numbers["next_share"])
        self.plan = None if numbers["plan"] is None else (numbers["plan"][0], numbers["plan"][1])
        self.history = [(int(step), float(value)) for step, value in numbers["history"]]


def _plan(budget: Budget, settings: Settings) -> tuple[int | None, float]:
    """The step from which the learning rate falls and the last step; unknown at first where time is budgeted.

    Once the share `hold` of the time has passed at step k, the total is round(k / hold), and a budget of that many
    steps starts to fall at step k again.
    """
    if budget.steps is None:
        return None, math.inf
    return round(settings.hold * budget.steps), budget.steps


def _factor(step: int, decay_from: int | None, total: float, warmup: int) -> float:
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    if decay_from is None or step < decay_from:
        return rise
    fall = (step - decay_from) / max(total - decay_from, 1)
    return rise * 0.5 * (1.0 + math.cos(math.pi * min(fall, 1.0)))


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _ema(decay: float) -> Callable[[Any, Any, Any], None]:
    def update(averaged: Any, current: Any, count: Any) -> None:
        weight = 1.0 - min(decay, (1.0 + float(count)) / (10.0 + float(count)))
        torch._foreach_lerp_(averaged, current, weight)  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]

    return update


def _mix(seed: int, step: int) -> int:
    """A well-spread 63-bit seed from two integers (the finalizer of splitmix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + step * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) & (2**64 - 1)
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
    return (z ^ (z >> 31)) >> 1


@contextmanager
def own_generator() -> Generator[None, None, None]:
    """Leave torch's global generator as it was found."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)


@contextmanager
def threads(count: int | None) -> Generator[None, None, None]:
    """Run with `count` torch threads, and restore the number after; None leaves it."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
