"""Files of formulas: DIMACS, lists of clauses as JSON lines, and the letter codes of the published 3-SAT tests."""

import json
from pathlib import Path
from typing import Any

from ._files import text_of_file
from ._problem import Problem
from .presets import cnf

_FIVE = "1234567890"
"""Codes of five variables, first true and then false; with more variables falsehood is a letter from `b` on."""


def read_formulas(source: str | Path, num_vars: int | None = None) -> list[Problem]:
    """Formulas, in order.

    Args:
        source: a DIMACS file (`.cnf`, `.dimacs`), or JSON lines, each with `clauses` of signed numbers and `num_vars`,
            or with `input`: clauses divided by `/` of literals divided by `,`, in the codes of Ye et al. 2025 (MGDM,
            arXiv 2410.14157). Either may be gzipped; `-` is standard input, in any of these formats.
        num_vars: variables of coded formulas; by default as many as `output`, their model, has literals.

    Raises:
        ValueError: a line is neither, or holds a code that is no literal; the line is named.
        OSError: the file cannot be read.
    """
    name, text = text_of_file(source)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if lines and not lines[0][1].lstrip().startswith("{"):
        return [cnf(text)]
    if not lines:
        raise ValueError(f"{name} holds no formula; write one per line")
    problems: list[Problem] = []
    for number, line in lines:
        try:
            problems.append(_formula(json.loads(line), num_vars))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = f"has no {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"line {number} of {name} is no formula: {why}") from None
    return problems


def decode_clauses(text: str, num_vars: int) -> list[list[int]]:
    """Coded clauses as signed numbers; see `read_formulas`.

    With five variables `1` … `5` are true and `6` … `0` false, so `8` is -3; with 6 to 9 variables `1` … `9` are true
    and `b` … `j` false, so `d` is -3.

    Raises:
        ValueError: a code is no literal of so many variables, or there are more than nine.
    """
    if not 1 <= num_vars <= 9:
        raise ValueError(f"coded formulas have up to nine variables, got {num_vars}")
    codes = {_FIVE[k]: k + 1 for k in range(5)} | {_FIVE[5 + k]: -k - 1 for k in range(5)}
    if num_vars != 5:
        codes = {str(k): k for k in range(1, num_vars + 1)} | {chr(ord("a") + k): -k for k in range(1, num_vars + 1)}
    clauses: list[list[int]] = []
    for number, clause in enumerate(text.split("/"), start=1):
        words = [word.strip() for word in clause.split(",")]
        unknown = next((word for word in words if word not in codes), None)
        if unknown is not None:
            raise ValueError(f"clause {number} holds {unknown!r}, which is no literal of {num_vars} variables")
        clauses.append([codes[word] for word in words])
    return clauses


def decode_model(text: str, num_vars: int) -> dict[int, bool]:
    """A coded model, such as `1,2,3,9,5`, as values by variable; raises ValueError where it is none."""
    literals = [literal for clause in decode_clauses(text.replace(",", "/"), num_vars) for literal in clause]
    model = {abs(literal): literal > 0 for literal in literals}
    if len(model) != num_vars or len(literals) != num_vars:
        raise ValueError(f"{text!r} does not say of each of {num_vars} variables once whether it is true")
    return model


def _formula(entry: dict[str, Any], num_vars: int | None) -> Problem:
    if "clauses" in entry:
        clauses = [[int(literal) for literal in clause] for clause in entry["clauses"]]
        return cnf(clauses, int(entry["num_vars"]) if "num_vars" in entry else None)
    count = num_vars
    if count is None:
        if not entry.get("output"):
            raise ValueError("it has no `output` that would say how many variables there are; pass `num_vars`")
        count = len(str(entry["output"]).split(","))
    return cnf(decode_clauses(str(entry["input"]), count), count)
