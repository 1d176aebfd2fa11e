"""What a scene and a round take in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from torch import Tensor

from seemkit.benchmark.many import MANY
from seemkit.benchmark.peak import peak_bytes
from seemkit.benchmark.reference_click import reference_click
from seemkit.benchmark.reference_features import reference_features
from seemkit.benchmark.report import Case, Measured, Ratio
from seemkit.benchmark.rounds import point, points_of
from seemkit.benchmark.subject import Subject

__all__ = ["measure_memory"]


def measure_memory(subject: Subject) -> Iterator[Case]:
    """What is kept of a photo, and the peaks of encoding, of a click and of many objects."""
    subject.say("memory: scene")
    yield _scene(subject)
    yield _encoding(subject)
    yield _round(subject)


def _scene(subject: Subject) -> Case:
    scene, (levels, features) = subject.scene, subject.reference
    ours, published = _size(scene.maps.values()), _size((*levels, features))
    kept = _size((*subject.prepared.small, *subject.prepared.keys, *subject.prepared.values))
    paths = [
        Measured(name="seemkit", about="levels, and the map that mask features are made of", bytes=ours),
        Measured(name="as published", about="levels and whole mask features", bytes=published),
        Measured(
            name="all three",
            about="as after everything mode, which wants all masks",
            bytes=ours + _size([features]),
        ),
        Measured(
            name="prepared", about="keys, values and small mask features, for four scenes at most", bytes=kept
        ),
    ]
    return Case(
        group="memory",
        name="scene",
        about="What is kept of a photo between calls; the last is the decoder's, never saved and made anew if need be.",
        paths=paths,
        ratios=[_compare(paths, "seemkit", "as published"), _compare(paths, "seemkit", "all three")],
    )


def _encoding(subject: Subject) -> Case:
    model, network = subject.model, subject.network
    paths = [
        _peak(subject, "seemkit", "a photo to a scene", lambda: model.encode(subject.pixels)),
        _peak(
            subject,
            "reference",
            "with whole mask features",
            lambda: reference_features(network, subject.image),
        ),
    ]
    return Case(
        group="memory",
        name="encoding",
        about="The most that encoding a photo takes on top of the weights.",
        paths=paths,
        ratios=[_compare(paths, "seemkit", "reference")],
    )


def _round(subject: Subject) -> Case:
    model, scene, (levels, features) = subject.model, subject.scene, subject.reference
    one = point(subject, 0.4, 0.45)
    points = points_of(subject, [one])
    many = [point(subject, 0.1 + 0.008 * k, 0.5, str(k)) for k in range(MANY)]
    model.segment(scene, one)  # the scene is prepared, and caches are full
    paths = [
        _peak(subject, "1 object", "a call", lambda: model.segment(scene, one)),
        _peak(
            subject,
            "1 object, reference",
            "the decoder as published",
            lambda: reference_click(subject.network, levels, features, points),
        ),
        _peak(subject, f"{MANY} objects", "one call", lambda: model.segment(scene, many)),
    ]
    height, width = scene.size
    return Case(
        group="memory",
        name="round",
        about="The most that a first click on a prepared scene takes on top of what was there before.",
        paths=paths,
        ratios=[_compare(paths, "1 object", "1 object, reference")],
        notes=[f"Of {MANY} objects the masks alone are {MANY * height * width / 1e6:,.1f} MB."],
    )


def _peak(subject: Subject, name: str, about: str, run: Callable[[], object]) -> Measured:
    subject.say(f"memory: {name}")
    return Measured(name=name, about=about, bytes=peak_bytes(run, subject.device))


def _size(tensors: Iterable[Tensor]) -> int:
    return sum(x.numel() * x.element_size() for x in tensors)


def _compare(paths: Sequence[Measured], of: str, to: str) -> Ratio:
    found = {path.name: path.bytes or 0 for path in paths}
    return Ratio(of=of, to=to, value=found[of] / found[to], what="bytes")
