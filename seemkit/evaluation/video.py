"""Video: the mask of the first frame, followed through the rest; region and boundary measures of DAVIS.

Source: Perazzi et al., DAVIS, CVPR 2016: J is the IoU of a frame, F the F-measure of boundaries matched within 0.8 %
of the image diagonal; the first frame does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seemkit.evaluation.datasets import Labelled
from seemkit.evaluation.figures import Figure
from seemkit.evaluation.metrics.boundary import boundary_f
from seemkit.evaluation.metrics.masks import iou
from seemkit.prompting.read import prompt_type

if TYPE_CHECKING:
    from seemkit.pipeline.model import Model

__all__ = ["video_figures"]

PROTOCOL = "DAVIS J&F, first frame's mask as reference"


def video_figures(model: Model, frames: Sequence[Labelled], split: str, *, memory: bool) -> list[Figure]:
    """J, F and their mean over the frames after the first."""
    first = prompt_type("mask")(mask=frames[0].mask)  # type: ignore[call-arg]
    results = model.track((f.image for f in frames), {"1": [first]}, memory=memory)
    pairs = [(r.masks[0], f) for r, f in zip(results, frames, strict=True)][1:]
    j = float(np.mean([iou(mask, f.mask, f.ignore) for mask, f in pairs]))
    f = float(np.mean([boundary_f(mask, frame.mask) for mask, frame in pairs]))
    suite = f"{split} video, {'with' if memory else 'without'} memory"
    return [
        Figure(suite, name, value, PROTOCOL, split, len(pairs))
        for name, value in (("J", j), ("F", f), ("J&F", (j + f) / 2))
    ]
