"""The report says what is so of good, copied and poor sequences; the oracle learns what was planted; pictures hold."""

import numpy as np
import pytest

from intarsia.report import Report
from intarsia_domains.dna._evaluation import evaluate_sequences
from intarsia_domains.dna._figures import activity_figure, k_mer_figure, motif_figure
from intarsia_domains.dna._motif_hits import Hits
from intarsia_domains.dna._motifs import Motif
from intarsia_domains.dna._oracle import train_oracle
from intarsia_domains.dna._pictures import draw_logo, information, logo_figure, map_figure, strip_figure
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

pytest.importorskip("sklearn")
pytest.importorskip("rapidfuzz")


def planted(n: int, seed: int) -> tuple[Sequences, np.ndarray]:
    """Sequences of a first-order chain, half of them with a motif in the middle, and which."""
    rng = np.random.default_rng(seed)
    step = np.array([[0.5, 0.1, 0.3, 0.1], [0.2, 0.2, 0.1, 0.5], [0.3, 0.4, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]]).cumsum(1)
    codes = np.zeros((n, 40), dtype=np.uint8)
    codes[:, 0] = rng.integers(0, 4, n)
    for k in range(1, 40):
        codes[:, k] = (rng.random((n, 1)) > step[codes[:, k - 1]]).sum(1).clip(max=3)
    active = rng.random(n) < 0.5
    codes[active, 15:23] = [3, 0, 3, 0, 0, 0, 0, 2]
    return Sequences.from_codes(codes), active.astype(float)


def named(report: Report) -> dict[str, tuple[float, float]]:
    return {m.name: (m.value, m.floors.get("real holdout", np.nan)) for m in report.metrics}


@pytest.fixture(scope="module")
def oracle():
    return train_oracle(*planted(250, 5), both_strands=False)


def test_good_copied_and_poor_sequences_are_told_apart(oracle) -> None:
    (train, _), (holdout, _), (fresh, _) = planted(300, 0), planted(300, 1), planted(200, 2)
    poor = Sequences.from_codes(np.random.default_rng(3).integers(0, 4, (200, 40)))
    baselines = {"uniform": poor}
    good = evaluate_sequences(train, holdout, fresh, baselines=baselines, oracle=oracle)
    values = named(good)
    for name in ("3-mer distance", "GC distance", "Place error", "Activity distance", "Fréchet distance"):
        value, floor = values[name]
        assert value < 2.2 * floor + 0.02, name
        assert good.metric(name).floors["uniform"] > 1.5 * floor, name
        assert good.metric(name).floors["shuffled letters"] > 0
    assert values["Discriminator AUC"][0] < 0.65
    assert good.metric("Discriminator AUC").floors["uniform"] > 0.8
    assert values["Near-copies"][0] <= 5
    assert list(good.metric("3-mer distance").floors) == [
        "real holdout",
        "uniform",
        "shuffled pairs",
        "shuffled letters",
    ]
    pairs = good.metric("3-mer distance").floors
    assert pairs["shuffled pairs"] < pairs["shuffled letters"]
    copied = evaluate_sequences(train, holdout, train, oracle=oracle)
    assert copied.metric("Near-copies").value == 100
    assert copied.metric("3-mer distance").value < 2.2 * values["3-mer distance"][1]
    assert good.to_html().startswith("<!")
    assert evaluate_sequences(train, holdout, fresh, baselines=baselines, oracle=oracle) == good  # of one seed


def test_motifs_are_part_of_the_report_if_they_are_given() -> None:
    pytest.importorskip("memelite")
    tata = np.full((8, 4), 0.01)
    tata[range(8), [3, 0, 3, 0, 0, 0, 0, 2]] = 0.97
    motifs = [Motif("M1", "TATA", tata), Motif("M2", "rolled", np.roll(tata, 1, 1)), Motif("M3", "x", tata[::-1])]
    (train, _), (holdout, _), (fresh, _) = planted(100, 0), planted(100, 1), planted(60, 2)
    report = evaluate_sequences(train, holdout, fresh, motifs=motifs)
    assert report.metric("Motif correlation").value > 0.99
    assert report.metric("Motif co-occurrence").note
    table = next(table for table in report.tables if table.title == "Motifs that differ most")
    row = next(row for row in table.rows if row[0] == "M1")
    assert row[2:] == pytest.approx([50, 50, 50], abs=20)


def test_an_evaluation_needs_enough_sequences_and_free_names() -> None:
    train, _ = planted(30, 0)
    with pytest.raises(SequenceError, match="at least 20 holdout and 10 generated sequences, got 30 and 5"):
        evaluate_sequences(train, train, train[:5])
    with pytest.raises(SequenceError, match="'real holdout'"):
        evaluate_sequences(train, train, train, baselines={"real holdout": train})


