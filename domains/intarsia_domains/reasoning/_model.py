"""`ReasoningModel`: learns to solve constraint problems of a kind, and proposes what the checker then accepts."""

import copy
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor

from intarsia.command import AbstractCommand
from intarsia.diffusion import Diffusion
from intarsia.domain import AbstractDomain
from intarsia.persistence import Artifact, load_artifact, rebuilding, save_artifact, state_into
from intarsia.progress import shown, tracked
from intarsia.report import Report
from intarsia.training import Budget, threads

from ._arrays import given_state
from ._calibration import Calibration, calibrated, scaled
from ._check import check
from ._denoiser import FactorGraphDenoiser
from ._drawing import draw_solutions
from ._factor_graph import FactorGraph, batches
from ._generate import Puzzles, generate_sudoku
from ._ladder import Climb, Climber, Ladder
from ._learning import learn
from ._model_card import card
from ._noises import AbstractNoise, Masks, noise_from_json, noise_to_json
from ._problem import Problem
from ._problem_json import problem_from_json, problem_to_json
from ._propagate import Propagator
from ._proposer import Proposal
from ._solution import Solution
from ._solve import Mode, solve_all
from ._stack import as_problems, stack
from ._training import Curriculum
from ._weights import build_network, shape_of

BATCH = 128
"""Problems that the network works on at once."""
SHIPPED = Path(__file__).parent / "weights" / "sudoku"


