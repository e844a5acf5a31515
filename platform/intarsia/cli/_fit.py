"""`intarsia fit`."""

import inspect
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.cli._errors import Refusal, interrupted, writing
from intarsia.cli._interrupts import counted_interrupts
from intarsia.cli._load import domain_named
from intarsia.cli._options import Missing, Quiet, Seed, pairs
from intarsia.cli._say import duration, speaker, working
from intarsia.cli._targets import check_model_target

if TYPE_CHECKING:
    from intarsia.domain import AbstractDomain


def fit(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="What the data are; see `intarsia domains`.")],
    source: Annotated[str, typer.Argument(metavar="INPUT", help="The data to learn; - is standard input.")],
    out: Annotated[str, typer.Option(metavar="MODEL", help="The directory to save the model to.")],
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="Time to train; by default the domain's own.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Steps to train, instead of a time: repeatable.")
    ] = None,
    seed: Seed = 0,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that reports predict from the others.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=KIND", help="The kind of a column, where it is detected wrong; may be repeated."),
    ] = None,
    missing: Missing = None,
    threads: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads; by default one per core.")] = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="Where the network runs: cpu, cuda, …")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the model that --out names.")] = False,
    quiet: Quiet = False,
) -> None:
    """Learn a model of the data in INPUT.

    Ctrl-C ends training early and saves the best weights so far.
    """
    start, tell = time.monotonic(), speaker(quiet)
    if minutes is not None and steps is not None:
        raise Refusal("--minutes and --steps are both given; a budget is one of them")
    if minutes is not None and not minutes > 0:
        raise Refusal(f"--minutes must be positive, got {minutes:g}")
    kinds = pairs(kind, "--kind", "COLUMN=KIND") or None
    check_model_target(out, force)
    with working("starting", quiet, brief=True):
        cls = domain_named(domain)
        check_device(device)
    given = {
        "minutes": minutes,
        "steps": steps,
        "seed": seed,
        "kinds": kinds,
        "threads": threads,
        "device": device,
        "progress": not quiet,
    }
    arguments = {name: value for name, value in given.items() if value is not None}
    _check_accepted(cls, domain, arguments, target)
    create: Any = cls  # what its arguments are, only the domain knows
    model = create(**arguments)
    raw = cls.command().read(source, missing=missing or (), say=tell)
    with counted_interrupts() as interrupts:
        model.fit(raw, **({} if target is None else {"target": target}))
    with writing(out):
        model.save(out)
    if interrupts.seen:
        interrupted(f"the best weights so far are saved in {out}, which can be used like any model")
    trained = cls.command().describe(model).provenance.get("Training")
    tell(f"fitted in {duration(start)}{'' if trained is None else ': ' + trained}")
    tell(f"saved to {out}; next: intarsia sample {out} -n 1000 --out synthetic{cls.command().suffix}")


def check_device(device: str | None) -> None:
    """Refuse a device that torch does not know or cannot reach."""
    if device is None:
        return
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise Refusal(f"--device {device} cannot be used here ({why}); leave it out to use the processor") from error


def _check_accepted(cls: "type[AbstractDomain]", domain: str, arguments: dict[str, Any], target: str | None) -> None:
    """Refuse options that mean nothing to a domain; `progress` and `seed` are left to it."""
    known = inspect.signature(cls).parameters
    options = {"kinds": "--kind"}
    for name in ("progress", "seed"):
        if name not in known:
            arguments.pop(name, None)
    for name in arguments:
        if name not in known:
            raise Refusal(f"the domain {domain!r} has no {options.get(name, '--' + name)}; leave it out")
    if target is not None and "target" not in inspect.signature(cls.fit).parameters:
        raise Refusal(f"the domain {domain!r} has no --target; leave it out")
