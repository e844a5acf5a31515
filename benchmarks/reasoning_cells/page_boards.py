"""The section on Sudoku."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine_cells.cell import of_part
from reasoning_cells import published
from reasoning_cells.boards import FLOORS, NEURAL, OURS
from reasoning_cells.data import BUCKETS, GENERATED, LEARNED, LISTS, bucket
from reasoning_cells.figures import plain
from tabular_systems._results import table

Cells = Sequence[dict[str, Any]]


def section(done: Cells) -> list[str]:
    """Tables of every list, of the network alone, of orderings and of buckets."""
    cells = of_part(done, "sudoku")
    if not cells:
        return []
    lines = [
        "`right` equals the listed solution, `wrong` was called solved and does not: every answer is compared. Hybrid "
        "and exact mode also decide uniqueness; `first solution` and the peers stop at one. Networks see, of "
        f"{' and '.join(LEARNED)}, only puzzles whose solution grid is held out from all training. Nodes are those of "
        "our own search (python-sat's decisions in exact mode) until uniqueness is proven; `before search` needs none. "
        "A network call is one iteration of its block on one board. Rates are of one process, with the parsing of "
        "puzzles; slow systems have caps.",
    ]
    if not any(x["system"] in NEURAL for x in cells):
        lines += [
            "",
            "There is no Sudoku model: none ships and none was given by `--weights`.",
        ]
    head = [
        "system",
        "puzzles",
        "right %",
        "wrong",
        "abstained",
        "unique",
        "before search %",
        "nodes mean",
        "median",
        "max",
    ]
    head += ["calls", "a second"]
    for case in (*LISTS, *GENERATED):
        rows = [_row(x) for x in _ordered(cells, case)]
        lines += ["", f"### {case}", "", *table(head, rows)] if rows else []
    lines += _neural(cells) + _ordering(cells) + _buckets(cells)
    rows = [list(row) for row in published.SUDOKU]
    return [*lines, "", "### Published, not measured here", "", *table(["system", "test", "solved %"], rows)]


def _ordered(cells: Cells, case: str) -> list[dict[str, Any]]:
    order = [*FLOORS, *OURS, *NEURAL]
    mine = [x for x in cells if x["case"] == case]
    return sorted(mine, key=lambda x: order.index(x["system"]) if x["system"] in order else len(order))


def _row(x: dict[str, Any]) -> list[str]:
    share = f"{100 * x['before_search'] / x['puzzles']:.1f}" if x["nodes"] is not None else "–"
    nodes = ["–"] * 3 if x["nodes"] is None else [plain(x[k]) for k in ("nodes", "nodes_median", "nodes_max")]
    decided = f"{x['unique']:,}" if x["unique"] else "–"
    counts = [f"{x['puzzles']:,}", _percent(x), f"{x['wrong']:,}", f"{x['abstained']:,}", decided]
    calls = f"{x['calls']:,.0f}" if "calls" in x else "–"
    return [x["system"], *counts, share, *nodes, calls, plain(x["per_s"])]


def _percent(x: dict[str, Any]) -> str:
    return f"{100 * x['right'] / x['puzzles']:.2f}"


def _neural(cells: Cells) -> list[str]:
    mine = [x for x in cells if "within" in x]
    if not mine:
        return []
    looks = list(dict.fromkeys(k for x in mine for k in x["within"]))
    names = ["one pass" if k == "0" else f"within {k} restarts" for k in looks]
    rows = [
        [
            x["case"],
            f"{x['puzzles']:,}",
            *(f"{x['within'].get(k, float('nan')):.2f}" for k in looks),
            f"{x['abstained']:,}",
        ]
        for x in mine
    ]
    return ["", "### The network alone", "", "Solved and verified, in per cent.", "", *table(
        ["list", "puzzles", *names, "abstained"], rows
    )]  # fmt: skip


def _ordering(cells: Cells) -> list[str]:
    rows = [
        [
            x["case"],
            f"{x['puzzles']:,}",
            *map(plain, (x["nodes_alone"], x["nodes"], x["nodes_alone_median"], x["nodes_median"])),
        ]
        for x in cells
        if "nodes_alone" in x
    ]
    head = ["list", "puzzles", "mean nodes without", "with the model", "median without", "with the model"]
    return ["", "### Search with and without the model's ordering", "", *table(head, rows)] if rows else []


def _buckets(cells: Cells) -> list[str]:
    names = [bucket(low) for low in BUCKETS]
    rows: list[list[str]] = []
    for x in (x for case in LISTS for x in _ordered(cells, case)):
        if x["case"] in ("forum-hardest", "magictour") and x["system"] in ("hybrid", *NEURAL):
            parts = [x["buckets"].get(name) for name in names]
            rows.append([x["case"], x["system"], *("–" if p is None else _part(p) for p in parts)])
    lines = ["", "### By backtracks that tdoku needs", "", "Right in per cent (puzzles; mean nodes of our search).", ""]
    return [*lines, *table(["list", "system", *names], rows)] if rows else []


def _part(x: dict[str, Any]) -> str:
    nodes = "" if x["nodes"] is None else f"; {x['nodes']:,.0f}"
    return f"{100 * x['right'] / x['puzzles']:.1f} ({x['puzzles']:,}{nodes})"
