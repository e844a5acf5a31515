"""`intarsia domains`."""

import typer

from intarsia._installed import installed
from intarsia.cli._say import aligned


def domains() -> None:
    """List the kinds of data that models can be fitted to."""
    rows = [["domain", "from", "class"]]
    for name, point in installed("intarsia.domains").items():
        origin = "" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        rows.append([name, origin, point.value])
    typer.echo(aligned(rows) if len(rows) > 1 else "no domain is installed; run: pip install 'intarsia[tabular]'")
