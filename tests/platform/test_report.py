"""Reports: verdicts, the three formats, hostile labels, and files that are whole or not there."""

import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from intarsia._atomic import write_atomically
from intarsia.errors import MissingExtraError
from intarsia.report import Figure, Metric, Report, Table
from intarsia.report._model import number
from intarsia.report._verdict import mood, verdict

EVIL = "<script>alert(1)</script>"
NAN = float("nan")


def shape(value: float, **more: object) -> Metric:
    floors = {"real holdout": 0.5, "product of marginals": 8.5}
    return Metric(name="Shape error", value=value, floors=floors, better="lower", unit="%", tolerance=0.1, **more)


def evil_report() -> Report:
    bar = {"type": "bar", "x": [EVIL, "</SCRIPT><img src=x onerror=alert(2)>"], "y": np.array([1.0, NAN])}
    layout = {"title": {"text": EVIL}, "xaxis": {"title": {"text": "\u2028" + EVIL}}}
    return Report(
        title=EVIL,
        metrics=[Metric(name=EVIL, value=1.0, floors={EVIL: 2.0}, better="lower", note=EVIL, headline=True)],
        tables=[Table(title=EVIL, columns=[EVIL], rows=[[EVIL]], note=EVIL)],
        figures=[Figure(title=EVIL, panels=[{"data": [bar], "layout": layout}], note=EVIL)],
        notes=[EVIL],
        provenance={EVIL: EVIL},
    )


