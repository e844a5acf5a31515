"""Files of formulas: clauses as numbers, letter codes, DIMACS; and random formulas to learn from."""

import gzip
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from intarsia_domains.reasoning import Problem, check, count
from intarsia_domains.reasoning._clause import Clause
from intarsia_domains.reasoning._random_formulas import count_models, random_formulas, threshold_clauses
from intarsia_domains.reasoning._sat_files import decode_clauses, decode_model, read_formulas


def signed(problem: Problem) -> list[list[int]]:
    return [list(c.literals) for c in problem.constraints if isinstance(c, Clause)]


def test_codes_of_five_seven_and_nine_variables() -> None:
    assert decode_clauses("1,4,5/6,9,0/2,8,5", 5) == [[1, 4, 5], [-1, -4, -5], [2, -3, 5]]
    assert decode_clauses("c,d,h/2,e,7", 7) == [[-2, -3, -7], [2, -4, 7]]
    assert decode_clauses("b,8,j/9,i,1", 9) == [[-1, 8, -9], [9, -8, 1]]
    assert decode_model("1,2,3,9,5", 5) == {1: True, 2: True, 3: True, 4: False, 5: True}
    assert decode_model("b,2,3,4,5,6,h", 7)[7] is False


@pytest.mark.parametrize("num_vars", [5, 7, 9])
def test_coded_files_are_read_back(num_vars: int, tmp_path: Path) -> None:
    made = random_formulas(6, num_vars, seed=1)
    codes = {k: str(k) for k in range(1, num_vars + 1)}
    codes |= {-k: str((k + 5) % 10) if num_vars == 5 else "abcdefghij"[k] for k in range(1, num_vars + 1)}
    lines: list[str] = []
    for clauses, state in zip(made.clauses.tolist(), made.states.tolist(), strict=True):
        text = "/".join(",".join(codes[literal] for literal in clause) for clause in clauses)
        model = ",".join(codes[k if bit else -k] for k, bit in enumerate(state, start=1))
        lines.append(json.dumps({"input": text, "output": model}))
    (tmp_path / "coded.jsonl").write_text("\n".join(lines))
    problems = read_formulas(tmp_path / "coded.jsonl")
    assert [signed(problem) for problem in problems] == made.clauses.tolist()
    for line, problem in zip(lines, problems, strict=True):
        model = decode_model(json.loads(line)["output"], num_vars)
        assert check(problem, problem.state(model)).valid.all()


def test_clauses_as_numbers_gzipped_and_dimacs(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"name": "x", "num_vars": 4, "clauses": [[1, -3], [2]]}\n'))
    (problem,) = read_formulas(tmp_path / "a.jsonl.gz")
    assert len(problem) == 4
    assert signed(problem) == [[1, -3], [2]]
    (tmp_path / "b.cnf").write_text("c one\np cnf 3 2\n1 -3 0\n2 0\n")
    assert signed(read_formulas(tmp_path / "b.cnf")[0]) == [[1, -3], [2]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"input": "1,2,x", "output": "1,2,3,4,5"}', "line 2 .* clause 1 holds 'x', which is no literal of 5"),
        ('{"input": "1,2,8", "output": "1,2,3,4,5,6,7"}', "holds '8', which is no literal of 7"),
        ('{"input": "1,2,3"}', "pass `num_vars`"),
        ('{"output": "1,2,3,4,5"}', "has no 'input'"),
        ('{"clauses": [[1, 0]], "num_vars": 2}', "line 2"),
        ("{", "line 2"),
    ],
)
def test_lines_that_are_no_formula_are_named(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"input": "1,2,3", "output": "1,2,3,4,5"}\n' + line)
    with pytest.raises(ValueError, match=message):
        read_formulas(tmp_path / "bad.jsonl")


def test_models_that_leave_a_variable_out_are_refused() -> None:
    with pytest.raises(ValueError, match="each of 5 variables once"):
        decode_model("1,2,3,4,4", 5)
    with pytest.raises(ValueError, match="up to nine variables"):
        decode_clauses("1", 10)


def test_clauses_at_the_threshold() -> None:
    assert [threshold_clauses(n) for n in (5, 7, 9)] == [41, 45, 51]


@pytest.mark.parametrize("num_vars", [5, 9, 13])
def test_random_formulas_are_satisfied_by_their_model_and_have_different_clauses(num_vars: int) -> None:
    made = random_formulas(8, num_vars, seed=3)
    assert made.clauses.shape == (8, threshold_clauses(num_vars), 3)
    for problem, state, clauses in zip(made.problems(), made.states, made.clauses.tolist(), strict=True):
        assert check(problem, state).valid.all()
        assert len({tuple(sorted(clause)) for clause in clauses}) == len(clauses)
        assert all(len({abs(literal) for literal in clause}) == 3 for clause in clauses)
    assert np.array_equal(random_formulas(8, num_vars, seed=3).states, made.states)


def test_models_are_counted_and_drawn_from_all_of_them() -> None:
    made = random_formulas(400, 4, 3, seed=0)
    counts = count_models(made.clauses[:20], 4)
    for problem, models in zip(made.problems()[:20], counts, strict=True):
        assert count(problem).solutions == models
        bits = [check(problem, np.array(state)).valid[0] for state in product([0, 1], repeat=4)]
        assert sum(bits) == models
    # three random clauses leave either value of every variable open about equally often
    assert np.allclose(made.states.mean(0), 0.5, atol=0.1)


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 8 clauses of 3 of 3 variables, got 9"):
        random_formulas(1, 3, 9)
    with pytest.raises(ValueError, match="no formula with 8 clauses"):
        random_formulas(1, 3, 8)
    assert len(random_formulas(0, 5)) == 0
