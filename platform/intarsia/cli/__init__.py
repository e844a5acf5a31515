"""The command line, `intarsia`. It knows no domain: everything about data goes through `AbstractDomain.command`.

A distribution adds to it by entry points, in its own `pyproject.toml`:

    [project.entry-points."intarsia.domains"]    # a domain: fit, sample, complete, score, report and info handle it
    graphs = "acme_graphs:Graphs"                # a subclass of AbstractDomain that implements `command`

    [project.entry-points."intarsia.commands"]   # a verb of its own: `intarsia solve …`
    solve = "acme_graphs.verbs:solve"            # a function with typer's annotations, or a typer.Typer

    [project.entry-points."intarsia.datasets"]   # data for `intarsia demo`
    karate = "acme_graphs.data:karate"           # a function without arguments that gives raw data

Each is imported when it is used and not before. Errors, warnings, Ctrl-C and exit codes of a verb are handled like
those of the built-in commands: 0 done, 2 bad input (one sentence on standard error), 130 interrupted.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line with these arguments, by default those of the process, and exit."""
    try:
        from intarsia.cli._app import app

        app(arguments, prog_name="intarsia")
    except KeyboardInterrupt:  # before or after a command runs
        sys.exit(130)
