"""Constraint problems on the command line: boards and formulas in, verified solutions out."""

import csv
import io
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia._atomic import write_atomically
from intarsia.command import AbstractCommand, Say
from intarsia.report import Report, Table

from ._board import SYMBOLS, format_board
from ._denoiser import parameters_of
from ._files import read_puzzles
from ._problem import Problem
from ._sat_files import read_formulas
from ._stack import as_problems

if TYPE_CHECKING:
    from ._model import ReasoningModel

_FORMULAS = (".cnf", ".dimacs", ".jsonl")
_ODDEST = 3


@dataclass(frozen=True, slots=True)
class Lines:
    """A table to be written: solutions that say which draw they are of, or scores."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)


class ReasoningCommand(AbstractCommand["ReasoningModel"]):
    """Reads boards (`.csv` with a column `puzzle`, or one per line) and formulas (`.cnf`, `.jsonl`), all of one size.

    Conditions are `puzzle=53..7....` for a whole board, or values by variable, `r1c1=5` or `3=true`.
    """

    items = "problems"

    def read(self, source: str, *, like: Any = None, missing: Sequence[str] = (), say: Say) -> list[Problem]:
        if missing:
            raise ValueError("blank cells are written as `.` or 0; leave out --missing")
        formulas = source.removesuffix(".gz").lower().endswith(_FORMULAS)
        problems = read_formulas(source) if formulas else as_problems(read_puzzles(source))
        first = problems[0]
        for number, problem in enumerate(problems, start=1):
            if len(problem) != len(first) or problem.values != first.values:
                raise ValueError(
                    f"problem {number} of {source} has {len(problem)} variables and the first {len(first)}; "
                    "keep sizes apart"
                )
        given = np.array([len(problem.given) for problem in problems])
        what = "" if formulas else f", {given.min()} to {given.max()} of them given"
        say(f"{len(problems):,} problems of kind {first.kind}, {len(first)} variables each{what}")
        return problems

    @contextmanager
    def writer(self, target: str) -> Generator[Callable[[Any], None], None, None]:
        if target != "-":
            if Path(target).suffix.lower() != ".csv":
                raise ValueError(f"solutions are written as .csv, got {target!r}; change the ending")
            if not Path(target).absolute().parent.is_dir():
                raise FileNotFoundError(f"there is no directory {Path(target).absolute().parent}")
        parts: list[Lines] = []
        yield lambda raw: parts.append(lines_of(raw))
        text = io.StringIO()
        for part in parts:
            csv.writer(text, lineterminator="\n").writerows([part.header, *part.rows])
        if target == "-":
            sys.stdout.write(text.getvalue())
        else:
            write_atomically(Path(target), text.getvalue().encode())

    def parse_given(self, model: "ReasoningModel", texts: Mapping[str, str], say: Say) -> Problem:
        cells = dict(texts)
        puzzle = cells.pop("puzzle", None)
        problem = model.default_problem() if puzzle is None else as_problems([puzzle])[0]
        names = {str(name): name for name in problem.variables}
        given: dict[Any, Any] = {}
        for name, text in cells.items():
            if name not in names:
                raise ValueError(f"there is no variable {name!r}; give `puzzle`, or one such as {problem.variables[0]}")
            given[names[name]] = _value(problem, name, text)
        return problem.observe(given)

    def stack(self, draws: Sequence[Any]) -> Lines:
        parts = [lines_of(draw) for draw in draws]
        rows = ((str(number), *row) for number, part in enumerate(parts, start=1) for row in part.rows)
        return Lines(("draw", *parts[0].header), tuple(rows))

    def scores(self, model: "ReasoningModel", raw: Any, *, per_cell: bool, say: Say) -> Lines:
        if per_cell:
            raise ValueError("a solution is scored as a whole; leave out --per-cell")
        nats = model.score_samples(raw)
        oddest = ", ".join(f"{row + 1} ({nats[row]:.2f})" for row in np.argsort(nats, kind="stable")[:_ODDEST])
        say(f"mean bound of the log-likelihood {nats.mean():.3f} nats a solution; lowest in rows {oddest}")
        return Lines(("log_likelihood",), tuple((f"{value:.6f}",) for value in nats))

    def split(self, raw: Any, holdout: float, seed: int) -> tuple[list[Problem], list[Problem]]:
        order = np.random.default_rng(seed).permutation(len(raw)).tolist()
        aside = max(1, round(holdout * len(raw)))
        return [raw[row] for row in order[aside:]], [raw[row] for row in order[:aside]]

    def compare(
        self,
        train: Any,
        holdout: Any,
        synthetic: Any,
        *,
        model: "ReasoningModel | None",
        target: str | None,
        seed: int,
    ) -> Report:
        if model is None:
            raise ValueError("a report is about what a model solves; pass a saved model instead of a file")
        if target is not None:
            raise ValueError("constraint problems have no target column; leave out --target")
        return model.evaluate(train, holdout)

    def describe(self, model: "ReasoningModel") -> Report:
        problem, calibration = model.problem_, getattr(model, "calibration_", None)
        about = {
            "Learned from": "constraint problems" if problem is None else f"{problem.title} and the like",
            "Model": f"factor-graph denoiser of {model.noise.name} noise, {parameters_of(model.network_):,} parameters",
            "Training": training_line(model.training_),
        }
        if calibration is not None:
            about["Confidence"] = f"expected calibration error {calibration.ece:.3f}"
        scores, looks = model.training_.get("scores"), model.training_.get("looks")
        if not scores or not looks:
            return Report(title="Reasoning model", provenance=about)
        rows = [[name, *(f"{share:.1%}" for share in row)] for name, row in scores.items()]
        columns = ["list", *(f"{look} iterations" for look in looks)]
        table = Table(title="Held-out problems solved in one pass", columns=columns, rows=rows)
        return Report(title="Reasoning model", tables=[table], provenance=about)


def training_line(training: Mapping[str, Any]) -> str:
    """What a model learned, in a line."""
    about = training.get("about", training)
    words = [f"{about['step']:,} steps"] if "step" in about else []
    words += [f"{about['steps']:,} steps"] if "steps" in about else []
    words += [f"{about['problems']:,} problems"] if "problems" in about else []
    unsolved = about.get("unsolved_held_out")
    words += [] if unsolved is None else [f"{1 - unsolved:.1%} of {about['held_out']} held-out ones solved in one pass"]
    return ", ".join(words) or "unknown"


def lines_of(raw: Any) -> Lines:
    """Solutions (values by variable) as a table: boards as `puzzle`, formulas as `model`, others a column a variable.

    Problems themselves, as they were read, are written as boards.
    """
    if isinstance(raw, Lines):
        return raw
    rows = [_assignment(item) for item in raw]
    if not rows:
        return Lines(("solution",), ())
    names = tuple(rows[0])
    if _is_board(names):
        return Lines(("puzzle",), tuple((format_board(list(row.values())),) for row in rows))
    if all(isinstance(name, int) for name in names) and all(type(v) is bool for v in rows[0].values()):
        return Lines(("model",), tuple((" ".join(str(k if true else -k) for k, true in row.items()),) for row in rows))
    return Lines(tuple(map(str, names)), tuple(tuple(str(row[name]) for name in names) for row in rows))


def _assignment(item: Any) -> dict[Any, Any]:
    if isinstance(item, Problem):
        return {name: item.given.get(name, 0) for name in item.variables}
    return dict(item)


def _is_board(names: tuple[Any, ...]) -> bool:
    side = int(len(names) ** 0.5)
    cells = tuple(f"r{i}c{j}" for i in range(1, side + 1) for j in range(1, side + 1))
    return names == cells and side <= len(SYMBOLS)


def _value(problem: Problem, name: str, text: str) -> Any:
    """The value that a text means; `true` and `1` are True where values are Boolean."""
    words = {str(value).lower(): value for value in problem.values}
    words |= {str(int(value)): value for value in problem.values if isinstance(value, bool)}
    if text.strip().lower() not in words:
        can = ", ".join(str(value) for value in problem.values[:6])
        raise ValueError(f"{name} is given as {text!r}; it can be {can}")
    return words[text.strip().lower()]
