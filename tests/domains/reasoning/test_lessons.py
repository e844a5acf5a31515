"""What is learned from: lists, lessons, and the split by solution grid."""

from pathlib import Path

import numpy as np
import pytest
import torch

from intarsia_domains.reasoning import Propagator, sudoku
from intarsia_domains.reasoning._canonical import held_out
from intarsia_domains.reasoning._generate import generate_sudoku
from intarsia_domains.reasoning._lessons import Examples, Mix, Teacher, given_domains
from intarsia_domains.reasoning._lists import marked, read_examples, split
from intarsia_domains.reasoning._stack import shared_graph

PUZZLE = ".................1.....2.3......3.2...1.4......5....6..3......4.7..8...962...7..."
SOLUTION = "953168742862734951417952836746893125281645397395271468138529674574386219629417583"
PLAIN = Mix(more=0.0, revealed=0.0, free=0.0, narrowed=0.0)


def examples(rows: int = 1) -> Examples:
    given, states = (np.array([[int(c) - 1 for c in s.replace(".", "0")]] * rows) for s in (PUZZLE, SOLUTION))
    return Examples(given, states)


def teacher(mix: Mix, propagate: bool = False) -> Teacher:
    problem = sudoku(9)
    base = torch.ones(81, 9, dtype=torch.bool)
    narrow = Propagator(problem) if propagate else None
    return Teacher(shared_graph(problem), base, {"one": (examples(), 1.0)}, mix, narrow)


def test_a_plain_lesson_shows_the_clues_and_masks_the_rest() -> None:
    lessons = teacher(PLAIN).draw(3, torch.Generator().manual_seed(0))
    one = examples()
    assert (lessons.domains.sum(-1) == 1).sum().item() == 3 * 17
    assert torch.equal(lessons.xt == 9, torch.from_numpy(np.repeat(one.given < 0, 3, 0)))
    assert bool(lessons.domains.gather(-1, lessons.x0.unsqueeze(-1)).all())


def test_more_clues_stay_within_the_bound_and_agree_with_the_solution() -> None:
    lessons = teacher(Mix(more=1.0, most=5, revealed=0.0, free=0.0, narrowed=0.0)).draw(
        200, torch.Generator().manual_seed(0)
    )
    clues = (lessons.domains.sum(-1) == 1).sum(-1)
    assert sorted(set(clues.tolist())) == [18, 19, 20, 21, 22]
    assert bool(lessons.domains.gather(-1, lessons.x0.unsqueeze(-1)).all())


def test_revealed_values_are_right_and_leave_the_domains_open() -> None:
    lessons = teacher(Mix(more=0.0, revealed=1.0, free=0.0, narrowed=0.0)).draw(50, torch.Generator().manual_seed(0))
    shown = lessons.xt < 9
    assert torch.equal(lessons.xt[shown], lessons.x0[shown])
    assert (lessons.domains.sum(-1) == 1).sum().item() == 50 * 17
    # a uniform time reveals half of the 64 free cells on average
    assert abs((shown.sum(-1).float().mean().item() - 17) / 64 - 0.5) < 0.15


def test_narrowed_domains_keep_the_solution() -> None:
    lessons = teacher(Mix(more=1.0, revealed=0.0, free=0.0, narrowed=1.0), propagate=True).draw(
        20, torch.Generator().manual_seed(0)
    )
    assert bool(lessons.domains.gather(-1, lessons.x0.unsqueeze(-1)).all())
    assert lessons.domains.sum().item() < 20 * (17 + 64 * 9)


def test_the_same_generator_draws_the_same_lessons() -> None:
    one, other = (teacher(Mix()).draw(8, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one.xt, other.xt)
    assert torch.equal(one.domains, other.domains)


def test_domains_of_given_values() -> None:
    base = torch.tensor([[True, True, False], [True, True, True]])
    found = given_domains(base, np.array([[-1, 2], [0, -1]]))
    assert found.tolist() == [
        [[True, True, False], [False, False, True]],
        [[True, False, False], [True, True, True]],
    ]


def test_a_solution_that_contradicts_its_clue_is_refused() -> None:
    one = examples(2)
    one.given[1, 0] = (one.states[1, 0] + 1) % 9
    with pytest.raises(ValueError, match="problem 2"):
        Examples(one.given, one.states)


def test_a_teacher_without_examples_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one list"):
        Teacher(shared_graph(sudoku(4)), torch.ones(16, 4, dtype=torch.bool), {})


def test_reading_a_list_and_its_complaints(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"puzzle,solution\n{PUZZLE},{SOLUTION}\n")
    found = read_examples(path)
    assert np.array_equal(found.given, examples().given)
    assert np.array_equal(found.states, examples().states)
    wrong = SOLUTION[1] + SOLUTION[0] + SOLUTION[2:]
    path.write_text(f"puzzle,solution\n{PUZZLE},{SOLUTION}\n{PUZZLE},{wrong}\n")
    with pytest.raises(ValueError, match=r"puzzle 2 .* breaks the rules"):
        read_examples(path)
    path.write_text(f"puzzle,solution\n{PUZZLE},{SOLUTION[:80]}\n")
    with pytest.raises(ValueError, match="puzzle 1"):
        read_examples(path)
    path.write_text(f"puzzle\n{PUZZLE}\n")
    with pytest.raises(ValueError, match="no column solution"):
        read_examples(path)


def test_the_split_keeps_grids_apart_whatever_their_symmetry_and_leaves_out_foreign_ones() -> None:
    grids = generate_sudoku(60, clues=40, seed=0).solutions
    turned = np.array([grid.reshape(9, 9).T[::-1].reshape(-1) % 9 + 1 for grid in grids])
    both = np.concatenate([grids, turned]) - 1
    given = np.full_like(both, -1)
    fingerprints = marked(both)
    assert np.array_equal(fingerprints[:60], fingerprints[60:])
    parts = split(Examples(given, both), fingerprints)
    assert len(parts.train) + len(parts.test) == 120
    assert len(parts.test) == 2 * held_out(grids).sum() > 0
    assert not set(marked(parts.train.states)) & set(marked(parts.test.states))
    kept = split(Examples(given, both), fingerprints, fingerprints[:60])
    assert len(kept.train) == 0
    assert len(kept.test) == len(parts.test)
