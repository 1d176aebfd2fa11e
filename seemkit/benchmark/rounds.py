"""A first and a second click on a photo: the fast path against what the original computes."""

from collections.abc import Iterator

import torch

from seemkit.benchmark.click import Clicked, make_points
from seemkit.benchmark.reference_click import reference_click
from seemkit.benchmark.reference_features import reference_features
from seemkit.benchmark.report import Case, Figure
from seemkit.benchmark.subject import Path, Subject
from seemkit.benchmark.work import watch_work
from seemkit.prompting.prompt import Prompt

__all__ = ["measure_rounds", "point"]

CLICK = 9
"""Pixels of the input that a click selects."""
SHARE = 1 / 6
"""A click is to cost at most so much of the reference path's decoder, from this size of the input on."""
LARGE = 1024


def measure_rounds(subject: Subject) -> Iterator[Case]:
    """The first click, the second, and the decoder alone."""
    session = subject.model.session(subject.scene)
    answered = session.add(point(subject, 0.4, 0.45)).result()
    assert answered.logits is not None
    previous = torch.tensor(answered.logits[0]).to(subject.image)
    levels, features = subject.reference
    vocabulary = torch.nn.functional.normalize(torch.randn(134, subject.network.dims.text), dim=-1).to(
        features
    )

    def second() -> None:
        session.add(point(subject, 0.6, 0.5)).result()
        session.undo()

    def reference() -> Clicked:
        return reference_click(subject.network, levels, features, two, previous, vocabulary)

    two = make_points(2 * CLICK, subject.size, features)
    with watch_work(subject.model) as work:
        second()
    case = subject.case(
        "round",
        "second click",
        "A click more on a photo that has been clicked before, whose mask goes in as memory.",
        {
            "seemkit": Path(second, "a round of a session, mask at the size of the photo included"),
            "reference decoder": Path(reference, "the decoder as published, on features that are there"),
        },
        figures=[Figure(name=f"second click: {name}", value=value) for name, value in work.counts().items()],
    )
    target = SHARE if min(subject.size) >= LARGE else None
    yield case.model_copy(update={"ratios": [case.compare("seemkit", "reference decoder", target)]})
    yield _first(subject)


def _first(subject: Subject) -> Case:
    model, one = subject.model, make_points(CLICK, subject.size, subject.image)

    def first() -> None:
        model.segment(model.encode(subject.pixels), point(subject, 0.4, 0.45))

    def reference() -> Clicked:
        levels, features = reference_features(subject.network, subject.image)
        return reference_click(subject.network, levels, features, one)

    case = subject.case(
        "round",
        "first click",
        "A click on a photo that was never seen; the original's demo does this at every click.",
        {
            "seemkit": Path(first, "encode the photo, prepare the scene, answer"),
            "reference": Path(reference, "the whole network as published"),
        },
        repeats=3,
    )
    return case.model_copy(update={"ratios": [case.compare("seemkit", "reference")]})


def point(subject: Subject, x: float, y: float, name: str = "1") -> Prompt:
    """A click at a share of the photo's width and height."""
    from seemkit.prompting.read import read_prompt

    height, width = subject.pixels.shape[:2]
    return read_prompt({"type": "point", "x": x * width, "y": y * height, "object": name})
