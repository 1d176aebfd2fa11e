"""Decoder passes of few different forms: rows padded to fixed lengths, and a pass as a list of tensors.

What is compiled or recorded is so for fixed shapes. Rows that vary in number (points, tokens) are padded to one of a
few lengths, and objects to one of a few counts; padding is never read, so answers move by rounding only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from seemkit.network.mask_features import MaskFeatures
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch

__all__ = [
    "Form",
    "RowForm",
    "form_of",
    "has_form",
    "round_up",
    "settle",
    "shapes_of",
    "tensors_of_rows",
    "tensors_of_scene",
]

LENGTHS = (32, 128, 512, 1024)
"""Rows of a kind are padded to one of these, or beyond to a multiple of the last."""
COUNTS = (1, 2, 4, 8, 16)
"""Objects likewise."""

Shapes = tuple[tuple[tuple[int, ...], torch.dtype], ...]


@dataclass(frozen=True)
class RowForm:
    """What is fixed of a group of rows: its role, whether rows are made anew, and which tensors it has."""

    role: str
    levels: int | None
    padded: int
    limited: bool


@dataclass(frozen=True)
class Form:
    """What is fixed of a decoder pass beside the shapes of its tensors.

    Attributes:
        layers: of the decoder.
        levels: of features.
        rows: the groups in order.
        biased: whether masks have a term on top.
    """

    layers: int
    levels: int
    rows: tuple[RowForm, ...]
    biased: bool

    def rebuild(self, tensors: Sequence[Tensor]) -> tuple[PreparedScene, list[RowBatch], Tensor | None]:
        """The pass whose tensors these are, the scene's first; of the scene there is what a pass reads, no more."""
        rest = list(tensors)
        keys, values = _take(rest, self.layers), _take(rest, self.layers)
        small = _take(rest, self.levels)
        rows = [self._rebuild_rows(row, rest) for row in self.rows]
        bias = _take(rest, 1)[0] if self.biased else None
        return PreparedScene((), MaskFeatures(small[0]), small, keys, values), rows, bias

    @staticmethod
    def _rebuild_rows(row: RowForm, rest: list[Tensor]) -> RowBatch:
        content, position = _take(rest, row.levels or 1), _take(rest, row.levels or 1)
        padding = _take(rest, row.padded)
        attends = _take(rest, 1)[0] if row.limited else None
        missing = None if not padding else padding[0] if len(padding) == 1 else padding
        if row.levels is None:
            return RowBatch(row.role, content[0], position[0], missing, attends)
        return RowBatch(row.role, content, position, missing, attends)


def has_form(scene: PreparedScene, rows: Sequence[RowBatch]) -> bool:
    """Whether a pass can be padded: one scene, and no rows that objects share by draw."""
    return scene.batch == 1 and all(batch.owners is None for batch in rows)


def settle(rows: Sequence[RowBatch], bias: Tensor | None) -> tuple[list[RowBatch], Tensor | None]:
    """Rows padded to fixed lengths and N objects to a fixed count, at the end; queries keep their number."""
    objects = _first(rows[0].content).shape[0]
    more = round_up(objects, COUNTS) - objects
    settled = [_settle_rows(batch, more) for batch in rows]
    return settled, None if bias is None else _lengthen(bias, more, 0)


def form_of(scene: PreparedScene, rows: Sequence[RowBatch], bias: Tensor | None) -> Form:
    """The form of a pass."""
    return Form(
        layers=len(scene.keys),
        levels=len(scene.small),
        rows=tuple(
            RowForm(
                batch.role,
                len(batch.content) if isinstance(batch.content, tuple) else None,
                len(_tuple(batch.padding)),
                batch.attends is not None,
            )
            for batch in rows
        ),
        biased=bias is not None,
    )


def tensors_of_scene(scene: PreparedScene) -> list[Tensor]:
    """What a pass reads of a scene."""
    return [*scene.keys, *scene.values, *scene.small]


def tensors_of_rows(rows: Sequence[RowBatch], bias: Tensor | None) -> list[Tensor]:
    """What a pass reads beside the scene, each in a plain layout."""
    tensors: list[Tensor] = []
    for batch in rows:
        for x in (batch.content, batch.position, batch.padding, batch.attends):
            tensors.extend(each.contiguous() for each in _tuple(x))
    return [*tensors, *_tuple(bias)]


def shapes_of(tensors: Sequence[Tensor]) -> Shapes:
    """Shape and dtype of each."""
    return tuple((tuple(x.shape), x.dtype) for x in tensors)


def round_up(count: int, steps: Sequence[int]) -> int:
    """The first of rising `steps` that is not below `count`; beyond the last, a multiple of it."""
    return next((step for step in steps if step >= count), -(-count // steps[-1]) * steps[-1])


def _settle_rows(batch: RowBatch, objects: int) -> RowBatch:
    """One group with `objects` more objects, and padded to a fixed length unless its length is fixed by itself."""
    first = _first(batch.content)
    n, length, _ = first.shape
    queries = batch.role.split(".")[0] == "query"
    longer = 0 if queries or batch.attends is not None else round_up(length, LENGTHS) - length
    padding = batch.padding
    if padding is None and not queries:
        padding = torch.zeros(n, length, dtype=torch.bool, device=first.device)
    return RowBatch(
        batch.role,
        _each(batch.content, objects, longer),
        _each(batch.position, objects, longer),
        None if padding is None else _each(padding, objects, longer, value=True),
        None if batch.attends is None else _lengthen(batch.attends, objects, 0),
    )


def _each(
    x: Tensor | tuple[Tensor, ...], objects: int, longer: int, value: bool = False
) -> Tensor | tuple[Tensor, ...]:
    if isinstance(x, tuple):
        return tuple(_lengthen(each, objects, longer, value) for each in x)
    return _lengthen(x, objects, longer, value)


def _lengthen(x: Tensor, objects: int, longer: int, value: bool = False) -> Tensor:
    """(N, T, ...) to (N + objects, T + longer, ...), with `value` at the end."""
    if not objects and not longer:
        return x
    inner = [0, 0] * (x.dim() - 2)
    return functional.pad(x, [*inner, 0, longer, 0, objects], value=value)


def _tuple(x: Tensor | tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
    return () if x is None else x if isinstance(x, tuple) else (x,)


def _first(x: Tensor | tuple[Tensor, ...]) -> Tensor:
    return x[0] if isinstance(x, tuple) else x


def _take(rest: list[Tensor], count: int) -> tuple[Tensor, ...]:
    taken = tuple(rest[:count])
    del rest[:count]
    return taken
