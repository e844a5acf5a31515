"""Labels as classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.codecs import Labels
from intarsia.testing import check_codec


@given(st.lists(st.text(max_size=5), min_size=1, max_size=30))
def test_text_of_any_kind(values: list[str]) -> None:
    check_codec(Labels(), np.array(values, dtype=object), valid=lambda x: set(x) <= set(values))


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=5), min_size=1, max_size=30))
def test_text_of_fixed_width(values: list[str]) -> None:
    check_codec(Labels(), np.array(values))


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30))
def test_integers(values: list[int]) -> None:
    check_codec(Labels(), np.array(values))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_reals(values: list[float]) -> None:
    check_codec(Labels(), np.array(values))


@pytest.mark.parametrize(
    "values",
    [
        np.array([True, False, True]),
        np.array([2**64 - 1, 0], dtype=np.uint64),
        np.array([1.5, -0.25], dtype=np.float32),
        np.array(["ß", "\ud800", "🧩"], dtype=object),
    ],
    ids=["booleans", "unsigned", "float32", "surrogates"],
)
def test_other_types_come_back_as_they_were(values: np.ndarray) -> None:
    check_codec(Labels(), values)


def test_classes_follow_the_order_of_labels() -> None:
    codec = Labels().fit(np.array(["b", "a", "c", "a"]))
    assert codec.encode(np.array(["a", "b", "c"])).tolist() == [[0], [1], [2]]
    assert codec.num_classes == (3,)


def test_a_given_order_is_kept() -> None:
    codec = Labels.of(np.array(["low", "middle", "high"]))
    assert codec.encode(np.array(["high", "low"])).tolist() == [[2], [0]]
    assert Labels.from_json(codec.to_json()).encode(np.array(["high"])).tolist() == [[2]]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.array([]), ValueError, "at least one"),
        (np.array([1.0, np.nan]), ValueError, "finite"),
        (np.array([1.0, np.inf]), ValueError, "finite"),
        (np.array(["a", None], dtype=object), TypeError, "text, numbers or booleans"),
        (np.array([1j]), TypeError, "text, numbers or booleans"),
        (np.array(["2020-01-01"], dtype="M8[D]"), TypeError, "text, numbers or booleans"),
        (np.array([["a"]]), TypeError, "text, numbers or booleans"),
    ],
)
def test_what_is_no_label_is_refused(values: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Labels().fit(values)


@pytest.mark.parametrize("unseen", [np.array([5]), np.array([2.5]), np.array([-(2**63)]), np.array(["2"])], ids=repr)
def test_unseen_labels_are_refused(unseen: np.ndarray) -> None:
    with pytest.raises(ValueError, match="labels"):
        Labels().fit(np.array([1, 2, 3])).encode(unseen)


def test_equal_labels_are_refused_in_a_given_order() -> None:
    with pytest.raises(ValueError, match="different"):
        Labels.of(np.array([1, 2, 1]))


@pytest.mark.parametrize(
    ("dtype", "values"), [("<U1", ["ab", "c"]), ("<i8", [1.5, 2]), ("<U3", [1, 2]), ("|O", [1, 2])]
)
def test_labels_that_their_dtype_cannot_hold_are_malformed(dtype: str, values: list[object]) -> None:
    with pytest.raises(ValueError, match="no Labels"):
        Labels.from_json({"dtype": dtype, "values": values})
