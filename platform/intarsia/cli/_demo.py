"""`intarsia demo`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia._installed import installed
from intarsia.cli._errors import Refusal, interrupted, writing
from intarsia.cli._interrupts import counted_interrupts
from intarsia.cli._load import dataset_named, domain_named
from intarsia.cli._options import Quiet, Seed
from intarsia.cli._report import summary
from intarsia.cli._say import duration, speaker, working
from intarsia.cli._targets import check_model_target
from intarsia.errors import MissingExtraError

if TYPE_CHECKING:
    from intarsia.domain import AbstractDomain

_TRAINING = 0.75
"""Share of the minutes that goes to training; the rest takes 20 seconds on two idle cores, a minute on busy ones."""


def demo(
    domain: Annotated[str | None, typer.Argument(metavar="[DOMAIN]", help="By default the first with a demo.")] = None,
    minutes: Annotated[float, typer.Option(metavar="M", help="About how long it may take in all.")] = 4.0,
    out: Annotated[str, typer.Option(metavar="DIRECTORY", help="Where to put the results.")] = "demo-output",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Learn a real table, write a synthetic copy and a report."""
    start, tell, folder = time.monotonic(), speaker(quiet), Path(out)
    if not minutes > 0:
        raise Refusal(f"--minutes must be positive, got {minutes:g}")
    check_model_target(str(folder / "model"), force=True)
    with working("starting", quiet, brief=True):
        cls = _domain(domain)
        command = cls.command()
        shown = command.demonstration
        if shown is None:
            raise Refusal(f"the domain {domain!r} has no demo")
        train, holdout = command.split(dataset_named(shown.dataset), 0.1, seed)
    tell(f"{shown.dataset}: {len(train):,} {command.items} to learn, {len(holdout):,} held out")
    create: Any = cls  # what its arguments are, only the domain knows
    model = create(minutes=_TRAINING * minutes, seed=seed, progress=not quiet)
    with counted_interrupts() as interrupts:
        model.fit(train, **shown.fit)
    with writing(out):
        model.save(folder / "model")
    if interrupts.seen:
        interrupted(f"the best weights so far are saved in {folder / 'model'}")
    synthetic = model.sample(len(train), seed=seed)
    table = folder / f"synthetic{command.suffix}"
    with writing(str(table)), command.writer(str(table)) as write:
        write(synthetic)
    with working(f"comparing with the real {command.items}", quiet):
        result = command.compare(train, holdout, synthetic, model=model, target=None, seed=seed)
    pages = [folder / f"report{suffix}" for suffix in (".html", ".md", ".json")]
    with writing(out):
        for page in pages:
            result.save(page)
    tell(summary(result))
    tell(f"done in {duration(start)}:")
    for path, what in (
        (table, f"{len(synthetic):,} synthetic {command.items}"),
        (pages[0], "how good they are: open it in a browser"),
        (folder / "model", f"the model: intarsia sample {folder / 'model'} -n 1000 --out more{command.suffix}"),
    ):
        tell(f"  {path}  {what}")


def _domain(name: str | None) -> "type[AbstractDomain]":
    if name is not None:
        return domain_named(name)
    for installed_name in installed("intarsia.domains"):
        try:
            cls = domain_named(installed_name)
            shown = cls.command().demonstration
        except (MissingExtraError, Refusal, TypeError):  # not whole, or without commands: others may have a demo
            continue
        if shown is not None:
            return cls
    raise Refusal("no installed domain has a demo")
