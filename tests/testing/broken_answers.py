"""Prompts of either kind whose answers are wrong."""

import itertools
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import (
    field_validator,
)

from seemkit import api
from seemkit.api import Anchor, Encoded, Group, Region
from tests.testing.broken_spatial import Dot
from tests.testing.broken_tokens import Word


class Abstaining(Word):
    """A word whose anchor has nothing to say."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        return Encoded(super().encode(context).groups, (Anchor("class", None, "phrase", self.include),))


class Trembling(Word):
    """A word that is never quite the same."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        import torch

        found = super().encode(context)
        (group,) = found.groups
        assert isinstance(group.content, torch.Tensor)
        return Encoded(
            (Group("phrase", group.content + 1e-5 * torch.rand_like(group.content)),), found.answers
        )


class Individual(Word):
    """A word that tells itself from its duplicates."""

    def __eq__(self, other: object) -> bool:
        return super(Individual, Individual).content_key is not None and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.text)

    def content_key(self) -> str:
        return f"{id(self)}"


class Tiring(Dot):
    """A dot that has had enough of the fiftieth."""

    seen: ClassVar[set[str]] = set()

    def region(self, size: api.Grid) -> Region:
        self.seen.add(self.content_key())
        if len(self.seen) > 50:
            raise RuntimeError("too many dots")
        return super().region(size)


class Jealous(Word):
    """A word that answers otherwise after one of another object."""

    last: ClassVar[list[str]] = []

    def encode(self, context: api.EncodeContext) -> Encoded:
        found = super().encode(context)
        jealous = self.last and self.last[-1] != self.object
        self.last[:] = [self.object]
        (group,) = found.groups
        return Encoded((Group("phrase", -3 * group.content),), found.answers) if jealous else found  # type: ignore[operator]


class Headstrong(Dot):
    """A dot that cannot be excluded, and does not say so."""

    @field_validator("include", mode="before")
    @classmethod
    def _always(cls, include: bool) -> bool:
        return True


class Prodigal(Word):
    """A word that encodes an image each time."""

    number: ClassVar[Any] = itertools.count()

    def encode(self, context: api.EncodeContext) -> Encoded:
        from seemkit.prompts import Point

        pixels = np.full((32, 32, 3), next(self.number) % 251, np.uint8)
        context.reference(pixels, [Point(x=5, y=5)])
        return super().encode(context)


class Meddling(Word):
    """A word that writes into the scene."""

    def encode(self, context: api.EncodeContext) -> Encoded:
        context.scene.levels[0][..., 0, 0] += 1
        return super().encode(context)


class Unsettled(Dot):
    """A dot that settles elsewhere."""

    def settled(self) -> Self:
        return self.model_copy(update={"x": 50.5})
