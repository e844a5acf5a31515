"""`intarsia complete`."""

import time
from typing import Annotated, Any

import typer

from intarsia.cli._errors import Refusal, writing
from intarsia.cli._load import open_model
from intarsia.cli._options import Missing, Model, Out, Quiet, Seed
from intarsia.cli._say import duration, speaker, working


def complete(
    path: Model,
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Data with gaps; - is standard input.")],
    out: Out,
    draws: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many completions; a column `draw` numbers them.")
    ] = 1,
    missing: Missing = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Fill in the gaps of INPUT, jointly given the rest of each row."""
    start, tell = time.monotonic(), speaker(quiet)
    with working("loading", quiet, brief=True):
        model = open_model(path, quiet)
    command = type(model).command()
    raw = command.read(source, like=model, missing=missing or (), say=tell)
    with writing(out), command.writer(out) as write:
        completed = [_complete(model, raw, seed + draw) for draw in range(draws)]
        write(completed[0] if draws == 1 else command.stack(completed))
    times = "" if draws == 1 else f", {draws} times each,"
    tell(f"completed {len(raw):,} {command.items}{times} in {duration(start)}")


def _complete(model: Any, raw: Any, seed: int) -> Any:
    try:
        return model.complete(raw, seed=seed)
    except NotImplementedError as error:
        raise Refusal(f"models of this domain cannot complete data: {error}") from error
