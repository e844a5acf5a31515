"""Boolean formulas in conjunctive normal form."""

from collections.abc import Iterable, Sequence

from intarsia_domains.reasoning._dimacs import parse_dimacs
from intarsia_domains.reasoning._problem import Problem


def cnf(formula: str | Iterable[Sequence[int]], num_vars: int | None = None) -> Problem:
    """A formula whose variables are the numbers 1, 2, …

    Args:
        formula: text in DIMACS format, or clauses of signed numbers.
        num_vars: how many variables there are; by default what the text says, or the highest in the clauses.

    Raises:
        ValueError: the text is no DIMACS, a clause is about 0, or there are no variables; it names the clause.
    """
    if isinstance(formula, str):
        declared, clauses = parse_dimacs(formula)
    else:
        clauses = [list(clause) for clause in formula]
        declared = max((abs(literal) for clause in clauses for literal in clause), default=0)
    count = declared if num_vars is None else num_vars
    problem = Problem(range(1, count + 1), (False, True), title="formula", kind="cnf")
    for number, clause in enumerate(clauses, start=1):
        problem.clause(clause, name=f"clause {number}")
    return problem
