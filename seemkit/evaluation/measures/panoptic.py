"""Everything mode against panoptic annotations: PQ of all, things and stuff."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from seemkit.evaluation.class_names import plain_names
from seemkit.evaluation.measures.measure import Asked, Measure, Outcome, Record, Tally

if TYPE_CHECKING:
    from PIL import Image

    from seemkit.data.dataset import DatasetInfo
    from seemkit.evaluation.metrics.panoptic import PanopticSegment
    from seemkit.pipeline.everything import Thresholds
    from seemkit.result import Result

__all__ = ["Panoptic"]


class Panoptic(Measure):
    """Panoptic quality over the classes of the data set, which are asked for by name."""

    score: float | None = Field(
        None, ge=0, le=1, description="a query counts above this probability; null: as the assembly says"
    )
    overlap: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of its own mask that a query must win; null: as the assembly says",
    )

    def lacks(self, info: DatasetInfo) -> str | None:
        return None if info.panoptic and info.categories else "panoptic annotations with names of classes"

    def evaluate(self, asked: Asked) -> Outcome | None:
        from seemkit.evaluation.metrics.panoptic import match_segments, panoptic_quality

        names = plain_names(asked.info.names)
        back = {name: place for place, name in enumerate(asked.info.names)}
        words = {full: short for short, full in names.items()}
        stuff = [words[c.name] for c in asked.info.categories if not c.is_thing]
        limits = _thresholds(asked, self.score, self.overlap)
        result = asked.model.everything(
            asked.scene, vocabulary=list(names), stuff=stuff, task="panoptic", thresholds=limits
        )
        assert result.segments is not None, "a panoptic result has segments"
        truth, segments = _true_map(asked, back)
        made = {s["id"]: _segment(back[names[s["label"]]]) for s in result.segments.info}
        counts = match_segments(truth, segments, result.segments.ids, made)
        quality = panoptic_quality(counts)
        record = {
            "classes": {
                asked.info.names[place]: [c.matched, c.spurious, c.missed, round(c.overlap, 6)]
                for place, c in sorted(counts.items())
            },
            "thresholds": [limits.score, limits.overlap],
        }
        score = None if np.isnan(quality.pq) else quality.pq
        return Outcome(record, score, partial(_draw, asked, result, score))  # type: ignore[arg-type]

    def tally(self, records: Sequence[Record], tally: Tally) -> None:
        from seemkit.evaluation.metrics.panoptic import ClassCount, panoptic_quality

        places = {name: place for place, name in enumerate(tally.info.names)}
        counts: dict[int, ClassCount] = {}
        for record in records:
            for name, (matched, spurious, missed, overlap) in record["classes"].items():
                place = places[name]
                counts[place] = counts.get(place, ClassCount()) + ClassCount(
                    matched, spurious, missed, overlap
                )
        limits = " / ".join(
            sorted({f"score {r['thresholds'][0]:g}, overlap {r['thresholds'][1]:g}" for r in records})
        )
        protocol = f"panoptic quality (panopticapi's rules), {len(places)} names, {limits}"
        for suffix, things in (("", None), (" things", True), (" stuff", False)):
            chosen = [
                place
                for place, category in enumerate(tally.info.categories)
                if things is None or category.is_thing == things
            ]
            found = panoptic_quality(counts, chosen)
            note = f"mean over {found.classes} class{'es' * (found.classes != 1)}"
            for name, value in (("PQ", found.pq), ("SQ", found.sq), ("RQ", found.rq)):
                tally.add(f"{name}{suffix}", value, protocol, len(records), note=note)


def _thresholds(asked: Asked, score: float | None, overlap: float | None) -> Thresholds:
    """Those of the model, with what is not None in their place."""
    from dataclasses import replace

    own = asked.model.thresholds
    return replace(
        own,
        score=own.score if score is None else score,
        overlap=own.overlap if overlap is None else overlap,
    )


def _segment(category: int, crowd: bool = False) -> PanopticSegment:
    from seemkit.evaluation.metrics.panoptic import PanopticSegment

    return PanopticSegment(category, crowd)


def _true_map(asked: Asked, places: dict[str, int]) -> tuple[np.ndarray, dict[int, PanopticSegment]]:
    """Ids (H, W) from 1, 0 for void, and what they are."""
    ids = np.zeros(asked.image.shape[:2], np.int32)
    segments = {}
    for number, each in enumerate(asked.sample.objects, start=1):
        if each.name in places:
            ids[each.read_mask()] = number
            segments[number] = _segment(places[each.name], each.is_crowd)
    ids[asked.ignore] = 0
    return ids, segments


def _draw(asked: Asked, result: Result, score: float | None) -> Image.Image:
    from seemkit.evaluation.comparison import compare, named_layers

    real = list(asked.sample.objects)
    names = [each.name for each in real]
    truth = named_layers([each.read_mask() for each in real], names)
    answer = named_layers(list(result.masks), list(result.names), order=names)
    said = "nothing to find" if score is None else f"PQ {score:.2f}"
    return compare(asked.image, truth, answer, said)
