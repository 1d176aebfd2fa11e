"""Which picture is the i-th that is learned from: a rule without state, so that any run can be taken up anywhere."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mixture"]

BLOCK = 256
"""Pictures; within a block every source has its share, to the nearest whole number."""


class Mixture:
    """Pictures of several sources by their shares; each source goes through all of its pictures before it repeats one.

    Args:
        sizes: how many pictures each source has.
        shares: of the pictures, relative to each other.
        seed: of the order.
    """

    def __init__(self, sizes: Sequence[int], shares: Sequence[float], seed: int) -> None:
        self.sizes = tuple(sizes)
        total = sum(shares)
        self.shares = tuple(share / total for share in shares)
        self.seed = seed
        self._labels = lru_cache(8)(self._make_labels)
        self._orders = lru_cache(2 * len(self.sizes))(self._make_order)

    def __getstate__(self) -> tuple[tuple[int, ...], tuple[float, ...], int]:
        return self.sizes, self.shares, self.seed

    def __setstate__(self, state: tuple[tuple[int, ...], tuple[float, ...], int]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def __call__(self, number: int) -> tuple[int, int]:
        """(source, place in it) of the picture with a number from 0 on."""
        block, inner = divmod(number, BLOCK)
        labels = self._labels(block)
        source = int(labels[inner])
        seen = self._before(source, block) + int((labels[:inner] == source).sum())
        epoch, place = divmod(seen, self.sizes[source])
        return source, int(self._orders(source, epoch)[place])

    def another(self, number: int, attempt: int) -> tuple[int, int]:
        """A picture of the same source in place of one that cannot be used; any attempt from 1 on draws anew."""
        source, _ = self(number)
        rng = np.random.default_rng([self.seed, 2, number, attempt])
        return source, int(rng.integers(self.sizes[source]))

    def _before(self, source: int, block: int) -> int:
        """How many pictures of a source come before a block."""
        return self._until(source + 1, block) - self._until(source, block)

    def _until(self, source: int, block: int) -> int:
        """How many pictures of the first sources come before a block; all together they fill it."""
        return (
            round(sum(self.shares[:source]) * block * BLOCK) if source < len(self.shares) else block * BLOCK
        )

    def _make_labels(self, block: int) -> NDArray[np.int64]:
        counts = [self._before(s, block + 1) - self._before(s, block) for s in range(len(self.sizes))]
        labels = np.repeat(np.arange(len(self.sizes)), counts)
        return np.random.default_rng([self.seed, 0, block]).permutation(labels)

    def _make_order(self, source: int, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([self.seed, 1, source, epoch]).permutation(self.sizes[source])
