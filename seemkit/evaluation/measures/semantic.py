"""Everything mode against a map of classes: mIoU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seemkit.evaluation.class_names import plain_names
from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.dataset import DatasetInfo
    from seemkit.result import Result

__all__ = ["Semantic"]


class Semantic(Measure):
    """Mean IoU over the classes of the data set, which are asked for by name."""

    def lacks(self, info: DatasetInfo) -> str | None:
        return None if info.panoptic and info.categories else "a class at each pixel"

    def evaluate(self, asked: Asked) -> Outcome | None:
        from seemkit.evaluation.metrics.semantic import class_areas, mean_iou

        names = plain_names(asked.info.names)
        result = asked.model.everything(asked.scene, vocabulary=list(names), task="semantic")
        assert result.semantic is not None, "a semantic result has a map"
        truth = _true_map(asked)
        areas = class_areas(truth, result.semantic)
        score = mean_iou({k: v for k, v in areas.items() if v[1]})
        record = {"classes": {asked.info.names[place]: list(area) for place, area in sorted(areas.items())}}
        return Outcome(record, None if np.isnan(score) else score, partial(_draw, asked, result, score))  # type: ignore[arg-type]

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        from seemkit.evaluation.metrics.semantic import mean_iou

        places = {name: place for place, name in enumerate(tally.info.names)}
        areas: dict[int, tuple[int, int, int]] = {}
        for record in records:
            for name, (right, real, made) in record["classes"].items():
                old = areas.get(places[name], (0, 0, 0))
                areas[places[name]] = old[0] + right, old[1] + real, old[2] + made
        protocol = f"mean IoU over {sum(any(a) for a in areas.values())} of {len(places)} names that occur"
        tally.add("mIoU", mean_iou(areas), protocol, len(records))
        pixels = sum(real for _, real, _ in areas.values())
        accuracy = sum(right for right, _, _ in areas.values()) / pixels if pixels else float("nan")
        commonest = max((a[1] for a in areas.values()), default=0) / max(pixels, 1)
        tally.add(
            "pixel accuracy",
            accuracy,
            f"share of the pixels of a class that are given it, {len(places)} names",
            len(records),
            baseline=commonest,
            baseline_name="always the commonest class",
        )


def _true_map(asked: Asked) -> NDArray[np.int64]:
    """(H, W) places of classes, -1 where none is marked or pixels do not count."""
    places = {name: place for place, name in enumerate(asked.info.names)}
    truth = np.full(asked.image.shape[:2], -1, np.int64)
    for each in asked.sample.objects:
        if each.name in places:
            truth[each.read_mask()] = places[each.name]
    truth[asked.ignore] = -1
    return truth


def _draw(asked: Asked, result: Result, score: float) -> Image.Image:
    from seemkit.evaluation.comparison import compare, named_layers

    real = list(asked.sample.objects)
    names = [each.name for each in real]
    truth = named_layers([each.read_mask() for each in real], names)
    answer = named_layers(list(result.masks), list(result.names), order=names)
    return compare(asked.image, truth, answer, f"mIoU {score:.2f}")
