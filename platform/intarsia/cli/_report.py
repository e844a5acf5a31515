"""`intarsia report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intarsia.cli._errors import writing
from intarsia.cli._load import domain_named, open_model
from intarsia.cli._options import Missing, Quiet, Seed, read_once
from intarsia.cli._say import aligned, speaker, working
from intarsia.cli._targets import check_report_target

if TYPE_CHECKING:
    from intarsia.report import Report


def report(
    source: Annotated[str, typer.Argument(metavar="MODEL|SYNTH", help="A saved model, or a file of synthetic data.")],
    real: Annotated[str, typer.Option(metavar="FILE", help="The real data that were learned.")],
    holdout: Annotated[str, typer.Option(metavar="FILE", help="Real data that were not learned.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="The report: .html, .md or .json.")] = "report.html",
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to predict; by default the model's own.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="NAME", help="What SYNTH is, where several domains are installed.")
    ] = None,
    missing: Missing = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Compare synthetic with real data.

    Every result stands beside its floors: what real data score against real data, and what a trivial model scores.
    """
    tell = speaker(quiet)
    read_once(source, real, holdout)
    check_report_target(out)
    with working("loading", quiet, brief=True):
        model = open_model(source, quiet) if Path(source).is_dir() else None
        command = (domain_named(domain) if model is None else type(model)).command()
    train = command.read(real, like=model, missing=missing or (), say=tell)
    like = train if model is None else model
    unseen = command.read(holdout, like=like, missing=missing or (), say=tell)
    synthetic = None if model is not None else command.read(source, like=like, missing=missing or (), say=tell)
    if model is not None:
        synthetic = model.sample(len(train), seed=seed)
    with working("comparing", quiet):
        result = command.compare(train, unseen, synthetic, model=model, target=target, seed=seed)
    with writing(out):
        result.save(out)
    tell(summary(result))
    tell(f"the report is in {out}")


def summary(result: "Report", most: int = 12) -> str:
    """The first metrics beside their floors, as lines."""
    metrics = result.metrics[:most]
    floors = list(dict.fromkeys(name for metric in metrics for name in metric.floors))
    rows: list[list[object]] = [["metric", "", "synthetic", *floors]]
    for metric in metrics:
        values = [metric.value, *(metric.floors.get(name) for name in floors)]
        rows.append([metric.name, metric.unit, *values])
    return aligned(rows)
