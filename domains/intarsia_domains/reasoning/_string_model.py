"""`StringModel`: learns to write answers of arithmetic problems as strings, and returns those that are verified."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from intarsia.diffusion import Diffusion
from intarsia.domain import AbstractDomain
from intarsia.objectives import AbstractObjective, MultiGranularity
from intarsia.persistence import Artifact, load_artifact, rebuilding, save_artifact, state_into
from intarsia.progress import shown
from intarsia.report import Report
from intarsia.training import Budget, threads

from ._addition_strings import AdditionStrings
from ._countdown_strings import CountdownStrings
from ._exact import check_seconds
from ._solution import Solution
from ._string_network import QuestionTransformer, build_string_network
from ._string_report import evaluate_strings, string_card
from ._string_solving import PROCESS, Attempts, draw_answers, judge, solve_strings
from ._string_training import learn_strings
from ._strings import AbstractStrings, Strings

_KINDS: dict[str, Callable[..., AbstractStrings]] = {"countdown": CountdownStrings, "addition": AdditionStrings}
_BATCH = 1_024
_WASTED = 8
"""Batches of draws without anything new after which drawing ends."""


class StringModel(AbstractDomain):
    """Absorbing diffusion over the characters of an answer, given a question: Countdown and addition.

    Every character is masked with the same chance, so the network learns to write in any order (Ye et al. 2025, MGDM,
    arXiv 2410.14157). The model proposes and the exact checker disposes.

    Args:
        strings: the kind of problems, `CountdownStrings` or `AdditionStrings`.
        minutes: wall-clock budget of `fit`; ignored where `cpu_minutes` or `steps` is given.
        cpu_minutes: budget in CPU minutes of this process.
        steps: budget in optimizer steps; the same steps, seed and threads give the same weights.
        lessons: how many problems are made to learn from.
        width, depth, heads: of the transformer.
        objective: what training minimizes; only `fit` reads it, and a saved model forgets it.
        attempts: how answers are drawn where `solve` is not told otherwise; a saved model forgets it.
        threads: torch threads; None leaves torch's own number.
        device: where the network runs.
        progress: show a progress bar; None only on a terminal.
        seed: of lessons, fitting and draws.
    """

    def __init__(
        self,
        *,
        strings: AbstractStrings = CountdownStrings(),
        minutes: float = 10.0,
        cpu_minutes: float | None = None,
        steps: int | None = None,
        lessons: int = 200_000,
        width: int = 128,
        depth: int = 4,
        heads: int = 4,
        objective: AbstractObjective = MultiGranularity(),
        attempts: Attempts = Attempts(),
        threads: int | None = None,
        device: str = "cpu",
        progress: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.strings = strings
        self.minutes = minutes
        self.cpu_minutes = cpu_minutes
        self.steps = steps
        self.lessons = lessons
        self.width = width
        self.depth = depth
        self.heads = heads
        self.objective = objective
        self.attempts = attempts
        self.threads = threads
        self.device = device
        self.progress = progress
        self.seed = seed

    def fit(self, raw: Any = None) -> Self:
        """Learn from fresh problems, or from pairs of a question and its answer; a part is set aside for the curve.

        Raises:
            ValueError: there are fewer than two lessons, or an answer is wrong; it is named.
        """
        lessons = self.strings.lessons(self.lessons, self.seed) if raw is None else self._right(raw)
        if len(lessons) < 2:
            raise ValueError(f"learning needs at least two problems, got {len(lessons)}")
        network = build_string_network(self.strings, self._shape(), self.seed).to(self.device)
        with shown(self.progress, "fit") as watch, threads(self.threads):
            trained, curve = learn_strings(
                network,
                self.strings,
                lessons,
                Budget.of(self.minutes, self.cpu_minutes, self.steps),
                self.objective,
                self.seed,
                watch,
            )
        self.network_: QuestionTransformer = network
        self.curve_: list[dict[str, float]] = curve
        self.training_: dict[str, Any] = {
            "lessons": len(lessons),
            "steps": trained.steps,
            "seconds": round(trained.seconds, 1),
            "objective": repr(self.objective),
            "seed": self.seed,
        }
        trained.warn_if_interrupted()
        return self

    def solve(
        self, questions: Sequence[Any], *, budget: float | None = None, attempts: Attempts | None = None, seed: int = 0
    ) -> list[Solution]:
        """Answer questions, in order; what is SAT is verified, everything else is UNKNOWN.

        Args:
            questions: such as `([44, 19, 35], 54)` for Countdown or `(17, 25)` for addition.
            budget: seconds for each question.
            attempts: instead of the model's own.
            seed: of the draws.

        Returns:
            Solutions, with the values of the preset problem, and in `nodes` the number of draws.
        """
        rng = torch.Generator(self.device).manual_seed(seed)
        attempts = self.attempts if attempts is None else attempts
        with threads(self.threads):
            network = self._network()
            return solve_strings(self.strings, network, questions, attempts, rng, seconds=check_seconds(budget))

    def sample(self, n: int, *, given: Any = None, seed: int = 0, distinct: bool = True) -> list[str]:
        """Draw verified answers to one question, as text.

        Raises:
            ValueError: no question is given, `n` is negative, or so many answers were not found.
        """
        if given is None or n < 0:
            raise ValueError(f"`given` is the question whose answers are drawn and n at least 0, got {given!r} and {n}")
        rng, problem = torch.Generator(self.device).manual_seed(seed), self.strings.problem(given)
        asked = self.strings.ask([given]).repeat(max(32, min(n, 256)), 0)
        found: list[str] = []
        wasted = 0
        while len(found) < n:
            before = len(found)
            drawn = draw_answers(self.strings, self._network(), asked, self.attempts, rng)
            texts = [self.strings.read(answer) for answer in drawn]
            right = [text for text in texts if judge(self.strings, problem, text).valid]
            found = list(dict.fromkeys([*found, *right])) if distinct else [*found, *right]
            wasted = 0 if len(found) > before else wasted + 1
            if wasted >= _WASTED:
                kind = "different answers" if distinct else "answers"
                raise ValueError(f"found {len(found)} {kind} of the {n} that were asked for; ask for fewer")
        return found[:n]

    def complete(self, raw: Any, *, seed: int = 0) -> list[dict[Any, Any]]:
        """A solution of every question, as values by variable; raises ValueError for one that was not found."""
        answers = self.solve(raw, seed=seed)
        for number, answer in enumerate(answers, start=1):
            if answer.values is None:
                raise ValueError(f"question {number} was not solved: {answer.note}")
        return [dict(answer.values) for answer in answers if answer.values is not None]

    def score_samples(self, raw: Any, *, samples: int = 8, seed: int = 0) -> np.ndarray:
        """Lower bounds of log p(answer | question) in nats, (n,), of pairs of question and answer, right or wrong."""
        diffusion, written = Diffusion(PROCESS, self._network()), self._written(raw)
        rng = torch.Generator(self.device).manual_seed(seed)
        scores = [np.zeros(0)]
        for start in range(0, len(written), _BATCH):
            part = written.take(np.arange(start, min(start + _BATCH, len(written))))
            x0, cond = (torch.from_numpy(classes).to(self.device) for classes in (part.answers, part.questions))
            scores.append(-diffusion.nelbo(x0, cond, samples=samples, rng=rng).total.cpu().numpy())
        return np.concatenate(scores)

    def evaluate(self, train: Any, holdout: Any) -> Report:
        """Shares of questions solved alone and with rules, beside questions learned from and luck without a network.

        Args:
            train: questions that were learned from, such as some of `model.strings.lessons`.
            holdout: questions of a test; their targets are best excluded from the lessons of Countdown.
        """
        self._fitted("network_")
        return evaluate_strings(self, train, holdout)

    def save(self, path: str | Path) -> None:
        """Write a saved model; see `intarsia.persistence.save_artifact`."""
        network = self._network()
        forgotten = ("strings", "objective", "attempts", "progress", "device")
        config = {
            "parameters": {k: v for k, v in self.get_params().items() if k not in forgotten},
            "training": self.training_,
            "curve": self.curve_,
        }
        codec = {"strings": self.strings.to_json()}
        save_artifact(path, Artifact(self.type_name(), config, codec, dict(network.state_dict()), string_card(self)))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model.

        Raises:
            ArtifactError: it is damaged, hostile, or of another type.
        """
        artifact = load_artifact(path, type=cls.type_name())
        with rebuilding(path, "string model"):
            model = cls(strings=_strings_from_json(artifact.codec["strings"]), **artifact.config["parameters"])
            network = build_string_network(model.strings, _sane(model._shape()))
            model.training_ = dict(artifact.config["training"])
            model.curve_ = [dict(point) for point in artifact.config["curve"]]
        state_into(network, artifact.weights, path)
        model.network_ = network.eval()
        return model

    def _shape(self) -> dict[str, Any]:
        return {"width": self.width, "depth": self.depth, "heads": self.heads}

    def _network(self) -> QuestionTransformer:
        network: QuestionTransformer = self._fitted("network_")
        return network.to(self.device)

    def _written(self, raw: Any) -> Strings:
        """Pairs of questions and answers as classes."""
        rows: list[np.ndarray] = [np.zeros((0, self.strings.answer_sites), dtype=np.int64)]
        for number, (_, answer) in enumerate(raw, start=1):
            try:
                rows.append(self.strings.write(answer)[None])
            except ValueError as error:
                raise ValueError(f"answer {number}: {error}") from None
        return Strings(self.strings.ask([question for question, _ in raw]), np.concatenate(rows))

    def _right(self, raw: Any) -> Strings:
        """`_written`, if every answer solves its question."""
        written = self._written(raw)
        for number, (question, answer) in enumerate(raw, start=1):
            judged = judge(self.strings, self.strings.problem(question), answer)
            if not judged.valid:
                raise ValueError(f"answer {number} is wrong: {judged.note}")
        return written


def _strings_from_json(saved: dict[str, Any]) -> AbstractStrings:
    """The inverse of `AbstractStrings.to_json`; raises ValueError for a kind that is not known."""
    make = _KINDS.get(saved["kind"])
    if make is None:
        raise ValueError(f"there are no strings of kind {saved['kind']!r}; there are {', '.join(_KINDS)}")
    own = {name: tuple(value) if isinstance(value, list) else value for name, value in saved.items() if name != "kind"}
    return make(**own)


def _sane(shape: dict[str, Any]) -> dict[str, Any]:
    """The shape of a network that fits into memory; raises ValueError for others."""
    if not (1 <= int(shape["width"]) <= 2048 and 1 <= int(shape["depth"]) <= 64 and int(shape["heads"]) >= 1):
        raise ValueError(f"a network of {shape} is out of range")
    return shape
