"""Part `grids`: full boards from nothing, valid on rows, columns and boxes, different, and in few network calls."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch

from intarsia.diffusion import Diffusion
from intarsia.processes import Discrete
from intarsia.samplers import Confidence, Margin, PerStep, RandomOrder, Unmask
from intarsia_domains.reasoning import canonical, check, sudoku
from intarsia_domains.reasoning._canonical import is_solution
from intarsia_domains.reasoning._drawing import draw_once
from intarsia_domains.reasoning._generate import full_grid
from intarsia_domains.reasoning._stack import shared_graph
from intarsia_domains.reasoning._sudoku import board_layout
from parts import Cell
from reasoning_cells.models import has_weights, sudoku_model

ROWS = 1_000
PART = "grids"
ORDERS = {"random": RandomOrder(), "confidence": Confidence(), "margin": Margin()}
SITES = 3
"""Cells that the engine's sampler sets at a call: 27 calls for a board."""
BATCH = 128


def cells(options: argparse.Namespace) -> list[list[Cell]]:
    """The random search as a floor; with a model its draws with propagation, and the engine's sampler without."""
    drawn = ("model with propagation", *(f"unmask {order}" for order in ORDERS)) if has_weights(options) else ()
    return [[Cell(PART, "9x9", system) for system in ("random search", *drawn)]]


def run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """One way of drawing."""
    rows = options.puzzles or ROWS
    start = time.perf_counter()
    if cell.system == "random search":
        rng = np.random.default_rng(0)
        grids, calls, iterations = np.array([full_grid(board_layout(81), rng) for _ in range(rows)]), 0, 0
    elif cell.system == "model with propagation":
        grids, calls, iterations = _propagated(rows, options)
    else:
        grids, calls, iterations = _unmasked(ORDERS[cell.system.split()[1]], rows, options)
    seconds = time.perf_counter() - start
    found = {**diversity(grids), "calls": calls, "iterations": iterations, "per_s": rows / seconds}
    return found | {"brief": f"{found['valid']:.1f} % valid in {calls} calls"}


def _propagated(rows: int, options: argparse.Namespace) -> tuple[np.ndarray, int, int]:
    model, rng = sudoku_model(options), torch.Generator().manual_seed(0)
    problem, parts = sudoku(9), [min(BATCH, rows - done) for done in range(0, rows, BATCH)]
    drawn = [draw_once(model.network_, problem, part, 1, rng, "cpu") for part in parts]
    calls = max(calls for _, calls in drawn)
    return np.concatenate([states for states, _ in drawn]) + 1, calls, calls + 3  # the first call has four iterations


def _unmasked(order: Any, rows: int, options: argparse.Namespace) -> tuple[np.ndarray, int, int]:
    network, problem = sudoku_model(options).network_, sudoku(9)
    graph = problem.derived(shared_graph)
    cond = (graph, torch.ones(1, 81, 9, dtype=torch.bool))
    diffusion, rng = Diffusion(Discrete.absorbing(9), network), torch.Generator().manual_seed(0)
    sampler = Unmask(order, PerStep(SITES))
    states = torch.cat([
        diffusion.sample((min(BATCH, rows - done), 81), sampler, cond=cond, rng=rng) for done in range(0, rows, BATCH)
    ])  # fmt: skip
    calls = -(-81 // SITES)
    return states.numpy() + 1, calls, calls * network.iterations


def diversity(grids: np.ndarray) -> dict[str, Any]:
    """Of grids with numbers from 1, other numbers where nothing was set, (n, 81).

    Valid grids, those with valid rows and columns only (a published checker never looks at boxes), different ones also
    up to symmetry, and in how many cells two of them agree: 9 of 81 where cells are uniform.
    """
    valid = is_solution(grids)
    good = grids[valid]
    side = np.arange(1, 10)
    lines = grids.reshape(-1, 9, 9)
    loose = [(np.sort(part, 2) == side).all((1, 2)) for part in (lines, lines.swapaxes(1, 2))]
    exact = check(sudoku(9), np.where((grids > 0) & (grids <= 9), grids, 0) - 1).valid
    agreeing = [(good[k] == good[-1 - k]).sum() for k in range(len(good) // 2)]
    return {
        "rows": len(grids),
        "valid": 100 * float(valid.mean()),
        "checker_agrees": bool((exact == valid).all()),
        "rows_and_columns": 100 * float((loose[0] & loose[1]).mean()),
        "different": len(np.unique(good, axis=0)),
        "classes": len(np.unique(canonical(good), axis=0)) if len(good) else 0,
        "agreeing": float(np.mean(agreeing)) if agreeing else None,
    }
