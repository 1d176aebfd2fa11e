"""What a scene and a round take in memory."""

from collections.abc import Iterator

import torch

from seemkit.benchmark.many import MANY
from seemkit.benchmark.peak import peak_bytes
from seemkit.benchmark.report import Case, Measured, Ratio
from seemkit.benchmark.rounds import point
from seemkit.benchmark.subject import Subject
from seemkit.prompting.prompt import Prompt

__all__ = ["measure_memory"]


def measure_memory(subject: Subject) -> Iterator[Case]:
    """A scene with and without whole mask features, and the peak of a click and of many objects."""
    scene = subject.scene
    ours = sum(x.numel() * x.element_size() for x in (*scene.levels, scene.fine))
    levels, features = subject.reference
    theirs = sum(x.numel() * x.element_size() for x in levels)
    whole = features.numel() * features.element_size()
    subject.say("memory: scene")
    yield Case(
        group="memory",
        name="scene",
        about="What is kept of a photo between calls, without the decoder's keys and values.",
        paths=[
            Measured(name="seemkit", about="levels, and the map that mask features are made of", bytes=ours),
            Measured(
                name="plain",
                about="levels, that map and whole mask features",
                bytes=theirs + whole + _size(scene.fine),
            ),
        ],
        ratios=[_less("seemkit", ours, "plain", theirs + whole + _size(scene.fine))],
    )
    subject.model.segment(scene, point(subject, 0.4, 0.45))  # the scene is prepared
    one = [point(subject, 0.4, 0.45)]
    many = [point(subject, 0.1 + 0.008 * k, 0.5, str(k)) for k in range(MANY)]
    paths = [_peak(subject, "1 object", one), _peak(subject, f"{MANY} objects", many)]
    yield Case(group="memory", name="round", about="A call on a prepared scene.", paths=paths)


def _less(of: str, mine: int, to: str, other: int) -> Ratio:
    return Ratio(of=of, to=to, value=mine / other, what="bytes")


def _size(x: torch.Tensor) -> int:
    return x.numel() * x.element_size()


def _peak(subject: Subject, name: str, prompts: list[Prompt]) -> Measured:
    def run() -> None:
        subject.model.segment(subject.scene, prompts)

    subject.say(f"memory: {name}")
    peak = peak_bytes(run, subject.device)
    return Measured(name=name, about="peak of one call over what was there before", bytes=peak)
