"""`intarsia score`."""

from typing import Annotated

import typer

from intarsia.cli._errors import writing
from intarsia.cli._load import open_model
from intarsia.cli._options import Missing, Model, Out, Quiet
from intarsia.cli._say import speaker, working


def score(
    path: Model,
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Data to score; - is standard input.")],
    per_cell: Annotated[
        bool, typer.Option("--per-cell", help="Score each cell given the rest of its row: low values are odd cells.")
    ] = False,
    out: Out = "-",
    missing: Missing = None,
    quiet: Quiet = False,
) -> None:
    """Score how likely each row of INPUT is.

    Scores are log-likelihoods under the model, in nats: low values are odd rows.
    """
    tell = speaker(quiet)
    with working("loading", quiet, brief=True):
        model = open_model(path, quiet)
    command = type(model).command()
    raw = command.read(source, like=model, missing=missing or (), say=tell)
    with writing(out), command.writer(out) as write:
        write(command.scores(model, raw, per_cell=per_cell, say=tell))
