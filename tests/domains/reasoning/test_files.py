"""Files of puzzles, files of solutions that can be continued, and the verbs."""

import gzip
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from intarsia_domains.reasoning import SolutionFile, read_countdown, read_puzzles, write_puzzles
from intarsia_domains.reasoning._files import Solved
from intarsia_domains.reasoning._verbs import generate, solve

pytest.importorskip("numba")

PUZZLE = ".................1.....2.3......3.2...1.4......5....6..3......4.7..8...962...7..."
SOLUTION = "953168742862734951417952836746893125281645397395271468138529674574386219629417583"
SMALL = ["12..............."[:16], "1.......2......3", "..............11", "................"]


def run(app: typer.Typer, *arguments: str, text: str | None = None) -> tuple[str, str]:
    result = CliRunner().invoke(app, list(arguments), input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".txt", ".txt.gz"])
def test_puzzle_files(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"puzzles{suffix}"
    text = f"puzzle,solution\r\n{PUZZLE},{SOLUTION}\r\n{SOLUTION},\r\n"
    if "txt" in suffix:
        text = f"# a list\r\n{PUZZLE} // the first\r\n\r\n{SOLUTION}\tlast # full\r\n"
    data = text.encode()
    file.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    assert read_puzzles(file) == [PUZZLE, SOLUTION]


def test_written_puzzles_are_read_back(tmp_path: Path) -> None:
    for name in ("a.csv", "a.txt"):
        write_puzzles(SMALL, tmp_path / name)
        assert read_puzzles(tmp_path / name) == SMALL
    write_puzzles([PUZZLE], tmp_path / "b.csv", [SOLUTION])
    assert (tmp_path / "b.csv").read_text() == f"puzzle,solution\n{PUZZLE},{SOLUTION}\n"


def test_bad_files(tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_text("board\n123\n")
    with pytest.raises(ValueError, match="no column `puzzle`; it has board"):
        read_puzzles(tmp_path / "no.csv")
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(ValueError, match="holds no puzzle"):
        read_puzzles(tmp_path / "empty.txt")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(PUZZLE.encode() * 50)[:40])
    with pytest.raises(ValueError, match="damaged gzip"):
        read_puzzles(tmp_path / "cut.gz")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not text"):
        read_puzzles(tmp_path / "bytes.txt")


def test_countdown_files(tmp_path: Path) -> None:
    file = tmp_path / "cd.jsonl"
    file.write_text(json.dumps({"input": "15,44,79,50", "output": "44-15=29,79-29=50"}) + "\n\n")
    assert read_countdown(file) == [([15, 44, 79], 50)]
    file.write_text('{"input": "1,2"}\n{"inputs": "3"}\n')
    with pytest.raises(ValueError, match="line 2 of"):
        read_countdown(file)


def test_a_file_of_solutions_is_continued(tmp_path: Path) -> None:
    file, part = tmp_path / "out.csv", tmp_path / "out.csv.part"
    first = SolutionFile(file, SMALL)
    first.append([Solved(SMALL[0], "SAT", "no", "x", "1"), Solved(SMALL[1], "SAT", "no", "y", "2")])
    first.close()
    assert not file.exists()
    with part.open("a") as broken:
        broken.write(f"{SMALL[2]},UNS")  # cut off in the middle of a line
    second = SolutionFile(file, SMALL)
    assert second.done == 2
    second.append([Solved(SMALL[2], "UNSAT", "", "", ""), Solved(SMALL[3], "SAT", "no", "z", "3")])
    second.close()
    assert not part.exists()
    lines = file.read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["puzzle", *SMALL]
    assert SolutionFile(file, SMALL).done == 4
    with pytest.raises(ValueError, match=r"line 1 of .* solves another puzzle"):
        SolutionFile(file, SMALL[::-1])
    with pytest.raises(ValueError, match="has 4 solutions for 3 puzzles"):
        SolutionFile(file, SMALL[:3])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no file of solutions"):
        SolutionFile(tmp_path / "other.csv", SMALL)


def test_solve_one_board(tmp_path: Path) -> None:
    page = tmp_path / "steps.html"
    out, said = run(solve, "sudoku", PUZZLE, "--trace", str(page))
    assert out.translate(str.maketrans("", "", " |+-\n")) == SOLUTION
    assert "verified, the only solution" in said
    assert page.exists()
    out, said = run(solve, "sudoku", "11..............")
    assert out == "UNSAT: r1c1 and r1c2 are both 1 in row 1\n"


def test_solve_files_in_order_and_go_on(tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.csv"
    source.write_text("\n".join(SMALL))
    out, said = run(solve, "sudoku", str(source), "--mode", "hybrid")
    assert [line.split(",")[1] for line in out.splitlines()] == ["status", "SAT", "SAT", "UNSAT", "SAT"]
    assert "4 puzzles: 3 solved and verified" in said
    run(solve, "sudoku", str(source), "--out", str(target))
    assert target.read_text() == out
    _, said = run(solve, "sudoku", str(source), "--out", str(target))
    assert "4 of 4 are solved already" in said
    assert target.read_text() == out
    piped, _ = run(solve, "sudoku", "-", text="\n".join(SMALL))
    assert piped == out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["123"], "has 3 cells"),
        (["nothing.csv"], "nothing.csv does not exist"),
        ([PUZZLE, "--mode", "fast"], "no mode 'fast'"),
        ([PUZZLE, PUZZLE, "--trace", "a.html"], "shows one puzzle, got 2"),
        ([PUZZLE, "--trace", "a.pdf"], "writes .html"),
        ([PUZZLE, "--budget", "-1"], "must not be negative"),
        ([SMALL[0], "1" * 15 + "x"], "puzzle 2: row 4, column 4 of the board holds 'x'"),
    ],
)
def test_bad_input(arguments: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run(solve, "sudoku", *arguments)


def test_formulas(tmp_path: Path) -> None:
    pytest.importorskip("pysat")
    file = tmp_path / "f.cnf"
    file.write_text("p cnf 3 3\n1 2 0\n-1 0\n3 0\n")
    out, said = run(solve, "cnf", str(file))
    assert out == "s SATISFIABLE\nv -1 2 3 0\n"
    assert "the only model" in said
    for mode in ("hybrid", "exact"):
        out, _ = run(solve, "cnf", "-", "--mode", mode, text="p cnf 1 2\n1 0\n-1 0\n")
        assert out == "s UNSATISFIABLE\n"
    out, said = run(solve, "cnf", str(file), "--budget", "0")
    assert (out, said) == ("s UNKNOWN\n", "the budget of 0 s is spent\n")


def test_generate(tmp_path: Path) -> None:
    out, _ = run(generate, "sudoku", "--clues", "28", "-n", "3")
    boards = out.split()
    assert [81 - board.count(".") for board in boards] == [28, 28, 28]
    file = tmp_path / "made.csv"
    run(generate, "sudoku", "--clues", "28", "-n", "3", "--out", str(file))
    assert read_puzzles(file) == boards
    with pytest.raises(ValueError, match="--nodes takes a range"):
        run(generate, "sudoku", "--nodes", "hard")
