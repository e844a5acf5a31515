"""Jigsaws: pictures cut into a grid of pieces, in disorder."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from intarsia_domains.permutations._encoders_items import cut


@dataclass(frozen=True, eq=False)
class Jigsaws:
    """Sets of pieces (rows, n, channels, height, width) in random order, and the order that shows the picture.

    Calling it makes training sets for `Arranger.fit`. Pieces that look the same can be exchanged, so results are
    compared as pictures (`same_picture`), not as orders.

    Args:
        images: (m, channels, height, width); what does not fit the grid is cut off at the right and below.
        grid: rows and columns of pieces.
        noise: standard deviation of noise on training pictures, so that blank pieces differ.
    """

    images: NDArray[np.float32]
    grid: tuple[int, int] = (2, 2)
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.images.ndim != 4:
            raise ValueError(f"expected images (m, channels, height, width), got {self.images.shape}")
        if min(self.grid) < 1 or self.grid[0] * self.grid[1] < 2:
            raise ValueError(f"a jigsaw has at least two pieces, got a grid of {self.grid}")

    def __call__(self, rows: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Cut `rows` random pictures."""
        images = self.images[rng.integers(len(self.images), size=rows)]
        return self.cut((images + self.noise * rng.standard_normal(images.shape)).astype(np.float32), rng)

    def cut(
        self, images: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Pieces of these pictures (rows, channels, height, width) in random order, and the right order."""
        height, width = images.shape[2] // self.grid[0], images.shape[3] // self.grid[1]
        whole = torch.from_numpy(images[:, :, : height * self.grid[0], : width * self.grid[1]].astype(np.float32))
        pieces = cut(whole, self.grid).numpy()
        shuffled = rng.permuted(np.tile(np.arange(pieces.shape[1]), (len(pieces), 1)), axis=1)
        return pieces[np.arange(len(pieces))[:, None], shuffled], shuffled.argsort(1)


def assemble(pieces: NDArray[np.float32], orders: NDArray[np.int64], grid: tuple[int, int]) -> NDArray[np.float32]:
    """Pictures (rows, channels, height, width) of pieces (rows, n, channels, height', width') laid in `orders`."""
    laid = pieces[np.arange(len(pieces))[:, None], orders]
    rows, _, channels, height, width = laid.shape
    board = laid.reshape(rows, *grid, channels, height, width).transpose(0, 3, 1, 4, 2, 5)
    return board.reshape(rows, channels, grid[0] * height, grid[1] * width)


def same_picture(pieces: NDArray[np.float32], orders: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the piece at each place looks like the right one, (rows, n); all true where the picture is right."""
    row = np.arange(len(pieces))[:, None]
    return (pieces[row, orders] == pieces[row, right]).all((2, 3, 4))
