"""Choice models: convex fits against closed forms, marginal likelihoods against sums."""

import math

import pytest
import torch

from intarsia.processes import GeneralizedPlackettLuce, PlackettLuce, PrefixPlackettLuce
from intarsia.processes.permutations import all_permutations
from intarsia_domains.permutations._ranking_choice import (
    Ballots,
    choose_penalty,
    fit_choices,
    fold_weights,
    told_log_prob,
    told_nats,
)


def ballots(x: list[list[int]], weight: list[float], told: list[int] | None = None) -> Ballots:
    orders = torch.tensor(x)
    lengths = torch.full((len(x),), orders.shape[1]) if told is None else torch.tensor(told)
    return Ballots(orders, lengths, torch.tensor(weight, dtype=torch.float64))


def test_two_items_have_the_odds_of_their_counts() -> None:
    pred = fit_choices(PlackettLuce(), ballots([[0, 1], [1, 0]], [3000, 1000]), 1.0)
    assert float(pred[0] - pred[1]) == pytest.approx(math.log(3), abs=1e-3)


def test_first_choices_fit_the_softmax() -> None:
    """Ballots of which only the first rank is told: Plackett-Luce is the softmax of the counts."""
    pred = fit_choices(PlackettLuce(), ballots([[0, 1, 2], [1, 0, 2], [2, 0, 1]], [5000, 3000, 2000], [1, 1, 1]), 1.0)
    torch.testing.assert_close(pred.softmax(0), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64), atol=1e-4, rtol=0)


def test_three_items_are_saturated_by_prefixes() -> None:
    """Six orders, five degrees of freedom: without a penalty the frequencies come back; rank scores alone miss."""
    share = torch.tensor([0.4, 0.05, 0.05, 0.2, 0.2, 0.1], dtype=torch.float64)
    x = all_permutations(3)
    rows = Ballots(x, torch.full((6,), 3), 1e6 * share)
    law = PrefixPlackettLuce().log_law(fit_choices(PrefixPlackettLuce(), rows, 1e-3)[None], 3)[0].exp()
    torch.testing.assert_close(law, share, atol=1e-3, rtol=0)
    poor = GeneralizedPlackettLuce().log_law(fit_choices(GeneralizedPlackettLuce(), rows, 1e-3)[None], 3)[0].exp()
    assert float((poor - share).abs().max()) > 0.02


def test_a_large_penalty_is_plackett_luce() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(50, 4, generator=rng).argsort(1)
    rows = Ballots(x, torch.full((50,), 4), torch.ones(50, dtype=torch.float64))
    plain = fit_choices(PlackettLuce(), rows, 1.0)
    strict = fit_choices(PrefixPlackettLuce(), rows, 1e7)
    torch.testing.assert_close(
        told_nats(PrefixPlackettLuce(), strict, rows), told_nats(PlackettLuce(), plain, rows), atol=1e-3, rtol=0
    )


def test_told_ranks_are_marginal() -> None:
    rng = torch.Generator().manual_seed(0)
    head, pred = PrefixPlackettLuce(), torch.randn(3, 4, 4, generator=rng)
    points = all_permutations(4)
    law = head.log_law(pred[None], 4)[0]
    begins = (points[:, :2] == torch.tensor([2, 0])).all(1)
    told = told_log_prob(head, pred[None], torch.tensor([[2, 0, 3, 1]]), torch.tensor([2]))
    assert float(told) == pytest.approx(float(law[begins].logsumexp(0)), abs=1e-6)


def test_folds_share_out_ballots() -> None:
    weight = torch.tensor([7.0, 1.0, 30.0])
    folds = fold_weights(weight, 5, 0)
    torch.testing.assert_close(folds.sum(1), weight.double())
    assert folds.sum(0).tolist() == [8.0, 8.0, 8.0, 7.0, 7.0]
    whole = fold_weights(weight + 0.5, 2, 0)
    assert set(whole.flatten().tolist()) <= {0.0, 7.5, 1.5, 30.5}


def test_noise_is_penalised_and_structure_is_not() -> None:
    rng = torch.Generator().manual_seed(0)
    noise = torch.rand(40, 4, generator=rng).argsort(1)
    start = torch.randint(4, (40, 1), generator=rng)
    cyclic = (start + torch.arange(4)) % 4
    found = {}
    for name, x in {"noise": noise, "cyclic": cyclic}.items():
        rows = Ballots(x, torch.full((40,), 4), torch.ones(40, dtype=torch.float64))
        found[name] = choose_penalty(PrefixPlackettLuce(), rows, None, 0, penalties=(100.0, 1.0), folds=3)
    assert found["noise"] == 100
    assert found["cyclic"] == 1


def test_covariates_carry_over() -> None:
    """Linear scores of features: the slope of a known law comes back."""
    rng = torch.Generator().manual_seed(0)
    features = torch.linspace(-1, 1, 6)[:, None]
    x = PlackettLuce().sample((2.0 * features[:, 0]).expand(4000, 6), rng)
    rows = Ballots(x, torch.full((4000,), 6), torch.ones(4000, dtype=torch.float64))
    pred = fit_choices(PlackettLuce(), rows, 100.0, features)
    assert float(pred[-1] - pred[0]) == pytest.approx(4.0, abs=0.2)
