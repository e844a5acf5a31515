"""Random satisfiable formulas with a model of each, to learn from."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Any

import numpy as np
from torch import Tensor

from intarsia._extras import require

from ._factor_graph import clause_atoms
from ._lessons import Examples
from ._problem import Problem
from .presets import cnf

_ENUMERATED = 12
"""Variables up to which all assignments are tried."""
_BATCH = 256
_BARREN = 200
"""Batches without a satisfiable formula after which drawing ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Formulas:
    """Satisfiable formulas of one size.

    Args:
        clauses: signed numbers of variables, (n, clauses, width).
        states: a model of each, 0 or 1, (n, variables).
    """

    clauses: np.ndarray
    states: np.ndarray

    def __len__(self) -> int:
        return len(self.states)

    def problems(self) -> list[Problem]:
        """The same as declared problems."""
        return [cnf(clauses.tolist(), self.states.shape[1]) for clauses in self.clauses]

    def examples(self) -> Examples:
        """The same as lessons, with nothing observed."""
        return Examples(np.full_like(self.states, -1), self.states, self.atoms())

    def atoms(self) -> Tensor:
        """The atoms that satisfy each clause, as `FactorGraph.at_least` has them, (n, clauses, width)."""
        return clause_atoms(self.clauses, 2, 2 * self.states.shape[1])


def threshold_clauses(num_vars: int) -> int:
    """Clauses of random 3-SAT at which half of the formulas are satisfiable: 4.258 n + 58.26 n^(-2/3), rounded down.

    Crawford and Auton 1996, Artificial Intelligence 81, section 4.
    """
    return int(4.258 * num_vars + 58.26 * num_vars ** (-2 / 3))


def random_formulas(
    n: int, num_vars: int, num_clauses: int | None = None, *, width: int = 3, seed: int = 0
) -> Formulas:
    """Formulas of different random clauses, each satisfiable, drawn until so many are found.

    The model is drawn from all of them up to 12 variables, where all assignments are tried; beyond, it is the one that
    a solver finds from random phases.

    Args:
        n: how many.
        num_vars: of each.
        num_clauses: by default as many as are at the threshold.
        width: different variables of a clause.
        seed: the same seed gives the same formulas.

    Raises:
        ValueError: there are not so many different clauses, or hardly a formula is satisfiable.
        MissingExtraError: python-sat is not installed, beyond 12 variables.
    """
    clauses = threshold_clauses(num_vars) if num_clauses is None else num_clauses
    pool = _pool(num_vars, width)
    if not 0 < clauses <= len(pool):
        raise ValueError(f"there are {len(pool):,} clauses of {width} of {num_vars} variables, got {clauses:,}")
    rng = np.random.default_rng(seed)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    total = barren = 0
    while total < n:
        # the clauses of the smallest random keys: so many different ones
        keys = rng.random((_BATCH, len(pool)), dtype=np.float32)
        drawn = pool[np.argpartition(keys, clauses - 1, axis=1)[:, :clauses]]
        satisfied, states = (
            _enumerated(drawn, num_vars, rng) if num_vars <= _ENUMERATED else _solved(drawn, num_vars, rng)
        )
        found.append((drawn[satisfied], states))
        total += len(states)
        barren = 0 if len(states) else barren + 1
        if barren >= _BARREN:
            raise ValueError(
                f"no formula with {clauses} clauses among {_BARREN * _BATCH:,} is satisfiable; ask for fewer"
            )
    parts = zip(*found, strict=True) if found else (np.zeros((1, 0, clauses, width)), np.zeros((1, 0, num_vars)))
    formulas, models = (np.concatenate(list(part))[:n].astype(np.int64) for part in parts)
    return Formulas(formulas, models)


def count_models(clauses: np.ndarray, num_vars: int) -> np.ndarray:
    """Models of formulas (n, clauses, width) of up to some 20 variables, by trying all assignments, (n,)."""
    return np.array([int(_satisfied(part, num_vars).sum()) for part in _pieces(clauses)], dtype=np.int64)


def _pieces(clauses: np.ndarray) -> Iterator[np.ndarray]:
    return (clauses[row : row + 1] for row in range(len(clauses)))


@lru_cache(maxsize=8)
def _pool(num_vars: int, width: int) -> np.ndarray:
    """Every clause of so many different variables, (clauses, width)."""
    signs = np.array(list(product((1, -1), repeat=width)))
    chosen = np.array(list(combinations(range(1, num_vars + 1), width)), dtype=np.int64).reshape(-1, width)
    return (chosen[:, None] * signs).reshape(-1, width)


@lru_cache(maxsize=4)
def _assignments(num_vars: int) -> np.ndarray:
    """All assignments, (2^variables, variables) Booleans."""
    return (np.arange(2**num_vars)[:, None] >> np.arange(num_vars) & 1).astype(bool)


def _satisfied(clauses: np.ndarray, num_vars: int) -> np.ndarray:
    """Which assignments satisfy formulas (n, clauses, width), (n, assignments) Booleans."""
    bits = _assignments(num_vars)
    good = np.ones((len(clauses), len(bits)), dtype=bool)
    for clause in clauses.transpose(1, 0, 2):
        literals = bits.T[np.abs(clause) - 1] == (clause > 0)[..., None]
        good &= literals.any(1)
    return good


def _enumerated(clauses: np.ndarray, num_vars: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    good = _satisfied(clauses, num_vars)
    some = np.asarray(good.any(1))
    chosen = np.where(good[some], rng.random(good[some].shape, dtype=np.float32), -1.0).argmax(1)
    return some, _assignments(num_vars)[chosen].astype(np.int64)


def _solved(clauses: np.ndarray, num_vars: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    solvers: Any = require("pysat.solvers", "reasoning")
    models: list[np.ndarray] = []
    some = np.zeros(len(clauses), dtype=bool)
    variables = np.arange(1, num_vars + 1)
    for row, formula in enumerate(clauses.tolist()):
        with solvers.Solver(name="glucose4", bootstrap_with=formula) as solver:
            solver.set_phases((variables * rng.choice((-1, 1), num_vars)).tolist())
            some[row] = solver.solve()
            if some[row]:
                model = np.zeros(num_vars, dtype=np.int64)
                model[[k - 1 for k in solver.get_model() if 0 < k <= num_vars]] = 1
                models.append(model)
    return some, np.array(models, dtype=np.int64).reshape(-1, num_vars)
