"""A concept is made of references: regions of images that it is like, and of images that it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from seemkit.concept_file import MOST_REGIONS, ConceptFile, ConceptRegion
from seemkit.concepts.thin import thin_tokens
from seemkit.errors import PromptError, SeemkitError
from seemkit.prompting.prompt import Prompt
from seemkit.prompting.read import prompt_type

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from seemkit.pipeline.model import Model
    from seemkit.prompting.rows import Encoded

__all__ = ["TOKENS", "make_concept"]

TOKENS = 12
"""Tokens that are kept of a region at each level; docs/concepts.md says what that costs."""


def make_concept(
    model: Model, references: Sequence[Prompt] | Prompt, *, tokens: int | None = TOKENS, name: str = "concept"
) -> ConceptFile:
    """Keep what a model makes of the regions of references.

    Order and duplicates do not matter. Used as a prompt, a concept is answered as the references it was made of
    would be; with all tokens kept, by the same bits.

    Args:
        model: whose weights it is for.
        references: prompts of the type `reference`; those that exclude say what the concept is not.
        tokens: kept of each region and level, in eight bits; None keeps all (512 points for a region and sign),
            as they are.
        name: for sentences; in a file it is the file's.

    Raises:
        PromptError: there is none, none includes, or one selects nothing; the sentence says which.
        ImageError: the image of one cannot be read.
    """
    if tokens is not None and tokens < 1:
        raise PromptError(f"tokens is {tokens}, expected 1 at least, or None for all", path="tokens")
    regions = {}
    for index, prompt in enumerate(_check(references)):
        place = f"references[{index}]"
        try:
            settled = prompt.settled()
            scene = model.encode(settled.image)  # type: ignore[attr-defined]
            settled.check(scene.size)
            key = settled.model_copy(update={"object": "1"}).content_key()
            if key not in regions:
                with torch.no_grad():
                    encoded = settled.encode(model._context(scene))  # type: ignore[attr-defined]
                regions[key] = _region(encoded, prompt.include, tokens)
        except SeemkitError as error:
            path = f"{place}.{error.path}" if error.path else place
            raise PromptError(f"{place}: {error}", path=path, suggestion=error.suggestion) from error
    return ConceptFile(
        tuple(regions[key] for key in sorted(regions)),
        weights=model.row_fingerprint,
        assembly=model.assembly.name if model.assembly is not None else "",
        name=name,
    )


def _check(references: Sequence[Prompt] | Prompt) -> list[Prompt]:
    given = [references] if isinstance(references, Prompt) else list(references)
    kind = prompt_type("reference", path="references")
    such_as = "such as Reference(image='photo.jpg', prompts=[Point(x=120, y=80)])"
    for index, prompt in enumerate(given):
        if not isinstance(prompt, kind):
            raise PromptError(
                f"references[{index}] is a {type(prompt).__name__}, expected a reference, {such_as}",
                path=f"references[{index}]",
            )
    if not any(prompt.include for prompt in given):
        raise PromptError(f"a concept needs a reference that includes, {such_as}", path="references")
    if len(given) > MOST_REGIONS:
        raise PromptError(
            f"there are {len(given)} references; at most {MOST_REGIONS} are kept", path="references"
        )
    return given


def _region(encoded: Encoded, include: bool, tokens: int | None) -> ConceptRegion:
    (anchor,) = encoded.answers
    assert anchor.vector is not None
    if not include:
        return ConceptRegion(False, _array(anchor.vector))
    (group,) = encoded.groups
    assert isinstance(group.content, tuple)
    assert isinstance(group.position, tuple)
    thinned = [
        thin_tokens(_array(content), None if position is content else _array(position), tokens)
        for content, position in zip(group.content, group.position, strict=True)
    ]
    return ConceptRegion(
        True,
        _array(anchor.vector),
        content=tuple(content for content, _, _ in thinned),
        offset=tuple(offset for _, offset, _ in thinned if offset is not None),
        counts=tuple(counts for _, _, counts in thinned),
    )


def _array(x: Tensor) -> NDArray[np.float32]:
    return np.array(x.detach().cpu().float().numpy(), np.float32)
