"""Which tensors of a weights file carry over to another network, and why the others do not: by names and shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seemkit.weights_fit import Shapes, part_of

__all__ = ["Decision", "decide", "group", "part_label"]

IMAGE, TEXT = "image_encoder.", "text_encoder."
BRIDGES = {
    IMAGE: ("pixel_decoder.lateral.", "pixel_decoder.in_proj.", "pixel_decoder.meaning."),
    TEXT: ("heads.class_proj", "heads.seen.", "prompts.phrase.", "prompts.conditioning.phrase."),
}
"""What reads the maps of the image encoder, and what goes to or from the text encoder's space."""
NAMES = {IMAGE: "image encoder", TEXT: "text encoder"}


@dataclass(frozen=True)
class Decision:
    """What becomes of every tensor.

    Attributes:
        taken: names that the network gets from the file.
        foreign: names of prompt plugins that are not installed, which stay in the file.
        untrained: names of the network that the file has nothing for, and why.
        left: names of the file that are not carried, and why.
    """

    taken: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    untrained: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)


def decide(
    own: Shapes, given: Shapes, *, stored_elsewhere: tuple[str, ...] = (), same_text: bool = True
) -> Decision:
    """Hold the tensors of a file against the parameters of a network.

    An encoder is carried whole or not at all, for a half of it computes nothing, and so is the learned part of a
    prompt type. What reads the maps of an image encoder, or goes to the space of a text encoder, means nothing with
    another. Anything else carries over where name and shape are the same.

    Args:
        own: of the network.
        given: of the file.
        stored_elsewhere: prefixes of parameters that come with a plugin and are in no file.
        same_text: False if the text encoders are known to differ, though their parameters may look alike.
    """
    apart = {
        whole: f"of another {NAMES[whole]}"
        for whole in BRIDGES
        if not _fits(own, given, whole, stored_elsewhere) or (whole == TEXT and not same_text)
    }
    installed = {part for name in own if (part := part_of(name))}
    broken = {
        part
        for part in installed
        if not _fits(own, given, f"prompts.{part}.", stored_elsewhere)
        and any(name.startswith(f"prompts.{part}.") for name in given)
    }
    widths = "heads.class_proj"  # (C, D), which the learned parts of prompts are made for
    same_widths = tuple(own.get(widths, ())) == tuple(given.get(widths, ()))
    absent = [name for name in given if (part := part_of(name)) and part not in installed]
    foreign = tuple(absent) if same_widths else ()
    taken: list[str] = []
    untrained: dict[str, str] = {}
    left: dict[str, str] = {}
    for name in own:
        if name.startswith(stored_elsewhere or ("\0",)):
            continue
        why = _why_not(name, own, given, apart, broken)
        if why:
            untrained[name] = why
        else:
            taken.append(name)
    for name in given:
        if name in foreign or name in taken:
            continue
        left[name] = "made for other widths" if name in absent else _why_not(name, own, given, apart, broken)
    return Decision(tuple(taken), foreign, untrained, left)


def _fits(own: Shapes, given: Shapes, prefix: str, stored_elsewhere: tuple[str, ...]) -> bool:
    """Whether a whole part is there, with the same names and shapes."""
    mine, theirs = (
        {
            name: tuple(shapes[name])
            for name in shapes
            if name.startswith(prefix) and not name.startswith(stored_elsewhere or ("\0",))
        }
        for shapes in (own, given)
    )
    return mine == theirs


def _why_not(name: str, own: Shapes, given: Shapes, apart: Mapping[str, str], broken: set[str]) -> str:
    """Why a tensor is not carried; empty if it is."""
    for whole, why in apart.items():
        if name.startswith((whole, *BRIDGES[whole])):
            return why
    if (part := part_of(name)) in broken:
        return f"the learned part of {str(part).replace('.', '/')!r} has changed"
    if name not in own:
        return "the assembly has no such parameter"
    if name not in given:
        return "the file has no such parameter"
    if tuple(own[name]) != tuple(given[name]):
        return f"shape {_show(given[name])} in the file, {_show(own[name])} expected"
    return ""


def _show(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def group(names: Mapping[str, str]) -> Iterator[tuple[str, str, list[str]]]:
    """Part, reason and names of what shares both, in order of first mention."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, why in names.items():
        found.setdefault((part_label(name), why), []).append(name)
    for (part, why), some in found.items():
        yield part, why, some


def part_label(name: str) -> str:
    """The part of the network that a parameter belongs to, as reports show it."""
    first, *rest = name.split(".")
    if f"{first}." in BRIDGES or not rest:
        return first
    second = rest[0]
    numbered = len(rest) > 1 and rest[1].isdigit()
    return f"{first}.{second}.{rest[1]}" if numbered else f"{first}.{second}"
