"""Finding a concept in photos, one after another, and how like it what was found is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from seemkit.errors import ImageError, SceneError
from seemkit.prompting.read import prompt_type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seemkit.concept_file import ConceptFile
    from seemkit.pipeline.model import Model
    from seemkit.result import Result
    from seemkit.scene import Scene

__all__ = ["Found", "find_concept", "likeness"]


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in one photo.

    Attributes:
        file: of the photo.
        result: one mask, the best; None if the photo could not be read.
        likeness: of the mask to the concept, at most 1; photos can be ranked by it.
        problem: why the photo could not be read, in a sentence; empty if it could.
    """

    file: Path
    result: Result | None = None
    likeness: float = -1.0
    problem: str = ""


def find_concept(
    model: Model, concept: ConceptFile, photos: Iterable[Path], *, vocabulary: Sequence[str] | None = None
) -> Iterator[Found]:
    """What is most like the concept in each photo; one that cannot be read is reported and left out.

    Raises:
        PromptError: the concept was made by other weights than the model's.
    """
    prompt = prompt_type("concept", path="find_concept").model_validate({"file": concept})
    for file in photos:
        try:
            scene = model.encode(file)
        except (ImageError, SceneError) as error:
            yield Found(file, problem=str(error))
            continue
        result = model.segment(scene, [prompt], vocabulary=vocabulary)
        yield Found(file, result, likeness(model, scene, result.masks[0], concept))


@torch.no_grad()
def likeness(model: Model, scene: Scene, mask: NDArray[np.bool_], concept: ConceptFile) -> float:
    """Cosine of a mask's mean feature and that of the region of the concept which it is most like; -1 if empty.

    Args:
        model: whose features they are.
        scene: of the photo.
        mask: (H, W) in it.
        concept: the concept.
    """
    if not mask.any():
        return -1.0
    selection = prompt_type("mask", path="likeness").model_validate({"mask": mask})
    (anchor,) = model._context(scene).reference(scene, [selection]).answers
    assert anchor.vector is not None
    own = anchor.vector.float().cpu().numpy()
    kept = np.stack([region.anchor for region in concept.regions if region.include])  # R x C
    norms = np.linalg.norm(kept, axis=1) * np.linalg.norm(own) + 1e-12
    return float((kept @ own / norms).max())
