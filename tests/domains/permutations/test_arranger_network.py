"""The parts of an arranger against the laws that they stand for."""

import pytest
import torch
from torch import Tensor

from intarsia.processes import AbstractSequentialHead, GeneralizedPlackettLuce, Move, PlackettLuce, PrefixPlackettLuce
from intarsia_domains.permutations._arranger_chain import Chain, by_place, riffles
from intarsia_domains.permutations._arranger_network import ArrangerNetwork, Comparison, Scores
from intarsia_domains.permutations._arranger_shapes import Line, Tour
from intarsia_domains.permutations._encoders import ImageEncoder, PointEncoder, VectorEncoder
from intarsia_domains.permutations._encoders_images import distort
from intarsia_domains.permutations._encoders_items import Encoded, Parts, cut

HEADS = [PlackettLuce(), GeneralizedPlackettLuce(), PrefixPlackettLuce()]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def perms(rows: int, n: int, seed: int = 0) -> Tensor:
    return torch.rand((rows, n), generator=rng(seed)).argsort(1)


def network(law: AbstractSequentialHead, encoder: VectorEncoder | PointEncoder, values: int) -> ArrangerNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ArrangerNetwork(encoder, (values,), law, width=16, depth=1, heads=2, dropout=0.0)
        for parameter in net.scores.parameters():  # those that start at zero too
            torch.nn.init.normal_(parameter, std=0.3)
    return net.eval()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("encoder", [VectorEncoder(features=8), PointEncoder(waves=3)])
