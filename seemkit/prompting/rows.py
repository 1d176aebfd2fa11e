"""Groups of decoder rows, the anchors that choose an answer, and what a token prompt returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Anchor", "Encoded", "Group", "Phrase", "Role", "Space"]

Role = str
"""What a group is to the decoder: "query", "region", "phrase", "reference", "memory".

An unknown role is read and reads like "phrase".
"""

Space = Literal["mask", "class"]


@dataclass(frozen=True, eq=False)
class Group:
    """Rows of the decoder with the same role, for one object.

    Attributes:
        role: what the rows are; the preset's rules say who reads them.
        content: (T, C), or one (T, C) per feature level for rows that are made anew at each layer.
        position: the same shape as `content`; None means a copy of the initial content.
        padding: (T,) bool, True where a row is not there; None means that all are.
        persist: True if rows go from layer to layer (phrases), False if they are made anew (regions) and only
            ever act as keys and values.
        attends: (h, w) logits at stride 4: the rows cross-attend only where they are not negative (memory).
    """

    role: Role
    content: Tensor | tuple[Tensor, ...]
    position: Tensor | tuple[Tensor, ...] | None = None
    padding: Tensor | None = None
    persist: bool = True
    attends: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Anchor:
    """What the row that answers an object must be close to.

    Attributes:
        space: "mask" compares with mask embeddings (un-normalised dot product), "class" with class embeddings
            (cosine times temperature).
        vector: (C,) or (D,); None abstains, as an anchor without evidence does.
        role: where the evidence comes from; the policy `priority` goes by it.
        include: False pushes rows away from it.
        fallback: True to speak only when no other anchor of the object does.
    """

    space: Space
    vector: Tensor | None
    role: Role
    include: bool = True
    fallback: bool = False


@dataclass(frozen=True, eq=False)
class Encoded:
    """What one token prompt becomes: rows that are read, and anchors that choose."""

    groups: tuple[Group, ...] = ()
    answers: tuple[Anchor, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class Phrase:
    """One encoded text.

    Attributes:
        tokens: (T, D) states of its tokens in the joint space, un-normalised, start and end of text included.
        embedding: (D,) the text's embedding in the joint space, un-normalised.
    """

    tokens: Tensor
    embedding: Tensor
