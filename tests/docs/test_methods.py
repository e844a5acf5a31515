"""Methods and papers: modules and tests of a row are there, and whatever a docstring cites has one."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "platform/intarsia", ROOT / "domains/intarsia_domains")
ARXIV = re.compile(r"\barXiv[ :](\d{4}\.\d{4,5})")
# "Luce 1959", "Mallet & Vert 2021", "Steele, Lea and Flood 2014", "Tang et al.'s (2022)", "von Rütte et al. 2025"
AUTHORS = re.compile(
    r"\b(?!(?:After|Before|By|From|In|Since|Until) )"
    r"(?P<first>(?:(?:Del|von|van|de) )?[A-Z][^\W\d_]+(?:-[A-Z][^\W\d_]+)*)"
    r"(?:(?:, [A-Z][\w-]+)*,? (?:&|and) [A-Z][\w-]+| et al\.)?(?:'s|')?,? \(?(?P<year>(?:19[0-9]|20[0-4])\d)\b(?!-)"
)
# a citation that gives a number is known by that alone
NUMBERED = re.compile(AUTHORS.pattern + r"\)?(?:,[^().;:]{0,60})?,? \(?arXiv[ :](?P<number>\d{4}\.\d{4,5})")


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    method: str
    paper: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    figure: str

    def is_about(self, citation: str) -> bool:
        """Whether the paper is the one that is cited by number, or by surname and year."""
        return all(word in self.paper for word in citation.rsplit(" ", 1))


def rows() -> list[Row]:
    """All rows, in order."""
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    cells = [line for line in lines if line[0] != "method"]
    return [
        Row(m, p, *(tuple(re.findall(r"`([^`]+)`", c)) for c in (where, tests)), f) for m, p, where, tests, f in cells
    ]


def citations(text: str) -> set[str]:
    """What a source file cites: arXiv numbers, or surnames with years."""
    flat = NUMBERED.sub(r"arXiv \g<number>", re.sub(r"\s+(?:# )?", " ", text))
    return {found[1] for found in ARXIV.finditer(flat)} | {f"{m['first']} {m['year']}" for m in AUTHORS.finditer(flat)}


ROWS = rows()


@pytest.fixture(scope="module")
def cited() -> dict[Path, set[str]]:
    """What each source file cites."""
    files = [path for root in SOURCES for path in sorted(root.rglob("*.py"))]
    return {path: citations(path.read_text(encoding="utf-8")) for path in files}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.paper)
def test_a_row_names_modules_that_cite_the_paper_and_tests_that_are_there(
    row: Row, cited: dict[Path, set[str]]
) -> None:
    found = [root / module for module in row.modules for root in SOURCES if (root / module).is_file()]
    assert len(found) == len(row.modules) > 0, row.modules
    assert any(row.is_about(citation) for path in found for citation in cited[path]), "none of them cites the paper"
    missing = [test for test in row.tests if not (ROOT / "tests" / test).is_file()]
    assert row.tests, "a method without a test"
    assert not missing
    assert row.figure


def test_every_citation_has_a_row(cited: dict[Path, set[str]]) -> None:
    homeless = {
        f"{path.relative_to(ROOT)}: {citation}"
        for path, found in cited.items()
        for citation in found
        if not any(row.is_about(citation) for row in ROWS)
    }
    assert not homeless, f"cited, but without a row in docs/methods.md: {sorted(homeless)}"


def test_citations_are_found_in_every_form() -> None:
    forms = (
        "(Luce 1959; Mallet & Vert 2021) Steele, Lea and Flood 2014; Tang et al.'s (2022) form\n"
        "    von Rütte et al.\n    2025, GIDD; (Lou & Ermon 2023, arXiv 2304.04740); see arXiv 1610.06545. In 1970 it\n"
    )
    names = {"Luce 1959", "Mallet 2021", "Steele 2014", "Tang 2022", "von Rütte 2025"}
    assert citations(forms) == names | {"2304.04740", "1610.06545"}