class Page(HTMLParser):
    """Collects the tags, and the content of scripts by kind."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: dict[str, list[str]] = {"json": [], "code": []}
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self._open = "json" if dict(attrs).get("type") == "application/json" else "code"
            self.scripts[self._open].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = None if tag == "script" else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.scripts[self._open][-1] += data


@pytest.mark.parametrize(
    ("value", "sentence", "feeling"),
    [
        (0.55, "indistinguishable from real holdout", "good"),
        (0.45, "indistinguishable from real holdout", "good"),
        (0.2, "0.30 points better than real holdout", "good"),
        (
            1.3,
            "0.80 points above the noise floor (real holdout); 90 % of the way from product of marginals",
            "fair",
        ),
        (9.0, "8.50 points above the noise floor (real holdout); no better than product of marginals", "poor"),
        (NAN, "could not be computed", "none"),
    ],
)
def test_verdict_beside_floors(value: float, sentence: str, feeling: str) -> None:
    assert (verdict(shape(value)), mood(shape(value))) == (sentence, feeling)


def test_verdict_where_higher_is_better() -> None:
    metric = Metric(name="AUC", value=0.8, floors={"real train": 0.9, "marginals": 0.5}, better="higher")
    assert verdict(metric) == "0.100 below the ceiling (real train); 75 % of the way from marginals"


def test_a_trivial_model_that_passes_is_no_yardstick() -> None:
    metric = Metric(name="m", value=2.0, floors={"real": 1.0, "trivial": 0.9}, better="lower")
    assert verdict(metric) == "1.000 above the noise floor (real)"
    assert mood(metric) == "fair"


def test_verdict_near_a_target_and_by_hand() -> None:
    near = Metric(name="share", value=0.51, better="target", target=0.5, tolerance=0.03)
    far = Metric(name="share", value=0.6, better="target", target=0.5, tolerance=0.03)
    assert verdict(near) == "at its target 0.500"
    assert verdict(far) == "0.100 above its target 0.500"
    assert mood(far) == "fair"
    own = shape(0.5, verdict="a leak", alarm=True)
    assert (verdict(own), mood(own)) == ("a leak", "poor")


def test_metrics_and_tables_refuse_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="target"):
        Metric(name="m", value=1.0, better="target")
    with pytest.raises(ValueError, match="target"):
        Metric(name="m", value=1.0, better="lower", target=0.0)
    with pytest.raises(ValueError, match="tolerance"):
        Metric(name="m", value=1.0, better="lower", tolerance=-1.0)
    with pytest.raises(ValueError, match="2 cells for 1 columns"):
        Table(title="t", columns=["a"], rows=[[1, 2]])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.8345, "%", "0.83 %"), (12345.6, "", "12,346"), (NAN, "", "–"), (0.00002, "", "2.0e-05"), (-0.0, "", "0.000")],
)
def test_numbers_as_people_read_them(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_json_is_strict_and_comes_back() -> None:
    report = evil_report()
    text = Report(title="t", metrics=[shape(NAN)], figures=report.figures).to_json()
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["metrics"][0]["value"] is None
    assert content["figures"][0]["panels"][0]["data"][0]["y"] == [1.0, None]
    back = Report.from_dict(content)
    assert back.to_json() == text
    assert np.isnan(back.metric("Shape error").value)
    with pytest.raises(ValueError, match="version"):
        Report.from_dict({**content, "version": 99})
    with pytest.raises(KeyError, match="Shape error"):
        back.metric("Trend error")


def test_labels_in_html_are_harmless() -> None:
    page = evil_report().to_html()
    parsed = Page(page)
    assert len(parsed.scripts["code"]) == 2  # the plotting library and the page's own
    assert "img" not in parsed.tags
    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    figure = json.loads(parsed.scripts["json"][0])
    assert figure["data"][0]["x"][0] == "&lt;script&gt;alert(1)&lt;/script&gt;"  # plotly shows it as text
    assert "<" not in parsed.scripts["json"][0]
    assert "\u2028" not in page


def test_html_stands_alone_and_embeds_the_library_once() -> None:
    page = evil_report().to_html()
    assert page.count("plotly.js v") == 1
    assert not re.search(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=", page)
    assert "default-src 'none'" in page
    assert "width=device-width" in page
    assert "prefers-color-scheme: dark" in page


def test_html_without_figures_has_no_script_and_needs_no_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    page = Report(title="t", metrics=[shape(1.0)]).to_html()
    assert "<script" not in page
    assert len(page) < 20_000
    with pytest.raises(MissingExtraError, match=r"intarsia\[tabular\]"):
        evil_report().to_html()


def test_templates_keep_their_markup() -> None:
    panel = {"data": [{"type": "bar", "y": [1], "hovertemplate": "%{y}<extra></extra>"}], "layout": {}}
    page = Page(Report(title="t", figures=[Figure(title="f", panels=[panel])]).to_html())
    assert json.loads(page.scripts["json"][0])["data"][0]["hovertemplate"] == "%{y}<extra></extra>"


def test_markdown_shows_floors_and_escapes_labels() -> None:
    table = Table(title="t", columns=["a|b", "n"], rows=[["x\ny | *z*", 1.5], [None, NAN]])
    text = Report(title=EVIL, metrics=[shape(1.3, note="n")], tables=[table], notes=["one", "two"]).to_markdown()
    assert "| Shape error | 1.30 % | real holdout 0.50 % · product of marginals 8.50 % | lower |" in text
    assert "| x y \\| \\*z\\* | 1.50 |" in text
    assert "<script" not in text
    assert "- one\n- two" in text
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("| x")}
    assert widths == {3}


def test_save_chooses_by_suffix(tmp_path: Path) -> None:
    report = Report(title="t", metrics=[shape(1.0)])
    for suffix, start in ((".json", "{"), (".md", "# t"), (".html", "<!doctype html>"), (".HTML", "<!doctype html>")):
        path = report.save(tmp_path / f"r{suffix}")
        assert path.read_text(encoding="utf-8").startswith(start)
    with pytest.raises(ValueError, match=r"\.json, \.md or \.html"):
        report.save(tmp_path / "r.pdf")
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_replaces_and_keeps_permissions(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_atomically(path, b"1")
    path.chmod(0o640)
    write_atomically(path, b"2")
    assert path.read_bytes() == b"2"
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "r.json", b"1")
