"""The presets of the one decoder: who reads whom, how queries are made, and how anchors are weighed.

A rule says which roles the rows of a role read in self-attention. Rules are the published attention
structure with its group names replaced by roles: an object that is prompted in one way only is wired as
published, one that mixes prompts as the original's own options for evaluation wire it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["PRESETS", "Preset", "QueryPolicy", "Rules"]

QueryPolicy = Literal["per_owner", "sampled"]
Rules = Mapping[str, frozenset[str]]


def _rules(**sources: str) -> dict[str, frozenset[str]]:
    return {reader: frozenset(names.split()) for reader, names in sources.items()}


@dataclass(frozen=True)
class Preset:
    """One way to wire the decoder.

    Attributes:
        rules: for each reading role, the roles it reads. A role that no rule names acts like "phrase".
        crosses: the roles that read the image.
        query_policy: "per_owner" gives each object a copy of the object queries; "sampled" does so too, unless
            the option `legacy.queries` draws some of them as the original does, which only such a preset has.
        class_scale_limit: the largest temperature of class-space anchors.
        region_position: whether region tokens carry a sine encoding of where they lie.
        region_kinds: whether region tokens tell exact pixels from extents by a learned vector.
        conditioned: whether the queries of an object start from its anchors.
        mask_position: whether mask features carry a learned term of where they lie.
        guided: whether masks have a term that follows the points and the round before.
        sees: whether class embeddings have a term of what is seen under the mask.
        variant: of the published models that it computes as; nothing in the weights tells.
    """

    rules: Rules
    crosses: frozenset[str] = frozenset({"query", "memory"})
    query_policy: QueryPolicy = "per_owner"
    class_scale_limit: float = 100.0
    region_position: bool = False
    region_kinds: bool = False
    conditioned: bool = False
    mask_position: bool = False
    guided: bool = False
    sees: bool = False
    variant: str | None = None
    notes: str = field(default="", compare=False)

    def sources(self, reader: str) -> frozenset[str]:
        """The roles that rows of the role `reader` read."""
        return self.rules.get(reader, self.rules["phrase"])

    def reads(self, reader: str, source: str) -> bool:
        """Whether rows of one role read rows of another; an unknown source is treated as a phrase."""
        known = source if source in self.rules else "phrase"
        return known in self.sources(reader) or (source == reader and known == "phrase")


PUBLISHED = _rules(
    query="query region reference phrase memory",
    phrase="query phrase",
    memory="memory",
    region="region",
    reference="reference",
)

PRESETS: dict[str, Preset] = {
    "seem_v0": Preset(PUBLISHED, variant="v0", notes="all object queries are copied for every object"),
    "seem_v1": Preset(
        PUBLISHED,
        query_policy="sampled",
        variant="v1",
        notes="as v0; the original draws three queries an object, here a legacy option",
    ),
    "seem_demo": Preset(
        _rules(
            query="query region reference phrase",
            phrase="query phrase",
            memory="memory",
            region="region",
            reference="reference",
        ),
        variant="demo",
        notes="the original demo: no memory is read, answers by priority",
    ),
    "nano": Preset(
        PUBLISHED,
        region_position=True,
        region_kinds=True,
        conditioned=True,
        mask_position=True,
        guided=True,
        sees=True,
        notes="for small models: tokens know where they lie, queries start from their anchors, masks follow points, "
        "and names what is seen under them",
    ),
}
"""Every preset by name."""
