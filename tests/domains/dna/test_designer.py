"""`SequenceDesigner`: manners of a domain, lengths, sets, constraints, rewards, edits, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intarsia.errors import ArtifactError, NotFittedError
from intarsia.testing import check_domain
from intarsia_domains.dna import (
    RNA,
    Absorbing,
    AnalogBits,
    Avoid,
    DilatedCNN,
    GCWindow,
    Keep,
    Marginal,
    Multinomial,
    Require,
    SequenceDesigner,
    SequenceError,
    Sequences,
    SequenceTransformer,
    SharedStrands,
    Simplex,
)
from intarsia_domains.dna._noises import AbstractNoise

SMALL = DilatedCNN(width=16, blocks=2, kernel=3, dropout=0.0)
NOISES: list[AbstractNoise] = [Absorbing(), Multinomial(12), Marginal(12), Simplex(4), AnalogBits(12)]
FEW_AND_SLOW = [*NOISES[:3], NOISES[4], pytest.param(Simplex(12), marks=pytest.mark.slow)]


def designer(**options: Any) -> SequenceDesigner:
    return SequenceDesigner(**{"steps": 60, "network": SMALL, "threads": 1, "progress": False, **options})


def two_kinds(n: int = 120) -> tuple[list[str], dict[str, list[str]]]:
    """AT-rich and GC-rich sequences of ten letters."""
    rng = np.random.default_rng(0)
    kinds = ["poor", "rich"] * (n // 2)
    law = {"poor": [0.45, 0.05, 0.05, 0.45], "rich": [0.05, 0.45, 0.45, 0.05]}
    return ["".join(rng.choice(list("ACGT"), 10, p=law[kind])) for kind in kinds], {"kind": kinds}


@pytest.fixture(scope="module")
def fitted() -> SequenceDesigner:
    return designer(steps=150).fit(*two_kinds())


@pytest.fixture(scope="module")
def uneven() -> SequenceDesigner:
    texts = [text[: 6 + row % 4] for row, text in enumerate(two_kinds()[0])]
    return designer().fit(texts)


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_manners(noise: AbstractNoise) -> None:
    texts = [text[:6] for text in two_kinds(40)[0]]
    check_domain(designer(noise=noise, steps=2), texts, ["ACNNRT", "ACGTAC"], n=6)


def test_manners_with_several_lengths_and_shared_strands() -> None:
    texts = [text[: 4 + row % 3] for row, text in enumerate(two_kinds(40)[0])]
    network = SequenceTransformer(width=8, depth=1, heads=2, strands=SharedStrands())
    check_domain(designer(network=network, steps=3), texts, ["ACNN", "WSGTAC"], n=6)


@pytest.mark.parametrize("noise", FEW_AND_SLOW, ids=lambda noise: noise.name)
def test_conditions_and_their_scale_are_heard_under_every_noise(noise: AbstractNoise) -> None:
    model = designer(noise=noise, steps=110).fit(*two_kinds(80))
    rich, poor = (model.sample(60, given={"kind": kind}, seed=0).gc().mean() for kind in ("rich", "poor"))
    assert rich > 0.7 > 0.3 > poor
    free = model.sample(60, seed=0).gc().mean()
    assert poor < free < rich
    exaggerated = model.sample(60, given={"kind": "rich"}, guidance=2.0, seed=0).gc().mean()
    ignored = model.sample(60, given={"kind": "rich"}, guidance=0.0, seed=0).gc().mean()
    assert exaggerated > rich - 0.05
    assert ignored < rich


def test_likelihoods_tell_the_kinds_apart(fitted: SequenceDesigner) -> None:
    texts = ["GCGCGGCCGC", "ATATTATAAT"]
    rich, poor = (fitted.score_samples(texts, {"kind": [kind] * 2}) for kind in ("rich", "poor"))
    assert rich[0] > poor[0] + 3
    assert poor[1] > rich[1] + 3
    np.testing.assert_allclose(fitted.score_samples(texts, per_base=True) * 10, fitted.score_samples(texts))


def test_unknown_letters_are_summed_over(fitted: SequenceDesigner) -> None:
    assert fitted.score_samples(["NNNNNNNNNN"])[0] == pytest.approx(0.0, abs=1e-5)
    halves = fitted.score_samples(["SNNNNNNNNN", "WNNNNNNNNN"], orders=1)
    assert np.exp(halves).sum() == pytest.approx(1.0, abs=1e-5)
    assert (fitted.score_samples(["SCGCGGCCGC"]) > fitted.score_samples(["GCGCGGCCGC"])).all()


def test_both_strands_have_one_score(fitted: SequenceDesigner) -> None:
    sequences = Sequences.of(["GCGTACCCGC", "AAATTACCAT"])
    there = fitted.score_samples(sequences, strands=True, orders=24)
    back = fitted.score_samples(sequences.reverse_complement(), strands=True, orders=24)
    np.testing.assert_allclose(there, back, atol=0.3)


def test_shared_strands_have_one_law() -> None:
    network = DilatedCNN(width=16, blocks=2, kernel=3, dropout=0.0, strands=SharedStrands())
    model = designer(network=network, steps=20).fit([text[:4] for text in two_kinds()[0]])
    law = model.enumerate().reshape(4, 4, 4, 4)
    np.testing.assert_allclose(law, law[::-1, ::-1, ::-1, ::-1].transpose(3, 2, 1, 0), atol=1e-5)


def test_completion_keeps_letters_and_sets(fitted: SequenceDesigner) -> None:
    raw = ["ACGTNNNNRY", "NNNNNNNNNN", "SSSSSSSSSS"]
    done = fitted.complete(raw, given={"kind": "rich"}, seed=0)
    assert done.is_known().all()
    text = done.texts()
    assert text[0][:4] == "ACGT"
    assert text[0][8] in "AG"
    assert text[0][9] in "CT"
    assert set(text[2]) <= set("CG")
    assert done.names == ("sequence 1", "sequence 2", "sequence 3")
    assert not done.equals(fitted.complete(raw, given={"kind": "rich"}, seed=1))


def test_several_lengths_are_learned_and_can_be_given(uneven: SequenceDesigner) -> None:
    made = uneven.sample(200, seed=0)
    assert set(made.lengths.tolist()) == {6, 7, 8, 9}
    assert made.is_known().all()
    assert set(uneven.sample(20, given={"length": 7}).lengths) == {7}
    assert uneven.complete(["NNNNNNN", "ACGTACGTA"]).lengths.tolist() == [7, 9]
    total = uneven.score_samples(["NNNNNN", "NNNNNNN", "NNNNNNNN", "NNNNNNNNN"])
    assert np.exp(total).sum() == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(SequenceError, match="'sequence 1' has 5 letters"):
        uneven.score_samples(["ACGTA"])
    with pytest.raises(SequenceError, match="has 10 letters"):
        uneven.sample(2, given={"length": 10})


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_designs_keep_every_constraint(noise: AbstractNoise) -> None:
    model = designer(noise=noise, steps=20).fit(*two_kinds())
    constraints = [Require("TATA"), Avoid("GC"), GCWindow(0.2, 0.4), Keep("R", 0)]
    made = model.design(40, target={"kind": "poor"}, constraints=constraints, guidance=2.0, steps=6, seed=0)
    for text in made.texts():
        assert "TATA" in text
        assert "GC" not in text
        assert 2 <= sum(letter in "CG" for letter in text) <= 4
        assert text[0] in "AG"
    assert len(set(made.texts())) > 30


def test_designs_of_several_lengths_keep_constraints(uneven: SequenceDesigner) -> None:
    made = uneven.design(40, constraints=[Require("GATTACA"), GCWindow(0.0, 0.5)], seed=0)
    assert all("GATTACA" in text for text in made.texts())
    assert set(made.lengths) == {7, 8, 9}
    with pytest.raises(SequenceError, match="required motif AAAAAAAAAA"):
        uneven.design(2, constraints=[Require("A" * 10)])


def test_the_longest_of_a_file_may_be_held_out() -> None:
    read = Sequences.of(["ACGTAC", "ACGTA", "ACGTACGTAC"] * 4)
    made = designer(steps=2).fit(read[np.flatnonzero(read.lengths < 10)])
    assert made.lengths_.longest == 6
    assert set(made.sample(8, seed=0).lengths) <= {5, 6}


def test_contradictions_are_said_before_sampling(fitted: SequenceDesigner) -> None:
    with pytest.raises(SequenceError, match=r"GAATTC.*AATT"):
        fitted.design(2, constraints=[Require("GAATTC"), Avoid("AATT")])
    with pytest.raises(SequenceError, match="needs 11 letters, and a sequence has at most 10"):
        fitted.design(2, constraints=[Require("A" * 11)])


def test_rewards_raise_what_they_reward(fitted: SequenceDesigner) -> None:
    def reward(sequences: Sequences) -> np.ndarray:
        return 1.5 * (sequences.codes == 0).sum(1)

    plain = (fitted.sample(60, seed=0).codes == 0).sum(1).mean()
    steered = (fitted.design(60, reward=reward, particles=8, seed=0).codes == 0).sum(1).mean()
    assert steered > plain + 1.0
    kept = fitted.design(20, reward=reward, constraints=[Avoid("AA")], seed=0)
    assert all("AA" not in text and "TT" not in text for text in kept.texts())


def test_torch_oracles_are_followed(fitted: SequenceDesigner) -> None:
    def oracle(letters: torch.Tensor) -> torch.Tensor:
        return letters[..., 3].sum(1)

    plain, steered = (
        (model.codes == 3).mean() for model in (fitted.sample(60), fitted.design(60, oracle=oracle, strength=2.0))
    )
    assert steered > plain + 0.15


def test_edits_are_few_and_go_to_the_target(fitted: SequenceDesigner) -> None:
    raw = Sequences.of(["ATATTATAAT", "TTATAATATA"])
    made = fitted.edit(raw, target={"kind": "rich"}, score=lambda s: s.gc(), goal=0.3, most=4, seed=0)
    changed = (made.codes != raw.codes).sum(1)
    assert (made.gc() >= 0.3).all()
    assert (changed == 3).all()  # what was not needed is undone
    keep = np.zeros((2, 10), dtype=bool)
    keep[:, :5] = True
    made = fitted.edit(raw, target={"kind": "rich"}, most=3, keep=keep, rounds=4, seed=0)
    assert (made.codes[:, :5] == raw.codes[:, :5]).all()
    assert 1 <= (made.codes != raw.codes).sum(1).max() <= 3
    assert (made.gc() > raw.gc()).any()


def test_enumeration_is_a_law_and_what_is_scored_bounds_it() -> None:
    texts = [text[:4] for text in two_kinds()[0]]
    model = designer(steps=40).fit(texts)
    law = model.enumerate()
    assert law.shape == (256,)
    assert np.exp(law).sum() == pytest.approx(1.0, abs=1e-6)
    place = int("".join(str("ACGT".index(letter)) for letter in "GCAT"), 4)
    assert model.score_samples(["GCAT"], orders=64)[0] == pytest.approx(law[place], abs=0.1)


def test_rna_stays_rna_and_missing_labels_are_no_condition() -> None:
    texts, labels = two_kinds()
    labels["kind"][::3] = [None] * len(labels["kind"][::3])  # type: ignore[list-item]
    model = designer(steps=3).fit([text.replace("T", "U") for text in texts], labels)
    assert model.alphabet_ == RNA
    assert "T" not in "".join(model.sample(10).texts())
    assert model.sample(5, given={"kind": None}).equals(model.sample(5))


def test_unknown_letters_are_left_out_of_training() -> None:
    with pytest.warns(UserWarning, match="2 sequences have letters that are not known"):
        model = designer(steps=2).fit(["ACGT", "ACGN", "RCGT", "ACCC"] * 1 + ["ACGA"] * 5)
    assert model.n_sequences_ == 7


def test_what_cannot_be_is_refused(fitted: SequenceDesigner) -> None:
    with pytest.raises(NotFittedError):
        designer().design(2)
    with pytest.raises(SequenceError, match="no condition 'colour'"):
        fitted.sample(2, given={"colour": "red"})
    with pytest.raises(SequenceError, match="2 values for 3 sequences"):
        designer().fit(["ACGT"] * 3, {"kind": ["a", "b"]})
    with pytest.raises(SequenceError, match="called 'length'"):
        designer().fit(["ACGT"] * 2, {"length": ["a", "b"]})
    with pytest.raises(SequenceError, match="the reward of"):
        fitted.design(2, reward=lambda s: np.full(len(s), np.nan))
    with pytest.raises(SequenceError, match="one number a sequence"):
        fitted.design(2, reward=lambda s: np.zeros(1))
    with pytest.raises(SequenceError, match="unknown letters; complete it first"):
        fitted.edit(["ACGTNACGTA"], target={"kind": "rich"})
    with pytest.raises(SequenceError, match="a target, or a score"):
        fitted.edit(["ACGTAACGTA"])
    with pytest.raises(SequenceError, match="cannot sum over"):
        designer(noise=Multinomial(2), steps=1).fit(["ACGT"] * 4).score_samples(["ACGN"])
    with pytest.raises(ValueError, match="`drop` is a share"):
        designer(drop=2.0).fit(["ACGT"] * 4)


def test_saved_models_are_not_code(tmp_path: Path, fitted: SequenceDesigner) -> None:
    fitted.save(tmp_path / "model")
    again = SequenceDesigner.load(tmp_path / "model")
    assert again.design(3, target={"kind": "rich"}, seed=4).equals(fitted.design(3, target={"kind": "rich"}, seed=4))
    assert again.get_params() == {**fitted.get_params(), "progress": None}
    (tmp_path / "model" / "codec.json").write_text("{}")
    with pytest.raises(ArtifactError):
        SequenceDesigner.load(tmp_path / "model")
