"""Rankings on the command line and in reports."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from intarsia.cli import main
from intarsia.processes import Discrete
from intarsia_domains.permutations import LehmerDigits, Rankings
from intarsia_domains.permutations._command import RankingCommand
from intarsia_domains.permutations._evaluation import evaluate_rankings
from intarsia_domains.permutations._ranking_model import RankingModel

COMMAND = RankingModel.command()
ITEMS = ("Ann Lee", "Bo", "Cy", "Di")


def quiet(_: str) -> None:
    pass


def votes(rows: int = 60, seed: int = 0) -> Rankings:
    rng = np.random.default_rng(seed)
    return Rankings(ITEMS, (rng.integers(0, 2, (rows, 1)) + np.arange(4)) % 4).merge()


@pytest.fixture(scope="module")
def model() -> RankingModel:
    return RankingModel(steps=5, penalty=1.0, progress=False).fit(votes())


@pytest.mark.parametrize("name", ["a.csv", "a.soc", "a.soi"])
def test_files_round_trip(model: RankingModel, tmp_path: Path, name: str) -> None:
    drawn = model.sample(30)
    with COMMAND.writer(str(tmp_path / name)) as write:
        write(drawn)
    said: list[str] = []
    back = COMMAND.read(str(tmp_path / name), like=model, say=said.append)
    assert back.merge() == drawn.merge()
    assert "30 ballots over 4 items, 0 of them partial" in said[-1]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "first,second\nBo,Cy\nCy,Cy\n", "a.csv, row 1: the item 'Cy' is ranked twice"),
        ("a.csv", "first,second\nBo,Cy\nCy,Eve\n", "a.csv, row 1: there is no item 'Eve'"),
        ("a.csv", "first,second\nBo,Cy\n,Cy\n", "a.csv, row 1: rank 1 is empty"),
        ("a.csv", "1,2,3,4,5\nBo,,,,\nBo,Cy,Di,Ann Lee,Bo\n", "a.csv, row 1: the item 'Bo' is ranked twice"),
        ("a.soc", "# DATA TYPE: soc\n# NUMBER ALTERNATIVES: 2\n1: 1,2\n1: 1\n", "a.soc, line 4: 1 of 2 alternatives"),
    ],
)
def test_bad_ballots_end_the_command_with_a_sentence(
    model: RankingModel, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    model.save(tmp_path / "model")
    with pytest.raises(SystemExit) as end:
        main(["complete", str(tmp_path / "model"), str(tmp_path / name), "--out", str(tmp_path / "b.csv")])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert words in " ".join(said.split())
    assert "Traceback" not in said
    assert not (tmp_path / "b.csv").exists()


def test_conditions_as_text(model: RankingModel) -> None:
    texts = {"prefix": "Bo > Cy", "4": "Ann Lee"}
    given = COMMAND.parse_given(model, texts, quiet)
    assert model.sample(2, given=given).labels() == [["Bo", "Cy", "Di", "Ann Lee"]] * 2
    given = COMMAND.parse_given(model, {"before": "Di > Bo; Cy > Bo > Ann Lee", "top": "Di; Cy"}, quiet)
    assert given.before == [("Di", "Bo"), ("Cy", "Bo"), ("Bo", "Ann Lee")]
    assert model.sample(1, given=given).labels()[0][2:] == ["Bo", "Ann Lee"]
    for texts, words in (({"first": "Bo"}, "prefix, top"), ({"before": "Bo"}, "a > b"), ({"9": "Bo"}, "from 1 to 4")):
        with pytest.raises(ValueError, match=words):
            COMMAND.parse_given(model, texts, quiet)


def test_scores_and_draws(model: RankingModel, tmp_path: Path) -> None:
    said: list[str] = []
    frame = COMMAND.scores(model, votes(), per_cell=False, say=said.append)
    assert list(frame.columns) == ["log_likelihood"]
    assert "(exact)" in said[0]
    with pytest.raises(ValueError, match="one score"):
        COMMAND.scores(model, votes(), per_cell=True, say=quiet)
    stacked = COMMAND.stack(model.complete([["Bo"]], n_draws=3))
    assert stacked["draw"].tolist() == [1, 2, 3]
    assert stacked["rank 1"].tolist() == ["Bo"] * 3
    with COMMAND.writer(str(tmp_path / "b.csv")) as write:
        write(stacked)
    assert len(pd.read_csv(tmp_path / "b.csv")) == 3
    with pytest.raises(ValueError, match="rankings only"), COMMAND.writer(str(tmp_path / "b.soc")) as write:
        write(stacked)
    assert not (tmp_path / "b.soc").exists()


def test_bounds_are_called_bounds() -> None:
    digits = RankingModel(noise=LehmerDigits(Discrete.uniform), steps=2, progress=False).fit(votes())
    said: list[str] = []
    frame = COMMAND.scores(digits, votes(), per_cell=False, say=said.append)
    assert "a ballot (a bound)" in said[0]
    assert list(frame.columns) == ["log_likelihood", "standard_error"]


def test_what_a_model_is(model: RankingModel) -> None:
    report = COMMAND.describe(model)
    assert report.provenance["Learned from"] == "60 ballots over 4 items"
    assert "steps" in str(report.provenance["Training"])


def test_reports_have_floors(model: RankingModel, tmp_path: Path) -> None:
    train, holdout = votes(400, 1), votes(200, 2)
    report = COMMAND.compare(train, holdout, model.sample(400), model=model, target=None, seed=0)
    by_name = {metric.name: metric for metric in report.metrics}
    assert by_name["Held-out nats"].floors["uniform"] == pytest.approx(np.log(24))
    assert by_name["Held-out nats"].value < 1.2
    for name in ("Ranks", "Pairs", "First choices"):
        assert by_name[name].floors["real holdout"] < by_name[name].floors["uniform"]
        assert by_name[name].value < by_name[name].floors["uniform"]
    report.save(tmp_path / "page.html")
    assert "Ann Lee" in (tmp_path / "page.html").read_text()


def test_total_variation_of_first_choices() -> None:
    a, b = Rankings.of([["x", "y", "z"]]), Rankings.of([["y", "x", "z"]])
    report = evaluate_rankings(a, a, b)
    assert {m.name: m.value for m in report.metrics}["First choices"] == pytest.approx(100.0)


def test_reports_need_the_same_items() -> None:
    with pytest.raises(ValueError, match="same items"):
        evaluate_rankings(votes(), votes(), Rankings.of([["Bo", "Cy"]]))


def test_splits_are_by_ballots() -> None:
    train, test = RankingCommand().split(votes(100), 0.3, 0)
    assert (train.ballots, test.ballots) == (70, 30)
