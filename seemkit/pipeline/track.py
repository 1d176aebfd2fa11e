"""Following objects through frames without training on video.

Source: SEEM section 4, video object segmentation: tokens of the first frame's region are references for every
later frame; with memory, the mask of the frame before limits where the memory rows look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from seemkit.errors import PromptError
from seemkit.prompting.read import prompt_type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from seemkit.pipeline.model import Model
    from seemkit.prompting.prompt import Prompt
    from seemkit.result import Result
    from seemkit.scene import ImageSource, Scene

__all__ = ["track"]


def track(
    model: Model,
    frames: Iterable[ImageSource],
    objects: Mapping[str, Sequence[Prompt]],
    *,
    vocabulary: Sequence[str] | None = None,
    memory: bool = True,
) -> Iterator[Result]:
    """One result a frame; only the first frame's scene and the last masks are kept.

    Args:
        model: the model.
        frames: images in order, from any iterator.
        objects: prompts on the first frame, by object.
        vocabulary: names for labels.
        memory: whether the mask of the frame before goes in as memory.
    """
    prompts = [p.model_copy(update={"object": name}) for name, given in objects.items() for p in given]
    if not prompts:
        raise PromptError("no object to follow was given; prompt at least one on the first frame")
    references: list[Prompt] | None = None
    last: dict[str, Tensor] | None = None
    for frame in frames:
        scene = model.encode(frame)
        if references is None:
            result = model.segment(scene, prompts, vocabulary=vocabulary)
            found = zip(result.masks, result.objects, strict=True)
            references = [_reference(scene, mask, name) for mask, name in found if mask.any()]
            if not references:
                raise PromptError("the prompts select nothing on the first frame: there is nothing to follow")
        else:
            result = model.segment(scene, references, vocabulary=vocabulary, memory=last if memory else None)
        yield result
        last = None
        if result.logits is not None:
            kept = zip(result.objects, result.logits, strict=True)
            last = {name: torch.tensor(logits) for name, logits in kept}


def _reference(scene: Scene, mask: NDArray[np.bool_], name: str) -> Prompt:
    selection = prompt_type("mask", path="track").model_validate({"mask": mask})
    fields = {"image": scene, "prompts": [selection], "object": name}
    return prompt_type("reference", path="track").model_validate(fields)
