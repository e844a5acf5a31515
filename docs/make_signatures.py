"""Signatures of all estimators side by side: `python docs/make_signatures.py` writes `docs/signatures.md`.

The estimators are those that the installed domains declare, so a new domain is a new column. A test demands that the
page in the repository is the one that this makes.
"""

import inspect
import re
from pathlib import Path
from typing import Any

from intarsia.domain import AbstractDomain, installed_domains

PAGE = Path(__file__).with_name("signatures.md")
VERBS = ("fit", "sample", "complete", "score_samples", "evaluate")
SHARED = ("save", "load", "get_params", "set_params", "command", "type_name")

INTRODUCTION = """---
hide: [toc]
---

# Signatures side by side

The constructors and the five verbs of every estimator, made by `docs/make_signatures.py` from the code. A cell is the
default; **required** has none; an empty cell means that the estimator has no such argument. Arguments behind `*` are
given by name. `save(path)`, `load(path)`, `get_params()` and `set_params(…)` are the same everywhere.
"""


def page() -> str:
    """The page, as Markdown."""
    domains = {name: point.load() for name, point in sorted(installed_domains().items())}
    lines = [INTRODUCTION, "| domain | estimator |", "|---|---|"]
    lines += [f"| {name} | `{kind.__module__.partition('._')[0]}.{kind.__name__}` |" for name, kind in domains.items()]
    lines += ["", "## Constructors", "", *_table({kind.__name__: kind for kind in domains.values()}, "parameter")]
    for verb in VERBS:
        methods = {kind.__name__: getattr(kind, verb) for kind in domains.values()}
        lines += ["", f"## {verb}", "", *_table(methods, "argument")]
        lines += [f"| *returns* | {' | '.join(_returned(method) for method in methods.values())} |"]
    lines += ["", "## Verbs of their own", "", "| estimator | verb |", "|---|---|"]
    for kind in domains.values():
        lines += [f"| `{kind.__name__}` | {call} |" for call in _own(kind)]
    return "\n".join(lines) + "\n"


def _table(callables: dict[str, Any], what: str) -> list[str]:
    signatures = {name: inspect.signature(made).parameters for name, made in callables.items()}
    own = [p for p in dict.fromkeys(name for found in signatures.values() for name in found) if p != "self"]
    own.sort(key=lambda p: -sum(p in found for found in signatures.values()))
    lines = [f"| {what} | {' | '.join(f'`{name}`' for name in signatures)} |", "|---|" + "---|" * len(signatures)]
    for name in own:
        cells = (_cell(found[name]) if name in found else "" for found in signatures.values())
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def _cell(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return "`**`"
    star = "\\* " if parameter.kind is inspect.Parameter.KEYWORD_ONLY else ""
    if parameter.default is inspect.Parameter.empty:
        return f"{star}**required**"
    return f"{star}`{_escaped(_short(parameter.default))}`"


def _short(default: Any) -> str:
    """A default without the arguments that are defaults themselves."""
    text = repr(default)
    return text if len(text) <= 40 else f"{type(default).__name__}(…)"


def _returned(method: Any) -> str:
    annotation = inspect.signature(method).return_annotation
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    if not isinstance(annotation, type) and not isinstance(annotation, str):
        text = re.sub(r"\b(?:\w+\.)+", "", str(annotation))
    return f"`{_escaped(text)}`"


def _own(kind: type[AbstractDomain]) -> list[str]:
    """Public methods that are neither verbs nor shared, as calls."""
    calls = list[str]()
    for name, member in vars(kind).items():
        if name.startswith("_") or name in (*VERBS, *SHARED):
            continue
        if inspect.isfunction(member) or isinstance(member, classmethod):
            arguments = ", ".join(_argument(p) for p in _parameters(getattr(kind, name)))
            calls.append(f"`{name}({_escaped(arguments)})`")
    return calls


def _parameters(method: Any) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(method).parameters.values() if p.name != "self"]


def _argument(parameter: inspect.Parameter) -> str:
    prefix = {inspect.Parameter.VAR_KEYWORD: "**", inspect.Parameter.VAR_POSITIONAL: "*"}.get(parameter.kind, "")
    empty = parameter.default is inspect.Parameter.empty
    return f"{prefix}{parameter.name}" if empty else f"{parameter.name}={_short(parameter.default)}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
