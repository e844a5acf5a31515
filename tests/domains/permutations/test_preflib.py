"""PrefLib files and tables of rankings: round trips, ties, and errors with lines."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from intarsia_domains.permutations import (
    ItemOrder,
    RandomTies,
    Rankings,
    TailTies,
    Unranked,
    read_preflib,
    read_rankings,
    write_preflib,
    write_rankings,
)

HEAD = """# FILE NAME: 00000-00000001.{kind}
# TITLE: Drinks
# DATA TYPE: {kind}
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: {voters}
# NUMBER UNIQUE ORDERS: 2
# ALTERNATIVE NAME 1: Tea: green
# ALTERNATIVE NAME 2: Milk
# ALTERNATIVE NAME 3: Water
"""


def read(body: str, kind: str = "toc", voters: int = 5, **options: object) -> Rankings:
    return read_preflib(io.StringIO(HEAD.format(kind=kind, voters=voters) + body), **options)  # type: ignore[arg-type]


def test_orders_are_read_with_names_and_counts() -> None:
    votes = read("3: 3,1,2\n2: 2\n", "soi")
    assert votes == Rankings(("Tea: green", "Milk", "Water"), np.array([[2, 0, 1], [1, -1, -1]]), np.array([3, 2]))
    assert read("3: 3,1,2\n2: 2\n", "soi", unranked=Unranked.UNKNOWN).unranked is Unranked.UNKNOWN


def test_ties_are_refused_with_line_and_alternatives() -> None:
    with pytest.raises(ValueError, match=r"the open file, line 12: 2 alternatives are tied, \{1,2\}; break ties with"):
        read("3: 1,2,3\n2: 3,{1,2}\n")


def test_ties_are_broken_as_asked() -> None:
    body = "3: 2,{3,1}\n2: {3,2},1\n"
    assert read(body, ties=ItemOrder()).orders.tolist() == [[1, 0, 2], [1, 2, 0]]
    assert read(body, ties=TailTies(ItemOrder())).orders.tolist() == [[1, -1, -1], [1, 2, 0]]
    with pytest.raises(ValueError, match=r"line 12: 2 alternatives are tied, \{3,2\}"):
        read(body, ties=TailTies())
    assert read("5: {1,2,3}\n", ties=ItemOrder()).orders.tolist() == [[0, 1, 2]]


def test_random_ties_are_broken_for_each_ballot_evenly_and_by_seed() -> None:
    body = "6000: {1,2,3}\n600: 2,{3,1}\n"
    votes = read(body, voters=6600, ties=RandomTies(seed=3))
    assert votes == read(body, voters=6600, ties=RandomTies(seed=3)) != read(body, voters=6600, ties=RandomTies(seed=4))
    merged = votes.merge()
    assert (len(merged), merged.ballots) == (6, 6600)
    expected = np.where(merged.orders[:, 0] == 1, 1300, 1000)
    assert (np.abs(merged.counts - expected) < 5 * np.sqrt(expected)).all()


@pytest.mark.parametrize(
    "body, kind, message",
    [
        ("5: 1,2,1\n", "soi", "line 11: alternative 1 is ranked twice"),
        ("5: 1,4\n", "soi", "line 11: there is no alternative 4 among 3"),
        ("5: 1,0\n", "soi", "line 11: there is no alternative 0 among 3"),
        ("5: 1,2\n", "soc", "line 11: 2 of 3 alternatives in a file of complete orders"),
        ("5: {1,2}\n", "toc", "line 11: 2 of 3 alternatives"),
        ("0: 1,2,3\n", "soc", "line 11: the count is 0"),
        ("5 1,2,3\n", "soc", "line 11: a ballot is written"),
        ("5: 1;2;3\n", "soc", "line 11: an order is written"),
        ("5: 1,2,\n", "soi", "line 11: an order is written"),
        ("5: \n", "soi", "line 11: an order is written"),
        ("5: 1,{2,,3}\n", "toc", "line 11: alternatives are numbers between commas"),
        ("4: 1,2,3\n", "soc", "promises 5 voters and the lines have 4; the file is cut short"),
        ("", "soc", "no ballots"),
    ],
)
def test_broken_files_are_refused_with_the_line(body: str, kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(body, kind)


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no line `# NUMBER ALTERNATIVES: n`"):
        read_preflib(io.StringIO("3\n1,Tea\n2,Milk\n3,Water\n1,1,1\n1,1,2,3\n"))  # as PrefLib wrote them before 2022
    with pytest.raises(ValueError, match="does not exist"):
        read_preflib(tmp_path / "no.soc")


@pytest.mark.parametrize("suffix", [".soi", ".toi", ".csv", ".csv.gz", ".parquet"])
def test_files_keep_partial_ballots(tmp_path: Path, suffix: str) -> None:
    votes = Rankings(("007", "Tea, green", "3.50"), np.array([[2, 0, 1], [1, -1, -1], [0, 2, -1]]), np.array([4, 2, 1]))
    path = tmp_path / f"votes{suffix}"
    write_rankings(votes, path)
    assert read_rankings(path).over(votes.items) == votes


def test_a_file_may_promise_no_ballots(tmp_path: Path) -> None:
    none = Rankings(("a", "b"), np.zeros((0, 2), np.int64))
    for suffix in (".soc", ".soi"):
        path = write_preflib(none, tmp_path / f"none{suffix}")
        assert "# NUMBER VOTERS: 0\n" in path.read_text()
        assert read_preflib(path) == none
    path.write_text(path.read_text().replace("VOTERS: 0", "VOTERS: 3"))
    with pytest.raises(ValueError, match="no ballots"):
        read_preflib(path)


def test_suffixes_must_fit(tmp_path: Path) -> None:
    votes = Rankings.of([["a", "b", "c"], ["c"]])
    with pytest.raises(ValueError, match=r"\.soc is for complete orders and row 1 ranks 1 of 3 items; write \.soi"):
        write_preflib(votes, tmp_path / "votes.soc")
    with pytest.raises(ValueError, match="change the suffix"):
        write_preflib(votes, tmp_path / "votes.txt")
    path = write_preflib(votes.complete_rows(), tmp_path / "votes.soc", title="Two\nlines")
    assert "# TITLE: Two lines\n" in path.read_text()
    assert read_rankings(path) == votes.complete_rows()


def test_tables_are_text_and_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("count,first,second\n2,2024-05-01,01\n1,01,\n")
    votes = read_rankings(path)
    assert votes.items == ("01", "2024-05-01")
    assert votes.counts.tolist() == [2, 1]
    path.write_text("first,second\na,b\nb,b\n")
    with pytest.raises(ValueError, match=r"votes\.csv, row 1: the item 'b' is ranked twice"):
        read_rankings(path)
    packed = tmp_path / "votes.soi.gz"
    packed.write_bytes(gzip.compress((HEAD.format(kind="soi", voters=1) + "1: 2,3\n").encode()))
    assert read_preflib(packed).orders.tolist() == [[1, 2, -1]]
