"""A report as one self-contained HTML page."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from intarsia._extras import require
from intarsia.report._model import Figure, Metric, Table, number, texts
from intarsia.report._plain import dump_for_script, inert, plain
from intarsia.report._verdict import mood, verdict

_ARROWS = {"lower": "lower is better", "higher": "higher is better"}


def to_html(
    title: str,
    metrics: Sequence[Metric],
    tables: Sequence[Table],
    figures: Sequence[Figure],
    notes: Sequence[str],
    provenance: Mapping[str, str],
) -> str:
    """The page; scripts run only if their hash is in its content security policy, and nothing is fetched."""
    scripts: list[str] = []
    if figures:
        scripts = [str(require("plotly.offline", "tabular").get_plotlyjs()), _resource("page.js")]
    body = [
        f"<header><h1>{escape(title)}</h1>{_facts(provenance)}</header>",
        _cards([metric for metric in metrics if metric.headline]),
        _section("Metrics", _metrics(metrics)) if metrics else "",
        *(_section(figure.title, _panels(figure), figure.note) for figure in figures),
        _tables(tables),
        _section("Notes", "<ul>" + _each("li", notes) + "</ul>") if notes else "",
    ]
    policy = " ".join(f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            f"script-src {policy or chr(39) + 'none' + chr(39)}; style-src 'unsafe-inline'; img-src data: blob:\">",
            f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>',
            f"<style>{_resource('page.css')}</style></head><body><main>",
            *(part for part in body if part),
            "</main>",
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>\n",
        ]
    )


def _resource(name: str) -> str:
    return files("intarsia.report").joinpath(name).read_text(encoding="utf-8")


def _each(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def _section(title: str, content: str, note: str = "") -> str:
    lead = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{lead}{content}</section>"


def _facts(provenance: Mapping[str, str]) -> str:
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in provenance.items())
    return f"<dl>{items}</dl>" if items else ""


def _floors(metric: Metric) -> str:
    rows = "".join(
        f"<li><span>{escape(name)}</span> <b>{escape(number(value, metric.unit))}</b></li>"
        for name, value in metric.floors.items()
    )
    return f'<ul class="floors">{rows}</ul>' if rows else ""


def _direction(metric: Metric) -> str:
    return _ARROWS.get(metric.better) or f"ideal {number(metric.target or 0.0, metric.unit)}"


def _cards(metrics: Sequence[Metric]) -> str:
    cards = [
        f'<article class="card {mood(metric)}"><h3>{escape(metric.name)}</h3>'
        f'<p class="value">{escape(number(metric.value, metric.unit))}</p>'
        f'<p class="verdict">{escape(verdict(metric))}</p>{_floors(metric)}</article>'
        for metric in metrics
    ]
    return f'<div class="cards">{"".join(cards)}</div>' if cards else ""


def _metrics(metrics: Sequence[Metric]) -> str:
    rows = [
        f'<tr class="{mood(metric)}"><th scope="row">{escape(metric.name)}'
        f"<small>{escape(_direction(metric))}</small></th>"
        f'<td class="value">{escape(number(metric.value, metric.unit))}</td><td>{_floors(metric)}</td>'
        f'<td><p class="verdict">{escape(verdict(metric))}</p>'
        f"{f'<small>{escape(metric.note)}</small>' if metric.note else ''}</td></tr>"
        for metric in metrics
    ]
    head = _each("th", ["Metric", "Value", "Floors", "What it says"])
    return f'<table class="metrics"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _tables(tables: Sequence[Table]) -> str:
    sections = [_section(table.title, _table(table), table.note) for table in tables]
    return f'<div class="tables">{"".join(sections)}</div>' if sections else ""


def _table(table: Table) -> str:
    size = range(len(table.columns))
    right = [
        bool(table.rows) and all(isinstance(row[j], int | float) and row[j] is not True for row in table.rows)
        for j in size
    ]
    marks = [' class="number"' if is_number else "" for is_number in right]
    head = "".join(f"<th{marks[j]}>{escape(table.columns[j])}</th>" for j in size)
    rows = ["".join(f"<td{marks[j]}>{escape(row[j])}</td>" for j in size) for row in texts(table)]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _panels(figure: Figure) -> str:
    panels = "".join(
        f'<div class="panel"><script type="application/json">{dump_for_script(inert(plain(panel)))}</script></div>'
        for panel in figure.panels
    )
    return f'<div class="panels" style="--panel:{int(figure.width)}px">{panels}</div>'
