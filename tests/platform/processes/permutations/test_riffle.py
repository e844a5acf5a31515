"""Riffles: the exact facts of reference/permutations.md, sections 1.5, 2.1 and 2.2, and T13 of reference/engine.md."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from intarsia.processes import (
    Enumerated,
    InverseRiffle,
    Riffle,
    RiffleWalk,
    enough_shuffles,
    merged_shuffles,
    shuffle_distance,
    shuffle_kl,
)
from intarsia.processes.permutations._arithmetic import (
    all_permutations,
    compose,
    inverse,
    inversions,
    rank,
    rising_sequences,
)
from intarsia.processes.permutations._laws import bridge_law
from intarsia.processes.permutations._riffle import eulerian

TO_UNIFORM = {
    3: ".833 .333 .146 .068 .033 .016 .008 .004",
    4: ".958 .5 .281 .145 .073 .036 .018 .009",
    5: ".992 .775 .363 .166 .078 .038 .019 .009 .005",
    7: "1 .976 .592 .289 .136 .065 .032 .016 .008",
    9: "1 .999 .715 .422 .204 .098 .048 .023 .012 .006",
    15: "1 1 .999 .755 .43 .218 .106 .052 .026 .013 .006",
    16: "1 1 1 .782 .452 .233 .121 .061 .031 .015 .008",
    19: "1 1 1 .897 .549 .308 .153 .075",
    25: "1 1 1 .999 .775 .437 .231 .114 .056 .028 .014 .007",
    32: "1 1 1 1 .929 .597 .322 .164 .084 .042 .021 .011 .005",
    36: "1 1 1 1 .969 .687 .384 .192 .099 .05 .025 .012 .006",
    52: "1 1 1 1 1 .924 .614 .334 .167 .085 .043 .022 .011 .005",
    100: "1 1 1 1 1 1 .982 .747 .429 .224 .112 .057 .028 .014 .007 .004",
    200: "1 1 1 1 1 1 1 .999 .892 .577 .31 .159 .079",
}
ONE_MORE = {
    3: ".5 .188 .078 .035 .017 .008 .004",
    4: ".688 .219 .137 .072 .036 .018 .009",
    5: ".812 .412 .197 .088 .04 .019 .009 .005",
    7: ".938 .729 .303 .153 .071 .033 .016 .008",
    9: ".98 .894 .427 .218 .106 .05 .024 .012 .006",
    15: "1 .996 .9 .44 .212 .112 .054 .026 .013 .006",
    16: "1 .998 .935 .492 .246 .112 .06 .031 .015 .008",
    19: "1 1 .984 .605 .312 .155 .078",
    25: "1 1 .999 .843 .458 .229 .117 .058 .028 .014 .007",
    32: "1 1 1 .988 .63 .331 .168 .08 .042 .021 .011 .005",
    36: "1 1 1 .998 .722 .375 .197 .098 .049 .025 .012 .006",
    52: "1 1 1 1 .963 .626 .331 .169 .085 .042 .021 .011 .005",
    100: "1 1 1 1 1 .993 .756 .434 .222 .113 .056 .028 .014 .007 .004",
    200: "1 1 1 1 1 1 1 .901 .58 .312 .158 .08",
}
PUBLISHED = {  # n: last total variation, schedule, jumps, KL at the counts
    3: (0.0039, (0, 2, 7), "0.6875 .1419", "1.7918 .0948 .0001"),
    4: (0.0091, (0, 2, 7), ".8633 .2721", "3.1781 .2102 .0002"),
    5: (0.0046, (0, 2, 8), ".9453 .3583", "4.7875 .3924 .0001"),
    7: (0.0078, (0, 3, 8), ".9984 .2815", "8.5252 .2541 .0002"),
    9: (0.0058, (0, 3, 5, 9), ".9999 .3241 .0921", "12.8018 .5210 .0329 .0001"),
    15: (0.0064, (0, 4, 7, 10), "1 .3777 .0457", "27.8993 .5779 .0092 .0001"),
    16: (0.0077, (0, 4, 6, 10), "1 .3573 .1135", "30.6719 .6970 .0442 .0002"),
    19: (0.0750, (0, 4, 5, 7), "1 .3123 .2332", "39.3399 1.1465 .2920 .0184"),
    25: (0.0069, (0, 5, 7, 11), "1 .3253 .1075", "58.0036 .6535 .0413 .0002"),
    32: (0.0053, (0, 5, 7, 12), "1 .4699 .1585", "81.5580 1.3472 .0858 .0001"),
    36: (0.0063, (0, 6, 8, 12), "1 .2942 .0928", "95.7197 .4846 .0305 .0001"),
    52: (
        0.0054,
        (0, 5, 6, 7, 10, 13),
        "1 .6262 .3314 .2948 .0376",
        "156.3608 5.5072 1.4367 .3631 .0057 .0001",
    ),
    100: (0.0036, (0, 8, 10, 15), "1 .3314 .1086", "363.7394 .6398 .0401 .0000"),
    200: (0.0794, (0, 9, 10, 12), "1 .3118 .2364", "863.2320 1.2732 .3192 .0200"),
}
AUTOMATIC = {
    3: ((0, 1, 6), ".325"),
    4: ((0, 1, 2, 7), ".219 .272"),
    5: ((0, 2, 3, 7), ".197 .157"),
    7: ((0, 2, 3, 8), ".303 .281"),
    9: ((0, 3, 4, 9), ".218 .199"),
    15: ((0, 4, 5, 10), ".212 .212"),
    16: ((0, 4, 5, 10), ".246 .225"),
    19: ((0, 4, 5, 10), ".312 .299"),
    25: ((0, 5, 6, 11), ".229 .224"),
    32: ((0, 5, 6, 12), ".331 .317"),
    36: ((0, 6, 7, 12), ".197 .186"),
    52: ((0, 6, 7, 13), ".331 .329"),
    100: ((0, 8, 9, 14), ".222 .217"),
    200: ((0, 9, 10, 15), ".312 .301"),
}


def digits(row: str) -> list[float]:
    return [float(number) for number in row.split()]


def law(n: int, count: int) -> Tensor:
    points = all_permutations(n)
    return RiffleWalk(n).log_law(points, torch.full((len(points),), count)).exp()


def one_riffle(n: int) -> Tensor:
    """The law of one riffle from its definition: sides of the cut drawn by fair bits, each pile kept in order."""
    out = torch.zeros(math.factorial(n), dtype=torch.float64)
    for bits in itertools.product((0, 1), repeat=n):
        left = bits.count(0)
        piles = [iter(range(left)), iter(range(left, n))]
        out[rank(torch.tensor([next(piles[bit]) for bit in bits]))] += 0.5**n
    return out


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_fact_1_the_closed_law_is_the_convolution(n: int) -> None:
    points, step = all_permutations(n), one_riffle(n)
    possible = step > 0
    assert int(possible.sum()) == 2**n - n
    assert step[0].item() == pytest.approx((n + 1) / 2**n)
    assert torch.allclose(step[possible][1:], torch.tensor(0.5**n).double())
    walked = torch.zeros_like(step)
    walked[0] = 1.0
    for count in range(4):
        assert torch.allclose(law(n, count), walked, atol=1e-14), count
        spread = torch.zeros_like(step)
        for k in possible.nonzero()[:, 0]:
            spread.index_add_(0, rank(compose(points, points[k].expand_as(points))), walked * step[k])
        walked = spread


def test_fact_2_stable_sorting_by_fair_bits_undoes_a_riffle() -> None:
    head = InverseRiffle()
    points = all_permutations(5)
    fair = head.log_law(torch.zeros(1, 5), 5).exp()[0]
    assert torch.allclose(fair, law(5, 1)[rank(inverse(points))], atol=1e-14)


@pytest.mark.parametrize("n", [3, 4, 5])
def test_fact_12_inverse_riffles_sum_to_one_over_bit_vectors(n: int) -> None:
    rng = torch.Generator().manual_seed(n)
    logits = torch.randn(1, n, generator=rng)
    got = InverseRiffle().log_law(logits, n).exp()[0]
    assert int((got > 0).sum()) == 2**n - n
    # from the definition: the identity collects the bit vectors 1…10…0, every other move has one
    expected = torch.zeros(math.factorial(n), dtype=torch.float64)
    p = logits.double().sigmoid()[0]
    for bits in itertools.product((0, 1), repeat=n):
        move = [i for i in range(n) if bits[i]] + [i for i in range(n) if not bits[i]]
        expected[rank(torch.tensor(move))] += math.prod(float(p[i] if b else 1 - p[i]) for i, b in enumerate(bits))
    assert torch.allclose(got, expected, atol=1e-14)


def test_fact_3_bayer_and_diaconis() -> None:
    expected = digits("1 1 1 1 .9237 .6135 .3341 .1672 .0854 .0429 .0215 .0108")
    assert [shuffle_distance(RiffleWalk(52), t) for t in range(1, 13)] == pytest.approx(expected, abs=5e-5)


def test_t13_riffle() -> None:
    assert eulerian(3) == (1, 4, 1)
    by_rising = dict(zip(rising_sequences(all_permutations(3)).tolist(), law(3, 1).tolist(), strict=True))
    assert by_rising == pytest.approx({1: 1 / 2, 2: 1 / 8, 3: 0.0})
    ten = digits(".9997 .8611 .4268 .2396 .1243 .0627 .0314 .0157")
    assert [shuffle_distance(RiffleWalk(10), t) for t in range(1, 9)] == pytest.approx(ten, abs=5e-5)
    deck = digits("1 1 1 1 .924 .614 .334 .167 .085 .043 .022 .011")
    assert [shuffle_distance(RiffleWalk(52), t) for t in range(1, 13)] == pytest.approx(deck, abs=5e-4)


def test_fact_4_worpitzky_and_eulerian_numbers() -> None:
    assert eulerian(4) == (1, 11, 11, 1)
    assert eulerian(5) == (1, 26, 66, 26, 1)
    assert eulerian(6) == (1, 57, 302, 302, 57, 1)
    assert eulerian(7) == (1, 120, 1191, 2416, 1191, 120, 1)
    assert eulerian(8) == (1, 247, 4293, 15619, 15619, 4293, 247, 1)
    for n in (1, 5, 30):
        assert sum(eulerian(n)) == math.factorial(n)
        for a in (1, 2, 7):
            assert sum(size * math.comb(a + n - r, n) for r, size in enumerate(eulerian(n), 1)) == a**n
    for n in (4, 6):
        counted = torch.bincount(rising_sequences(all_permutations(n)), minlength=n + 1)[1:]
        assert tuple(counted.tolist()) == eulerian(n)


@pytest.mark.parametrize("n", [4, 5, 6])
def test_fact_5_reachable_are_those_with_few_rising_sequences(n: int) -> None:
    rising = rising_sequences(all_permutations(n))
    for count in range(4):
        assert torch.equal(law(n, count) == 0, rising > 2**count)
        assert (law(n, count)[-1] > 0) == (n <= 2**count)  # the reversal
    assert RiffleWalk(n).reach == math.ceil(math.log2(n))


@pytest.mark.parametrize("n", [4, 5, 6])
def test_fact_6_inversions(n: int) -> None:
    for count in (1, 2, 3):
        mean = (law(n, count) * inversions(all_permutations(n))).sum().item()
        assert mean == pytest.approx(n * (n - 1) / 4 * (1 - 2.0**-count), abs=1e-12)


@pytest.mark.parametrize("then", [0, 1, 2])
def test_fact_7_label_vectors_give_the_bayes_posterior(then: int) -> None:
    """All subsets that the bridge may draw, each equally likely, for every xt and an x0 that is not the identity."""
    walk, points = RiffleWalk(4), all_permutations(4)
    x0 = torch.tensor([[2, 0, 3, 1]])
    for xt in points:
        rising = int(rising_sequences(inverse(x0)[0][xt]))
        subsets = torch.tensor(list(itertools.combinations(range(2**3 + 4 - rising), 4)))
        assert len(subsets) == math.comb(2**3 + 4 - rising, 4)
        rows = len(subsets)
        start, now = torch.full((rows,), then), torch.full((rows,), 3)
        xs = walk.undo(x0.expand(rows, 4), xt.expand(rows, 4), start, now, subsets)
        got = torch.bincount(rank(xs), minlength=24).double() / rows
        want = bridge_law(walk, x0, xt[None], start[:1], now[:1])[0].exp()
        assert torch.allclose(got, want, atol=1e-13)


@pytest.mark.parametrize("n", TO_UNIFORM)
def test_tables_of_total_variation(n: int) -> None:
    walk = RiffleWalk(n)
    uniform, step = digits(TO_UNIFORM[n]), digits(ONE_MORE[n])
    assert [shuffle_distance(walk, t) for t in range(len(uniform))] == pytest.approx(uniform, abs=5.1e-4)
    assert [shuffle_distance(walk, t, t + 1) for t in range(len(step))] == pytest.approx(step, abs=5.1e-4)


@pytest.mark.parametrize("n", PUBLISHED)
def test_published_schedules(n: int) -> None:
    last, counts, jumps, divergences = PUBLISHED[n]
    walk = RiffleWalk(n)
    assert shuffle_distance(walk, counts[-1]) == pytest.approx(last, abs=5.1e-5)
    got = [shuffle_distance(walk, s, t) for s, t in itertools.pairwise(counts)]
    assert got == pytest.approx(digits(jumps), abs=5.1e-5)
    assert [shuffle_kl(walk, t) for t in counts] == pytest.approx(digits(divergences), abs=5.1e-5)
    assert Riffle(n, counts).prior_kl(torch.arange(n)[None]).item() == pytest.approx(
        digits(divergences)[-1], abs=5.1e-5
    )


def test_fact_11_prior_term_of_a_deck() -> None:
    got = [shuffle_kl(RiffleWalk(52), t) for t in (5, 6, 7, 10)]
    assert got == pytest.approx([5.507, 1.437, 0.363, 0.0057], abs=5e-4)


@pytest.mark.parametrize("n", AUTOMATIC)
def test_automatic_schedules(n: int) -> None:
    counts, jumps = AUTOMATIC[n]
    walk = RiffleWalk(n)
    assert merged_shuffles(walk) == counts
    assert enough_shuffles(walk) == counts[-1]
    later = [shuffle_distance(walk, s, t) for s, t in itertools.pairwise(counts[1:])]
    assert later == pytest.approx(digits(jumps), abs=5.1e-4)


def test_cutoffs() -> None:
    got = [RiffleWalk(n).cutoff for n in (9, 20, 52, 100, 200)]
    assert got == pytest.approx([4.75, 6.48, 8.55, 9.97, 11.47], abs=5.1e-3)


def test_a_large_deck_goes_there_and_back() -> None:
    """A thousand cards: the bridge lies between its ends, and many riffles do not lose bits."""
    process = Riffle(1000, 30)
    rng = torch.Generator().manual_seed(0)
    x0 = torch.randperm(1000, generator=rng).repeat(3, 1)
    t, s = torch.tensor([0.2, 0.5, 1.0]).double(), torch.tensor([0.1, 0.1, 0.1]).double()
    xt = process.corrupt(x0, t, rng)
    xs = process.bridge(x0, xt, s, t, rng)
    assert bool((xs.sort(1).values == torch.arange(1000)).all())
    assert bool((rising_sequences(inverse(x0).gather(1, xs)) <= 2**3).all())
    assert bool(process.log_q(xs, x0, s).isfinite().all())
    assert torch.equal(process.bridge(x0, xt, torch.zeros(3), t, rng), x0)
    assert torch.equal(process.bridge(x0, xt, t, t, rng), xt)
    with pytest.raises(ValueError, match="riffles"):
        Riffle(4, 41)


def test_an_impossible_pair_stays_until_the_last_step() -> None:
    process = Riffle(8, 6, Enumerated())
    x0, xt = torch.arange(8)[None], torch.arange(7, -1, -1)[None]
    one, two, zero = (torch.tensor([u / 6]) for u in (1, 2, 0))
    assert process.log_q(xt, x0, two).item() == -math.inf
    assert torch.equal(process.bridge(x0, xt, one, two), xt)
    assert torch.equal(process.bridge(x0, xt, zero, two), x0)
