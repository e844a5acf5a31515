"""Training of a factor-graph denoiser: deep supervision of states that are carried from step to step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from intarsia.training import Budget, Settings, Trained, Watch, train

from ._clashes import clashes
from ._denoiser import Belief, FactorGraphDenoiser
from ._factor_graph import FactorGraph
from ._lessons import Lessons, Teacher


@dataclass(frozen=True, slots=True)
class Curriculum:
    """How lessons are worked through.

    A batch of lessons is worked on at once; an optimizer step does `iterations` with a gradient, from where the last
    step left each lesson, whose past has none (deep supervision with detached carry). So no iteration is spent
    without learning from it, and hard lessons get deep ones.

    Args:
        batch: lessons at a time.
        iterations: of a step.
        leave: chance at every step that an unsolved lesson is given up, so that depths differ.
        leave_solved: chance that a solved one is; the others teach to stay at the solution.
        revise: chance that a lesson that is given up comes back with the network's own answer filled in, so that it
            learns to mend its mistakes (the uniform part of a mixed noise).
        beta: weight of hard variables, (1 - exp(-u))^beta of the cross-entropy u; 0 for none (multi-granularity).
        solved, settled: weights of the losses of the two confidence heads.
    """

    batch: int = 64
    iterations: int = 4
    leave: float = 0.1
    leave_solved: float = 0.5
    revise: float = 0.5
    beta: float = 0.0
    solved: float = 0.5
    settled: float = 1.0


SETTINGS = Settings(
    batch_size=64, learning_rate=2e-3, weight_decay=0.05, warmup=200, hold=0.8, ema=0.999, bfloat16=False,
    evaluations=12, patience=0, max_epochs=10**9,
)  # fmt: skip


class Workbook:
    """The lessons in progress and their states: the loss of a training step."""

    def __init__(self, teacher: Teacher, curriculum: Curriculum) -> None:
        self.teacher, self.curriculum = teacher, curriculum
        self.seen = 0
        self.solved = 0.0
        self._lessons: Lessons | None = None
        self._state = torch.empty(0)
        self._graph: FactorGraph = teacher.graph

    def loss(self, model: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        """Nats per lesson after some more iterations on all of them, (batch,)."""
        network = _network(model)
        if self._lessons is None:
            self._begin(network, rng)
        lessons = self._lessons
        assert lessons is not None
        known = lessons.shown.marks(lessons.domains)
        state = network.iterate(self._graph, self._state, known, self.curriculum.iterations, rng)
        belief = self.teacher.noise.judge(network.read(state, lessons.domains), lessons.shown)
        right = clashes(self._graph, lessons.domains, belief.states).none
        loss = supervised(belief, lessons, right, self.curriculum)
        self._state = state.detach()
        self.solved = float(right.float().mean())
        self._replace(network, belief.states, right, rng)
        return loss

    def _begin(self, network: FactorGraphDenoiser, rng: torch.Generator) -> None:
        device = next(network.parameters()).device
        self._lessons = self.teacher.draw(self.curriculum.batch, rng).to(device)
        self._state = network.start(self._lessons.domains, rng)
        self._graph = self._lessons.graph(self.teacher.graph.to(device))
        self.seen += self.curriculum.batch

    def _replace(self, network: FactorGraphDenoiser, states: Tensor, right: Tensor, rng: torch.Generator) -> None:
        """Put new lessons in the place of those that are done."""
        old, plan = self._lessons, self.curriculum
        assert old is not None
        chance = torch.where(right, plan.leave_solved, plan.leave)
        draw = torch.rand((2, len(right)), generator=rng, device=right.device)
        leaves = draw[0] < chance
        again = leaves & ~right & (draw[1] < plan.revise)
        fresh = leaves & ~again
        domains, x0, at_least = old.domains.clone(), old.x0.clone(), old.at_least
        xt, trust = old.xt.clone(), None if old.trust is None else old.trust.clone()
        mistaken = self.teacher.noise.revise(states[again], rng)
        xt[again] = mistaken.xt
        if trust is not None and mistaken.trust is not None:
            trust[again] = mistaken.trust
        count = int(fresh.sum())
        if count:
            new = self.teacher.draw(count, rng).to(xt.device)
            domains[fresh], x0[fresh], xt[fresh] = new.domains, new.x0, new.xt
            if at_least is not None and new.at_least is not None:
                at_least = at_least.clone()
                at_least[fresh] = new.at_least
            if trust is not None and new.trust is not None:
                trust[fresh] = new.trust
            self.seen += count
        state = self._state.clone()
        state[leaves] = network.start(domains[leaves], rng)
        self._state, self._lessons = state, Lessons(domains, x0, xt, at_least, trust)
        self._graph = self._lessons.graph(self._graph)


def supervised(belief: Belief, lessons: Lessons, right: Tensor, plan: Curriculum) -> Tensor:
    """Cross-entropy of the variables that are not observed, and of what the network thinks of its answer, (batch,)."""
    free = (lessons.domains.sum(-1) > 1).float()
    share = free / free.sum(-1, keepdim=True).clamp(min=1.0)
    nats = functional.cross_entropy(belief.logits.transpose(1, 2), lessons.x0, reduction="none")
    if plan.beta:
        nats = nats * (-torch.expm1(-nats)).clamp(min=1e-12).pow(plan.beta)
    hits = (belief.states == lessons.x0).float()
    settled = functional.binary_cross_entropy_with_logits(belief.settled, hits, reduction="none")
    solved = functional.binary_cross_entropy_with_logits(belief.solved, right.float(), reduction="none")
    return ((nats + plan.settled * settled) * share).sum(-1) + plan.solved * solved


def fit_denoiser(
    network: FactorGraphDenoiser,
    teacher: Teacher,
    budget: Budget,
    held_out: Callable[[nn.Module], float],
    *,
    curriculum: Curriculum = Curriculum(),
    settings: Settings = SETTINGS,
    seed: int = 0,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 120.0,
    book: Workbook | None = None,
) -> tuple[Trained, Workbook]:
    """Train in place by the engine's loop; a run that resumes starts with new lessons, kept in `book`."""
    book = Workbook(teacher, curriculum) if book is None else book
    trained = train(
        network,
        book.loss,
        curriculum.batch,
        held_out,
        budget,
        replace(settings, batch_size=curriculum.batch),
        seed=seed,
        watch=watch,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
    )
    return trained, book


def _network(model: nn.Module) -> FactorGraphDenoiser:
    if not isinstance(model, FactorGraphDenoiser):
        raise TypeError(f"expected a FactorGraphDenoiser, got {type(model).__name__}")
    return model
