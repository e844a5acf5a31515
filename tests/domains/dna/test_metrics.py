"""k-mers, shuffles, distances, motif hits: against plain counting and closed forms."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia_domains.dna._k_mers import (
    js_distance,
    js_floor,
    k_mer_counts,
    k_mer_table,
    mirrored,
    spectrum_correlation,
    strand_asymmetry,
)
from intarsia_domains.dna._metrics import discriminator_auc, frechet_distance, ks_distance, place_error
from intarsia_domains.dna._motif_hits import find_motifs
from intarsia_domains.dna._motifs import Motif
from intarsia_domains.dna._nearest import near_copies, nearest_edit, pairwise_edit
from intarsia_domains.dna._parts import disjoint_parts
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._shuffle import pair_shuffled, shuffled

texts = st.lists(st.text("ACGTN", min_size=1, max_size=25), min_size=1, max_size=6)
RNG = np.random.default_rng(0)


def drawn(n: int, length: int, seed: int, p: list[float] | None = None) -> Sequences:
    return Sequences.from_codes(np.random.default_rng(seed).choice(4, (n, length), p=p))


@given(texts, st.integers(1, 4))
def test_k_mers_are_counted_as_plain_text_has_them(words: list[str], k: int) -> None:
    ours = Sequences.of(words)
    found = Counter(text[i : i + k] for text in words for i in range(len(text) - k + 1))
    names = ["".join(letters) for letters in itertools.product("ACGT", repeat=k)]
    assert k_mer_counts(ours, k).tolist() == [found[name] for name in names]
    assert k_mer_table(ours, k).sum(0).tolist() == [found[name] for name in names]
    assert (mirrored(k_mer_counts(ours, k)) == k_mer_counts(ours.reverse_complement(), k)).all()


def test_spectra_apart_and_alike() -> None:
    a, b = np.array([1, 1, 0, 0]), np.array([0, 0, 3, 3])
    assert js_distance(a, b) == pytest.approx(1.0)  # base 2, and the root
    assert js_distance(a, 7 * a) == 0.0
    half = js_distance(np.array([1, 1]), np.array([1, 0]))
    natural = math.sqrt(0.5 * (0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25) + math.log(1 / 0.75)))
    assert half == pytest.approx(1.2011 * natural, rel=1e-4)  # what natural logarithms give
    assert math.isnan(js_distance(a, 0 * a))
    assert spectrum_correlation(a, b) == pytest.approx(-1.0)
    assert math.isnan(spectrum_correlation(a, np.ones(4)))


@pytest.mark.parametrize(("k", "size"), [(3, 500), (6, 3000)])
def test_the_floor_of_two_samples_of_one_source(k: int, size: int) -> None:
    law = np.random.default_rng(1).dirichlet(np.full(4**k, 5.0))
    rng = np.random.default_rng(2)
    n = 60 * size
    distances = [js_distance(*rng.multinomial(n, law, size=2)) for _ in range(10)]
    assert np.mean(distances) == pytest.approx(js_floor(k, n, n), rel=0.06)
    assert js_floor(6, 285_000, 285_000) == pytest.approx(0.07199, abs=1e-5)  # 3,000 sequences of 100 a half


def test_strands_that_are_alike() -> None:
    ours = drawn(20, 30, 0)
    both = Sequences.of(ours.texts() + ours.reverse_complement().texts())
    assert strand_asymmetry(k_mer_counts(both, 3)) == 0
    assert strand_asymmetry(k_mer_counts(Sequences.of(["AAAAAA"]), 2)) == pytest.approx(1.0)


@given(st.lists(st.text("ACGT", min_size=1, max_size=30), min_size=1, max_size=6), st.integers(0, 99))
def test_shuffles_keep_what_they_promise(words: list[str], seed: int) -> None:
    ours = Sequences.of(words)
    for text, single, pair in zip(words, shuffled(ours, seed).texts(), pair_shuffled(ours, seed).texts(), strict=True):
        assert Counter(single) == Counter(text)
        assert Counter(itertools.pairwise(pair)) == Counter(itertools.pairwise(text))
        assert (pair[0], pair[-1]) == (text[0], text[-1])


def test_pair_shuffles_are_uniform_over_the_orders() -> None:
    text = "ACGACTAA"
    orders = {
        "".join(o)
        for o in itertools.permutations(text)
        if Counter(itertools.pairwise(o)) == Counter(itertools.pairwise(text))
    }
    n = 4000
    seen = Counter(pair_shuffled(Sequences.of([text] * n), 3).texts())
    assert set(seen) == orders
    chi = sum((seen[order] - n / len(orders)) ** 2 / (n / len(orders)) for order in orders)
    assert abs(chi - len(orders)) < 5 * math.sqrt(2 * len(orders))


def levenshtein(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def test_edit_distances_are_the_textbook_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rapidfuzz")
    reference = drawn(60, 40, 1)
    near = reference.texts()[7]
    ours = Sequences.of([near, near[:5] + "A" + near[5:], near[:9] + near[12:], *drawn(4, 40, 2).texts()])
    truth = [min(levenshtein(text, other) for other in reference.texts()) for text in ours.texts()]
    assert truth[0] == 0
    assert nearest_edit(ours, reference).tolist() == truth
    monkeypatch.setattr("intarsia_domains.dna._nearest._PAIRS", 0)
    assert nearest_edit(ours, reference)[:3].tolist() == truth[:3]  # copies with few edits are found
    assert (nearest_edit(ours, reference) >= truth).all()
    assert near_copies(ours, reference) == pytest.approx(3 / 7)


def test_diversity_is_nothing_among_copies() -> None:
    pytest.importorskip("rapidfuzz")
    assert pairwise_edit(Sequences.of(["ACGT"] * 3)) == 0
    assert pairwise_edit(Sequences.of(["AAAA", "CCCC"])) == 1
    assert math.isnan(pairwise_edit(Sequences.of(["ACGT"])))


def test_distances_of_numbers_and_places() -> None:
    assert ks_distance([1, 2, 3], [1, 2, 3]) == 0
    assert ks_distance([1, 2], [3, 4, np.nan]) == 1
    assert ks_distance([1, 2, 3, 4], [2.5]) == 0.5
    assert math.isnan(ks_distance([], [1]))
    a, b = Sequences.of(["AC", "AC"]), Sequences.of(["AG", "CG"])
    assert place_error(a, b) == pytest.approx((0.5 + 1) / 2)


def test_frechet_distance_has_its_closed_form() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + np.array([1, 2, 0])) == pytest.approx(5)
    one = rng.normal(size=(400, 1))
    spread = one.std(ddof=1)
    assert frechet_distance(one, 3 * one - 3 * one.mean() + one.mean()) == pytest.approx((2 * spread) ** 2)
    scaled = frechet_distance(x - x.mean(0), 2 * (x - x.mean(0)))
    assert scaled == pytest.approx(np.trace(np.cov(x, rowvar=False)))  # they commute: (2 - 1)² tr C
    with pytest.raises(ValueError, match="at least two rows"):
        frechet_distance(x, x[:1])


def test_a_discriminator_finds_what_is_there_to_find() -> None:
    pytest.importorskip("sklearn")
    real = drawn(80, 40, 1)
    assert discriminator_auc(real, drawn(80, 40, 3)) == pytest.approx(0.5, abs=0.15)
    assert discriminator_auc(real, drawn(90, 40, 2, [0.6, 0.2, 0.1, 0.1])) > 0.95
    with pytest.raises(ValueError, match="at least 6"):
        discriminator_auc(real, real[:4])


def test_parts_share_no_sequence_and_no_group() -> None:
    ours = Sequences.of([*drawn(40, 6, 0).texts()] * 5)
    parts = disjoint_parts(ours, (0.5, 0.3, 0.2), seed=1)
    assert sorted(np.concatenate(parts).tolist()) == list(range(200))
    sets = [set(ours[part].texts()) for part in parts]
    assert sum(map(len, sets)) == len(set.union(*sets))
    assert [len(part) for part in parts] == pytest.approx([100, 60, 40], abs=5)
    chromosomes = [f"chr{k % 10}" for k in range(200)]
    parts = disjoint_parts(ours, (0.6, 0.4), groups=chromosomes, seed=1)
    assert [len(part) for part in parts] == [120, 80]
    assert not {chromosomes[k] for k in parts[0]} & {chromosomes[k] for k in parts[1]}
    for shares, groups, message in [((0.9, 0.2), None, "add up"), ((0.5,), ["a"], "1 groups"), ((1.0,), None, None)]:
        if message is None:
            assert len(disjoint_parts(ours, shares)[0]) == 200
            continue
        with pytest.raises(SequenceError, match=message):
            disjoint_parts(ours, shares, groups=groups)


def planted(motif: str, at: int, n: int = 4, length: int = 30) -> Sequences:
    return Sequences.of(["A" * at + motif + "A" * (length - at - len(motif))] * n)


def test_fimo_finds_planted_motifs_on_both_strands_and_not_behind_the_end() -> None:
    pytest.importorskip("memelite")
    word = "GATTCCGC"
    sharp = np.full((8, 4), 0.01)
    sharp[range(8), ["ACGT".index(letter) for letter in word]] = 0.97
    other = np.roll(sharp, 1, axis=1)
    motifs = [Motif("M1", "one", sharp), Motif("M2", "two", other)]
    flipped = "GCGGAATC"
    ours = Sequences.of(["A" * 9 + word + "A" * 9, "A" * 4 + flipped, "A" * 12, word[:7]])
    hits = find_motifs(ours, motifs)
    assert hits.counts().tolist() == [[1, 0], [1, 0], [0, 0], [0, 0]]
    assert (hits.start.tolist(), hits.end.tolist()) == ([9, 4], [17, 12])
    assert hits.flipped.tolist() == [False, True]
    assert hits.p_value == pytest.approx([4.0**-8] * 2, rel=0.01)
    assert hits.shares().tolist() == [0.5, 0]
    assert hits.together().tolist() == [[0.5, 0], [0, 0]]
    with pytest.raises(ValueError, match="0 motifs"):
        find_motifs(ours, [])
