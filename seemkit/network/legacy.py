"""What the published SEEM draws at random, behind options: queries, shared points, owners of memory rows.

Source: behaviour of its v1.0 code. Without these options the decoder draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from seemkit.errors import SeemkitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import Tensor

__all__ = ["Draws", "Legacy", "hand_on", "keep_owners"]


class Legacy(BaseModel):
    """Which draws of the original are made; none by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queries: int | None = Field(None, ge=1, description="object queries drawn for an object with a region")
    shared_points: bool = Field(False, description="all objects of a request share 512 drawn points a sign")
    drawn_points: bool = Field(False, description="each object's points above 512 a sign are drawn")
    drawn_memory: bool = Field(False, description="memory rows are shared; each layer draws whose they are")
    joint_phrases: bool = Field(False, description="objects that have only a phrase are read in one group")
    seed: int = Field(0, ge=0, description="of the draws; the same request draws the same")

    @model_validator(mode="after")
    def check_points(self) -> Legacy:
        """Points are drawn in one way only."""
        if self.shared_points and self.drawn_points:
            raise ValueError("shared_points and drawn_points exclude each other; take one of them")
        return self

    @property
    def together(self) -> bool:
        """Whether objects of a request depend on each other, and so cannot be decoded in parts."""
        return self != Legacy(seed=self.seed)


class Draws:
    """Hands out random draws: those of a record in its order, or else those of a seeded generator.

    Args:
        recorded: integer arrays (n,) as the original drew them; None draws anew.
        seed: of the generator.

    Raises:
        SeemkitError: by whoever asks for a draw that the record has otherwise, or not at all.
    """

    def __init__(self, recorded: Iterable[ArrayLike] | None = None, seed: int = 0) -> None:
        self._recorded: Iterator[ArrayLike] | None = None if recorded is None else iter(recorded)
        self._taken = 0
        self._generator = torch.Generator().manual_seed(seed)

    def pick(self, count: int, among: int) -> Tensor:
        """(count,) numbers below `among`, with replacement."""
        if self._recorded is not None:
            return self._take(count, among)
        return torch.randint(0, among, (count,), generator=self._generator)

    def owners(self, count: int, objects: int) -> Tensor:
        """(count,) objects below `objects`, with replacement, sorted."""
        return self.pick(count, objects).sort().values

    def shuffle(self, length: int, count: int) -> Tensor:
        """`count` of `length` places, each at most once, in the order drawn."""
        if self._recorded is not None:
            return self._take(length, length, once=True)[:count]
        return torch.randperm(length, generator=self._generator)[:count]

    def share(self, sizes: Sequence[int], budget: int) -> Tensor:
        """At most `budget` places of stretches with these sizes, sorted; each stretch is as likely."""
        total = sum(sizes)
        count = min(budget, total)
        if self._recorded is not None:
            return self._take(count, total, once=True).sort().values
        weights = torch.cat([torch.full((n,), 1 / n, dtype=torch.float64) for n in sizes if n])
        return torch.multinomial(weights, count, generator=self._generator).sort().values

    def finish(self) -> None:
        """Raise :class:`SeemkitError` if draws of the record are left."""
        left = 0 if self._recorded is None else len(list(self._recorded))
        if left:
            raise SeemkitError(
                f"{left} recorded draws are left over after the {self._taken} that were asked for: the record is of "
                "another request"
            )

    def _take(self, count: int, among: int, *, once: bool = False) -> Tensor:
        """The next `count` numbers below `among` of the record, each at most once if `once`."""
        assert self._recorded is not None
        place = f"draws[{self._taken}]"
        drawn = next(self._recorded, None)
        if drawn is None:
            raise SeemkitError(
                f"the {self._taken} recorded draws are used up: the record is of another request", path=place
            )
        self._taken += 1
        values = np.asarray(drawn)
        found = f"{values.dtype} of shape {values.shape}"
        fits = values.dtype.kind in "iu" and values.shape == (count,)
        if fits:
            different = len(np.unique(values))
            found = f"{different} different integers in {count}, from {values.min()} to {values.max()}"
            fits = values.min() >= 0 and values.max() < among and (different == count or not once)
        if not fits:
            wanted = f"{count} {'different ' if once else ''}integers from 0 to {among - 1}"
            raise SeemkitError(
                f"{place} is {found}, expected {wanted}: the record is of another request", path=place
            )
        return torch.from_numpy(values.astype(np.int64))


def keep_owners(allowed: Tensor | None, rows: slice, owner: Tensor, objects: int) -> Tensor:
    """Limit who reads memory rows in one layer to the object that owns them there.

    Args:
        allowed: (N, R, S) bool, or None for everything; memory rows stand at the same place of R and S.
        rows: their place.
        owner: (M,) the owner of each.
        objects: N.

    Returns:
        (N, R, S) bool: object n reads a memory row only if it owns it.
    """
    if allowed is None:
        raise ValueError("memory rows that all rows may read have no owner")
    mine = owner[None] == torch.arange(objects, device=owner.device)[:, None]  # N x M
    limited = allowed.clone()
    limited[:, :, rows] &= mine[:, None, :]
    return limited


def hand_on(x: Tensor, rows: slice, owner: Tensor) -> Tensor:
    """Every object's copy of a memory row (N, R, C) becomes what its owner (M,) made of it in this layer."""
    made = x[:, rows]  # N x M x C
    kept = made[owner, torch.arange(made.shape[1], device=owner.device)]
    out = x.clone()
    out[:, rows] = kept
    return out
