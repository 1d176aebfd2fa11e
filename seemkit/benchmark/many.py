"""Many points of one object, and many objects of one call: what they cost beside one."""

from collections.abc import Iterator

import numpy as np

from seemkit.benchmark.report import Case
from seemkit.benchmark.rounds import point
from seemkit.benchmark.subject import Path, Subject
from seemkit.prompting.prompt import Prompt

__all__ = ["measure_objects", "measure_points"]

MANY = 100
POINTS_TARGET = 1.4
"""A hundred points of an object are to cost at most so many times what one costs."""
OBJECTS_TARGET = 0.4
"""A hundred objects in one call are to take at most so much of a hundred calls."""


def measure_points(subject: Subject) -> Iterator[Case]:
    """One point against a hundred of the same object."""
    model, scene = subject.model, subject.scene
    model.prepare(scene)  # or the path that is measured first would count that
    one, many = _scattered(subject, 1), _scattered(subject, MANY)
    case = subject.case(
        "points",
        f"{MANY} points of one object",
        "A call on a scene that has been asked before, so that nothing of the photo is computed.",
        {
            f"{MANY} points": Path(lambda: model.segment(scene, many)),
            "1 point": Path(lambda: model.segment(scene, one)),
        },
    )
    ratio = case.compare(f"{MANY} points", "1 point", POINTS_TARGET)
    yield case.model_copy(update={"ratios": [ratio]})


def measure_objects(subject: Subject) -> Iterator[Case]:
    """A hundred objects with a point each: in one call, and in a hundred calls."""
    model, scene = subject.model, subject.scene
    objects = [p.model_copy(update={"object": str(k)}) for k, p in enumerate(_scattered(subject, MANY))]

    def calls() -> None:
        for each in objects:
            model.segment(scene, each)

    model.prepare(scene)
    case = subject.case(
        "objects",
        f"{MANY} objects",
        "A point for each object, on a scene that has been asked before.",
        {
            "one call": Path(lambda: model.segment(scene, objects), "in chunks that fit a memory budget"),
            f"{MANY} calls": Path(calls, "one after another"),
        },
        repeats=1,  # of which a hundred calls are a mean already
        warmup=0,
        count=False,
    )
    ratio = case.compare("one call", f"{MANY} calls", OBJECTS_TARGET)
    yield case.model_copy(update={"ratios": [ratio]})


def _scattered(subject: Subject, count: int) -> list[Prompt]:
    """Points of object 1, the same every time."""
    places = np.random.default_rng(0).uniform(0.1, 0.9, (count, 2))
    return [point(subject, float(x), float(y)) for x, y in places]
