"""Problems as one batch for a network."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ._arrays import arrays, domains
from ._board import parse_board
from ._clause import Clause
from ._factor_graph import FactorGraph
from ._problem import Problem


def as_problems(raw: object) -> list[Problem]:
    """Problems from problems or from Sudoku boards as text; raises TypeError or ValueError that names the item."""
    from .presets import sudoku

    items = [raw] if isinstance(raw, str | Problem) else list(raw) if isinstance(raw, Sequence | np.ndarray) else None
    if items is None:
        raise TypeError(f"expected problems or boards as text, got {type(raw).__name__}")
    problems: list[Problem] = []
    for number, item in enumerate(items, start=1):
        if isinstance(item, Problem):
            problems.append(item)
        elif isinstance(item, str):
            try:
                board = parse_board(item)
                problems.append(sudoku(len(board), given=item))
            except ValueError as error:
                raise ValueError(f"item {number}: {error}") from None
        else:
            raise TypeError(f"item {number} is a {type(item).__name__}; give problems or boards as text")
    return problems


def booleans(problem: Problem) -> tuple[int, int]:
    """The indices of False and True, (0, 1) where there are none."""
    both = False in problem.values and True in problem.values
    return (problem.values.index(False), problem.values.index(True)) if both else (0, 1)


def shared_graph(problem: Problem) -> FactorGraph:
    """The graph of one structure."""
    return FactorGraph.of(arrays(problem), booleans(problem))


def stack(problems: Sequence[Problem]) -> tuple[FactorGraph, Tensor]:
    """The graph and the domains (batch, variables, values) of problems of one structure, or of formulas of one size.

    Raises:
        ValueError: there are none, or two have different variables or values, or differ in more than clauses.
    """
    if not problems:
        raise ValueError("there is no problem; give at least one")
    first = problems[0]
    if all(problem.structure is first.structure for problem in problems):
        return first.derived(shared_graph), torch.from_numpy(domains(problems))
    for number, problem in enumerate(problems, start=1):
        if len(problem) != len(first) or problem.values != first.values:
            raise ValueError(f"problem {number} has other variables or values than the first; keep kinds apart")
    if not all(isinstance(c, Clause) for problem in problems for c in problem.constraints):
        return _alike(problems)
    graphs = [problem.derived(shared_graph) for problem in problems]
    shape = tuple(max(graph.at_least.shape[k] for graph in graphs) for k in (1, 2))
    padding = len(first) * len(first.values)
    own = [
        functional.pad(
            g.at_least, (0, shape[1] - g.at_least.shape[2], 0, shape[0] - g.at_least.shape[1]), value=padding
        )
        for g in graphs
    ]
    possible = np.concatenate([domains([problem]) for problem in problems])
    return replace(graphs[0], at_least=torch.cat(own)), torch.from_numpy(possible)


def _alike(problems: Sequence[Problem]) -> tuple[FactorGraph, Tensor]:
    shapes = arrays(problems)
    return problems[0].derived(shared_graph), torch.from_numpy(shapes.domains)
