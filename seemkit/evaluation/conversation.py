"""A simulated conversation about one object: a first prompt, then one correction a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from seemkit.evaluation.metrics.masks import iou
from seemkit.evaluation.protocols.clicker import Click, Clicker, Seen
from seemkit.prompting.read import prompt_type

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model
    from seemkit.prompting.prompt import Prompt
    from seemkit.result import Result
    from seemkit.scene import Scene

__all__ = ["Conversation", "Correct", "click_prompt", "converse", "grid_mask"]

Correct = Callable[[Click], "Prompt | None"]
"""What a simulated user gives where a protocol would click; None if that cannot be given there."""


@dataclass
class Conversation:
    """What was said and answered.

    Attributes:
        curve: IoU after each round.
        prompts: what was given, in order.
        mask: (H, W) the last answer.
    """

    mask: NDArray[np.bool_]
    curve: list[float] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)


def converse(
    model: Model,
    scene: Scene,
    clicker: Clicker,
    rounds: int,
    *,
    first: Sequence[Prompt] = (),
    correct: Correct | None = None,
    memory: bool = True,
) -> Conversation:
    """Ask and correct for `rounds` rounds; the curve stays as it is once nothing is left to say.

    With memory each round sees the mask of the round before, as the rounds of a session do.

    Args:
        model: the model.
        scene: the picture.
        clicker: knows the object, and where its user clicks next.
        rounds: answers, the first included.
        first: what is given first, all at once, in place of the protocol's first click.
        correct: what is given in place of a click; by default a point.
        memory: whether a round sees the one before.
    """
    give = correct or click_prompt
    said = Conversation(np.zeros(clicker.truth.shape, bool))
    seen: Seen | None = None
    kept: dict[str, torch.Tensor] | None = None
    for _ in range(rounds):
        click = None
        if first and seen is None:
            said.prompts += first
            for given in first:
                clicker.told(given)
        else:
            click = clicker.next(seen)
            prompt = None if click is None else give(click)
            if prompt is not None:
                said.prompts.append(prompt)
                if correct is not None:
                    clicker.told(prompt)
            elif not (clicker.rounds_without_click and said.prompts):
                break
        result = model.segment(scene, said.prompts, memory=kept)
        kept = _memory(result) if memory else None
        said.mask = result.masks[0]
        seen = Seen(said.mask, partial(grid_mask, result, scene))
        said.curve.append(iou(said.mask, clicker.truth, clicker.ignore))
        if clicker.satisfied(said.curve[-1]):
            break
    last = said.curve[-1] if said.curve else 1.0  # nothing to select, and nothing selected
    said.curve += [last] * (rounds - len(said.curve))
    return said


def click_prompt(click: Click) -> Prompt:
    """A point, in or out."""
    fields = {"x": click.x, "y": click.y, "include": click.positive}
    return prompt_type("point").model_validate(fields)


def grid_mask(result: Result, scene: Scene) -> NDArray[np.bool_]:
    """The first mask (h, w) of a result on the input grid of its scene, without the padding."""
    assert result.logits is not None, "answers to prompts keep their logits"
    logits = torch.tensor(result.logits[:1])[None]
    full = torch.nn.functional.interpolate(logits, size=scene.padded, mode="bilinear", align_corners=False)
    return np.asarray(full[0, 0, : scene.grid.height, : scene.grid.width].numpy() > 0)


def _memory(result: Result) -> dict[str, torch.Tensor]:
    assert result.logits is not None, "answers to prompts keep their logits"
    return {name: torch.tensor(x) for name, x in zip(result.objects, result.logits, strict=True)}
