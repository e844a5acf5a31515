"""A declared constraint problem: named variables, their values, and what has to hold."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self, TypeVar

from ._all_different import AllDifferent
from ._clause import Clause
from ._constraint import AbstractConstraint
from ._equal import Equal
from ._linear import RELATIONS, Linear
from ._table import Table

Variable = Hashable
Made = TypeVar("Made")


class Problem:
    """Variables with finite domains, and constraints that are added one by one.

    The methods that add a constraint return the problem, so they chain; they change it in place.

        problem = Problem(["a", "b", "c"], range(1, 4))
        problem.all_different(["a", "b", "c"]).linear({"a": 1, "b": -1}, "<=", 0)

    Args:
        variables: names, each once; strings, numbers or tuples.
        domains: the values of all variables, or a mapping from each variable to its own. Values are kept sorted
            where they are integers, otherwise in order of appearance.
        title: how reports call the problem.
        kind: what decides how a board is drawn and which network is asked, such as `sudoku`.
        shape: rows and columns, where the variables fill a board in reading order.

    Attributes:
        values: every value of any variable; states are indices into it.
        allowed: for each variable the indices of its own values.
        constraints: what was added so far.
        given: values that are observed, by variable.
    """

    def __init__(
        self,
        variables: Iterable[Variable],
        domains: Iterable[Any] | Mapping[Any, Iterable[Any]],
        *,
        title: str = "problem",
        kind: str = "problem",
        shape: tuple[int, int] | None = None,
    ) -> None:
        self.variables = tuple(variables)
        self.title, self.kind, self.shape = title, kind, shape
        if not self.variables:
            raise ValueError("a problem needs at least one variable, got none")
        self._index = {name: i for i, name in enumerate(self.variables)}
        if len(self._index) < len(self.variables):
            twice = next(name for i, name in enumerate(self.variables) if self._index[name] != i)
            raise ValueError(f"variable {twice!r} is declared twice; give each a name of its own")
        own = self._own_domains(domains)
        values = list(dict.fromkeys(value for domain in own for value in domain))
        self.values: tuple[Any, ...] = tuple(sorted(values) if all(isinstance(v, int) for v in values) else values)
        rank = {value: k for k, value in enumerate(self.values)}
        self.allowed = tuple(tuple(sorted(rank[value] for value in domain)) for domain in own)
        self.constraints: list[AbstractConstraint] = []
        self.given: dict[Variable, Any] = {}
        self._derived: dict[Callable[[Problem], Any], Any] = {}

    def _own_domains(self, domains: Iterable[Any] | Mapping[Any, Iterable[Any]]) -> list[tuple[Any, ...]]:
        if isinstance(domains, Mapping):
            for name in domains:
                if name not in self._index:
                    raise ValueError(
                        f"there is a domain for {name!r}, which is no variable; declare it or leave it out"
                    )
            for name in self.variables:
                if name not in domains:
                    raise ValueError(f"variable {name!r} has no domain; say which values it can take")
            own = [tuple(dict.fromkeys(domains[name])) for name in self.variables]
        else:
            own = [tuple(dict.fromkeys(domains))] * len(self.variables)
        for name, domain in zip(self.variables, own, strict=True):
            if not domain:
                raise ValueError(f"variable {name!r} has an empty domain; say which values it can take")
        return own

    def __len__(self) -> int:
        return len(self.variables)

    def __repr__(self) -> str:
        return (
            f"Problem({self.title!r}, variables={len(self)}, values={len(self.values)}, "
            f"constraints={len(self.constraints)}, given={len(self.given)})"
        )

    def all_different(
        self, group: Iterable[Variable], *, offsets: Sequence[int] | None = None, name: str | None = None
    ) -> Self:
        """No two variables of the group are equal; with `offsets`, no two of variable + offset."""
        scope, name = self._scope(group, name, "all_different")
        if offsets is not None:
            self._need_integers(scope, name)
            if len(offsets) != len(scope):
                raise ValueError(f"{name} has {len(scope)} variables and {len(offsets)} offsets; give one for each")
        return self._add(AllDifferent(scope=scope, name=name, offsets=None if offsets is None else tuple(offsets)))

    def clause(self, literals: Iterable[Any], *, name: str | None = None) -> Self:
        """At least one literal is true.

        Args:
            literals: Boolean variables (their values are False and True, or 0 and 1). A negated one is written
                `-3` where variables are positive integers, `"-x"` where they are strings, or `(x, False)`.
            name: how messages call the clause.
        """
        signed = [self._literal(literal, name or f"clause {len(self.constraints) + 1}") for literal in literals]
        if any((i, not sign) in signed for i, sign in signed):
            return self  # true whatever happens
        signed = list(dict.fromkeys(signed))
        scope, name = self._scope((self.variables[i] for i, _ in signed), name, "clause", least=0)
        return self._add(Clause(scope=scope, name=name, signs=tuple(sign for _, sign in signed)))

    def table(self, group: Iterable[Variable], rows: Iterable[Sequence[Any]], *, name: str | None = None) -> Self:
        """The variables of the group together take one of the listed rows of values.

        Rows with a value that no variable of the problem can take never hold and are left out.
        """
        scope, name = self._scope(group, name, "table")
        rank = {value: k for k, value in enumerate(self.values)}
        listed: dict[tuple[int, ...], None] = {}
        for number, row in enumerate(rows, start=1):
            if len(row) != len(scope):
                raise ValueError(f"row {number} of {name} has {len(row)} values for {len(scope)} variables")
            if all(value in rank for value in row):
                listed[tuple(rank[value] for value in row)] = None
        return self._add(Table(scope=scope, name=name, rows=tuple(listed)))

    def linear(self, weights: Mapping[Any, int], relation: str, total: int, *, name: str | None = None) -> Self:
        """The weighted sum of integer variables is `==`, `!=`, `<=` or `>=` a number."""
        scope, name = self._scope(weights, name, "linear")
        self._need_integers(scope, name)
        if relation not in RELATIONS:
            raise ValueError(f"{name} has the relation {relation!r}; it has to be one of {', '.join(RELATIONS)}")
        for what in (*weights.values(), total):
            if not isinstance(what, int):
                raise TypeError(f"{name} needs integer weights and an integer total, got {what!r}")
        return self._add(
            Linear(scope=scope, name=name, weights=tuple(weights.values()), relation=relation, total=total)
        )

    def equal(self, group: Iterable[Variable], *, name: str | None = None) -> Self:
        """All variables of the group take the same value."""
        scope, name = self._scope(group, name, "equal")
        return self._add(Equal(scope=scope, name=name))

    def add(self, constraint: AbstractConstraint) -> Self:
        """A constraint of a class of your own."""
        if any(not 0 <= i < len(self) for i in constraint.scope):
            raise ValueError(f"{constraint.name} is about a variable that this problem does not have")
        return self._add(constraint)

    def observe(self, given: Mapping[Any, Any]) -> "Problem":
        """The same problem with more variables observed; constraints are shared, this one stays as it is.

        Raises:
            ValueError: a variable is unknown, cannot take the value, or is observed with another value already.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.given = dict(self.given)
        other.__dict__["structure"] = self.structure
        for name, value in given.items():
            i = self.index(name)
            if value not in self.values or self.values.index(value) not in self.allowed[i]:
                can = ", ".join(str(self.values[k]) for k in self.allowed[i])
                raise ValueError(f"{name} is given as {value!r}; it can be {can}")
            if other.given.setdefault(name, value) != value:
                raise ValueError(f"{name} is given as {value!r} and as {other.given[name]!r}; give one")
        return other

    @cached_property
    def structure(self) -> "Problem":
        """The problem without what is given: problems that share it can be stacked in one batch."""
        return self

    def derived(self, make: "Callable[[Problem], Made]") -> Made:
        """What `make` computes from the structure, made once and kept until a constraint is added."""
        structure = self.structure
        if make not in structure._derived:
            structure._derived[make] = make(structure)
        return structure._derived[make]

    def index(self, name: Variable) -> int:
        """Where a variable stands; raises ValueError for an unknown one."""
        if name not in self._index:
            raise ValueError(f"there is no variable {name!r}; there are {_some(self.variables)}")
        return self._index[name]

    def state(self, assignment: Mapping[Any, Any]) -> list[int]:
        """Values by name as one index per variable, -1 where a variable is not named."""
        state = [-1] * len(self)
        rank = {value: k for k, value in enumerate(self.values)}
        for name, value in assignment.items():
            if value not in rank:
                raise ValueError(f"{name} = {value!r} is no value of this problem")
            state[self.index(name)] = rank[value]
        return state

    def assignment(self, state: Sequence[int]) -> dict[Any, Any]:
        """The inverse of `state`: decided variables by name."""
        return {name: self.values[k] for name, k in zip(self.variables, state, strict=True) if k >= 0}

    def is_boolean(self, i: int) -> bool:
        """Whether variable i takes False and True, or 0 and 1."""
        return (
            {self.values[k] for k in self.allowed[i]} <= {False, True} and False in self.values and True in self.values
        )

    def _add(self, constraint: AbstractConstraint) -> Self:
        if self.structure is not self:
            raise ValueError(f"{constraint.name} comes after `observe`; add constraints first")
        self.constraints.append(constraint)
        self._derived.clear()
        return self

    def _scope(
        self, group: Iterable[Variable], name: str | None, what: str, least: int = 1
    ) -> tuple[tuple[int, ...], str]:
        name = name or f"{what} {len(self.constraints) + 1}"
        scope: list[int] = []
        for variable in group:
            if variable not in self._index:
                raise ValueError(f"{name} names {variable!r}, which is no variable; there are {_some(self.variables)}")
            scope.append(self._index[variable])
        if len(scope) < least:
            raise ValueError(f"{name} is about no variable; name at least one")
        if len(set(scope)) < len(scope):
            twice = next(i for i in scope if scope.count(i) > 1)
            raise ValueError(f"{name} names {self.variables[twice]!r} twice; name it once")
        return tuple(scope), name

    def _literal(self, literal: Any, name: str) -> tuple[int, bool]:
        variable, sign = literal, True
        if literal not in self._index:
            if isinstance(literal, tuple) and len(literal) == 2:
                variable, sign = literal[0], bool(literal[1])
            elif isinstance(literal, int):
                variable, sign = -literal, False
            elif isinstance(literal, str) and literal.startswith("-"):
                variable, sign = literal[1:], False
        if variable not in self._index:
            raise ValueError(f"{name} has the literal {literal!r}, which is no variable nor the negation of one")
        i = self._index[variable]
        if not self.is_boolean(i):
            raise ValueError(f"{name} has the literal {literal!r}, whose variable is not Boolean; use `table`")
        return i, sign

    def _need_integers(self, scope: Sequence[int], name: str) -> None:
        for i in scope:
            for k in self.allowed[i]:
                if not isinstance(self.values[k], int):
                    raise TypeError(f"{name} needs integers, and {self.variables[i]!r} can be {self.values[k]!r}")


def _some(names: Sequence[Any], most: int = 6) -> str:
    return ", ".join(map(str, names[:most])) + (", …" if len(names) > most else "")
