"""`intarsia info`."""

from pathlib import Path

import typer

from intarsia.cli._load import open_model
from intarsia.cli._options import Model
from intarsia.cli._say import aligned, working


def info(path: Model) -> None:
    """Show what a saved model has learned."""
    with working("loading", False, brief=True):
        model = open_model(path, quiet=True)
    report = type(model).command().describe(model)
    size = sum(file.stat().st_size for file in Path(path).iterdir())
    facts = [["Model", path], ["Type", model.type_name()], *map(list, report.provenance.items())]
    typer.echo(aligned([*facts, ["Size on disk", f"{size / 1e6:.1f} MB"]]))
    for table in report.tables:
        typer.echo(f"\n{table.title}\n")
        typer.echo(aligned([table.columns, *table.rows]))
