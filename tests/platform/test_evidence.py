"""Evidence: values held, times at 0, and refusals where shapes of evidence and state differ in kind."""

import pytest
import torch

from intarsia import Evidence
from intarsia.errors import RequirementError
from intarsia.evidence import hold, restrict, times
from intarsia.processes import Discrete, Enumerated, Observed, Product, Riffle

X = torch.tensor([[1, 2], [3, 4]])
MASK = torch.tensor([[True, False], [False, True]])
VALUES = torch.tensor([[7, 7], [8, 8]])


def test_observed_sites_take_their_values_and_time_zero() -> None:
    given = Evidence(VALUES, MASK)
    assert hold(X, given).tolist() == [[7, 2], [3, 8]]
    assert X.tolist() == [[1, 2], [3, 4]]
    per_row = times(torch.tensor([0.5, 0.9], dtype=torch.float64), X, given)
    assert per_row.tolist() == [[0.0, 0.5], [0.9, 0.0]]
    per_site = times(torch.tensor([[0.1, 0.2], [0.3, 0.4]], dtype=torch.float64), X, given)
    assert per_site.tolist() == [[0.0, 0.2], [0.3, 0.0]]


def test_without_evidence_nothing_changes() -> None:
    t = torch.tensor([0.5, 0.9])
    assert hold(X, None) is X
    assert times(t, X, None) is t


def test_records_have_evidence_by_field() -> None:
    given = Evidence({"a": VALUES}, {"a": MASK})
    record = {"a": X, "b": X.double()}
    held = hold(record, given)
    assert held["a"].tolist() == [[7, 2], [3, 8]]
    assert held["b"] is record["b"]
    clocks = times(torch.tensor([0.5, 0.9]), record, given)
    assert clocks["b"].tolist() == torch.tensor([0.5, 0.9]).tolist()
    own = times({"a": torch.tensor([0.1, 0.2]), "b": torch.tensor([0.3, 0.4])}, record, given)
    assert own["a"].shape == (2, 2)
    assert own["a"][0, 0] == 0.0
    assert torch.equal(own["b"], torch.tensor([0.3, 0.4]))


def test_kinds_must_match() -> None:
    with pytest.raises(TypeError, match="both"):
        Evidence({"a": VALUES}, MASK)
    with pytest.raises(TypeError, match="record"):
        hold(X, Evidence({"a": VALUES}, {"a": MASK}))
    with pytest.raises(TypeError, match="field names"):
        hold({"a": X}, Evidence(VALUES, MASK))
    with pytest.raises(ValueError, match="per row"):
        times(torch.tensor([0.1, 0.2, 0.3]), X, Evidence(VALUES, MASK))


def test_evidence_on_permutations() -> None:
    """Alone it goes into the head; in a record a permutation is observed whole, at time 0, or not at all."""
    shuffle = Riffle(3, 4, Enumerated())
    values = torch.tensor([[2, 0, 1], [1, 2, 0]])
    part = torch.tensor([[True, False, False]]).expand(2, 3)
    inner, left = restrict(shuffle, Evidence(values, part))
    assert left is None
    assert isinstance(inner.head, Observed)
    record = Product({"order": shuffle, "class": Discrete.absorbing(2)})
    with pytest.raises(RequirementError, match="'order' is one variable"):
        restrict(record, Evidence({"order": values}, {"order": part}))
    whole = Evidence({"order": values}, {"order": torch.tensor([[True] * 3, [False] * 3])})
    assert restrict(record, whole) == (record, whole)
    with pytest.raises(RequirementError):
        restrict(Riffle(3, 4), Evidence(values, torch.tensor([[False, True, False]]).expand(2, 3)))  # no prefix
