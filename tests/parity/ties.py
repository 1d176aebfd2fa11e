"""Bits of masked attention that rounding decides: a run may take a few of them as the recorded run did.

A mask logit within rounding of zero is allowed on one machine and forbidden on another, and what depends on it
moves by more than any tolerance of rounding. So a result outside of the tolerance is tried again with such bits
turned, in the order of the layers, each kept if the result comes closer. A network that is wrong stays wrong:
at most four bits may turn, of hundreds of thousands, and each has to be within 5e-5 of zero.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from itertools import count
from typing import TypeVar

import torch
from torch import Tensor

from seemkit.network.prepared import PreparedScene

T = TypeVar("T")
Place = tuple[int, int, int, int]
"""Layer, object, row and cell."""

NEAR = 5e-5  # the original against itself differs by 6e-5 rms at logits (std 7)
TURNED = 4
TRIES = 40


@dataclass(frozen=True, eq=False)
class Watched(PreparedScene):
    """A scene that knows which mask logits were near zero, and turns some of them."""

    turned: frozenset[Place] = frozenset()
    near: list[Place] = field(default_factory=list)
    calls: Iterator[int] = field(default_factory=count)

    def small_logits(self, level: int, embeddings: Tensor) -> Tensor:
        """As computed, but for the turned logits."""
        logits = super().small_logits(level, embeddings)
        layer = next(self.calls)
        rows = logits.flatten(2)
        for where in (rows.abs() < NEAR).nonzero().tolist():
            place = (layer, where[0], where[1], where[2])
            self.near.append(place)
            if place in self.turned:
                value = rows[place[1:]]
                rows[place[1:]] = torch.where(value < 0, 1e-6, -1e-6)
        return logits


def watch(scene: PreparedScene, turned: frozenset[Place] = frozenset()) -> Watched:
    """The scene, watched."""
    return Watched(**{f.name: getattr(scene, f.name) for f in fields(PreparedScene)}, turned=turned)


def settle_ties(
    scene: PreparedScene, run: Callable[[PreparedScene], T], gap: Callable[[T], float]
) -> tuple[T, int]:
    """The result of `run` as computed if its gap is at most 1, else with up to four ties turned; and how many."""
    watched = watch(scene)
    best = run(watched)
    least = gap(best)
    turned: frozenset[Place] = frozenset()
    tried: set[Place] = set()
    for _ in range(TRIES):
        left = [place for place in watched.near if place not in tried]
        if least <= 1 or not left or len(turned) == TURNED:
            break
        tried.add(left[0])
        attempt = watch(scene, turned | {left[0]})
        result = run(attempt)
        found = gap(result)
        if found < least:
            best, least, turned, watched = result, found, attempt.turned, attempt
    gap(best)  # what was measured last is what counts
    return best, len(turned)
