"""What can be measured: groups of cases by the words of the command; nothing heavy is imported for the list."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from seemkit.benchmark.report import Case
    from seemkit.benchmark.subject import Subject

__all__ = ["GROUPS", "Group", "load_group"]


class Group(NamedTuple):
    """Cases that are measured together: where they are, and what they are of."""

    place: str
    about: str


GROUPS = {
    "encode": Group("seemkit.benchmark.encoding:measure_encoding", "a photo to a scene, stage by stage"),
    "round": Group("seemkit.benchmark.rounds:measure_rounds", "a first and a second click"),
    "points": Group("seemkit.benchmark.many:measure_points", "many points of one object"),
    "objects": Group("seemkit.benchmark.many:measure_objects", "many objects in one call"),
    "vocabulary": Group("seemkit.benchmark.names:measure_vocabulary", "133 names, cold and warm"),
    "memory": Group("seemkit.benchmark.memory:measure_memory", "bytes of a scene, and the peak of a call"),
    "runtime": Group(
        "seemkit.benchmark.runtimes:measure_runtimes", "encoding and a click under each runtime option"
    ),
}
"""In the order in which they run."""


def load_group(name: str) -> "Callable[[Subject], Iterator[Case]]":
    """The function that measures a group."""
    module, _, function = GROUPS[name].place.partition(":")
    measure: Callable[[Subject], Iterator[Case]] = getattr(import_module(module), function)
    return measure
