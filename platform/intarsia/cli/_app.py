"""All commands together. Nothing heavy is imported here, so that `--help` answers at once."""

from typing import Annotated

import typer

from intarsia._version import __version__
from intarsia.cli._complete import complete
from intarsia.cli._demo import demo
from intarsia.cli._domains import domains
from intarsia.cli._fit import fit
from intarsia.cli._group import Commands
from intarsia.cli._info import info
from intarsia.cli._report import report
from intarsia.cli._sample import sample
from intarsia.cli._score import score

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Files are CSV or Parquet; - is standard input or output. INTARSIA_DEBUG=1 shows tracebacks.",
)
for command in (demo, domains, fit, sample, complete, score, report, info):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"intarsia {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Learn a generative model of your data: draw new rows, fill gaps, score oddities, and see how good it is."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
