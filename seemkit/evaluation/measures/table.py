"""The measures by the name that a configuration has for them."""

from collections.abc import Mapping

from seemkit.evaluation.measures.clicks import Clicks
from seemkit.evaluation.measures.instance import Instance
from seemkit.evaluation.measures.labels import Labels
from seemkit.evaluation.measures.measure import Measure
from seemkit.evaluation.measures.panoptic import Panoptic
from seemkit.evaluation.measures.parts import Parts
from seemkit.evaluation.measures.prompts import Prompts
from seemkit.evaluation.measures.semantic import Semantic
from seemkit.evaluation.measures.text import Text
from seemkit.evaluation.measures.video import Video

__all__ = ["MEASURES"]

MEASURES: Mapping[str, type[Measure]] = {
    "clicks": Clicks,
    "prompts": Prompts,
    "text": Text,
    "labels": Labels,
    "panoptic": Panoptic,
    "instance": Instance,
    "semantic": Semantic,
    "video": Video,
    "parts": Parts,
}
