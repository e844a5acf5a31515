"""`intarsia fit reasoning` and what follows it: sample, complete, score, report, info."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from intarsia.cli._app import app
from intarsia_domains.reasoning import generate_sudoku, read_puzzles, write_puzzles
from intarsia_domains.reasoning._board import format_board
from intarsia_domains.reasoning._command import ReasoningCommand, lines_of
from intarsia_domains.reasoning._model import ReasoningModel
from intarsia_domains.reasoning._random_formulas import random_formulas
from intarsia_domains.reasoning.presets import latin, nqueens


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def said(*arguments: object) -> str:
    return CliRunner().invoke(app, list(map(str, arguments))).stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boards")
    for name, seed, n in (("train", 0, 40), ("holdout", 1, 8)):
        made = generate_sudoku(n, clues=8, size=4, seed=seed)
        solutions = [format_board(grid) for grid in made.solutions]
        write_puzzles([format_board(board) for board in made.boards], folder / f"{name}.csv", solutions)
        write_puzzles(solutions, folder / f"{name}-solved.csv")
    output = run("fit", "reasoning", folder / "train.csv", "--out", folder / "model", "--steps", 8, "--threads", 1)
    assert "40 problems of kind sudoku, 16 variables each, 8 to 8 of them given" in output
    assert "8 steps, 36 problems" in output
    return folder


def test_sampled_boards_are_valid_distinct_and_hold_what_is_given(folder: Path) -> None:
    run("sample", folder / "model", "-n", 5, "--out", folder / "new.csv", "--given", "r1c1=3")
    boards = read_puzzles(folder / "new.csv")
    assert len(set(boards)) == 5
    assert all(board[0] == "3" and sorted(board[:4]) == list("1234") for board in boards)
    puzzle = read_puzzles(folder / "train.csv")[0]
    run("sample", folder / "model", "-n", 1, "--out", folder / "one.csv", "--given", f"puzzle={puzzle}")
    assert read_puzzles(folder / "one.csv") == read_puzzles(folder / "train-solved.csv")[:1]


def test_completed_boards_are_the_solutions_in_order(folder: Path) -> None:
    run("complete", folder / "model", folder / "holdout.csv", "--out", folder / "done.csv")
    assert read_puzzles(folder / "done.csv") == read_puzzles(folder / "holdout-solved.csv")
    run("complete", folder / "model", folder / "holdout.csv", "--out", folder / "twice.csv", "--draws", 2)
    lines = (folder / "twice.csv").read_text().splitlines()
    assert lines[0] == "draw,puzzle"
    assert [line[:2] for line in lines[1:]] == ["1,"] * 8 + ["2,"] * 8


def test_scores_and_info(folder: Path) -> None:
    run("score", folder / "model", folder / "holdout-solved.csv", "--out", folder / "scores.csv")
    lines = (folder / "scores.csv").read_text().splitlines()
    assert lines[0] == "log_likelihood"
    assert len(lines) == 9
    assert all(float(line) < 0 for line in lines[1:])
    info = run("info", folder / "model")
    assert "absorbing noise" in info
    assert "8 steps, 36 problems" in info


def test_a_report_has_its_floors(folder: Path) -> None:
    write_puzzles(read_puzzles(folder / "train.csv")[:3], folder / "few.csv")
    arguments = ("--real", folder / "few.csv", "--holdout", folder / "holdout.csv", "--out", folder / "r.json")
    run("report", folder / "model", *arguments)
    report = json.loads((folder / "r.json").read_text())
    assert "propagation alone" in report["metrics"][0]["floors"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sample", "model", "-n", 1, "--out", "x.txt"), "are written as .csv"),
        (("sample", "model", "-n", 1, "--out", "x.csv", "--given", "r9c9=1"), "no variable 'r9c9'"),
        (("sample", "model", "-n", 1, "--out", "x.csv", "--given", "r1c1=7"), "r1c1 is given as '7'; it can be 1"),
        (("score", "model", "holdout.csv"), "not fully given"),
        (("score", "model", "holdout.csv", "--per-cell"), "--per-cell"),
        (("complete", "model", "mixed.txt", "--out", "x.csv"), "problem 2 of mixed.txt has 36 variables"),
        (("fit", "reasoning", "none.jsonl", "--out", "m"), "line 1 of none.jsonl is no formula"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, arguments: tuple[object, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "mixed.txt").write_text("." * 16 + "\n" + "." * 36 + "\n")
    (folder / "none.jsonl").write_text("{}\n")
    assert words in said(*arguments)
    assert not (folder / "x.csv").exists()


def test_formulas_are_read_fitted_and_completed(tmp_path: Path) -> None:
    made = random_formulas(12, 5, 20, seed=0)
    lines = [json.dumps({"clauses": clauses, "num_vars": 5}) for clauses in made.clauses.tolist()]
    (tmp_path / "f.jsonl").write_text("\n".join(lines))
    run("fit", "reasoning", tmp_path / "f.jsonl", "--out", tmp_path / "m", "--steps", 2, "--threads", 1)
    run("complete", tmp_path / "m", tmp_path / "f.jsonl", "--out", tmp_path / "models.csv")
    header, *models = (tmp_path / "models.csv").read_text().splitlines()
    assert header == "model"
    for model, clauses in zip(models, made.clauses.tolist(), strict=True):
        literals = {int(word) for word in model.split()}
        assert {abs(literal) for literal in literals} == {1, 2, 3, 4, 5}
        assert all(literals & set(clause) for clause in clauses)
    given = ReasoningCommand().parse_given(ReasoningModel.load(tmp_path / "m"), {"3": "true", "4": "0"}, print)
    assert dict(given.given) == {3: True, 4: False}


def test_other_problems_have_a_column_for_each_variable() -> None:
    queens = nqueens(4)
    (only,) = [queens.assignment([1, 3, 0, 2])]
    assert lines_of([only]).header == tuple(map(str, queens.variables))
    square = latin(3)
    assert lines_of([square.assignment([0, 1, 2, 1, 2, 0, 2, 0, 1])]).rows == (("123231312",),)
    assert lines_of([]).rows == ()
