"""A report as Markdown."""

import re
from collections.abc import Iterable, Mapping, Sequence

from intarsia.report._model import Metric, Table, number, texts
from intarsia.report._verdict import verdict


def to_markdown(
    title: str,
    metrics: Sequence[Metric],
    tables: Sequence[Table],
    notes: Sequence[str],
    provenance: Mapping[str, str],
) -> str:
    """Headings, one table of metrics, the other tables, and notes."""
    parts = [f"# {_safe(title)}"]
    if metrics:
        rows = [
            [
                metric.name,
                number(metric.value, metric.unit),
                " · ".join(f"{name} {number(value, metric.unit)}" for name, value in metric.floors.items()),
                {"higher": "higher", "lower": "lower"}.get(metric.better, number(metric.target or 0.0)),
                verdict(metric),
            ]
            for metric in metrics
        ]
        parts.append(_table(["Metric", "Value", "Floors", "Better", "Verdict"], rows))
        parts.extend(f"- **{_safe(metric.name)}**: {_safe(metric.note)}" for metric in metrics if metric.note)
    for table in tables:
        parts.append(f"## {_safe(table.title)}")
        parts.append(_table(table.columns, texts(table)))
        parts.extend([_safe(table.note)] if table.note else [])
    for heading, lines in (
        ("Notes", [_safe(note) for note in notes]),
        ("Provenance", [f"**{_safe(key)}**: {_safe(value)}" for key, value in provenance.items()]),
    ):
        if lines:
            parts.append(f"## {heading}")
            parts.extend(f"- {line}" for line in lines)
    return re.sub(r"(?m)^(- .*)\n\n(?=- )", r"\1\n", "\n\n".join(parts)) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns)]
    body = [[_safe(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [[_safe(c) for c in lines[0]], list(lines[1]), *body])


def _safe(text: str) -> str:
    """Text that Markdown shows as it is: no tags, links, table bars or new lines come of it."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", text)
