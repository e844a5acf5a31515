"""Tables on the command line."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from intarsia.command import AbstractCommand, Demonstration, Say
from intarsia.report import Report, Table

from ._bytes import source_name
from ._codec import TableCodec
from ._conform import Expectation
from ._given_text import parse_given
from ._read import read_table
from ._synthesizer import TabularSynthesizer, report_kinds
from ._table_error import TableError
from ._write import TableWriter
from .columns import CategoryColumn, NumberColumn

_ODDEST = 3


class TabularCommand(AbstractCommand[TabularSynthesizer]):
    """Reads and writes CSV, TSV and Parquet; conditions are values by column."""

    items = "rows"
    demonstration = Demonstration("diamonds", {"target": "price"})

    def read(self, source: str, *, like: Any = None, missing: Sequence[str] = (), say: Say) -> pd.DataFrame:
        known = like.codec_ if isinstance(like, TabularSynthesizer) else like
        expected = None if known is None else Expectation(known)
        text = () if expected is None else expected.text
        frame = read_table(source, missing=("", *missing), text=text, report=say)
        return frame if expected is None else expected.conform(frame, source_name(source))

    @contextmanager
    def writer(self, target: str) -> Generator[Callable[[Any], None], None, None]:
        with TableWriter(target) as writer:
            yield writer.append

    def parse_given(self, model: TabularSynthesizer, texts: Mapping[str, str], say: Say) -> dict[Any, Any]:
        return parse_given(model.codec_, texts, say)

    def stack(self, draws: Sequence[Any]) -> pd.DataFrame:
        if "draw" in draws[0].columns:
            raise TableError("the table has a column 'draw', which is to number the completions; rename it")
        frames = [frame.assign(draw=number)[["draw", *frame.columns]] for number, frame in enumerate(draws, start=1)]
        return pd.concat(frames, ignore_index=True)

    def scores(self, model: TabularSynthesizer, raw: Any, *, per_cell: bool, say: Say) -> pd.DataFrame:
        scores = model.score_samples(raw, per_cell=per_cell)
        if per_cell:
            return scores
        oddest = ", ".join(f"{row + 1} ({scores[row]:.2f})" for row in np.argsort(scores, kind="stable")[:_ODDEST])
        say(f"mean log-likelihood {scores.mean():.3f} nats per row; lowest in rows {oddest}")
        return pd.DataFrame({"log_likelihood": scores})

    def split(self, raw: Any, holdout: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        order = np.random.default_rng(seed).permutation(len(raw))
        out = round(holdout * len(raw))
        return raw.iloc[order[out:]].reset_index(drop=True), raw.iloc[order[:out]].reset_index(drop=True)

    def compare(
        self,
        train: Any,
        holdout: Any,
        synthetic: Any,
        *,
        model: TabularSynthesizer | None,
        target: str | None,
        seed: int,
    ) -> Report:
        from ._evaluation import evaluate_tables

        codec = TableCodec.fit(train, {}, 0, 0) if model is None else model.codec_
        kinds = report_kinds(codec)
        left_out = [name for name in codec.names if name not in kinds]
        if target is None and model is not None and model.target_ in kinds:
            target = model.target_
        frames = [frame.drop(columns=left_out, errors="ignore") for frame in (train, holdout, synthetic)]
        return evaluate_tables(*frames, kinds=kinds, target=target, seed=seed)

    def describe(self, model: TabularSynthesizer) -> Report:
        training = model.training_
        best = training["held_out_nats"]
        loss = "" if best is None else f", held-out {model.recipe_.loss_is} {best:.3f} nats per row"
        steps = f"{training['steps']:,} steps (best at {training['best_step']:,}), seed {model.seed}"
        return Report(
            title="Table model",
            tables=[
                Table(
                    title="Columns",
                    columns=["column", "kind", "classes", "missing", "values"],
                    rows=_columns(model.codec_),
                )
            ],
            provenance={
                "Learned from": f"{model.n_rows_:,} rows, {len(model.codec_.columns)} columns",
                "Target": "none" if model.target_ is None else str(model.target_),
                "Training": steps + loss,
                **({"Note": "training was interrupted; the best weights were kept"} if training["interrupted"] else {}),
            },
        )


def _columns(codec: TableCodec) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for column in codec.columns:
        classes = " + ".join(map(str, column.num_classes)) or "none"
        missing = "learned" if column.missing_class is not None else ""
        rows.append([column.name, column.kind, classes, missing, _values(column)])
    return rows


def _values(column: Any, most: int = 48) -> str:
    """The range of numbers, the first values of a category."""
    if isinstance(column, NumberColumn):
        low, high = column.range_
        return f"{low} to {high}"
    if not isinstance(column, CategoryColumn):
        return "made anew"
    text = ", ".join(map(str, column.values_[:most]))
    return text if len(text) <= most else f"{text[: most - 1]}…"
