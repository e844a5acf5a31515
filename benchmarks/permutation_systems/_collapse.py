"""Part `collapse`: does prediction of x0 under riffle noise fall back to chance, as has been reported?

It was said of sorting (Soft-Rank Diffusion, arXiv 2603.17353), where x0 follows from the items. There are two kinds of
data: `law-10` are rankings of a known law, without items to read, so that the chain has to make all of it; `sort-…` are
sets of vectors whose order follows from them. Each head is trained to predict x0 and walks back by the exact bridge
over the merged steps, or over every riffle; the published loss of one step's move is beside it. For sorting there is
also the way without a bridge, which shuffles the predicted x0 anew to the next time. Networks of sorting are plain
attention, without the comparisons of pairs that sort by themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine_cells.cell import of_part
from intarsia.processes import GeneralizedPlackettLuce, Move, PlackettLuce, PrefixPlackettLuce, Riffle, RiffleWalk
from intarsia.processes import enough_shuffles as enough
from intarsia.training import Settings
from intarsia_domains.permutations import Arranger, Draw, Greedy, Pointer, RankingModel, Shuffles, VectorEncoder
from intarsia_domains.permutations._arranger_chain import Chain
from parts import Cell
from permutation_systems._ballot_data import ITEMS, TRAIN, log_truth, synthetic
from permutation_systems._sorting import scores
from tabular_systems._results import table

PART = "collapse"
LAW = f"law-{ITEMS}"
SIZES = (10, 32)
DRAWN, SETS = 2000, 500
EVERY = Shuffles(Riffle, counts=enough(RiffleWalk(ITEMS)))
HEADS = {"pointer": Pointer(), "GPL": GeneralizedPlackettLuce(), "PL": PlackettLuce()}
CHAINS: dict[str, dict[str, Any]] = {
    "one step pointer": {},
    **{f"x0 {name}": {"noise": Shuffles(Riffle), "head": head} for name, head in HEADS.items()},
    **{f"x0 {name} every riffle": {"noise": EVERY, "head": head} for name, head in HEADS.items()},
    "moves GPL": {"noise": Shuffles(Riffle), "head": Move(GeneralizedPlackettLuce())},
    "moves PL": {"noise": Shuffles(Riffle), "head": Move(PlackettLuce())},
}
SORTERS: dict[str, Any] = {
    "x0 pointer": PrefixPlackettLuce(),
    "x0 GPL": GeneralizedPlackettLuce(),
    "x0 PL": PlackettLuce(),
    "moves GPL": Move(GeneralizedPlackettLuce()),
    "moves PL": Move(PlackettLuce()),
}


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """One wave: chains on the law, networks on sets of vectors."""
    sorting = [Cell(PART, f"sort-{n}", name) for n in SIZES for name in SORTERS]
    return [[*(Cell(PART, LAW, name) for name in CHAINS), *sorting]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Train for the budget, then sample or sort."""
    if cell.case == LAW:
        return _law(CHAINS[cell.system], options.budget)
    return _sorted(SORTERS[cell.system], int(cell.case.removeprefix("sort-")), options.budget)


def _law(options: dict[str, Any], budget: float) -> dict[str, Any]:
    """How probable draws of the chain are under the law that it learned from; no bound is involved."""
    train, _ = synthetic(1, TRAIN)
    test, nats = synthetic(2, DRAWN)
    model = RankingModel(cpu_minutes=budget / 60, progress=False, **options).fit(train)
    drawn = log_truth(model.sample(DRAWN, seed=1).orders)
    chance = log_truth(np.random.default_rng(3).random((DRAWN, ITEMS)).argsort(1))
    found = model.score(test, draws=32)
    share = float((drawn.mean() - chance.mean()) / (nats.mean() - chance.mean()))
    return {
        "drawn_nats": float(drawn.mean()),
        "chance_nats": float(chance.mean()),
        "truth_nats": float(nats.mean()),
        "share": share,
        "kl": float(nats.mean() - found.nats.mean()),
        "training": model.training_,
        "brief": f"{100 * share:.1f} % of the way from chance to the law",
    }


