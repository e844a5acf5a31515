"""Made tasks: numbers of digits, and jigsaws."""

import numpy as np
import pytest

from intarsia.training import Settings
from intarsia_domains.permutations._arranger import Arranger
from intarsia_domains.permutations._encoders import ImageEncoder
from intarsia_domains.permutations._jigsaw import Jigsaws, assemble, same_picture
from intarsia_domains.permutations._sorting import DigitSorting


def glyphs(copies: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Ten pictures of 6 x 6 that show their digit by the place of a spot."""
    images = np.zeros((10, 6, 6), np.float32)
    for digit in range(10):
        images[digit, 1 + 2 * (digit // 5) : 3 + 2 * (digit // 5), digit % 5 : digit % 5 + 2] = 1.0
    return np.tile(images, (copies, 1, 1)), np.tile(np.arange(10), copies)


@pytest.mark.parametrize("n, bank, close", [(5, 30, 0.0), (30, 0, 0.0), (15, 30, 1.0)])
def test_numbers_differ_and_their_order_rises(n: int, bank: int, close: float) -> None:
    images, labels = glyphs()
    parts, orders = DigitSorting(images, labels, n=n, digits=3, bank=bank, close=close)(50, np.random.default_rng(0))
    # read the digits off the pictures
    spots = {images[k].tobytes(): labels[k] for k in range(10)}
    digits = np.array([spots[image.numpy().tobytes()] for image in parts.bank[:, 0]])
    values = digits[parts.index.numpy()] @ [100, 10, 1]
    assert values.shape == (50, n)
    assert (np.diff(np.take_along_axis(values, orders, 1), axis=1) > 0).all()
    assert len(parts.bank) == (bank or 40)
    first_digits = np.array([len(np.unique(row // 100)) for row in values])
    assert (first_digits <= 3).all() == (close == 1.0)


def test_all_numbers_are_equally_likely() -> None:
    sets = DigitSorting(*glyphs(), n=2, digits=1, bank=0)
    parts, _ = sets(20_000, np.random.default_rng(0))
    shown = sets.numbers(sets.labels.argsort(kind="stable")[parts.index.numpy()])
    pairs = np.bincount(shown @ [10, 1], minlength=100).reshape(10, 10) / 20_000
    assert pairs.diagonal().sum() == 0
    assert np.abs(pairs[~np.eye(10, dtype=bool)] - 1 / 90).max() < 0.004


def test_more_numbers_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="51 different numbers of 2 digits"):
        DigitSorting(*glyphs(), n=51, digits=2)
    with pytest.raises(ValueError, match="a label for each"):
        DigitSorting(glyphs()[0], glyphs()[1][:3])
    with pytest.raises(ValueError, match="each of the digits"):
        DigitSorting(glyphs()[0], np.zeros(40, int))
    with pytest.raises(ValueError, match="a bank of 9 images"):
        DigitSorting(*glyphs(), bank=9)(2, np.random.default_rng(0))


def test_digits_are_learned_from_orders_alone() -> None:
    source = DigitSorting(*glyphs(), n=5, digits=2, bank=32)
    settings = Settings(batch_size=64, learning_rate=1e-2, warmup=10, evaluations=2, patience=0)
    encoder = ImageEncoder(parts=(1, 2), codes=12, channels=(8, 16))
    model = Arranger(encoder, depth=0, width=16, steps=220, settings=settings, threads=1, progress=False)
    model.fit(source)
    parts, orders = source(100, np.random.default_rng(7))
    assert (model.arrange(parts) == orders).all(1).mean() > 0.8
    assert (model.arrange(parts.images((1, 2))) == model.arrange(parts)).all(1).mean() > 0.95


@pytest.mark.parametrize("grid", [(2, 2), (1, 3), (3, 2)])
def test_the_right_order_shows_the_picture(grid: tuple[int, int]) -> None:
    images = np.random.default_rng(0).random((6, 2, 6, 6)).astype(np.float32)
    pieces, orders = Jigsaws(images, grid).cut(images, np.random.default_rng(1))
    assert pieces.shape == (6, grid[0] * grid[1], 2, 6 // grid[0], 6 // grid[1])
    np.testing.assert_array_equal(assemble(pieces, orders, grid), images)
    assert same_picture(pieces, orders, orders).all()
    wrong = orders[:, ::-1]
    assert (same_picture(pieces, wrong, orders) == (wrong == orders)).all()


def test_pieces_that_look_the_same_can_be_exchanged() -> None:
    images = np.zeros((1, 1, 4, 4), np.float32)
    images[0, 0, 0, 0] = 1.0
    pieces, right = Jigsaws(images).cut(images, np.random.default_rng(0))
    order = right[:, [0, 3, 1, 2]]
    assert same_picture(pieces, order, right).all()
    assert not same_picture(pieces, right[:, [1, 0, 2, 3]], right)[0, :2].any()


def test_fresh_jigsaws_come_in_random_order() -> None:
    images = np.random.default_rng(0).random((3, 1, 8, 8)).astype(np.float32)
    _, orders = Jigsaws(images, noise=0.1)(400, np.random.default_rng(0))
    share = np.array([[(orders[:, place] == item).mean() for place in range(4)] for item in range(4)])
    assert np.abs(share - 0.25).max() < 0.08
    for bad in ((1, 1), (0, 4)):
        with pytest.raises(ValueError, match="at least two pieces"):
            Jigsaws(images, bad)
