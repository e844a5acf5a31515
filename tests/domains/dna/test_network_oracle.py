"""The oracle of networks: what was planted is found on either strand, and it says what it is worth."""

from typing import Any

import numpy as np
import pytest
import torch

from intarsia_domains.dna import NetworkOracle, SequenceError, Sequences, train_network_oracle
from intarsia_domains.dna._network_oracle import ActivityNetwork, one_hot

MOTIF, FLIPPED = "TGACT", "AGTCA"


def planted(n: int = 360) -> tuple[Sequences, np.ndarray]:
    """Activity that no sum of words gives: a motif counts on either strand, but only once."""
    rng = np.random.default_rng(0)
    texts, activity = list[str](), list[float]()
    for row in range(n):
        letters = rng.choice(list("ACGT"), 24)
        for place in ((2,), (14,), (2, 14), ())[row % 4]:
            letters[place : place + 5] = list(MOTIF if rng.random() < 0.5 else FLIPPED)
        text = "".join(letters)
        texts.append(text)
        activity.append(float(MOTIF in text or FLIPPED in text) + 0.1 * rng.standard_normal())
    return Sequences.of(texts), np.array(activity)


@pytest.fixture(scope="module")
def oracle() -> NetworkOracle:
    return train_network_oracle(*planted(), networks=1, steps=150, torch_threads=1)


def test_what_was_planted_is_found_on_both_strands(oracle: NetworkOracle) -> None:
    assert oracle.calibration.n == 72
    assert oracle.calibration.score > 0.4  # noise leaves 0.75 at most
    assert min(oracle.weights) >= 0.0
    assert oracle.weights[0] > 0.0
    rng = np.random.default_rng(1)
    bare = ["".join(rng.choice(list("ACGT"), 24)) for _ in range(40)]
    there, back, none = (
        oracle(Sequences.of([text[:8] + motif + text[13:] for text in bare])) for motif in (MOTIF, FLIPPED, "ACACA")
    )
    assert there.mean() > none.mean() + 0.1
    assert back.mean() > none.mean() + 0.1
    assert oracle.features(Sequences.of(bare)).shape == (40, 192)


def test_both_strands_have_one_activity_and_one_strand_has_its_own() -> None:
    sequences = Sequences.of([text[: 24 - row] for row, text in enumerate(planted(8)[0].texts())])
    there, back = (one_hot(part, 30) for part in (sequences, sequences.reverse_complement()))
    for both in (True, False):
        torch.manual_seed(0)
        network = ActivityNetwork(both_strands=both).eval()
        with torch.no_grad():
            gap = (network(there) - network(back)).abs().max()
        assert bool(gap < 1e-5) == both


def test_a_sequence_has_one_activity_in_whatever_set_it_stands() -> None:
    sequences, activity = planted(80)
    short = Sequences.of([text[: 24 - row % 3] for row, text in enumerate(sequences.texts())])
    oracle = train_network_oracle(short, activity, networks=1, steps=3, torch_threads=1)
    texts = ["ACGTTGACTACG" * 3, "ACGTTGACTACG", "TTACGTTGACTACGACGTTGACTA", "CG" * 20]
    together = oracle(Sequences.of(texts))
    alone = np.concatenate([oracle(Sequences.of([text])) for text in texts])
    # lengths differ, so that the linear part counts k-mers alone
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_steps_and_a_seed_give_the_same_oracle_and_weights_count() -> None:
    sequences, activity = planted(80)
    options: dict[str, Any] = {"networks": 1, "steps": 3, "torch_threads": 1}
    first, again, other, weighed = (
        train_network_oracle(sequences, activity, seed=seed, weights=weights, **options)(sequences)
        for seed, weights in ((0, None), (0, None), (1, None), (0, np.linspace(0.0, 2.0, 80)))
    )
    assert (first == again).all()
    assert (first != other).any()
    assert (first != weighed).any()


def test_what_cannot_be_learned_is_said() -> None:
    sequences, activity = planted(60)
    with pytest.raises(SequenceError, match="at least 50"):
        train_network_oracle(sequences[np.arange(40)], activity[:40])
    activity[3] = np.nan
    with pytest.raises(SequenceError, match=r"is missing \(1 are\)"):
        train_network_oracle(sequences, activity)
