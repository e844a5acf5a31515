"""Rankings on the command line."""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from intarsia.command import AbstractCommand, Say
from intarsia.report import Report, Table
from intarsia_domains.permutations._preflib import PREFLIB
from intarsia_domains.permutations._ranking_card import training_line
from intarsia_domains.permutations._ranking_given import Given
from intarsia_domains.permutations._ranking_model import RankingModel
from intarsia_domains.permutations._rankings import Rankings
from intarsia_domains.permutations._read_rankings import read_rankings, write_rankings
from intarsia_domains.permutations._ties import RandomTies, RefuseTies
from intarsia_domains.tabular._write import TableWriter

_ODDEST = 3
_LISTED = 50


class RankingCommand(AbstractCommand[RankingModel]):
    """Reads and writes PrefLib (.soc, .soi, .toc, .toi) and tables with a column a rank.

    Conditions are `prefix=a > b`, `top=a; b`, `before=a > b; c > d` and `1=a` for the item at rank 1.
    """

    items = "rows"

    def read(self, source: str, *, like: Any = None, missing: Sequence[str] = (), say: Say) -> Rankings:
        if missing:
            raise ValueError("rankings have no missing values to name: what is not ranked is left empty at the end")
        items = like.items_ if isinstance(like, RankingModel) else None if like is None else like.items
        tied = Path(source).suffix.lower() in (".toc", ".toi")
        rankings = read_rankings(source, RandomTies() if tied else RefuseTies(), items=items)
        if tied:
            say("ties are broken at random")
        rankings = rankings if items is None else rankings.over(items)
        partial = int(rankings.counts[rankings.lengths < rankings.n].sum())
        say(f"{rankings.ballots:,} ballots over {rankings.n} items, {partial:,} of them partial")
        return rankings

    @contextmanager
    def writer(self, target: str) -> Generator[Callable[[Any], None], None, None]:
        if Path(target).suffix.lower() in PREFLIB:
            if not Path(target).resolve().parent.is_dir():
                raise FileNotFoundError(f"there is no directory {Path(target).resolve().parent}")
            parts: list[Rankings] = []
            yield parts.append
            for part in parts:
                if not isinstance(part, Rankings):
                    raise ValueError("PrefLib files hold rankings only; write a .csv file")
                write_rankings(part.merge(), target)
            return
        with TableWriter(target) as writer:
            yield lambda part: writer.append(part.frame() if isinstance(part, Rankings) else part)

    def parse_given(self, model: RankingModel, texts: Mapping[str, str], say: Say) -> Given:
        fields: dict[str, Any] = {"at": {}}
        for name, text in texts.items():
            number = name.removeprefix("rank").strip()
            if name == "prefix":
                fields["prefix"] = _parts(text, ">")
            elif name == "top":
                fields["top"] = _parts(text, ";")
            elif name == "before":
                chains = [_parts(chain, ">") for chain in _parts(text, ";")]
                fields["before"] = [pair for chain in chains for pair in pairwise(chain)]
                if any(len(chain) < 2 for chain in chains):
                    raise ValueError(f"`before` is written 'a > b; c > d', got {text!r}")
            elif number.isdecimal():
                fields["at"][int(number)] = text
            else:
                raise ValueError(f"rankings are given by prefix, top, before or a rank such as 1, got {name!r}")
        given = Given(**fields)
        given.event(model.items_)
        return given

    def stack(self, draws: Sequence[Any]) -> pd.DataFrame:
        frames = [draw.frame().assign(draw=number) for number, draw in enumerate(draws, start=1)]
        both = pd.concat(frames, ignore_index=True)
        return both[["draw", *(name for name in both.columns if name != "draw")]]

    def scores(self, model: RankingModel, raw: Any, *, per_cell: bool, say: Say) -> pd.DataFrame:
        if per_cell:
            raise ValueError("a ranking is one value and has one score; leave out --per-cell")
        if not len(raw):
            say("there are no ballots to score")
            return pd.DataFrame({"log_likelihood": np.zeros(0)})
        found = model.score(raw)
        nats = found.nats.numpy()
        mean = float(nats @ raw.counts) / raw.ballots
        oddest = ", ".join(f"{row + 1} ({nats[row]:.2f})" for row in np.argsort(nats, kind="stable")[:_ODDEST])
        gap = float(found.gap.numpy() @ raw.counts) / raw.ballots
        how = "exact" if not gap else "a bound" if math.isnan(gap) else f"a bound, about {gap:.3f} too low"
        say(f"mean log-likelihood {mean:.3f} nats a ballot ({how}); lowest in rows {oddest}")
        frame = pd.DataFrame({"log_likelihood": nats})
        return frame.assign(standard_error=found.standard_error.numpy()) if gap else frame

    def split(self, raw: Any, holdout: float, seed: int) -> tuple[Rankings, Rankings]:
        return raw.split(holdout, seed)

    def compare(
        self, train: Any, holdout: Any, synthetic: Any, *, model: RankingModel | None, target: str | None, seed: int
    ) -> Report:
        from intarsia_domains.permutations._evaluation import evaluate_rankings

        if target is not None:
            raise ValueError("rankings have no target column; leave out --target")
        return evaluate_rankings(train, holdout, synthetic, model=model, seed=seed)

    def describe(self, model: RankingModel) -> Report:
        listed = model.items_[:_LISTED]
        return Report(
            title="Ranking model",
            tables=[Table(title="Items", columns=["item"], rows=[[name] for name in listed])],
            provenance={
                "Learned from": f"{model.n_ballots_:,} ballots over {len(model.items_)} items",
                "Model": model.law_.about,
                "Training": training_line(model),
            },
        )


def _parts(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]
