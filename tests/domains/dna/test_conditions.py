"""Conditions as channels, lengths as a law, and what is refused of them."""

import json

import numpy as np
import pytest

from intarsia_domains.dna import ClassLabel, Conditions, Scalar, SequenceError, Signal
from intarsia_domains.dna._conditions import usable
from intarsia_domains.dna._lengths import Lengths

LABELS = {
    "factor": ["ctcf", None, "pu1", "ctcf"],
    "promoter": [1.0, 0.0, 1.0, float("nan")],
    "activity": [1.0, 2.0, 3.0, float("nan")],
    "cover": np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0], [7.0, 8.0]]),
}


def test_kinds_are_told_by_the_values() -> None:
    parts = Conditions.fit(LABELS, 4).parts
    assert parts["factor"] == ClassLabel(("ctcf", "pu1"))
    assert parts["promoter"] == ClassLabel((0.0, 1.0))
    assert isinstance(parts["activity"], Scalar)
    assert isinstance(parts["cover"], Signal)


def test_missing_values_are_all_zero_and_others_are_not() -> None:
    conditions = Conditions.fit(LABELS, 4)
    out = conditions.encode(LABELS, 4, 2)
    assert out.shape == (4, 2, 2 + 2 + 2 + 2)
    assert not out[1, :, :2].any()
    assert not out[3, :, 2:6].any()
    assert not out[1, 1, 6:].any()
    assert (np.abs(out[[0, 2]]).sum((1, 2)) > 0).all()
    np.testing.assert_allclose(out[:3, 0, 4].mean(), 0.0, atol=1e-6)
    np.testing.assert_array_equal(conditions.encode({}, 3, 2), np.zeros((3, 2, 8)))


def test_one_value_serves_all_rows_and_texts_serve_for_numbers() -> None:
    conditions = Conditions.fit(LABELS, 4)
    one = conditions.encode({"factor": "pu1", "promoter": 1}, 3, 2)
    assert (one == conditions.encode({"factor": ["pu1"] * 3, "promoter": ["1"] * 3}, 3, 2)).all()


def test_json_and_back() -> None:
    conditions = Conditions.fit(LABELS, 4)
    again = Conditions.from_json(json.loads(json.dumps(conditions.to_json())))
    assert again == conditions


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colour": "red"}, "no condition 'colour'"),
        ({"factor": "gata"}, r"one of ctcf, pu1, got 'gata' in row 1"),
        ({"activity": "high"}, "is a number"),
        ({"activity": float("inf")}, "infinite"),
        ({"factor": ["ctcf", "pu1"]}, "one value or 3, got 2"),
        ({"cover": [1.0, 2.0, 3.0]}, "each of 2 sites"),
    ],
)
def test_wrong_conditions_are_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(SequenceError, match=words):
        Conditions.fit(LABELS, 4).encode(given, 3, 2)


def test_wrong_labels_are_named() -> None:
    with pytest.raises(SequenceError, match=r"needs a value for each of 3 sequences"):
        Conditions.fit({"a": [1, 2]}, 3)
    with pytest.raises(SequenceError, match="missing for all"):
        Conditions.fit({"a": [None, None]}, 2)
    with pytest.raises(SequenceError, match="60 different texts"):
        Conditions.fit({"a": [f"x{k}" for k in range(60)]}, 60)
    kept, dropped = usable({"a": [f"x{k}" for k in range(60)], "b": [1.0, 2.0] * 30, "c": ["x"] * 60})
    assert (list(kept), dropped) == (["b"], ["a", "c"])


def test_lengths_have_a_law() -> None:
    lengths = Lengths.fit(np.array([5, 5, 7]))
    np.testing.assert_allclose(lengths.law, np.array([2.5, 0.5, 1.5]) / 4.5)
    drawn = lengths.draw(4000, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(drawn - 5) / 4000, lengths.law, atol=0.03)
    assert set(lengths.draw(50, np.random.default_rng(0), [6, 7])) == {6, 7}
    with pytest.raises(SequenceError, match=r"'b' has 9 letters, and the model has 5 to 7 letters"):
        lengths.log_prob(np.array([5, 9]), ["a", "b"])
    one = Lengths.fit(np.array([4, 4]))
    assert one.log_prob(np.array([4]), ["a"])[0] == 0.0
