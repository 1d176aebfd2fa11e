"""Everything mode against instance annotations: mask AP."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import Field

from seemkit.evaluation.class_names import plain_names
from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.dataset import DatasetInfo
    from seemkit.result import Result

__all__ = ["Instance"]


class Instance(Measure):
    """COCO's mask AP of the things of the data set, which are asked for by name."""

    most: int = Field(100, ge=1, le=1000, description="(query, class) pairs that are looked at in a picture")

    def lacks(self, info: DatasetInfo) -> str | None:
        if not any(category.is_thing for category in info.categories):
            return "names of classes of things"
        return None if info.complete else "pictures in which every object of its classes is marked"

    def evaluate(self, asked: Asked) -> Outcome | None:
        from dataclasses import replace

        names = plain_names(asked.info.names)
        stuff = [n for n, c in zip(names, asked.info.categories, strict=True) if not c.is_thing]
        limits = replace(asked.model.thresholds, instances=self.most)
        result = asked.model.everything(
            asked.scene, vocabulary=list(names), stuff=stuff, task="instance", thresholds=limits
        )
        truth = [_annotation(o) for o in asked.sample.objects if o.is_thing and o.name is not None]
        found = [
            {"name": names[_label(result, k)], "mask": _runs(mask), "score": float(result.scores[k])}
            for k, mask in enumerate(result.masks)
        ]
        record = {"size": list(asked.image.shape[:2]), "truth": truth, "found": found}
        score = _score(record, asked.info.names)
        return Outcome(record, score, partial(_draw, asked, result, score))  # type: ignore[arg-type]

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        figures = _average_precision(records, tally.info.names)
        things = sum(category.is_thing for category in tally.info.categories)
        protocol = f"COCO mask AP (pycocotools), {things} names, at most {self.most} a picture"
        for name, value in figures.items():
            tally.add(name, value, protocol, len(records))


def _average_precision(records: Sequence[Record], names: Sequence[str]) -> dict[str, float]:
    from seemkit.evaluation.metrics.detection import mask_ap

    places = {name: place for place, name in enumerate(names, start=1)}
    images: list[dict[str, Any]] = []
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, record in enumerate(records, start=1):
        height, width = record["size"]
        images.append({"id": number, "height": height, "width": width})
        for each in record["truth"]:
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": number,
                    "category_id": places[each["name"]],
                    "segmentation": each["mask"],
                    "area": each["area"],
                    "bbox": each["box"],
                    "iscrowd": int(each["crowd"]),
                }
            )
        for each in record["found"]:
            found.append(
                {
                    "image_id": number,
                    "category_id": places[each["name"]],
                    "segmentation": each["mask"],
                    "score": each["score"],
                }
            )
    occur = sorted({each["category_id"] for each in (*truth, *found)})  # the others have no AP
    return mask_ap(truth, found, images, occur)


def _score(record: dict[str, Any], names: Sequence[str]) -> float | None:
    """AP50 of one picture; None without an object."""
    value = _average_precision([record], names)["AP50"]
    return None if value != value else value


def _annotation(each: Any) -> dict[str, Any]:
    from seemkit.results.coco import mask_box

    mask = each.read_mask()
    return {
        "name": each.name,
        "mask": _runs(mask),
        "area": float(mask.sum() if each.area is None else each.area),
        "box": [float(value) for value in mask_box(mask)],
        "crowd": each.is_crowd,
    }


def _label(result: Result, k: int) -> str:
    return result.labels[k][0][0]


def _runs(mask: Any) -> dict[str, Any]:
    from seemkit.results.coco import run_lengths

    return dict(run_lengths(mask))


def _draw(asked: Asked, result: Result, score: float | None) -> Image.Image:
    from seemkit.evaluation.comparison import compare, named_layers

    real = [each for each in asked.sample.objects if each.is_thing]
    names = [each.name for each in real]
    sure = [k for k in range(len(result)) if result.scores[k] >= 0.3]
    answer = named_layers([result.masks[k] for k in sure], [_label(result, k) for k in sure], order=names)
    said = "nothing to find" if score is None else f"AP50 {score:.2f}"
    truth = named_layers([each.read_mask() for each in real], names)
    return compare(asked.image, truth, answer, f"{said}; shown from a score of 0.3 on")
