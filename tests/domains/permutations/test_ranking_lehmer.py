"""Lehmer codes as a codec, and the discrete processes on them."""

import numpy as np
import pytest
import torch

from intarsia.processes import Discrete, PlackettLuce
from intarsia.processes.permutations import all_permutations, rank
from intarsia.testing import check_codec
from intarsia.training import own_generator
from intarsia_domains.permutations._ranking_choice import Ballots
from intarsia_domains.permutations._ranking_events import Event
from intarsia_domains.permutations._ranking_lehmer import LehmerCodec, LehmerDigits, LehmerLaw
from intarsia_domains.permutations._ranking_noise import Size


def random_law(kind: LehmerDigits, n: int = 4) -> LehmerLaw:
    with own_generator():
        torch.manual_seed(1)
        law = kind.build(n, PlackettLuce(), None, Size(8, 1, 2))
        with torch.no_grad():
            for parameter in law.network.parameters():
                parameter.add_(torch.randn(parameter.shape) * 0.4)
    law.network.eval()
    return law


def test_codes_are_a_bijection() -> None:
    points = all_permutations(5).numpy()
    codec = LehmerCodec().fit(points)
    codes = codec.encode(points)
    assert codec.num_classes == (5, 4, 3, 2)
    assert (codes.max(0) == [4, 3, 2, 1]).all()
    assert (codes.min(0) == 0).all()
    assert len(np.unique(codes, axis=0)) == 120
    assert codec.encode(np.array([[2, 0, 1, 3, 4]])).tolist() == [[2, 0, 0, 0]]
    check_codec(LehmerCodec(), points)


def test_codes_refuse_what_is_no_permutation() -> None:
    with pytest.raises(ValueError, match="permutations of 0"):
        LehmerCodec().fit([[0, 0, 1]])


def test_digits_need_items_without_covariates() -> None:
    with pytest.raises(ValueError, match="covariates"):
        LehmerDigits().build(4, PlackettLuce(), torch.zeros(4, 1), Size())
    with pytest.raises(ValueError, match="single digit"):
        LehmerDigits().build(2, PlackettLuce(), None, Size())


def test_absorbing_law_scores_and_samples_agree() -> None:
    law = random_law(LehmerDigits())
    nats = law.log_law()
    assert nats is not None
    assert float(nats.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    share = torch.bincount(rank(law.sample(5000, torch.Generator().manual_seed(0))), minlength=24) / 5000
    assert float((share - nats.exp()).abs().sum() / 2) < 0.045


def test_multinomial_bound_is_below_what_is_drawn() -> None:
    """The nelbo bounds the entropy of the data from above, here the uniform law's log n!."""
    law = random_law(LehmerDigits(Discrete.uniform))
    points = all_permutations(4)
    ballots = Ballots(points, torch.full((24,), 4), torch.ones(24, dtype=torch.float64))
    found = law.score(ballots, 100, torch.Generator().manual_seed(0))
    error = float(found.standard_error.square().sum().sqrt()) / 24
    assert float(-found.nats.mean()) > np.log(24) - 4 * error
    x = law.sample(50, torch.Generator().manual_seed(0))
    assert bool((x.sort(1).values == torch.arange(4)).all())


def test_events_by_rejection() -> None:
    law = random_law(LehmerDigits(Discrete.uniform))
    event = Event.relative(torch.tensor([[3, 0, -1, -1]] * 30))
    drawn = law.draw_given(event, torch.Generator().manual_seed(0), 64)
    assert bool(event.holds(drawn.x).all())
    assert not drawn.exact
