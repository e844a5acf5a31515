"""Sequences on the command line."""

import csv
import io
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from intarsia.command import AbstractCommand, Say
from intarsia.report import Report, Table
from intarsia_domains.dna._card import training_line
from intarsia_domains.dna._conditions import Scalar, Signal
from intarsia_domains.dna._designer import SequenceDesigner
from intarsia_domains.dna._raw import Rows, rows_of
from intarsia_domains.dna._read import read_labelled, read_sequences
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._slots import LENGTH
from intarsia_domains.dna._write import write_csv, write_fasta, write_genbank

_ODDEST = 3
_TABLES, _FASTA, _GENBANK = (".csv", ".tsv", ".txt"), (".fa", ".fasta", ".fna", ".ffn"), (".gb", ".gbk", ".genbank")


class SequenceCommand(AbstractCommand[SequenceDesigner]):
    """Reads FASTA, FASTQ and tables with a column of sequences; conditions are values by label, and `length`."""

    items = "sequences"
    suffix = ".fasta"

    def read(self, source: str, *, like: Any = None, missing: Sequence[str] = (), say: Say) -> Rows:
        if missing:
            raise SequenceError("sequences have N for what is missing, and labels are left empty; leave out --missing")
        alphabet = None
        if like is not None:
            alphabet = like.alphabet_ if isinstance(like, SequenceDesigner) else like.sequences.alphabet
        with _file(source) as path:
            table = _suffix(path) in _TABLES
            raw: Any = read_labelled(path, alphabet=alphabet) if table else read_sequences(path, alphabet=alphabet)
        rows = rows_of(raw)
        ends = rows.sequences.lengths
        span = str(ends.min()) if ends.min() == ends.max() else f"{ends.min()} to {ends.max()}"
        labels = f"; labels {', '.join(rows.labels)}" if rows.labels else ""
        say(f"{len(rows):,} {rows.sequences.alphabet.name} sequences of {span} letters{labels}")
        return rows

    @contextmanager
    def writer(self, target: str) -> Generator[Callable[[Any], None], None, None]:
        suffix = _suffix(target)
        if target != "-":
            if suffix not in (*_TABLES[:1], *_FASTA, *_GENBANK):
                raise SequenceError(f"sequences are written as .fasta, .csv or .gb, got {target!r}; change the ending")
            if not Path(target).absolute().parent.is_dir():
                raise FileNotFoundError(f"there is no directory {Path(target).absolute().parent}")
        parts = list[Any]()
        yield parts.append
        for part in parts:
            rows = rows_of(part)
            if target == "-":
                sys.stdout.write(_csv(rows))
            elif suffix == ".csv":
                write_csv(rows.sequences, target, {k: v.tolist() for k, v in rows.labels.items()})
            elif "log_likelihood" in rows.labels:
                raise SequenceError(f"scores are written as .csv, got {target!r}; change the ending")
            else:
                (write_fasta if suffix in _FASTA else write_genbank)(rows.sequences, target)

    def parse_given(self, model: SequenceDesigner, texts: Mapping[str, str], say: Say) -> dict[str, Any]:
        given = dict[str, Any]()
        for name, text in texts.items():
            part = model.conditions_.parts.get(name)
            if isinstance(part, Signal):
                raise SequenceError(f"{name!r} has a value for each site, which a text cannot give; use it from Python")
            if name == LENGTH or isinstance(part, Scalar):
                given[name] = _number(name, text) if text else None
            else:
                given[name] = text or None
        length = given.get(LENGTH)
        if LENGTH in given and (length is None or length != int(length)):
            raise SequenceError(f"{LENGTH!r} is a whole number of letters, got {texts[LENGTH]!r}")
        told = {name: value for name, value in given.items() if name != LENGTH}
        model.conditions_.encode(told, 1, model.lengths_.longest)
        return given

    def stack(self, draws: Sequence[Any]) -> Rows:
        names = [f"{name} draw {k}" for k, draw in enumerate(draws, start=1) for name in draw.names]
        texts = [text for draw in draws for text in draw.texts()]
        number = np.repeat(np.arange(1.0, len(draws) + 1), [len(draw) for draw in draws])
        return Rows(Sequences.of(texts, names, draws[0].alphabet), {"draw": number})

    def scores(self, model: SequenceDesigner, raw: Any, *, per_cell: bool, say: Say) -> Rows:
        if per_cell:
            raise SequenceError("scores are of whole sequences; leave out --per-cell")
        rows = rows_of(raw)
        scores = model.score_samples(rows)
        oddest = ", ".join(
            f"{rows.sequences.names[k]} ({scores[k]:.2f})" for k in np.argsort(scores, kind="stable")[:_ODDEST]
        )
        each = float((scores / rows.sequences.lengths).mean())
        say(f"mean log-likelihood {scores.mean():.3f} nats a sequence, {each:.4f} a base; lowest {oddest}")
        return Rows(rows.sequences, {"log_likelihood": scores})

    def split(self, raw: Any, holdout: float, seed: int) -> tuple[Rows, Rows]:
        rows = rows_of(raw)
        order = np.random.default_rng(seed).permutation(len(rows))
        out = round(holdout * len(rows))
        return rows.take(np.sort(order[out:])), rows.take(np.sort(order[:out]))

    def compare(
        self, train: Any, holdout: Any, synthetic: Any, *, model: SequenceDesigner | None, target: str | None, seed: int
    ) -> Report:
        from intarsia_domains.dna._evaluation import evaluate_sequences
        from intarsia_domains.dna._markov import fit_markov

        if target is not None:
            raise SequenceError("sequences are compared without a label; leave out --target")
        real, held, made = (rows_of(raw).sequences for raw in (train, holdout, synthetic))
        baseline = fit_markov(real, seed=seed).sample(len(held), seed=seed)
        return evaluate_sequences(real, held, made, baselines={"Markov": baseline}, seed=seed)

    def describe(self, model: SequenceDesigner) -> Report:
        return Report(
            title="Sequence model",
            tables=[
                Table(
                    title="Conditions",
                    columns=["label", "kind", "values"],
                    rows=[[name, part.kind, part.about()] for name, part in model.conditions_.parts.items()],
                )
            ],
            provenance={
                "Learned from": f"{model.n_sequences_:,} {model.alphabet_.name} sequences, {model.lengths_.about()}",
                "Noise": str(model.noise_),
                "Network": str(model.network_),
                "Training": training_line(model),
            },
        )


@contextmanager
def _file(source: str) -> Generator[str, None, None]:
    """The file itself, or standard input as one: FASTA and FASTQ are known by their first letter."""
    if source != "-":
        yield source
        return
    text = sys.stdin.read()
    suffix = {">": ".fasta", "@": ".fastq"}.get(text.lstrip()[:1], ".csv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"standard input{suffix}"
        path.write_text(text, encoding="utf-8")
        yield str(path)


def _suffix(path: str) -> str:
    suffixes = [part.lower() for part in Path(path).suffixes]
    return next((part for part in reversed(suffixes) if part != ".gz"), "")


def _csv(rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "sequence", *rows.labels])
    columns = [values.tolist() for values in rows.labels.values()]
    writer.writerows(zip(rows.sequences.names, rows.sequences.texts(), *columns, strict=True))
    return text.getvalue()


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SequenceError(f"{name!r} is a number, got {text!r}") from None
