"""Following objects through frames without training on video.

Source: SEEM section 4, video object segmentation: tokens of the first frame's region are references for every
later frame; with memory, the mask of the frame before limits where the memory rows look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from seemkit.errors import PromptError
from seemkit.prompting.prompt import Prompt as PromptType
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
    objects: Mapping[str, Sequence[Prompt] | Prompt],
    *,
    vocabulary: Sequence[str] | None = None,
    memory: bool = True,
) -> Iterator[Result]:
    """One result a frame; only the first frame's scene and the last masks are kept.

    Args:
        model: the model.
        frames: images in order, from any iterator.
        objects: prompts on the first frame, by object.
        vocabulary: names for labels; where a closer look tells them, only the first frame gets one.
        memory: whether the mask of the frame before goes in as memory.

    Raises:
        PromptError: at once if `objects` is not prompts by name; with the first frame if one selects nothing.
    """
    return _follow(model, frames, _named(objects), vocabulary, memory)


def _named(objects: Mapping[str, Sequence[Prompt] | Prompt]) -> list[Prompt]:
    """The prompts of all objects, each with the name of its object."""
    form = 'such as {"dog": [Point(x=120, y=80)]}'
    if not isinstance(objects, Mapping):
        raise PromptError(
            f"objects is a {type(objects).__name__}, expected prompts by name, {form}", path="objects"
        )
    prompts: list[Prompt] = []
    for name, given in objects.items():
        for prompt in [given] if isinstance(given, PromptType) else given:
            if not isinstance(prompt, PromptType):
                kind = type(prompt).__name__
                raise PromptError(
                    f"objects[{name!r}] holds a {kind}, expected prompts, {form}", path="objects"
                )
            prompts.append(prompt.model_copy(update={"object": name}))
    if not prompts:
        raise PromptError(
            "no object to follow was given; prompt at least one on the first frame", path="objects"
        )
    return prompts


def _follow(
    model: Model,
    frames: Iterable[ImageSource],
    prompts: Sequence[Prompt],
    vocabulary: Sequence[str] | None,
    memory: bool,
) -> Iterator[Result]:
    references: list[Prompt] | None = None
    last: dict[str, Tensor] | None = None
    cells: tuple[int, ...] = ()
    for frame in frames:
        scene = model.encode(frame)
        if references is None:
            result = model.segment(scene, prompts, vocabulary=vocabulary)
            references = [_reference(scene, m, n) for m, n in zip(result.masks, result.objects, strict=True)]
        else:
            same = cells == tuple(scene.fine.shape[-2:])  # a frame of another size starts without memory
            if not model.hooks:  # which may ask in words; references need no closer look at every frame
                scene = replace(scene, photo=None)
            result = model.segment(
                scene, references, vocabulary=vocabulary, memory=last if memory and same else None
            )
        yield result
        last, cells = None, tuple(scene.fine.shape[-2:])
        if result.logits is not None:
            kept = zip(result.objects, result.logits, strict=True)
            last = {name: torch.tensor(logits) for name, logits in kept}


def _reference(scene: Scene, mask: NDArray[np.bool_], name: str) -> Prompt:
    if not mask.any():
        raise PromptError(
            f"object {name!r} has an empty mask on the first frame, so there is nothing to follow; prompt it better"
        )
    selection = prompt_type("mask", path="track").model_validate({"mask": mask})
    fields = {"image": scene, "prompts": [selection], "object": name}
    return prompt_type("reference", path="track").model_validate(fields)