def test_the_oracle_knows_what_was_planted_and_is_calibrated(oracle) -> None:
    assert oracle.classes
    assert oracle.calibration.score > 0.97
    assert abs(oracle.calibration.offset) < 0.1
    fresh, active = planted(200, 9)
    assert ((oracle(fresh) > 0.5) == active).mean() > 0.93
    assert oracle.features(fresh).shape[0] == 200
    again = train_oracle(*planted(250, 5), both_strands=False)
    assert (again(fresh) == oracle(fresh)).all()
    with pytest.raises(SequenceError, match="reads sequences of 40 letters, and 'sequence 1' has 3"):
        oracle(Sequences.of(["ACG"]))


def test_numbers_are_regressed_on_either_strand() -> None:
    rng = np.random.default_rng(0)
    ours = Sequences.of(["".join(rng.choice(list("ACGT"), size)) for size in rng.integers(20, 40, 300)])
    activity = 3 + 2 * ours.gc() + 0.05 * rng.normal(size=300)
    model = train_oracle(ours, activity)
    assert not model.classes
    assert model.length == 0
    assert model.calibration.score > 0.9
    assert model.calibration.slope == pytest.approx(1, abs=0.2)
    assert model(ours) == pytest.approx(model(ours.reverse_complement()))
    activity[3] = np.nan
    with pytest.raises(SequenceError, match=r"activity of 'sequence 4' is missing \(1 are\)"):
        train_oracle(ours, activity)
    with pytest.raises(SequenceError, match="at least 50"):
        train_oracle(ours[:10], activity[:10])


TWO = Sequences.of(["ACGT", "AC"], ["a", "b"])
MOTIFS = (Motif("M1", "x", np.full((2, 4), 0.25)), Motif("M2", "x", np.eye(4)[[0, 1]]))
HITS = Hits(
    MOTIFS, 2, np.array([0, 1]), np.array([0, 1]), np.array([1, 0]), np.array([3, 2]), np.array([False, True]),
    np.array([1e-5, 1e-5]),
)  # fmt: skip


def data(figure, trace: int, panel: int = 0) -> dict:
    return figure.panels[panel]["data"][trace]


def test_pictures_hold_the_numbers() -> None:
    words = k_mer_figure(TWO, Sequences.of(["AAAA"]))
    assert data(words, 1)["text"][:2] == ["AAA", "AAC"]
    assert sum(data(words, 1)["x"]) == pytest.approx(100)
    assert data(words, 1)["y"][0] == 100
    motifs = motif_figure(HITS, HITS)
    assert data(motifs, 1)["x"] == [50, 50]
    lines = activity_figure({"one": np.arange(101.0), "two": np.zeros(3)})
    assert data(lines, 0)["x"] == pytest.approx(np.arange(101))
    strip = strip_figure([[4, 4, 5], [0, 4, 3]], [1, 0])
    assert data(strip, 0)["z"] == [[4, 4, 4], [0, 4, 3]]
    assert data(strip, 0)["text"] == [["", "", ""], ["A", "", "T"]]
    with pytest.raises(ValueError, match="2 times"):
        strip_figure([[4, 4]], [1, 0])
    places = map_figure(TWO, HITS)
    assert data(places, 1)["x"] == [2, 3, None]
    assert data(places, 2)["x"] == [2, 1, None]  # towards the end of the other strand
    assert [data(places, k)["name"] for k in (1, 2)] == ["x (M1)", "x (M2)"]
    assert information(MOTIFS[1]).tolist() == [[2, 0, 0, 0], [0, 2, 0, 0]]
    assert information(MOTIFS[0]).sum() == 0
    assert information(Sequences.of(["AC", "AG"])).tolist() == [[2, 0, 0, 0], [0, 0.5, 0.5, 0]]
    logo = logo_figure({"set": TWO, "motif": MOTIFS[1]})
    assert data(logo, 3)["text"] == ["A", "C", "G", "T"]  # the largest lies on top
    assert data(logo, 3, 1)["y"] == [2, 2]
    figures = [words, motifs, lines, strip, places, logo]
    assert "Motif map" in Report(title="x", figures=figures).to_html()


def test_logomaker_draws_the_same_heights() -> None:
    pytest.importorskip("logomaker")
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    _, axes = plt.subplots()
    assert draw_logo(MOTIFS[1], axes) is axes
    assert axes.get_ylabel() == "bits"
    plt.close("all")
