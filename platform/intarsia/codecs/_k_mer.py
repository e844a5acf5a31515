"""Sequences of letters as groups of k."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from intarsia.codecs._base import AbstractCodec, Codes
from intarsia.codecs._reading import reading, require

LONGEST = 2**24


class KMer(AbstractCodec):
    """Every k letters of a sequence as one class; a site for each group, from the left.

    There is no padding letter. A group near the end may hold fewer letters: its classes are the words of k letters in
    the order of `letters`, then those of k - 1, and so on, but only of lengths that the shortest and the longest
    sequence seen allow there. A sequence ends with the first group that is not full; what follows is not read.
    So sequences of one length L have L / k sites of |letters|^k classes, the last with fewer letters if k ∤ L.

    Values are an array (rows,) of text.

    Args:
        k: letters of a group.
        letters: the alphabet.
    """

    def __init__(self, k: int = 3, letters: str = "ACGT") -> None:
        if k < 1 or not letters or len(set(letters)) < len(letters) or "\0" in letters:
            raise ValueError(f"`k` must be at least 1 and `letters` different ones, got {k} and {letters!r}")
        if k * np.log2(len(letters)) > 31:
            raise ValueError(f"groups of {k} among {len(letters)} letters are more than 2^31 classes; lower `k`")
        self.k, self.letters = k, letters
        self._points = np.array([ord(letter) for letter in letters], dtype=np.uint32)
        self._sorter = np.argsort(self._points)

    @property
    def num_classes(self) -> tuple[int, ...]:
        """Words of each group."""
        fewest, most = self._room
        return tuple(sum(len(self.letters) ** j for j in range(a, b + 1)) for a, b in zip(fewest, most, strict=True))

    def fit(self, values: NDArray[Any]) -> Self:
        """Learn how long sequences are; raises ValueError if there are none, or for a letter that is none of ours."""
        require(len(values) > 0, "groups of letters need at least one sequence")
        _, lengths = self._read(values)
        return self._set(int(lengths.min()), int(lengths.max()))

    def _set(self, shortest: int, longest: int) -> Self:
        require(0 <= shortest <= longest <= LONGEST, f"no lengths from {shortest} to {longest}")
        self.shortest_, self.longest_ = shortest, longest
        starts = np.arange(0, longest, self.k)
        self._room = tuple(np.clip(end - starts, 0, self.k).tolist() for end in (shortest, longest))
        # class of the first word of j letters, where words of more letters come before
        powers = len(self.letters) ** np.arange(self.k + 1)
        used = powers * (np.arange(self.k + 1) <= np.array(self._room[1], dtype=np.int64)[:, None])
        self._first = used[:, ::-1].cumsum(1)[:, ::-1] - used
        return self

    def _read(self, values: NDArray[Any]) -> tuple[Codes, NDArray[np.int64]]:
        """Numbers of letters (rows, longest), 0 behind the end, and lengths (rows,)."""
        text = np.asarray(values, dtype=np.str_)
        points = np.ascontiguousarray(text.astype(f"=U{max(text.dtype.itemsize // 4, 1)}")).view(np.uint32)
        points = points.reshape(len(text), -1) if len(text) else points.reshape(0, 1)
        lengths = np.char.str_len(text).astype(np.int64)
        place = np.searchsorted(self._points, points, sorter=self._sorter)
        numbers = self._sorter[np.minimum(place, len(self.letters) - 1)]
        inside = np.arange(points.shape[1]) < lengths[:, None]
        unknown = np.argwhere(inside & (self._points[numbers] != points))
        if len(unknown):
            row, site = unknown[0]
            raise ValueError(f"{chr(points[row, site])!r} in sequence {row} is none of the letters {self.letters}")
        return np.where(inside, numbers, 0), lengths

    def encode(self, values: NDArray[Any]) -> Codes:
        """Groups (rows, sites); raises ValueError for unknown letters and for lengths that `fit` did not see."""
        numbers, lengths = self._read(values)
        outside = (lengths < self.shortest_) | (lengths > self.longest_)
        if outside.any():
            length = int(lengths[np.argmax(outside)])
            raise ValueError(f"a sequence of {length} letters, where {self.shortest_} to {self.longest_} were seen")
        sites = len(self._room[0])
        letters = np.zeros((len(numbers), sites * self.k), dtype=np.int64)
        wide = min(letters.shape[1], numbers.shape[1])
        letters[:, :wide] = numbers[:, :wide]
        letters = letters.reshape(len(numbers), sites, self.k)
        filled = np.clip(lengths[:, None] - np.arange(sites) * self.k, 0, self.k)
        words = np.zeros(filled.shape, dtype=np.int64)
        for i in range(self.k):
            words = np.where(i < filled, words * len(self.letters) + letters[:, :, i], words)
        return words + self._first[np.arange(sites), filled]

    def decode(self, codes: Codes, rng: np.random.Generator) -> NDArray[np.str_]:
        """Sequences (rows,) of any groups (rows, sites)."""
        sites = len(self._room[0])
        most = np.array(self._room[1], dtype=np.int64)
        shorter = np.arange(self.k + 1) < most[:, None]
        filled = most - ((codes[:, :, None] >= self._first) & shorter).sum(2)
        words = codes - self._first[np.arange(sites), filled]
        full = np.cumprod(np.concatenate([np.ones((len(codes), 1), dtype=np.int64), filled == self.k], 1), 1)
        filled = filled * full[:, :sites]
        place = filled[:, :, None] - 1 - np.arange(self.k)
        letters = words[:, :, None] // len(self.letters) ** np.maximum(place, 0) % len(self.letters)
        points = np.where(place >= 0, self._points[letters], 0).astype(np.uint32).reshape(len(codes), sites * self.k)
        text = np.zeros((len(codes), max(self.longest_, 1)), dtype=np.uint32)
        text[:, : self.longest_] = points[:, : self.longest_]
        return text.view(f"=U{text.shape[1]}")[:, 0]

    def to_json(self) -> dict[str, Any]:
        """Groups, letters and lengths."""
        return {"k": self.k, "letters": self.letters, "shortest": self.shortest_, "longest": self.longest_}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Rebuild; raises ValueError if groups, letters or lengths are malformed."""
        with reading(cls):
            return cls(int(data["k"]), str(data["letters"]))._set(int(data["shortest"]), int(data["longest"]))
