"""`StringModel`: learns to add, never calls wrong what is right or right what is wrong, and comes back from a file."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from intarsia.errors import ArtifactError, NotFittedError
from intarsia.objectives import AnyOrderObjective
from intarsia.samplers import Cached, Confidence, PerStep, Unmask
from intarsia_domains.reasoning import AdditionStrings, Attempts, CountdownStrings, InOrder, Status, StringModel, check
from intarsia_domains.reasoning._string_solving import PROCESS, draw_answers, know_nothing, solve_strings
from intarsia_domains.reasoning._strings import SYMBOLS


@pytest.fixture(scope="module")
def adder() -> StringModel:
    model = StringModel(
        strings=AdditionStrings(1), steps=450, lessons=2_000, width=32, depth=1, objective=AnyOrderObjective(),
        progress=False,
    )  # fmt: skip
    return model.fit()


def oracle(strings: CountdownStrings, answer: str):
    """A denoiser that knows one answer."""
    classes = torch.from_numpy(strings.write(answer))

    def denoiser(xt: Tensor, t: object, cond: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(classes, len(SYMBOLS)).float().log().expand(len(xt), -1, -1)

    return denoiser


def test_learns_to_add_single_digits(adder: StringModel) -> None:
    questions = [(a, b) for a in range(10) for b in range(10)]
    answers = adder.solve(questions, attempts=Attempts(draws=1))
    assert sum(answer.valid for answer in answers) >= 85
    first, last = adder.curve_[0], adder.curve_[-1]
    assert last["nats"] < first["nats"]
    assert last["right"] > first["right"]


def test_what_is_solved_is_verified_and_the_rest_is_unknown(adder: StringModel) -> None:
    untrained = StringModel(strings=AdditionStrings(2), steps=1, lessons=50, width=8, depth=1, heads=2, progress=False)
    questions = [(a, a + 3) for a in range(40, 90)]
    answers = untrained.fit().solve(questions, attempts=Attempts(draws=2))
    assert {answer.status for answer in answers} <= {Status.SAT, Status.UNKNOWN}
    assert any(answer.status is Status.UNKNOWN for answer in answers)
    for question, answer in zip(questions, answers, strict=True):
        problem = untrained.strings.problem(question)
        if answer.values is None:
            assert answer.note
        else:
            assert check(problem, problem.state(answer.values)).valid.all()


def test_more_draws_solve_more() -> None:
    strings = CountdownStrings(3, width=4)
    questions = [strings.question(row) for row in strings.lessons(40, seed=5).questions]
    solved = []
    for draws in (1, 30):
        rng = torch.Generator().manual_seed(0)
        answers = solve_strings(strings, know_nothing, questions, Attempts(draws), rng)
        solved.append(sum(answer.valid for answer in answers))
        assert all(0 < (answer.nodes or 0) <= draws for answer in answers)
    assert solved[1] > solved[0]


def test_a_network_that_knows_is_believed_and_one_that_errs_is_not() -> None:
    strings, question = CountdownStrings(3, width=3), ([15, 44, 79], 50)
    right = oracle(strings, "44-15=29,79-29=50")
    rng = torch.Generator().manual_seed(0)
    answer = solve_strings(strings, right, [question], Attempts(1, narrow=False), rng)[0]
    assert answer.status is Status.SAT
    assert answer.nodes == 1
    other = solve_strings(strings, right, [([15, 44, 80], 51)], Attempts(2, narrow=False), rng)[0]
    assert other.status is Status.UNKNOWN
    assert "takes 79, which is not there" in other.note


def test_a_spent_budget_is_unknown(adder: StringModel) -> None:
    assert [answer.status for answer in adder.solve([(1, 2)], budget=0.0)] == [Status.UNKNOWN]
    assert adder.solve([]) == []


def test_in_order_unmasks_in_that_order() -> None:
    seen: list[list[int]] = []

    def denoiser(xt: Tensor, t: object, cond: object) -> Tensor:
        seen.append((xt[0] == len(SYMBOLS)).nonzero().flatten().tolist())
        return torch.zeros(*xt.shape, len(SYMBOLS))

    x1 = PROCESS.prior((1, 3), torch.Generator())
    Unmask(InOrder((2, 0, 1)), PerStep()).sample(PROCESS, denoiser, x1, rng=torch.Generator().manual_seed(0))
    assert seen == [[0, 1, 2], [0, 2], [0]]


def test_rows_are_asked_with_their_own_question() -> None:
    """Samplers call only for rows that changed; the rules must see the questions of those."""
    strings = CountdownStrings(2, width=3)
    asked = strings.ask([([9, 3], 12), ([8, 2], 16), ([50, 25], 25)])
    for seed in range(5):
        rng = torch.Generator().manual_seed(seed)
        drawn = draw_answers(strings, know_nothing, asked, Attempts(1, Confidence()), rng)
        for answer, target in zip(drawn, ("12", "16", "25"), strict=True):
            assert strings.read(answer).endswith(f"={target}")


def test_samples_are_distinct_answers(adder: StringModel) -> None:
    assert adder.sample(1, given=(4, 3)) == ["7"]
    with pytest.raises(ValueError, match="found 1 different answers of the 2"):
        adder.sample(2, given=(4, 3))
    with pytest.raises(ValueError, match="`given` is the question"):
        adder.sample(1)


def test_completes_scores_and_reports(adder: StringModel) -> None:
    assert adder.complete([(2, 2)])[0]["s1"] == 4
    right, wrong = adder.score_samples([((2, 3), "5"), ((2, 3), "8")])
    assert right > wrong
    assert right <= 0.0
    report = adder.evaluate([(1, 1), (2, 5)], [(3, 3), (4, 4)])
    assert [metric.name for metric in report.metrics] == [
        "Solved by the network alone, one draw",
        "Solved by the network alone, 8 draws at most",
        "Solved with rules, one draw",
        "Solved with rules, 8 draws at most",
    ]
    assert set(report.metrics[0].floors) == {"problems learned from", "no network"}


def test_scores_are_the_mean_over_orders() -> None:
    """Of two characters there are two orders, so the bound is known: half of each chain of log-probabilities."""
    model = StringModel(strings=AdditionStrings(1), steps=3, lessons=50, width=8, depth=1, heads=2, progress=False)
    model.fit()
    mask = len(SYMBOLS)

    def log_p(xt: list[int], site: int, value: int) -> float:
        question = torch.tensor([[8, 5]])
        return float(model.network_(torch.tensor([xt]), None, question).log_softmax(-1)[0, site, value])

    with torch.no_grad():
        chains = [
            log_p([mask, mask], 0, 1) + log_p([1, mask], 1, 3),
            log_p([mask, mask], 1, 3) + log_p([mask, 3], 0, 1),
        ]
    found = model.score_samples([((8, 5), "13")] * 1_500, samples=20)
    assert found.shape == (1_500,)
    assert found.mean() == pytest.approx(sum(chains) / 2, abs=0.03)


def test_network_calls_can_be_counted(adder: StringModel) -> None:
    counted = Cached(adder.network_)
    rng = torch.Generator().manual_seed(0)
    answers = solve_strings(adder.strings, counted, [(1, 2), (3, 4)], Attempts(1, pace=PerStep()), rng)
    assert len(answers) == 2
    assert counted.nfe == 2  # one for each character, for both questions at once


def test_fits_pairs_and_names_the_wrong_one() -> None:
    model = StringModel(strings=AdditionStrings(1), steps=1, width=8, depth=1, heads=2, progress=False)
    pairs = [((a, b), str(a + b)) for a in range(5) for b in range(5)]
    assert model.fit(pairs).training_["lessons"] == 25
    with pytest.raises(ValueError, match="answer 2: 'x' is no number"):
        model.fit([((1, 1), "2"), ((1, 2), "x")])
    with pytest.raises(ValueError, match="answer 2 is wrong"):
        model.fit([((1, 1), "2"), ((1, 2), "4")])
    with pytest.raises(ValueError, match="at least two problems, got 1"):
        model.fit(pairs[:1])


def test_the_same_seed_gives_the_same_model_and_draws(adder: StringModel) -> None:
    again = StringModel(**{**adder.get_params(), "steps": 20}).fit()
    twice = StringModel(**{**adder.get_params(), "steps": 20}).fit()
    for one, other in zip(again.network_.parameters(), twice.network_.parameters(), strict=True):
        assert torch.equal(one, other)
    first, second = (adder.solve([(7, 8)], seed=3)[0] for _ in range(2))
    assert dataclasses.replace(first, seconds=0.0) == dataclasses.replace(second, seconds=0.0)


def test_comes_back_from_a_file(adder: StringModel, tmp_path: Path) -> None:
    adder.save(tmp_path / "adder")
    back = StringModel.load(tmp_path / "adder")
    assert back.strings == adder.strings
    assert back.curve_ == adder.curve_
    np.testing.assert_array_equal(back.score_samples([((2, 3), "5")]), adder.score_samples([((2, 3), "5")]))
    assert "greedy answers" in (tmp_path / "adder" / "card.md").read_text()
    codec = tmp_path / "adder" / "codec.json"
    codec.write_text(codec.read_text().replace("addition", "poems"))
    with pytest.raises(ArtifactError):
        StringModel.load(tmp_path / "adder")


def test_countdown_strings_come_back_too(tmp_path: Path) -> None:
    strings = CountdownStrings(2, excluded=(24,), width=3)
    model = StringModel(strings=strings, steps=1, lessons=30, width=8, depth=1, heads=2, progress=False).fit()
    model.save(tmp_path / "m")
    assert StringModel.load(tmp_path / "m").strings == strings


def test_an_unfitted_model_says_so() -> None:
    with pytest.raises(NotFittedError):
        StringModel().solve([([1, 2, 3, 4], 10)])
    with pytest.raises(ValueError, match="draws must be at least 1"):
        Attempts(0)
