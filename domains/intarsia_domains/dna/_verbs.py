"""`intarsia design`. Nothing heavy is imported before it runs."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from intarsia_domains.dna._constraints import AbstractConstraint

Texts = list[str] | None


def design(
    path: Annotated[str, typer.Argument(metavar="MODEL", help="A saved model, the directory that `fit dna` wrote.")],
    n: Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many.")] = 10,
    out: Annotated[str, typer.Option(metavar="FILE", help="A .fasta, .csv or .gb file; - is standard output.")] = "-",
    target: Annotated[
        Texts, typer.Option(metavar="LABEL=VALUE", help="A label to aim at, or length=N; may be repeated.")
    ] = None,
    motif: Annotated[
        Texts,
        typer.Option(metavar="MOTIF[@SITE]", help="Must occur, at a site (from 1) or anywhere; IUPAC codes; repeat."),
    ] = None,
    forbid: Annotated[
        Texts, typer.Option(metavar="MOTIF", help="Must not occur on either strand, as restriction sites; repeat.")
    ] = None,
    gc: Annotated[str | None, typer.Option(metavar="LOW-HIGH", help="Share of G and C, in percent: 40-60.")] = None,
    max_run: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many of one base in a row.")
    ] = None,
    either_strand: Annotated[
        bool, typer.Option("--either-strand", help="A motif without a site may be on either strand.")
    ] = False,
    guidance: Annotated[float, typer.Option(metavar="G", help="Scale of the targets; more exaggerates them.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="The same seed gives the same result.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Design sequences with a wanted label that keep every constraint.

    Contradictory constraints are named before anything is drawn.
    """
    from intarsia_domains.dna._designer import SequenceDesigner

    start = time.monotonic()
    constraints = _constraints(motif or [], forbid or [], gc, max_run, either=either_strand)
    texts = _pairs(target or [])
    model = SequenceDesigner.load(path)
    command = SequenceDesigner.command()
    wanted = command.parse_given(model, texts, _say(quiet)) if texts else None
    with command.writer(out) as write:
        made = model.design(n, target=wanted, constraints=constraints, guidance=guidance, seed=seed)
        write(made)
    kept = f", all keep {len(constraints)} constraints" if constraints else ""
    _say(quiet)(f"designed {len(made):,} sequences in {time.monotonic() - start:.0f} s{kept}")


def _say(quiet: bool) -> Any:
    return (lambda line: None) if quiet else (lambda line: typer.echo(line, err=True))


def _constraints(
    motifs: list[str], forbidden: list[str], gc: str | None, max_run: int | None, *, either: bool
) -> "list[AbstractConstraint]":
    from intarsia_domains.dna._constraints import Avoid, MaxRun

    found: list[AbstractConstraint] = [_motif(text, either=either) for text in motifs]
    found += [Avoid(text) for text in forbidden]
    if gc is not None:
        found.append(_window(gc))
    if max_run is not None:
        found.append(MaxRun(max_run))
    return found


def _motif(text: str, *, either: bool) -> "AbstractConstraint":
    from intarsia_domains.dna._constraints import Keep, Require

    pattern, at, site = text.partition("@")
    if not at:
        return Require(pattern, both_strands=either)
    if not site.isdigit() or int(site) < 1:
        raise ValueError(f"--motif takes MOTIF or MOTIF@SITE with sites from 1, got {text!r}")
    return Keep(pattern, int(site) - 1)


def _window(text: str) -> "AbstractConstraint":
    from intarsia_domains.dna._constraints import GCWindow

    low, dash, high = text.partition("-")
    try:
        return GCWindow(float(low) / 100.0, float(high if dash else low) / 100.0)
    except ValueError as error:
        if "GC window" in str(error):
            raise
        raise ValueError(f"--gc takes a range in percent such as 40-60, got {text!r}") from None


def _pairs(texts: list[str]) -> dict[str, str]:
    found = dict[str, str]()
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in found:
            raise ValueError(f"--target takes LABEL=VALUE, each label once, got {text!r}")
        found[name] = value
    return found
