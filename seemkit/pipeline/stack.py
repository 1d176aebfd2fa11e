"""Groups of rows of several objects, side by side: what the decoder takes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seemkit.network.rows import RowBatch, stack_rows
from seemkit.network.transfer import send
from seemkit.prompting.rows import Group

__all__ = ["stack_groups"]

Kind = tuple[str, bool, int]
"""Role, whether rows are made anew, and the place among the object's limited groups (0: without limit)."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of one object at one feature level: content and position (T, C), padding (T,) or None for none."""

    content: Tensor
    position: Tensor
    padding: Tensor | None


def stack_groups(groups: Sequence[Sequence[Group]], like: Tensor) -> list[RowBatch]:
    """Groups of the same role side by side; an object's groups of one role are joined.

    Limited groups stay apart, for each has a limit of its own. What is padding is known without asking the device.

    Args:
        groups: of each object.
        like: a tensor that gives dtype, device and width.
    """
    sorted_groups = [_by_kind(each) for each in groups]
    batches = []
    for kind in dict.fromkeys(kind for each in sorted_groups for kind in each):
        own = [each.get(kind, []) for each in sorted_groups]
        role, anew, place = kind
        attends = _limits(own) if place else None
        if anew:
            first = next(group for each in own for group in each)
            levels = [
                _pad([_joined(each, level) for each in own], like) for level in range(len(first.content))
            ]
            content, position = tuple(x.content for x in levels), tuple(x.position for x in levels)
            batches.append(RowBatch(role, content, position, levels[0].padding))
        else:
            pieces = [_joined(each, 0) for each in own]
            rows = _pad(pieces, like)
            padding = rows.padding if _uneven(pieces) else None
            batches.append(RowBatch(role, rows.content, rows.position, padding, attends))
    return batches


def _by_kind(groups: Sequence[Group]) -> dict[Kind, list[Group]]:
    found: dict[Kind, list[Group]] = {}
    limited: Counter[str] = Counter()
    for group in groups:
        if group.attends is not None:
            limited[group.role] += 1
        place = limited[group.role] if group.attends is not None else 0
        found.setdefault((group.role, isinstance(group.content, tuple), place), []).append(group)
    return found


def _limits(own: Sequence[Sequence[Group]]) -> Tensor:
    """Where each object's limited rows may look (N, h, w); for an object without any it does not matter."""
    given = [group.attends for each in own for group in each if group.attends is not None]
    blank = torch.zeros_like(given[0])
    return torch.stack([each[0].attends if each and each[0].attends is not None else blank for each in own])


def _joined(groups: Sequence[Group], level: int) -> _Rows | None:
    """The groups' rows at a feature level, one after another."""
    if not groups:
        return None
    each = [_rows_of(group, level) for group in groups]
    missing = None
    if any(rows.padding is not None for rows in each):
        missing = torch.cat(
            [
                rows.content.new_zeros(len(rows.content), dtype=torch.bool)
                if rows.padding is None
                else rows.padding
                for rows in each
            ]
        )
    return _Rows(torch.cat([r.content for r in each]), torch.cat([r.position for r in each]), missing)


def _rows_of(group: Group, level: int) -> _Rows:
    """One group's rows at a feature level: without what is padding by the host's knowledge.

    Padding that only the device knows stays, as zeros, for the host will not wait to learn how many rows are left.
    """
    content = group.content[level] if isinstance(group.content, tuple) else group.content
    position = group.position[level] if isinstance(group.position, tuple) else group.position
    position = content if position is None else position
    if group.padding is None:
        return _Rows(content, position, None)
    if _on_host(group.padding):
        keep = send((~group.padding).nonzero()[:, 0], content.device)
        return _Rows(content[keep], position[keep], None)
    blank = group.padding[:, None]
    return _Rows(content.masked_fill(blank, 0), position.masked_fill(blank, 0), group.padding)


def _on_host(x: Tensor) -> bool:
    return x.device.type == "cpu"


def _pad(pieces: Sequence[_Rows | None], like: Tensor) -> _Rows:
    """Rows of N objects, (N, T, C), and the padding (N, T)."""
    content, padding = stack_rows([None if p is None else p.content for p in pieces], like)
    position, _ = stack_rows([None if p is None else p.position for p in pieces], like)
    for i, piece in enumerate(pieces):
        if piece is not None and piece.padding is not None:
            padding[i, : len(piece.padding)] = piece.padding
    return _Rows(content, position, padding)


def _uneven(pieces: Sequence[_Rows | None]) -> bool:
    """Whether an object lacks rows that another has, or may."""
    lengths = {0 if piece is None else len(piece.content) for piece in pieces}
    return len(lengths) > 1 or any(piece is not None and piece.padding is not None for piece in pieces)
