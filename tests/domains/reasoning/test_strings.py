"""Arithmetic as strings: what is written is read back, rules strike no solution, lessons are right."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch

from intarsia_domains.reasoning import (
    AdditionStrings,
    CountdownStrings,
    Solution,
    additions_by_carry,
    countdown,
    enumerate_solutions,
    expression,
    longest_carry,
    read_expression,
)
from intarsia_domains.reasoning._check import check
from intarsia_domains.reasoning._countdown_lessons import countdown_lessons
from intarsia_domains.reasoning._strings import BLANK, SIGN, SYMBOLS, field, fields
from intarsia_domains.reasoning.presets._countdown import SIGNS

MASK = len(SYMBOLS)


def masks(x0: torch.Tensor, share: float, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.where(torch.rand(x0.shape, generator=rng) < share, MASK, x0)


def test_symbols_and_signs_agree() -> None:
    assert SYMBOLS[SIGN : SIGN + 4] == "".join(SIGNS)
    assert SYMBOLS[BLANK] == " "


def test_fields_are_aligned_to_the_right() -> None:
    assert field(42, 4) == [BLANK, BLANK, 4, 2]
    assert field(0, 2) == [BLANK, 0]
    numbers = np.array([0, 7, 10, 99, 100, 9999])
    assert fields(numbers, 4).tolist() == [field(int(number), 4) for number in numbers]
    with pytest.raises(ValueError, match="100 does not fit into 2 digits"):
        field(100, 2)


@pytest.mark.parametrize(("numbers", "width"), [(3, 4), (4, 4), (5, 5)])
def test_lessons_of_countdown_are_solutions_and_come_back(numbers: int, width: int) -> None:
    strings = CountdownStrings(numbers, excluded=(24, 50), width=width)
    lessons = strings.lessons(60, seed=1)
    questions = [strings.question(row) for row in lessons.questions]
    assert (strings.ask(questions) == lessons.questions).all()
    for question, answer in zip(questions, lessons.answers, strict=True):
        problem, text = strings.problem(question), strings.read(answer)
        assert 10 <= question[1] <= 100
        assert question[1] not in (24, 50)
        assert Solution.verified(problem, problem.state(strings.values(problem, text))).valid
        assert (strings.write(text) == answer).all()


def test_lessons_use_every_sign_and_follow_the_seed() -> None:
    one, two, other = (countdown_lessons(500, 3, (10, 100), (), 9999, seed) for seed in (0, 0, 1))
    assert set(one.signs.ravel().tolist()) == {0, 1, 2, 3}
    assert (one.numbers == two.numbers).all()
    assert (one.numbers != other.numbers).any()
    with pytest.raises(ValueError, match="all targets from 10 to 11 are excluded"):
        countdown_lessons(1, 3, (10, 11), (10, 11), 9999, 0)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_rules_never_strike_a_solution(share: float) -> None:
    strings = CountdownStrings(4, width=4)
    lessons = strings.lessons(400, seed=2)
    x0, question = torch.from_numpy(lessons.answers), torch.from_numpy(lessons.questions)
    open_ = strings.narrow(masks(x0, share), question)
    assert open_.gather(-1, x0.unsqueeze(-1)).all()


def test_rules_leave_what_a_step_determines() -> None:
    strings = CountdownStrings(3, width=3)
    asked = torch.from_numpy(strings.ask([([15, 44, 79], 50)]))
    x0 = torch.from_numpy(strings.write("44-15=29,79-29=50")[None])
    start = strings.narrow(torch.full_like(x0, MASK), asked)[0]

    def symbols(open_: torch.Tensor, site: int) -> str:
        return "".join(SYMBOLS[k] for k in open_[site].nonzero().flatten().tolist())

    assert [symbols(start, site) for site in range(4)] == [" ", "147", "459", "+-*/"]
    assert [symbols(start, site) for site in range(17, 20)] == [" ", "5", "0"]  # the last result is the target
    half = x0.clone()
    half[:, 7:] = MASK  # 44 - 15 is written
    after = strings.narrow(half, asked)[0]
    assert [symbols(after, site) for site in range(7, 10)] == [" ", "2", "9"]
    assert [symbols(after, site) for site in range(10, 13)] == [" ", "27", "9"]  # 29 or 79; 44 and 15 are used up
    half[:, 3] = MASK
    assert symbols(strings.narrow(half, asked)[0], 3) == "+-*"  # 44 / 15 is no whole number
    half[:, :3], half[:, 4:7] = x0[:, 4:7], x0[:, :3]
    assert symbols(strings.narrow(half, asked)[0], 3) == "+*"  # 15 - 44 is negative


@pytest.mark.parametrize(
    "question",
    [([15, 44, 79], 50), ([20, 20, 40], 80), ([2, 2, 4], 4), ([1, 1, 2], 2), ([3, 3, 0], 0), ([99, 99, 99], 99)],
)
def test_rules_strike_none_of_all_solutions(question: tuple[list[int], int]) -> None:
    """Also where numbers are there twice, or a result is one of the numbers, so that it is unclear which is meant."""
    strings, problem = CountdownStrings(3, width=5), countdown(*question)
    texts = {expression(problem, values) for values in enumerate_solutions(problem)}
    x0 = torch.from_numpy(np.stack([strings.write(text) for text in texts])).repeat(60, 1)
    asked = torch.from_numpy(strings.ask([question])).expand(len(x0), -1)
    for share in (0.3, 0.6, 0.9):
        open_ = strings.narrow(masks(x0, share), asked)
        assert open_.gather(-1, x0.unsqueeze(-1)).all()


def test_rules_leave_one_class_of_a_character_that_the_others_determine() -> None:
    """A result and a sign follow from their step; an operand from what is used up, where nothing is there twice."""
    strings, question, text = CountdownStrings(3, width=4), ([15, 44, 79], 50), "44-15=29,79-29=50"
    asked = torch.from_numpy(strings.ask([question]))
    x0 = torch.from_numpy(strings.write(text)[None])
    for site in range(strings.answer_sites):
        xt = x0.clone()
        xt[0, site] = MASK
        assert strings.narrow(xt, asked)[0, site].nonzero().flatten().tolist() == [int(x0[0, site])]


def test_expressions_and_values_are_inverse_to_each_other() -> None:
    problem = countdown([6, 3, 3, 8], 24)
    found = list(enumerate_solutions(problem, limit=60))
    for values in found:
        text = expression(problem, values)
        back = read_expression(problem, text)
        assert expression(problem, back) == text
        assert check(problem, problem.state(back)).valid.all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("44-15=29", "is not 2 steps"),
        ("44-15=29,79-29", "is not 2 steps"),
        ("44-15=30,79-29=50", "step 1, 44-15=30, is wrong"),
        ("44-15=29,79-15=64", "step 2, 79-15=64, takes 15, which is not there or is used already"),
        ("15-44=29,79-29=50", "step 1, 15-44=29, is wrong"),
        ("44/15=2,79-2=77", "step 1, 44/15=2, is wrong"),
        ("", "is not 2 steps"),
    ],
)
def test_wrong_expressions_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        read_expression(countdown([15, 44, 79], 50), text)


def test_the_checker_of_countdown_agrees_with_the_table_of_all_ways() -> None:
    problem = countdown([2, 4, 8], 4)
    rule = problem.constraints[-1]
    listed = set(rule.table.rows)  # type: ignore[attr-defined]
    own = [problem.allowed[i] for i in range(len(problem))]
    states = np.array(list(product(*own)))
    violated = rule.violated(states, problem.values)
    assert len(listed) == (~violated).sum() > 0
    assert all(tuple(state) in listed for state in states[~violated].tolist())


def test_additions_are_written_and_read() -> None:
    strings = AdditionStrings(3)
    assert strings.ask([(7, 950)]).tolist() == [[0, 0, 7, 9, 5, 0]]
    assert strings.question(np.array([0, 0, 7, 9, 5, 0])) == (7, 950)
    assert strings.write("957").tolist() == [0, 9, 5, 7]
    assert strings.read(np.array([0, 9, 5, 7])) == "957"
    lessons = strings.lessons(200, seed=0)
    for question, answer in zip(lessons.questions, lessons.answers, strict=True):
        a, b = strings.question(question)
        assert strings.read(answer) == str(a + b)
    problem = strings.problem((7, 950))
    assert Solution.verified(problem, problem.state(strings.values(problem, "957"))).valid
    for wrong in ("956", "1957", "57"):
        assert not Solution.verified(problem, problem.state(strings.values(problem, wrong))).valid
    with pytest.raises(ValueError, match="is no number"):
        strings.values(problem, "9+7")


def test_longest_carries_are_counted_exactly() -> None:
    def plain(a: int, b: int, digits: int) -> int:
        runs, run, carry = [0], 0, 0
        for place in range(digits):
            carry = int(a // 10**place % 10 + b // 10**place % 10 + carry >= 10)
            run = run + 1 if carry else 0
            runs.append(run)
        return max(runs)

    a, b = np.divmod(np.arange(10_000), 100)
    carries = longest_carry(a, b, 2)
    assert carries.tolist() == [plain(int(x), int(y), 2) for x, y in zip(a, b, strict=True)]
    # a place alone carries in 45 of 100 cases; after a carry in 55
    assert Counter(carries.tolist()) == {0: 55 * 55, 1: 45 * 45 + 55 * 45, 2: 45 * 55}
    assert longest_carry(np.array([9999, 5050]), np.array([1, 5050]), 4).tolist() == [4, 1]


def test_additions_by_carry_have_the_carries_they_say() -> None:
    found = additions_by_carry(6, 20)
    assert sorted(found) == list(range(7))
    for carry, pairs in found.items():
        assert len(pairs) == len(set(pairs)) == 20
        for a, b in pairs:
            places = [(a % 10**i + b % 10**i) >= 10**i for i in range(1, 7)]
            runs = "".join("x" if place else " " for place in places).split()
            assert max(map(len, runs), default=0) == carry


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CountdownStrings(1), "numbers must be 2 to 6"),
        (lambda: CountdownStrings(3, targets=(50, 20)), "targets are the least and the greatest"),
        (lambda: AdditionStrings(0), "`digits` must be 1 to 18, got 0"),
        (lambda: AdditionStrings(2).ask([(1, 2), (100, 1)]), "question 2 is two numbers of at most 2 digits"),
        (lambda: AdditionStrings(2).ask([(1, 2), (1,)]), "question 2 is two numbers of at most 2 digits"),
        (lambda: AdditionStrings(2).ask([(1, 2.5)]), "question 1 is two numbers of at most 2 digits"),
        (lambda: AdditionStrings(2).write("1000"), "'1000' is no number of at most 3 digits"),
        (lambda: CountdownStrings(3).write("44-15=29"), "'44-15=29' is not 2 steps such as"),
        (lambda: CountdownStrings(2, width=3).write("99*99=9801"), "9801 does not fit into 3 digits"),
        (lambda: CountdownStrings(3).ask([[1, 2]]), "question 1 is no pair such as"),
        (lambda: CountdownStrings(3).ask([([1, 2, 3.5], 3)]), "question 1 is no pair such as"),
        (lambda: CountdownStrings(3).ask([([1, 2], 3)]), "question 1 has 2 numbers; this model knows 3"),
        (lambda: CountdownStrings(3).ask([([1, 2, 300], 3)]), "question 1: 300 does not fit into 2 digits"),
    ],
)
def test_what_does_not_fit_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
