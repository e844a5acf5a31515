"""`intarsia solve` and `intarsia generate`. Nothing heavy is imported before a command runs."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ._proposer import Proposer
    from ._solution import Solution

solve = typer.Typer(help="Solve puzzles and formulas; every answer is verified.", no_args_is_help=True)
generate = typer.Typer(help="Make new puzzles.", no_args_is_help=True)

Mode = Annotated[
    str,
    typer.Option(metavar="MODE", help="exact: a library's engine; hybrid: propagation and search; neural: the model."),
]
Budget = Annotated[float | None, typer.Option(metavar="SECONDS", help="For each problem; by default no limit.")]
Model = Annotated[str | None, typer.Option(metavar="MODEL", help="A saved model, instead of the one that ships.")]
Trace = Annotated[str | None, typer.Option(metavar="FILE", help="Also write the steps of one puzzle, as .html.")]
_PIECE = 2_048


@solve.callback()
def _solve() -> None: ...


@generate.callback()
def _generate() -> None: ...


@solve.command("sudoku")
def solve_sudoku(
    puzzles: Annotated[
        list[str],
        typer.Argument(metavar="PUZZLE…", help="Boards in one line (. is blank), or files of them, or -."),
    ],
    mode: Mode = "hybrid",
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where solutions go, as CSV; run again to continue.")
    ] = None,
    trace: Trace = None,
    budget: Budget = None,
    model: Model = None,
) -> None:
    """Solve Sudoku boards of any size.

    A single board is drawn; several become lines of CSV: puzzle, status, unique, solution, nodes.
    """
    boards = _boards(puzzles)
    if trace is not None:
        _check_trace(trace, len(boards))
    proposer = _proposer(mode, model)
    if len(boards) == 1 and out is None:
        _solve_one(boards[0], mode, budget, proposer, trace)
        return
    from ._files import SolutionFile, pieces, solved_text

    file = None if out is None else SolutionFile(out, boards)
    done, start = 0 if file is None else file.done, time.monotonic()
    if done:
        typer.echo(f"{done:,} of {len(boards):,} are solved already", err=True)
    lines: list[Any] = []
    for piece in pieces(boards, done, _PIECE):
        solved = _solve_boards(piece, len(lines) + done, mode, budget, proposer)
        lines += solved
        if file is not None:
            file.append(solved)
            typer.echo(f"{file.done:,} of {len(boards):,} done", err=True)
    if file is None:
        typer.echo(solved_text(lines), nl=False)
    else:
        file.close()
    _summary(lines, time.monotonic() - start)


@solve.command("cnf")
def solve_cnf(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A formula in DIMACS format; - is standard input.")],
    mode: Mode = "hybrid",
    budget: Budget = None,
    model: Model = None,
) -> None:
    """Decide a Boolean formula; the answer is printed as SAT competitions do."""
    from ._solve import solve as solve_problem
    from .presets import cnf

    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    answer = solve_problem(cnf(text), mode=_mode(mode), budget=budget, model=_proposer(mode, model))
    typer.echo(f"s {({'SAT': 'SATISFIABLE', 'UNSAT': 'UNSATISFIABLE'}).get(answer.status, 'UNKNOWN')}")
    if answer.values is not None:
        literals = [name if true else -name for name, true in answer.values.items()]
        typer.echo("v " + " ".join(map(str, [*literals, 0])))
    for line in (answer.note, "it is the only model" if answer.unique else ""):
        if line:
            typer.echo(line, err=True)


@generate.command("sudoku")
def generate_sudoku_command(
    n: Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many.")] = 1,
    clues: Annotated[
        int | None, typer.Option(metavar="K", help="Exactly so many clues; by default none can be left out.")
    ] = None,
    size: Annotated[int, typer.Option(metavar="SIZE", help="4, 6, 9 or 16.")] = 9,
    nodes: Annotated[
        str | None, typer.Option(metavar="LEAST-MOST", help="How hard: nodes of our search; 0-0 needs none.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="The same seed gives the same puzzles.")] = 0,
    out: Annotated[str, typer.Option(metavar="FILE", help=".csv has the solutions, too; - prints.")] = "-",
) -> None:
    """Make Sudoku puzzles with exactly one solution."""
    from ._board import format_board
    from ._files import puzzle_text, write_puzzles
    from ._generate import generate_sudoku

    found = generate_sudoku(n, clues=clues, difficulty=_range(nodes), size=size, seed=seed)
    puzzles = [format_board(board) for board in found.boards]
    if out == "-":
        typer.echo(puzzle_text(puzzles, False), nl=False)
    else:
        write_puzzles(puzzles, out, [format_board(board) for board in found.solutions])
        typer.echo(f"wrote {n:,} puzzles to {out}", err=True)


def _boards(sources: list[str]) -> list[str]:
    """Boards that are given as they are, and those of files."""
    from ._files import read_puzzles

    boards: list[str] = []
    for source in sources:
        is_file = source == "-" or (len(source) < 256 and Path(source).is_file())
        if not is_file and source.endswith((".csv", ".txt", ".gz")):
            raise ValueError(f"{source} does not exist; name a file, or write a board in one line")
        boards += read_puzzles(source) if is_file else [source]
    return boards


def _problem(board: str) -> Any:
    from ._board import parse_board
    from .presets import sudoku

    parsed = parse_board(board)
    return sudoku(len(parsed), given=parsed)


def _solve_one(board: str, mode: str, budget: float | None, proposer: "Proposer | None", trace: str | None) -> None:
    from ._solve import solve as solve_problem
    from ._solve import with_trace

    problem = _problem(board)
    answer = solve_problem(problem, mode=_mode(mode), budget=budget, model=proposer)
    typer.echo(answer.text(problem))
    typer.echo(_verdict(answer), err=True)
    if trace is not None:
        steps = (answer if answer.trace is not None else with_trace(problem, answer)).trace
        if steps is not None:
            steps.save(trace)
            typer.echo(f"the steps are in {trace}", err=True)


def _verdict(answer: "Solution") -> str:
    if not answer.valid:
        return str(answer.status)
    only = {True: "the only solution", False: "one of several solutions", None: "uniqueness not decided"}
    effort = "" if answer.nodes is None else f", {answer.nodes:,} nodes"
    return f"verified, {only[answer.unique]}{effort} ({answer.solver})"


def _solve_boards(piece: Any, before: int, mode: str, budget: float | None, proposer: "Proposer | None") -> list[Any]:
    from ._board import format_board
    from ._files import Solved
    from ._solve import solve_all

    problems: list[Any] = []
    for number, board in enumerate(piece, start=before + 1):
        try:
            problems.append(_problem(board))
        except ValueError as error:
            raise ValueError(f"puzzle {number}: {error}") from None
    lines: list[Any] = []
    for board, answer in zip(piece, solve_all(problems, mode=_mode(mode), budget=budget, model=proposer), strict=True):
        solution = "" if answer.values is None else format_board(list(answer.values.values()))
        unique = {True: "yes", False: "no", None: ""}[answer.unique]
        lines.append(
            Solved(board, str(answer.status), unique, solution, "" if answer.nodes is None else str(answer.nodes))
        )
    return lines


def _summary(lines: list[Any], seconds: float) -> None:
    status = [line.status for line in lines]
    if status:
        typer.echo(
            f"{len(status):,} puzzles: {status.count('SAT'):,} solved and verified "
            f"({sum(line.unique == 'yes' for line in lines):,} have one solution), "
            f"{status.count('UNSAT'):,} have none, {status.count('UNKNOWN'):,} unknown; "
            f"{len(status) / max(seconds, 1e-9):,.0f} a second",
            err=True,
        )


def _proposer(mode: str, path: str | None) -> "Proposer | None":
    """The model that a mode needs: a saved one, or in neural mode the one that ships."""
    if path is None and _mode(mode) != "neural":
        return None
    from ._model import ReasoningModel

    return ReasoningModel.shipped() if path is None else ReasoningModel.load(path)


def _mode(mode: str) -> Any:
    if mode not in ("neural", "hybrid", "exact"):
        raise ValueError(f"there is no mode {mode!r}; there are neural, hybrid, exact")
    return mode


def _check_trace(trace: str, boards: int) -> None:
    if boards != 1:
        raise ValueError(f"--trace shows one puzzle, got {boards}; give one")
    if Path(trace).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--trace writes .html, got {trace!r}; change the ending")


def _range(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    least, dash, most = text.partition("-")
    if not (dash and least.isdigit() and most.isdigit()):
        raise ValueError(f"--nodes takes a range such as 0-0 or 20-100, got {text!r}")
    return int(least), int(most)
