"""`intarsia sample`."""

import time
from typing import Annotated

import typer

from intarsia.cli._errors import writing
from intarsia.cli._load import open_model
from intarsia.cli._options import Model, Out, Quiet, Seed, pairs
from intarsia.cli._say import duration, speaker, working


def sample(
    path: Model,
    n: Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many.")],
    out: Out,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="Hold a column at a value; empty means missing; may be repeated."),
    ] = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Draw new rows from a model, under conditions."""
    start, tell = time.monotonic(), speaker(quiet)
    texts = pairs(given, "--given", "COLUMN=VALUE")
    with working("loading", quiet, brief=True):
        model = open_model(path, quiet)
    command = type(model).command()
    condition = command.parse_given(model, texts, tell) if texts else None
    with writing(out), command.writer(out) as write:
        drawn = model.sample(n, given=condition, seed=seed)
        write(drawn)
    tell(f"wrote {len(drawn):,} {command.items} to {_place(out)} in {duration(start)}")


def _place(out: str) -> str:
    return "standard output" if out == "-" else out
