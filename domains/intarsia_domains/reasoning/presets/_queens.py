"""Queens that do not attack each other."""

from intarsia_domains.reasoning._problem import Problem


def nqueens(n: int) -> Problem:
    """One queen in every row of an n x n board; `row 3` takes the column of its queen, from 1."""
    if n < 1:
        raise ValueError(f"a board needs a size of at least 1, got {n}")
    rows = [f"row {r}" for r in range(1, n + 1)]
    problem = Problem(rows, range(1, n + 1), title=f"{n} queens", kind="nqueens")
    problem.all_different(rows, name="columns")
    problem.all_different(rows, offsets=range(n), name="rising diagonals")
    return problem.all_different(rows, offsets=range(0, -n, -1), name="falling diagonals")