def test_the_numbering_of_items_does_not_matter(
    head: AbstractSequentialHead, encoder: VectorEncoder | PointEncoder
) -> None:
    net, items, x = network(head, encoder, 2), torch.rand((3, 5, 2), generator=rng()), perms(3, 5)
    t = torch.tensor([0.2, 0.7, 1.0])
    number = perms(1, 5, 9)[0]  # item k of the new sets is item number[k] of the old
    old = net(net.encode(items), x, t)
    new = net(net.encode(items[:, number]), number.argsort()[x], t)
    target = perms(3, 5, 4)
    torch.testing.assert_close(
        head.log_prob(new.double(), number.argsort()[target]), head.log_prob(old.double(), target), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("head", HEADS)
def test_moves_are_numbered_by_place(head: AbstractSequentialHead) -> None:
    pred = torch.randn((8, *head.shape(6)), dtype=torch.float64, generator=rng())
    x, move = perms(8, 6, 1), perms(8, 6, 2)
    there = head.log_prob(by_place(head, pred, x), move)
    torch.testing.assert_close(there, head.log_prob(pred, x.gather(1, move)))


@pytest.mark.parametrize("head", HEADS)
def test_a_tour_is_an_order_given_its_first_item(head: AbstractSequentialHead) -> None:
    pred = torch.randn((8, *head.shape(6)), dtype=torch.float64, generator=rng())
    free = perms(8, 5, 1)
    whole = Tour().whole(free)
    assert whole[:, 0].tolist() == [0] * 8
    assert Tour().free(whole).tolist() == free.tolist()
    given_first = head.terms(pred, whole)[:, 1:].sum(1)
    torch.testing.assert_close(head.log_prob(Tour().of_free(head, pred), free), given_first)


def test_comparisons_are_antisymmetric() -> None:
    compare = Comparison(6)
    logits = compare(torch.rand((2, 5, 6), generator=rng()))
    torch.testing.assert_close(logits, -logits.transpose(1, 2))


def test_the_next_item_comes_before_all_that_are_left() -> None:
    """Before training a pointer with comparisons is p(k | left) ∝ Π_j σ(L[k, j]) over j that are left."""
    logits = torch.randn((1, 4, 4), generator=rng())
    logits = logits - logits.transpose(1, 2)
    scores = Scores(8, 0, PrefixPlackettLuce())
    torch.nn.init.zeros_(scores.keys.bias)
    pred = scores(torch.zeros(1, 4, 8), None, logits).double()
    left = [0, 1, 3]  # after item 2
    chance = torch.stack([logits[0, k, [j for j in left if j != k]].sigmoid().prod() for k in left]).double()
    law = PrefixPlackettLuce().logits(pred, torch.tensor([[2]]))[0, left].softmax(0)
    torch.testing.assert_close(law, chance / chance.sum(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_clear_comparisons_sort(head: AbstractSequentialHead) -> None:
    value = torch.tensor([[0.3, 0.1, 0.9, 0.5]])
    logits = 50 * (value[:, None] - value[:, :, None])  # item i before j where it is smaller
    scores = Scores(8, 0, head)
    torch.nn.init.zeros_(scores.keys.bias)
    torch.nn.init.zeros_(scores.single.bias)
    pred = scores(torch.zeros(1, 4, 8), None, logits).double()
    chance = head.log_law(pred, 4).exp()[0]
    best = int(chance.argmax())
    assert best == 7  # 1 0 3 2 in lexicographic order


@pytest.mark.parametrize("head", [*HEADS, *map(Move, HEADS)])
def test_losses_are_finite_and_have_gradients_everywhere(head: AbstractSequentialHead | Move) -> None:
    law = head.law if isinstance(head, Move) else head
    assert isinstance(law, AbstractSequentialHead)
    net = network(law, VectorEncoder(features=8), 3)
    chain = Chain(riffles(7, head), net, Line())
    loss = chain.loss(net.encode(torch.rand((16, 7, 3), generator=rng())), perms(16, 7), rng(1))
    assert loss.shape == (16,)
    loss.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for name, p in net.named_parameters() if _used(name, law))


def _used(name: str, law: AbstractSequentialHead) -> bool:
    unused = {
        PlackettLuce: ("scores.ranks", "scores.whole", "scores.queries", "scores.keys"),
        GeneralizedPlackettLuce: ("scores.queries", "scores.single"),
        PrefixPlackettLuce: ("scores.single", "scores.sharp"),
    }[type(law)]
    return not name.startswith(unused)


def test_cross_entropy_is_minus_log_p_of_x0() -> None:
    head = PrefixPlackettLuce()
    net = network(head, VectorEncoder(features=8), 1)
    chain = Chain(riffles(5, head), net, Line())
    encoded = net.encode(torch.rand((200, 5, 1), generator=rng()))
    x0 = perms(200, 5)
    steps = len(chain.process.counts) - 1
    step = torch.randint(1, steps + 1, (200,), generator=(own := rng(3)))
    step = torch.where(torch.rand(200, generator=own) < 0.5, steps, step)
    xt = chain.process.corrupt(x0, step / steps, own)
    wanted = -head.log_prob(chain.predict(encoded, xt, step / steps), x0)
    torch.testing.assert_close(chain.loss(encoded, x0, rng(3)), wanted)


@pytest.mark.parametrize("n, counts", [(3, (0, 1, 6)), (9, (0, 3, 4, 9)), (19, (0, 4, 5, 10)), (100, (0, 8, 9, 14))])
def test_shuffles_and_merged_steps_follow_from_total_variation(n: int, counts: tuple[int, ...]) -> None:
    assert riffles(n, PlackettLuce()).counts == counts


def test_many_items_take_one_step() -> None:
    counts = riffles(1000, PlackettLuce()).counts
    assert len(counts) == 2
    assert counts[1] >= 1.5 * 9.96 + 6


def test_images_are_cut_and_read_alike_in_parts() -> None:
    encoder = ImageEncoder(parts=(1, 2), codes=4, channels=(3,))
    bank = torch.rand((6, 1, 8, 8), generator=rng())
    parts = Parts(bank, torch.randint(6, (3, 4, 2), generator=rng()))
    images = parts.images((1, 2))
    assert images.shape == (3, 4, 1, 8, 16)
    torch.testing.assert_close(cut(images, (1, 2)), bank[parts.index])
    assert encoder.shape(parts) == encoder.shape(images) == (1, 8, 8)
    reader = encoder.build((1, 8, 8))
    torch.testing.assert_close(reader(parts).features, reader(images).features, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(reader(parts).features.view(3, 4, 2, 4).sum(3), torch.ones(3, 4, 2))
    some = parts.rows(torch.tensor([2]))
    assert len(some.bank) <= 6
    torch.testing.assert_close(some.images((1, 2)), images[2:])


def test_augmented_images_keep_their_place_in_the_grid() -> None:
    encoder = ImageEncoder(parts=(1, 2), codes=4, shift=0.1, turn=5.0)
    images = torch.zeros((2, 3, 1, 8, 16))
    images[0, 1, :, 2:6, 10:14] = 1.0
    moved = encoder.augment(images, rng())
    assert isinstance(moved, Parts)
    lit = moved.images((1, 2)).sum((2, 3, 4))
    assert (lit[0, 1] > 0) == (lit.sum() > 0)
    assert moved.images((1, 2))[0, 1, :, :, :8].sum() == 0
    assert ImageEncoder().augment(images, rng()) is images


def test_distortions_leave_alone_what_they_are_not_asked_to_change() -> None:
    images = torch.rand((5, 1, 12, 12), generator=rng())
    torch.testing.assert_close(distort(images, ImageEncoder(), rng()), images, atol=1e-5, rtol=1e-4)
    place = torch.linspace(-1, 1, 12).expand(5, 1, 12, 12).contiguous()  # a picture of its own columns
    slanted = distort(place, ImageEncoder(shear=0.2), rng())[:, 0, 3:9, 3:9]
    fall = slanted[:, 1:] - slanted[:, :-1]  # columns move by as much in every row
    torch.testing.assert_close(fall, fall[:, :1, :1].expand_as(fall), atol=1e-5, rtol=1e-4)
    assert fall.abs().max() < 0.2 * 2 / 11 + 1e-5
    bent = distort(place, ImageEncoder(bend=0.05), rng())[:, 0, 3:9, 3:9] - place[:, 0, 3:9, 3:9]
    # a step of the picture is 12/11 of one of places, and the weights of bicubic interpolation sum to 1.375 an axis
    assert 0.005 < bent.abs().max() < 2 * 0.05 * 12 / 11 * 1.375**2
    assert bent.std(0).max() > 0.005  # each image in its own way


def test_several_looks_are_averaged_after_training_only() -> None:
    encoder = ImageEncoder(codes=4, channels=(3,), shift=0.1, looks=3)
    images = torch.rand((6, 1, 8, 8), generator=rng())
    reader = encoder.build((1, 8, 8))
    once = reader(images[None]).features
    reader.eval()
    many = reader(images[None]).features
    own = torch.Generator().manual_seed(0)
    views = [images, distort(images, encoder, own), distort(images, encoder, own)]
    reader.train()
    wanted = torch.stack([reader(view[None]).features for view in views]).mean(0)
    torch.testing.assert_close(many, wanted, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(many, once)
    with pytest.raises(ValueError, match="at least once, got looks=0"):
        ImageEncoder(looks=0)


def test_directions_of_pairs_are_unit_vectors_to_the_other() -> None:
    points = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]])
    pairs = PointEncoder(waves=2).build((2,))(points).pairs
    torch.testing.assert_close(pairs[0, 0, 1, -2:], torch.tensor([0.6, 0.8]), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(pairs[..., -2:], -pairs[..., -2:].transpose(1, 2))


def test_mirrored_points_keep_their_distances() -> None:
    points = torch.rand((40, 6, 2), generator=rng())
    mirrored = PointEncoder().augment(points, rng())
    assert isinstance(mirrored, Tensor)
    torch.testing.assert_close(torch.cdist(mirrored, mirrored), torch.cdist(points, points), atol=1e-5, rtol=1e-4)
    kinds = {
        tuple(torch.linalg.lstsq(a - a[0], b - b[0]).solution.round().flatten().tolist())
        for a, b in zip(points, mirrored, strict=True)
    }
    assert len(kinds) == 8


def test_points_are_read_without_regard_to_place_and_size() -> None:
    encoder = PointEncoder(waves=4)
    points = torch.rand((3, 6, 2), generator=rng())
    a, b = (encoder.build((2,))(x) for x in (points, 70.0 * points + 5.0))
    assert isinstance(a, Encoded)
    assert a.pairs is not None
    assert a.pairs.shape == (3, 6, 6, encoder.pairs)
    assert a.features.shape == (3, 6, encoder.features)
    torch.testing.assert_close(a.features, b.features, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(a.pairs, b.pairs, atol=1e-3, rtol=1e-3)
