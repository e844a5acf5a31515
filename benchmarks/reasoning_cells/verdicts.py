"""The project's targets, and which of them the finished cells meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine_cells.cell import Verdict, of_part
from reasoning_cells.data import LISTS

Cells = Sequence[dict[str, Any]]
RATES = {"clues17": 100, "forum-hardest": 20}
ONE_PASS = {"mgdm-test": 100.0, "clues17": 98.0, "magictour": 90.0, "forum-hardest": 60.0}
RESTARTED = {"clues17": 99.5, "forum-hardest": 95.0}


def verdicts(done: Cells) -> list[Verdict]:
    """All of them; None where nothing was measured."""
    sudoku = {(x["case"], x["system"]): x for x in of_part(done, "sudoku")}
    sat = {(x["case"], x["system"]): x for x in of_part(done, "sat")}
    hybrid = [x for case in LISTS if (x := sudoku.get((case, "hybrid")))]
    found = [_verdict("hybrid: every board right, uniqueness decided", hybrid or None, _all_right, _counts)]
    found += [
        _verdict(
            f"hybrid: {case} at ≥ {rate} a second",
            sudoku.get((case, "hybrid")),
            lambda x, r=rate: x["per_s"] >= r,
            _rate,
        )
        for case, rate in RATES.items()
    ]
    found += [
        _verdict(f"hybrid: {case} all {'SAT' if key == 'sat' else 'UNSAT'}", sat.get((case, "hybrid")),
                 lambda x, k=key: x[k] == x["formulas"], lambda x, k=key: f"{x[k]:,} of {x['formulas']:,}")
        for case, key in (("uf20", "sat"), ("uf50", "sat"), ("uuf50", "unsat"))
    ]  # fmt: skip
    for case, least in ONE_PASS.items():
        found.append(_share(f"neural: {case} ≥ {least:g} % in one pass", sudoku.get((case, "neural")), "0", least))
    for case, least in RESTARTED.items():
        found.append(_share(f"neural: {case} ≥ {least:g} % with restarts", sudoku.get((case, "neural")), None, least))
    said = list(sudoku.values())
    found.append(
        _verdict("never a wrong board called solved", said or None, lambda x: not any(c["wrong"] for c in x),
                 lambda x: f"{sum(c['wrong'] for c in x)} of {sum(c['puzzles'] for c in x):,} answers")
    )  # fmt: skip
    for case in ("4x4", "6x6"):
        found.append(_share(f"neural: {case} ≥ 95 % with the same weights", sudoku.get((case, "neural")), None, 95.0))
    best = max((x for (case, _), x in sat.items() if case == "3sat9" and "parameters" in x), key=_last, default=None)
    found.append(_share("a network satisfies ≥ 95 % of 3-SAT 9", best, None, 95.0))
    return found + _made(done)


def _made(done: Cells) -> list[Verdict]:
    """Targets about boards that are made, Countdown and calibration."""
    cd4 = next((x for x in of_part(done, "countdown") if x["case"] == "cd4" and x["system"] == "diffusion"), None)
    drawn = next((x for x in of_part(done, "grids") if x["system"] == "model with propagation"), None)
    counted = next(iter(of_part(done, "counting")), None)
    made = [x for x in of_part(done, "generate") if x["system"] == "ours"] or None
    sure = next((x for x in of_part(done, "calibration") if x["case"] == "clues17"), None)
    return [
        _verdict("Countdown 4 ≥ 91.5 % by the network alone", cd4, lambda x: _alone(x) >= 91.5,
                 lambda x: f"{_alone(x):.1f} %"),
        _verdict("grids from nothing ≥ 99 % valid in ≤ 32 calls", drawn,
                 lambda x: x["valid"] >= 99 and x["calls"] <= 32,
                 lambda x: f"{x['valid']:.1f} % in {x['calls']} calls"),
        _verdict("counts agree with the exact counter", counted, lambda x: x["alike"] == x["compared"] > 0,
                 lambda x: f"{x['alike']:,} of {x['compared']:,}"),
        _verdict("generated puzzles unique, clues as asked, ≥ 100 a second", made,
                 lambda x: all(c["unique"] == 100 and c["as_asked"] in (None, 100) and c["per_s"] >= 100 for c in x),
                 lambda x: ", ".join(f"{c['case']}: {c['unique']:.0f} %, {c['per_s']:,.0f}/s" for c in x)),
        _verdict("ECE ≤ 0.02 on 17 clues", sure, lambda x: x["ece"] <= 0.02, lambda x: f"{x['ece']:.3f}"),
        _verdict("≥ 95 % covered at 100 % precision", sure, lambda x: x["coverage"] >= 95 and x["precision"] == 100,
                 lambda x: f"{x['coverage']:.1f} % at {x['precision'] or float('nan'):.2f} %"),
    ]  # fmt: skip


def _verdict(target: str, x: Any, met: Callable[[Any], bool | None], said: Callable[[Any], str]) -> Verdict:
    return Verdict(target, "–", None) if x is None else Verdict(target, said(x), met(x))


def _share(target: str, x: dict[str, Any] | None, look: str | None, least: float) -> Verdict:
    """Of what is solved in one pass (`look` 0), or within all restarts (None)."""

    def share(cell: dict[str, Any]) -> float:
        return cell["within"][look] if look is not None else _last(cell)

    return _verdict(target, x, lambda cell: share(cell) >= least, lambda cell: f"{share(cell):.2f} %")


def _last(x: dict[str, Any]) -> float:
    return list(x["within"].values())[-1]


def _alone(x: dict[str, Any]) -> float:
    return x["ways"]["network alone, 1 draws"]["solved"]


def _all_right(cells: Cells) -> bool | None:
    right = all(x["right"] == x["unique"] == x["puzzles"] for x in cells)
    whole = len(cells) == len(LISTS) and all(x["puzzles"] == x["listed"] for x in cells)
    return None if right and not whole else right


def _counts(cells: Cells) -> str:
    lists, boards, right = len(cells), sum(x["puzzles"] for x in cells), sum(x["right"] for x in cells)
    return f"{right:,} of {boards:,} on {lists} of {len(LISTS)} lists"


def _at_least(rate: float) -> Callable[[dict[str, Any]], bool]:
    return lambda x: x["per_s"] >= rate


def _rate(x: dict[str, Any]) -> str:
    return f"{x['per_s']:,.0f}"
