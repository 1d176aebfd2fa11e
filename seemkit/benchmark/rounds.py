"""A first and a second click on a photo: the fast path against what the original computes."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from seemkit.benchmark.click import Clicked
from seemkit.benchmark.reference_click import reference_click
from seemkit.benchmark.reference_features import reference_features
from seemkit.benchmark.report import Case, Figure
from seemkit.benchmark.subject import Path, Subject
from seemkit.benchmark.work import watch_work
from seemkit.geometry.points import sample_regions
from seemkit.network.sampler import PointBatch, stack_points
from seemkit.prompting.prompt import SpatialPrompt

__all__ = ["measure_rounds", "point"]

SHARE = 1 / 6
"""A click is to cost at most so much of the reference path's decoder, from this size of the input on."""
LARGE = 1024


def measure_rounds(subject: Subject) -> Iterator[Case]:
    """The first click, the second, and the decoder alone."""
    session = subject.model.session(subject.scene)
    clicks = [point(subject, 0.4, 0.45), point(subject, 0.6, 0.5)]
    answered = session.add(clicks[0]).result()
    assert answered.logits is not None
    previous = torch.tensor(answered.logits[0]).to(subject.image)
    levels, features = subject.reference
    vocabulary = torch.nn.functional.normalize(torch.randn(134, subject.network.dims.text), dim=-1).to(
        features
    )

    def second() -> Tensor:
        result = session.add(clicks[1]).result()
        session.undo()
        assert result.logits is not None
        return torch.tensor(result.logits[0])

    def reference() -> Clicked:
        return reference_click(subject.network, levels, features, both, previous, vocabulary)

    both = points_of(subject, clicks)
    with watch_work(subject.model) as work:
        ours = second()
    with torch.no_grad():
        theirs = reference().logits.cpu()
    case = subject.case(
        "round",
        "second click",
        "A click more on a photo that has been clicked before, whose mask goes in as memory.",
        {
            "seemkit": Path(second, "a round of a session, mask at the size of the photo included"),
            "reference decoder": Path(reference, "the decoder as published, on features that are there"),
        },
        figures=[
            *(Figure(name=name, value=value) for name, value in work.counts().items()),
            Figure(name="largest difference of the mask's logits", value=float((ours - theirs).abs().max())),
            Figure(name="root mean square of the logits", value=float(theirs.square().mean().sqrt())),
            Figure(
                name="pixels that differ",
                value=100 * float(((ours > 0) != (theirs > 0)).float().mean()),
                unit="%",
            ),
        ],
    )
    target = SHARE if min(subject.size) >= LARGE else None
    yield case.model_copy(update={"ratios": [case.compare("seemkit", "reference decoder", target)]})
    yield _first(subject)


def _first(subject: Subject) -> Case:
    model, click = subject.model, point(subject, 0.4, 0.45)
    one = points_of(subject, [click])

    def first() -> None:
        model.segment(model.encode(subject.pixels), click)

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


def point(subject: Subject, x: float, y: float, name: str = "1") -> SpatialPrompt:
    """A click at a share of the photo's width and height."""
    from seemkit.prompting.read import read_prompt

    height, width = subject.pixels.shape[:2]
    prompt = read_prompt({"type": "point", "x": x * width, "y": y * height, "object": name})
    assert isinstance(prompt, SpatialPrompt)
    return prompt


def points_of(subject: Subject, prompts: Sequence[SpatialPrompt]) -> PointBatch:
    """What prompts of one object select, as the decoder gets it."""
    scene = subject.scene
    regions = [prompt.region(scene.grid) for prompt in prompts]
    return stack_points([sample_regions(regions)], scene.padded, subject.image)
