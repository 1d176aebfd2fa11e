"""The steps of the demo: prompts and a title each, from a known photo's data or from a mask of any photo."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seemkit.demo.photos import MIRRORED, Photo, find_file
from seemkit.errors import SeemkitError
from seemkit.geometry.grid import Grid
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.prompting.read import prompt_types, read_prompt

__all__ = ["LeftOut", "Step", "correction", "known_steps", "reference_step", "simulated_steps", "word_steps"]

STRAY = 16
"""Pixels of the smallest part of a mask that is worth a click."""


@dataclass(frozen=True)
class Step:
    """What is asked at once, and what a second round adds.

    Attributes:
        title: of the tile.
        prompts: of the first round.
        then: of the second round; empty if there is none.
    """

    title: str
    prompts: tuple[Prompt, ...]
    then: tuple[Prompt, ...] = ()

    @property
    def types(self) -> set[str]:
        """The JSON types of its prompts."""
        return {prompt.type_name() for prompt in (*self.prompts, *self.then)}


@dataclass(frozen=True)
class LeftOut:
    """What the sheet does not show, and why."""

    title: str
    reason: str


def known_steps(photo: Photo, pixels: NDArray[np.uint8]) -> Iterator[Step | LeftOut]:
    """The steps of a photo (H, W, 3) that the demo knows; those of types that cannot be used are left out."""
    usable = prompt_types()
    for asked in photo.asked:
        missing = {str(data["type"]) for data in (*asked.prompts, *asked.then)} - set(usable)
        if missing:
            yield LeftOut(asked.title, f"no usable plugin provides {' and '.join(sorted(missing))}")
            continue
        try:
            yield Step(asked.title, _read_all(asked.prompts, pixels), _read_all(asked.then, pixels))
        except SeemkitError as error:  # the photo that a reference points into is not there
            yield LeftOut(asked.title, str(error))


def simulated_steps(
    mask: NDArray[np.bool_], shown: Collection[str], rng: np.random.Generator
) -> Iterator[Step | LeftOut]:
    """What a user could give for the object `mask`: a step for each spatial type not yet `shown`."""
    for name, kind in prompt_types().items():
        if name in shown or not issubclass(kind, SpatialPrompt):
            continue
        try:
            prompt = kind.simulate(mask, rng)
        except Exception as error:  # of a plugin
            yield LeftOut(name, f"its plugin raised {type(error).__name__} when it simulated a user")
            continue
        if prompt is not None:
            yield Step(f"{name}, simulated", (prompt,))


def word_steps(words: str, shown: Collection[str]) -> Iterator[Step]:
    """A step for each installed type that puts an object into words and was not `shown`."""
    for name, kind in prompt_types().items():
        if name not in shown and issubclass(kind, TokenPrompt) and kind.draw == "text":
            yield Step(f"{name}: {words}", (kind.parse(words),))


def reference_step(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], shown: Collection[str]
) -> Iterator[Step]:
    """Look for the object `mask` as it looks in the mirrored photo, if a reference can be given."""
    if "reference" not in shown and {"reference", "mask"} <= set(prompt_types()):
        region = {"type": "mask", "mask": mask[:, ::-1]}
        data = {"type": "reference", "image": _mirror(pixels), "prompts": [region]}
        yield Step("a region of the photo, mirrored", (read_prompt(data),))


def correction(mask: NDArray[np.bool_], prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """A click that corrects a mask (H, W) whose truth nobody knows.

    A part of the mask that none of the prompts touches is clicked away; without one, the innermost pixel of
    what they touch is clicked once more.
    """
    from scipy import ndimage

    parts, count = ndimage.label(mask)
    if count == 0 or "point" not in prompt_types():
        return ()
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    meant = _parts_meant(parts, sizes, prompts)
    stray = [part for part in np.argsort(-sizes, kind="stable") if part not in meant and sizes[part] >= STRAY]
    chosen = parts == stray[0] if stray else np.isin(parts, sorted(meant))
    depth = ndimage.distance_transform_edt(np.pad(chosen, 1))[1:-1, 1:-1]
    row, column = divmod(int(depth.argmax()), mask.shape[1])
    return (read_prompt({"type": "point", "x": column + 0.5, "y": row + 0.5, "include": not stray}),)


def _parts_meant(parts: NDArray[np.int32], sizes: NDArray[np.int64], prompts: Sequence[Prompt]) -> set[int]:
    """The parts of a mask that prompts touch, or the largest if they touch none."""
    height, width = parts.shape
    grid = Grid(height, width, image=(height, width))
    spatial = [prompt for prompt in prompts if isinstance(prompt, SpatialPrompt) and prompt.include]
    touched = {int(part) for prompt in spatial for part in np.unique(parts[prompt.region(grid).mask])} - {0}
    return touched or {int(sizes.argmax())}


def _read_all(given: Sequence[Mapping[str, object]], pixels: NDArray[np.uint8]) -> tuple[Prompt, ...]:
    return tuple(read_prompt(_with_image(data, pixels)) for data in given)


def _with_image(data: Mapping[str, object], pixels: NDArray[np.uint8]) -> Mapping[str, object]:
    image = data.get("image")
    if not isinstance(image, str):
        return data
    return {**data, "image": _mirror(pixels) if image == MIRRORED else str(find_file(image))}


def _mirror(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels[:, ::-1])
