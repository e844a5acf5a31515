"""DIMACS text of formulas."""

from collections.abc import Sequence


def parse_dimacs(text: str) -> tuple[int, list[list[int]]]:
    """The number of variables and the clauses of a DIMACS text.

    Comments (`c …`), clauses over several lines, a header with double spaces and a trailing `%` are understood.

    Raises:
        ValueError: no header, a word that is no number, a variable beyond the header, an unfinished clause or another
            number of clauses than announced; it names the line.
    """
    header: tuple[int, int] | None = None
    clauses: list[list[int]] = []
    clause: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("c"):
            continue
        if words[0] == "%":
            break
        if words[0] == "p":
            header = _header(words, number)
            continue
        if header is None:
            raise ValueError(f"line {number} is a clause before the header `p cnf VARIABLES CLAUSES`; add the header")
        for word in words:
            literal = _literal(word, number, header[0])
            if literal:
                clause.append(literal)
            else:
                clauses.append(clause)
                clause = []
    if header is None:
        raise ValueError("there is no header `p cnf VARIABLES CLAUSES`; is this a DIMACS file?")
    if clause:
        raise ValueError(f"the last clause {clause} does not end in 0; the file may be cut off")
    if len(clauses) != header[1]:
        raise ValueError(f"the header announces {header[1]} clauses, and there are {len(clauses)}; correct one of them")
    return header[0], clauses


def format_dimacs(num_vars: int, clauses: Sequence[Sequence[int]]) -> str:
    """The text of a formula."""
    lines = [f"p cnf {num_vars} {len(clauses)}", *(" ".join(map(str, [*clause, 0])) for clause in clauses)]
    return "\n".join(lines) + "\n"


def _header(words: Sequence[str], number: int) -> tuple[int, int]:
    if len(words) != 4 or words[1] != "cnf" or not all(word.isdigit() for word in words[2:]):
        raise ValueError(f"line {number} is {' '.join(words)!r}; a header is `p cnf VARIABLES CLAUSES`")
    return int(words[2]), int(words[3])


def _literal(word: str, number: int, num_vars: int) -> int:
    try:
        literal = int(word)
    except ValueError:
        raise ValueError(f"line {number} holds {word!r}; a clause is signed numbers that end in 0") from None
    if abs(literal) > num_vars:
        raise ValueError(f"line {number} names variable {abs(literal)}; the header declares {num_vars}")
    return literal