class ReasoningModel(AbstractDomain):
    """A denoiser of the variables of constraint problems, and the ways to solve with it.

    One set of weights serves every size and every problem of all-different groups, or of clauses: what is learned is
    about constraints, not about places or symbols. The model proposes and the exact checker disposes: nothing it gets
    wrong is ever called solved.

    Args:
        minutes: wall-clock budget of `fit`; ignored where `cpu_minutes` or `steps` is given.
        cpu_minutes: budget in CPU minutes of this process.
        steps: budget in optimizer steps; the same steps, seed and threads give the same weights.
        width: of the state of an atom, a pair of variable and value.
        hidden: of the network's gated MLP.
        noise: `Masks()`, or `Flips()`, XOR noise for problems whose variables are all Boolean.
        ladder: how far neural solving goes.
        curriculum: how training works through its lessons.
        threads: torch threads; None leaves torch's own number.
        device: where the network runs.
        progress: show a progress bar; None only on a terminal.
        seed: of fitting and of the random states that solving starts from.
    """

    def __init__(
        self,
        *,
        minutes: float = 30.0,
        cpu_minutes: float | None = None,
        steps: int | None = None,
        width: int = 48,
        hidden: int = 96,
        noise: AbstractNoise = Masks(),
        ladder: Ladder = Ladder(),
        curriculum: Curriculum = Curriculum(),
        threads: int | None = None,
        device: str = "cpu",
        progress: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.minutes = minutes
        self.cpu_minutes = cpu_minutes
        self.steps = steps
        self.width = width
        self.hidden = hidden
        self.noise = noise
        self.ladder = ladder
        self.curriculum = curriculum
        self.threads = threads
        self.device = device
        self.progress = progress
        self.seed = seed

    def fit(self, raw: Any, solutions: Any = None) -> Self:
        """Learn to solve problems of a kind. A tenth of them is set aside to choose weights and to calibrate.

        Args:
            raw: problems that share their variables and values, or Sudoku boards as text.
            solutions: indices of values (n, variables); None has the hybrid solver find them.

        Raises:
            ValueError: a problem has no solution (it is named), or a solution breaks a constraint.
        """
        problems = as_problems(raw)
        network = build_network({"width": self.width, "hidden": self.hidden}, self.seed).to(self.device)
        with shown(self.progress, "fit") as watch, threads(self.threads):
            trained, held_out = learn(
                network,
                problems,
                solutions,
                Budget.of(self.minutes, self.cpu_minutes, self.steps),
                self.curriculum,
                self.noise,
                self.seed,
                watch,
            )
        self.network_: FactorGraphDenoiser = network
        self.problem_: Problem | None = problems[0].structure
        self.temperature_, self.shift_ = 1.0, 0.0
        self.training_: dict[str, Any] = {
            "problems": len(problems) - len(held_out),
            "held_out": len(held_out),
            "steps": trained.steps,
            "unsolved_held_out": trained.best_loss if np.isfinite(trained.best_loss) else None,
            "seed": self.seed,
        }
        if held_out:
            self.calibrate(held_out)
        trained.warn_if_interrupted()
        return self

    @classmethod
    def of(cls, network: FactorGraphDenoiser, problem: Problem, training: dict[str, Any], **parameters: Any) -> Self:
        """A model from a network that was trained elsewhere."""
        model = cls(width=network.width, hidden=network.hidden, **parameters)
        model.network_, model.problem_ = network, problem.structure
        model.training_, model.temperature_, model.shift_ = training, 1.0, 0.0
        return model

    @classmethod
    def shipped(cls) -> Self:
        """The Sudoku model that comes with the package; raises FileNotFoundError where none does."""
        if not SHIPPED.is_dir():
            raise FileNotFoundError(
                f"no model ships with this installation; fit one, or load one ({SHIPPED} is missing)"
            )
        return copy.copy(cast(Self, _shipped(cls)))

    def solve(
        self, problems: Any, *, mode: Mode = "neural", budget: float | None = None, ladder: Ladder | None = None
    ) -> Any:
        """Solve problems, in order; what is SAT is verified, what the network cannot do is UNKNOWN.

        Args:
            problems: one problem or board, or a list.
            mode: `neural` climbs the ladder; `hybrid` searches completely, ordered by the network; `exact` needs none.
            budget: seconds for each problem.
            ladder: instead of the model's own.

        Returns:
            A `Solution`, or a list of them for a list.
        """
        self._fitted("network_")
        asked = as_problems(problems)
        proposer = self if ladder is None else copy.copy(self).set_params(ladder=ladder)
        answers = solve_all(asked, mode=mode, budget=budget, model=proposer)
        return answers[0] if isinstance(problems, str | Problem) else answers

    def propose(self, problem: Problem, possible: np.ndarray, seconds: float | None = None) -> Proposal:
        """Answers that have yet to be checked; see `Proposer`."""
        limit = None if seconds is None else seconds * len(possible)
        climb = self._climb(problem, possible, self.ladder, limit)
        return Proposal(climb.states.cpu().numpy(), scaled(climb.logit, self.temperature_, self.shift_))

    def marginals(self, problem: Problem, possible: np.ndarray) -> np.ndarray:
        """Probabilities of values after one pass, (batch, variables, values); see `Proposer`."""
        once = Ladder(iterations=min(32, self.ladder.iterations or 32), restarts=0, mends=0)
        return self._climb(problem, possible, once, None).marginals.cpu().numpy()

    def sample(self, n: int, *, given: Any = None, seed: int = 0, distinct: bool = True) -> list[dict[Any, Any]]:
        """Draw solutions, each verified by the exact checker, as values by variable.

        Args:
            n: how many.
            given: a problem or board, whose solutions are drawn; None draws of the structure that was learned.
            seed: the same seed and model give the same draws.
            distinct: no solution twice.

        Raises:
            ValueError: `n` is negative, or so many solutions were not found.
        """
        self._fitted("network_")
        if n < 0:
            raise ValueError(f"`n` must not be negative, got {n}")
        problem = self.default_problem() if given is None else as_problems([given])[0]
        states = draw_solutions(self._network(), problem, n, distinct=distinct, seed=seed, device=self.device)
        return [problem.assignment(row.tolist()) for row in states]

    def complete(self, raw: Any, *, seed: int = 0) -> list[dict[Any, Any]]:
        """A solution of each problem, by a complete search that the network orders, as values by variable.

        Raises:
            ValueError: a problem has none; it is named by its number.
        """
        answers = cast(list[Solution], self.solve(as_problems(raw), mode="hybrid"))
        for number, answer in enumerate(answers, start=1):
            if answer.values is None:
                raise ValueError(f"problem {number} cannot be completed: {answer.note or answer.status}")
        return [dict(answer.values) for answer in answers if answer.values is not None]

    def score_samples(self, raw: Any, *, samples: int = 4, seed: int = 0) -> np.ndarray:
        """Lower bounds of log p(solution) in nats under the model's noise, (n,), of fully given problems."""
        network, problems = self._network(), as_problems(raw)
        scores = [np.zeros(0)]
        for rows in tracked(list(batches(len(problems), BATCH)), self.progress, "score"):
            part = problems[rows]
            x0 = torch.tensor([given_state(problem) for problem in part], device=self.device)
            if bool((x0 < 0).any()):
                raise ValueError(
                    f"problem {rows.start + 1} or one after it is not fully given; scores are of solutions"
                )
            graph, possible = stack([problem.structure for problem in part])
            diffusion = Diffusion(self.noise.process(part[0]), self.noise.denoiser(network))
            rng = torch.Generator(self.device).manual_seed(seed)
            cond = (graph.to(self.device), possible.to(self.device))
            scores.append(-diffusion.nelbo(x0, cond, samples=samples, rng=rng).total.cpu().numpy())
        return np.concatenate(scores)

    def calibrate(self, problems: Any) -> Calibration:
        """Scale the confidence on problems that were not learned from, by what one pass gets right.

        Raises:
            ValueError: there is no problem.
        """
        asked = as_problems(problems)
        every = self.ladder.every if self.noise.moves else self.ladder.iterations or 1
        once = Ladder(self.ladder.iterations, every, restarts=0, mends=0)
        logits: list[Tensor] = []
        right: list[Tensor] = []
        for rows in batches(len(asked), BATCH):
            graph, possible = stack(asked[rows])
            climb = self._ascend(graph, possible, once, None, None)
            given = np.array([given_state(problem) for problem in asked[rows]])
            states = climb.states.cpu().numpy()
            valid = [bool(check(p, s, g).valid[0]) for p, s, g in zip(asked[rows], states, given, strict=True)]
            logits.append(climb.logit.cpu())
            right.append(torch.tensor(valid))
        found = calibrated(torch.cat(logits or [torch.zeros(0)]), torch.cat(right or [torch.zeros(0)]))
        self.temperature_, self.shift_, self.calibration_ = found.temperature, found.shift, found
        return found

    def generate(
        self,
        n: int = 1,
        *,
        clues: int | None = None,
        difficulty: tuple[int, int] | None = None,
        unique: bool = True,
        size: int = 9,
        seed: int = 0,
    ) -> Puzzles:
        """New Sudoku puzzles.

        With `unique` see `generate_sudoku`; without it so many random cells of grids that the model draws.

        Raises:
            ValueError: an argument is out of range or contradicts another.
        """
        if unique:
            return generate_sudoku(n, clues=clues, difficulty=difficulty, size=size, seed=seed)
        if difficulty is not None or clues is None or not 0 <= clues <= size * size:
            raise ValueError(f"without `unique`, give `clues` from 0 to {size * size} and no `difficulty`, got {clues}")
        from .presets import sudoku

        problem = sudoku(size)
        states = draw_solutions(self._network(), problem, n, distinct=False, seed=seed, device=self.device)
        hidden = np.random.default_rng(seed).random(states.shape).argsort(1).argsort(1) >= clues
        return Puzzles(np.where(hidden, 0, states + 1), states + 1, np.full(n, -1))

    def evaluate(self, train: Any, holdout: Any) -> Report:
        """Shares of problems solved, beside what propagation alone does and what is solved of the training problems."""
        from ._evaluation import evaluate

        self._fitted("network_")
        return evaluate(self, as_problems(train), as_problems(holdout))

    def save(self, path: str | Path) -> None:
        """Write a saved model; see `intarsia.persistence.save_artifact`."""
        network = self._network()
        parameters = {
            k: v
            for k, v in self.get_params().items()
            if k not in ("noise", "ladder", "curriculum", "progress", "device")
        }
        config = {
            "parameters": {**parameters, "ladder": asdict(self.ladder), "curriculum": asdict(self.curriculum)},
            "network": shape_of(network),
            "noise": noise_to_json(self.noise),
            "temperature": self.temperature_,
            "shift": self.shift_,
            "training": self.training_,
        }
        problem = None if self.problem_ is None else problem_to_json(self.problem_)
        weights = dict(network.state_dict())
        save_artifact(path, Artifact(self.type_name(), config, {"problem": problem}, weights, card(self)))

    @classmethod
    def command(cls) -> AbstractCommand[Any]:
        from ._command import ReasoningCommand

        return ReasoningCommand()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model.

        Raises:
            ArtifactError: it is damaged, hostile, or of another type.
        """
        artifact = load_artifact(path, type=cls.type_name())
        with rebuilding(path, "reasoning model"):
            saved = dict(artifact.config["parameters"])
            saved |= {"ladder": Ladder(**saved["ladder"]), "curriculum": Curriculum(**saved["curriculum"])}
            model = cls(**saved, noise=noise_from_json(artifact.config.get("noise")))
            network = build_network(_sane(artifact.config["network"]))
            model.temperature_ = float(artifact.config["temperature"])
            model.shift_ = float(artifact.config["shift"])
            model.training_ = dict(artifact.config["training"])
            problem = artifact.codec["problem"]
            model.problem_ = None if problem is None else problem_from_json(problem)
        state_into(network, artifact.weights, path)
        model.network_ = network.eval()
        return model

    def _climb(self, problem: Problem, possible: np.ndarray, ladder: Ladder, seconds: float | None) -> Climb:
        graph, _ = stack([problem.structure])
        return self._ascend(graph, torch.from_numpy(np.asarray(possible, dtype=bool)), ladder, seconds, problem)

    def _ascend(
        self, graph: FactorGraph, possible: Tensor, ladder: Ladder, seconds: float | None, problem: Problem | None
    ) -> Climb:
        """Climb in batches; the propagator is built where a rung asks for it."""
        narrow = Propagator(problem) if problem is not None and (ladder.narrow or ladder.dives) else None
        network, rng = self._network(), torch.Generator(self.device).manual_seed(self.seed)
        graph, total = graph.to(self.device), len(possible)
        parts: list[Climb] = []
        with threads(self.threads):
            for rows in batches(total, BATCH):
                limit = None if seconds is None else seconds * (rows.stop - rows.start) / total
                inside = torch.arange(rows.start, rows.stop, device=self.device)
                climber = Climber(
                    network,
                    graph.rows(inside),
                    possible[rows].to(self.device),
                    narrow=narrow,
                    noise=self.noise,
                    rng=rng,
                    seconds=limit,
                )
                parts.append(climber.climb(ladder))
        return Climb.join(parts)

    def _network(self) -> FactorGraphDenoiser:
        network: FactorGraphDenoiser = self._fitted("network_")
        return network.to(self.device)

    def default_problem(self) -> Problem:
        """The structure that was learned; raises ValueError where none is known."""
        if self.problem_ is None:
            raise ValueError("this model does not know a problem of its own; pass one as `given`")
        return self.problem_


@lru_cache(maxsize=1)
def _shipped(kind: type[ReasoningModel]) -> ReasoningModel:
    return kind.load(SHIPPED)


def _sane(shape: dict[str, Any]) -> dict[str, Any]:
    """The shape of a network of at most some million parameters; raises ValueError for others."""
    if not (1 <= int(shape["width"]) <= 1024 and 1 <= int(shape["hidden"]) <= 4096):
        raise ValueError(f"a network of width {shape['width']} and hidden width {shape['hidden']} is out of range")
    return {k: shape[k] for k in ("width", "hidden", "iterations", "noise")}


def states_of(solutions: Sequence[Solution], problems: Sequence[Problem]) -> np.ndarray:
    """Indices of values of solutions, -1 where there is none, (n, variables)."""
    return np.array([p.state(s.values or {}) for s, p in zip(solutions, problems, strict=True)])
