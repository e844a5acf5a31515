"""`intarsia` itself: help, version, wrong commands, and what it costs to start."""

import json
import os
import re
import subprocess
import sys

import pytest

from intarsia import __version__


def python(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]


GUARD = """
import json, resource, sys
from intarsia.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
heavy = {"torch", "pandas", "numpy", "scipy", "sklearn", "plotly", "pyarrow"} & set(sys.modules)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"heavy": sorted(heavy), "cpu": used.ru_utime + used.ru_stime}), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["--version"], ["domains"], []])
def test_starting_imports_nothing_heavy(arguments: list[str]) -> None:
    done = python("-c", GUARD, *arguments)
    cost = json.loads(done.stderr)
    assert cost["heavy"] == []
    assert cost["cpu"] < 0.5


def test_help_lists_the_commands(run) -> None:
    text = run("--help").stdout
    for name in ("demo", "domains", "fit", "sample", "complete", "score", "report", "info"):
        assert re.search(rf"\b{name}\b", text)
    assert run().stdout == text


def test_version(run) -> None:
    assert run("--version").stdout == f"intarsia {__version__}\n"


def test_domains_names_the_tabular_one(run) -> None:
    assert "intarsia_domains.tabular:TabularSynthesizer" in run("domains").stdout


def test_usage_errors_are_one_sentence(fails) -> None:
    assert "no such command 'frobnicate'; see intarsia --help" in fails("frobnicate")
    assert "--foo" in fails("sample", "m", "--foo")
    assert "--out" in fails("sample", "m", "-n", 3)
    assert "-n" in fails("sample", "m", "-n", -5, "--out", "-")
    assert "-n" in fails("sample", "m", "-n", "many", "--out", "-")


def test_debug_shows_where_an_error_came_from() -> None:
    command = ("-m", "intarsia.cli", "sample", "nowhere", "-n", "1", "--out", "-")
    plain = python(*command)
    shown = python(*command, env={**os.environ, "INTARSIA_DEBUG": "1"})
    assert plain.returncode == shown.returncode == 2
    assert "Traceback" not in plain.stderr
    assert "Traceback" in shown.stderr


def test_a_missing_library_is_named_with_its_extra() -> None:
    code = (
        "import sys; sys.modules['pandas'] = None; from intarsia.cli import main; "
        "main(['fit', 'tabular', 'x.csv', '--out', 'm'])"
    )
    done = python("-c", code)
    assert done.returncode == 2
    assert "`pandas`" in done.stderr
    assert "pip install 'intarsia[tabular]'" in done.stderr
    assert "Traceback" not in done.stderr
