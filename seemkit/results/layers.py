"""Which masks of a result are drawn, in which colour, under which caption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seemkit.imaging.overlay import Layer
from seemkit.imaging.palette import colour

if TYPE_CHECKING:
    from seemkit.result import Result

__all__ = ["layers"]


def layers(result: Result) -> list[Layer]:
    """A colour for each object, or for each mask if all answer one object; or for each class or segment."""
    if result.segments is not None:
        ids, info = result.segments
        return [Layer(ids == part["id"], colour(n), part["label"]) for n, part in enumerate(info)]
    if result.semantic is not None:
        found = [place for place in range(len(result.vocabulary)) if (result.semantic == place).any()]
        return [
            Layer(result.semantic == place, colour(n), result.vocabulary[place])
            for n, place in enumerate(found)
        ]
    order = {name: n for n, name in enumerate(dict.fromkeys(result.objects))}
    return [
        Layer(mask, colour(order[result.objects[n]] if len(order) > 1 else n), _caption(result, n))
        for n, mask in enumerate(result.masks)
    ]


def _caption(result: Result, n: int) -> str:
    """The object if somebody named it, the best label and its probability; the score if neither is known."""
    name = result.objects[n]
    named = "" if name.isdecimal() else name
    if result.labels[n]:
        label, probability = result.labels[n][0]
        said = named if label.casefold() in named.casefold() else f"{named}: {label}" if named else label
        return f"{said} {probability:.0%}"
    number = f"#{name} " if len(set(result.objects)) > 1 else ""
    return named or f"{number}{result.scores[n]:.0%}"