@dataclass(frozen=True)
class _Plain(VectorEncoder):
    """Vectors without comparisons of pairs."""

    @property
    def compares(self) -> bool:
        return False


@dataclass(frozen=True)
class _Anew(Chain):
    """Goes back by shuffling the predicted x0 anew instead of the bridge."""

    def back(self, found: Tensor, x: Tensor, look: tuple[int, int], rng: torch.Generator) -> Tensor:
        return self.process.corrupt(found, self.clock(look[1], len(x), x.device), rng)


def _vectors(rows: int, rng: np.random.Generator, n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sets of vectors in the order of the difference of two values."""
    items = rng.normal(size=(rows, n, 2))
    return items, (items[..., 0] - items[..., 1]).argsort(1)


def _sorted(head: Any, n: int, budget: float) -> dict[str, Any]:
    """Shares of right orders by every way back."""
    model = Arranger(
        _Plain(features=32, width=64),
        head=head,
        width=64,
        depth=3,
        cpu_minutes=budget / 60,
        settings=Settings(batch_size=64, learning_rate=2e-3, warmup=50, evaluations=10, patience=0, ema=0.99),
        progress=False,
    )
    model.fit(lambda rows, rng: _vectors(rows, rng, n))
    items, orders = _vectors(SETS, np.random.default_rng(0), n)
    results = {"chance": scores(np.random.default_rng(1).permuted(orders, axis=1), orders)}
    for name, decode in {"greedy": Greedy(), "drawn": Draw(1)}.items():
        for all_steps in (False, True) if not isinstance(head, Move) else (True,):
            way = f"{name}, {'all steps' if all_steps else 'one step'}"
            results[way] = scores(model.arrange(items, decode=decode, all_steps=all_steps), orders)
    if not isinstance(head, Move):
        results["greedy, shuffled anew"] = scores(_anew(model, items), orders)
    best = max(r["correct"] for r in results.values())
    return {"results": results, "training": model.training_, "brief": f"{100 * best:.1f} % of places right"}


def _anew(model: Arranger, items: NDArray[np.float64]) -> NDArray[np.int64]:
    chain = model._chain(items.shape[1])
    anew = _Anew(chain.process, chain.network, chain.shape)
    rng, sets = torch.Generator().manual_seed(0), torch.from_numpy(items).float()
    with torch.no_grad():
        x = chain.process.prior(tuple(items.shape[:2]), rng)
        found, _ = Greedy().run(anew, chain.network.encode(sets), x, anew.looks(all_steps=True), rng)
    return found[:, 0].numpy()


def section(done: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown: where each chain stands between chance and the truth."""
    mine, lines = of_part(done, PART), list[str]()
    law = [x for x in mine if x["case"] == LAW]
    if law:
        first = law[0]
        lines += [
            "",
            f"### The known law of {ITEMS} items",
            "",
            f"{DRAWN} draws of each chain under the law itself: chance has {first['chance_nats']:.2f} nats, the law's "
            f"own draws {first['truth_nats']:.2f}. The share is 0 % for chance and 100 % for the law; the divergence "
            "of draws that are too alike is in the last column.",
            "",
        ]
        rows = [
            [x["system"], f"{x['drawn_nats']:.2f}", f"{100 * x['share']:.1f}", f"{x['kl']:.2f}"]
            for x in sorted(law, key=lambda x: -x["share"])
        ]
        lines += table(["chain", "nats of draws", "from chance to the law, %", "KL to the model, a bound"], rows)
    for n in SIZES:
        rows = [
            [x["system"], way, f"{100 * r['exact']:.1f}", f"{100 * r['correct']:.1f}", f"{r['tau']:.3f}"]
            for x in mine
            if x["case"] == f"sort-{n}"
            for way, r in x["results"].items()
        ]
        heads = ["loss and head", "way back", "right sets, %", "right places, %", "Kendall's tau"]
        lines += ["", f"### Sorting {n} vectors", "", *table(heads, rows)] if rows else []
    return lines
