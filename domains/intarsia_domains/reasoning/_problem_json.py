"""A problem's structure as JSON, so that a saved model knows what it samples."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ._all_different import AllDifferent
from ._clause import Clause
from ._constraint import AbstractConstraint
from ._equal import Equal
from ._linear import Linear
from ._problem import Problem
from ._table import Table

_KINDS: Mapping[str, type[AbstractConstraint]] = {
    kind.__name__: kind for kind in (AllDifferent, Clause, Equal, Linear, Table)
}


def problem_to_json(problem: Problem) -> dict[str, Any] | None:
    """The structure, without what is given; None where names, values or constraints are not of JSON's kinds."""
    plain = all(isinstance(x, str | int) for x in (*problem.variables, *problem.values))
    if not plain or any(_KINDS.get(type(c).__name__) is not type(c) for c in problem.constraints):
        return None
    return {
        "variables": list(problem.variables),
        "values": list(problem.values),
        "allowed": [list(own) for own in problem.allowed],
        "title": problem.title,
        "kind": problem.kind,
        "shape": None if problem.shape is None else list(problem.shape),
        "constraints": [
            {"type": type(c).__name__, **{field.name: getattr(c, field.name) for field in fields(c)}}
            for c in problem.constraints
        ],
    }


def problem_from_json(content: Mapping[str, Any]) -> Problem:
    """The inverse; raises KeyError, TypeError or ValueError where the content is something else."""
    values = content["values"]
    shape = content["shape"]
    problem = Problem(
        content["variables"],
        {name: [values[k] for k in own] for name, own in zip(content["variables"], content["allowed"], strict=True)},
        title=content["title"],
        kind=content["kind"],
        shape=None if shape is None else (int(shape[0]), int(shape[1])),
    )
    if list(problem.values) != list(values):
        raise ValueError("the values of the problem are not in the order in which they were saved")
    for entry in content["constraints"]:
        arguments = {name: _frozen(value) for name, value in entry.items() if name != "type"}
        problem.add(_KINDS[entry["type"]](**arguments))
    return problem


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
