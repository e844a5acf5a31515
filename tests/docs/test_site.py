"""The site: the page made of the code is up to date, the reference is whole, and everything builds strictly."""

import html
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_REFERENCE = {"intarsia.cli"}
"""What people use by its commands."""


def test_signatures_are_those_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("make_signatures", ROOT / "docs/make_signatures.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(), "run `python docs/make_signatures.py`"


def test_every_public_module_is_in_the_reference() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/api").glob("*.md"))
    shown = set(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))
    engine = {f"intarsia.{path.stem}" for path in (ROOT / "platform/intarsia").glob("[!_]*") if _is_module(path)}
    domains = {f"intarsia_domains.{path.parent.name}" for path in (ROOT / "domains").glob("*/*/__init__.py")}
    assert (engine | domains | {"intarsia_datasets"}) - shown == NO_REFERENCE


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").is_file()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="the site needs the group `docs`: pip install --group docs")
    pytest.importorskip("mkdocstrings_handlers.python", reason="the site needs the group `docs`")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", out],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def plain(page: Path) -> str:
    """The words of a page, entities and tags resolved."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))))


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loads = re.compile(r"(?:<(?:script|img|iframe|source|link)\b[^>]*?(?:src|href)=|url\(|@import )[\"']?(https?:)?//")
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert (site / "index.html") in pages
    found = [page.relative_to(site) for page in pages if loads.search(page.read_text(encoding="utf-8"))]
    assert not found, found


def test_the_reference_has_signatures_types_and_docstrings(site: Path) -> None:
    page = site / "api/tabular.html"
    assert 'id="intarsia_domains.tabular.TabularSynthesizer.sample"' in page.read_text(encoding="utf-8")
    assert "minutes: float = 5.0" in plain(page)
    assert "wall-clock budget of" in plain(page)
    assert "_synthesizer" not in plain(page)


def test_what_lies_elsewhere_is_on_the_site(site: Path) -> None:
    for result in (ROOT / "benchmarks/results").glob("*.md"):
        assert (site / "benchmarks/results" / f"{result.stem}.html").is_file()
    for decision in (ROOT / "docs/adr").glob("*.md"):
        assert (site / "adr" / f"{decision.stem}.html").is_file()
    recipes = (site / "CONTRIBUTING.html").read_text(encoding="utf-8")
    assert 'href="tests/examples/test_own_sampler.py"' in recipes
    assert (site / "tests/examples/test_own_sampler.py").is_file()
    assert 'href="architecture.html"' in recipes
