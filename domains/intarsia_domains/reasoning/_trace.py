"""The steps of a solution, to be stepped through as text or as one HTML page."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from intarsia._atomic import write_atomically

from ._board import default_box, draw_board
from ._problem import Problem

Kind = Literal["given", "single", "search", "model", "remask", "checked"]


@dataclass(frozen=True, slots=True)
class Step:
    """One picture of the way.

    Args:
        state: the index of the value of every variable, -1 where open.
        kind: what made the step: given, a `single` that follows, `search`, the `model`, a `remask` of doubtful
            variables, or the end, `checked`.
        note: why, in one sentence.
        focus: the variables that the step is about.
        certainty: how sure the model is of each variable, from 0 to 1; None without a model.
    """

    state: tuple[int, ...]
    kind: Kind
    note: str
    focus: tuple[int, ...] = ()
    certainty: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps of one problem, the first of which is what was given.

    Args:
        problem: whose variables the steps fill.
        steps: in order.
    """

    problem: Problem
    steps: Sequence[Step]

    def __len__(self) -> int:
        return len(self.steps)

    def text(self, number: int | None = None) -> str:
        """One step, counted from 0, or all of them: a sentence each, and the board at the end."""
        if number is not None:
            if not -len(self.steps) <= number < len(self.steps):
                raise ValueError(f"there are steps 0 to {len(self.steps) - 1}, got {number}")
            return f"{self.steps[number].note}\n{self._draw(self.steps[number])}"
        lines = [f"{i}. {step.note}" for i, step in enumerate(self.steps)]
        return "\n".join([*lines, "", self._draw(self.steps[-1])])

    def _draw(self, step: Step) -> str:
        if self.problem.shape is None:
            held = self.problem.assignment(step.state)
            return "\n".join(f"{name} = {held.get(name, '?')}" for name in self.problem.variables)
        return draw_board([self.problem.values[k] if k >= 0 else 0 for k in step.state], self._box())

    def _box(self) -> tuple[int, int] | None:
        return None if self.problem.kind == "sudoku" else self.problem.shape

    def to_html(self) -> str:
        """One self-contained page: the board, a slider, and the sentence of the step that is shown."""
        data = json.dumps(self._data(), ensure_ascii=True).replace("<", "\\u003c")
        script = _resource("trace.js")
        digest = b64encode(sha256(script.encode()).digest()).decode()
        title = escape(self.problem.title)
        style = files("intarsia.report").joinpath("page.css").read_text(encoding="utf-8") + _resource("trace.css")
        return "\n".join(
            [
                '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
                f"script-src 'sha256-{digest}'; style-src 'unsafe-inline'\">",
                f'<meta name="color-scheme" content="light dark"><title>{title}</title>',
                f"<style>{style}</style></head><body><main>",
                f"<header><h1>{title}</h1><dl>{self._facts()}</dl></header>",
                f'<section><div id="board" class="board"></div>{_CONTROLS}<ol id="notes"></ol></section>',
                f'</main><script type="application/json" id="data">{data}</script>',
                f"<script>{script}</script></body></html>\n",
            ]
        )

    def save(self, path: str | Path) -> None:
        """Write the HTML page; it appears whole or not at all."""
        write_atomically(Path(path), self.to_html().encode("utf-8"))

    def _facts(self) -> str:
        last = self.steps[-1]
        facts = {
            "Variables": len(self.problem),
            "Given": sum(k >= 0 for k in self.steps[0].state),
            "Open at the end": sum(k < 0 for k in last.state),
            "Steps": len(self.steps) - 1,
        }
        return "".join(f"<div><dt>{escape(name)}</dt><dd>{value:,}</dd></div>" for name, value in facts.items())

    def _data(self) -> dict[str, Any]:
        rows, columns = self.problem.shape or (0, 0)
        high, wide = default_box(columns) if self.problem.kind == "sudoku" else (0, 0)
        return {
            "rows": rows,
            "columns": columns,
            "box": [high, wide],
            "names": [str(name) for name in self.problem.variables],
            "values": [str(value) for value in self.problem.values],
            "steps": [
                {"state": s.state, "kind": s.kind, "note": s.note, "focus": s.focus, "certainty": s.certainty}
                for s in self.steps
            ],
        }


_CONTROLS = (
    '<div class="controls"><button id="back" aria-label="step back">&#8249;</button>'
    '<input id="at" type="range" min="0" value="0" aria-label="step">'
    '<button id="on" aria-label="step forward">&#8250;</button><button id="play">Play</button></div>'
    '<p id="note" class="lead" aria-live="polite"></p>'
)


def _resource(name: str) -> str:
    return files("intarsia_domains.reasoning").joinpath(name).read_text(encoding="utf-8")
