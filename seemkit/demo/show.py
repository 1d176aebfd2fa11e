"""Runs the steps of the demo on a photo, times them, and draws one tile each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from seemkit.demo.photos import EVERYDAY, Photo
from seemkit.demo.steps import (
    LeftOut,
    Step,
    correction,
    known_steps,
    reference_step,
    simulated_steps,
    word_steps,
)
from seemkit.errors import SeemkitError
from seemkit.imaging.load import load_image
from seemkit.imaging.overlay import draw_overlay
from seemkit.imaging.sheet import sheet
from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit.prompting.read import read_prompt

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from seemkit.pipeline.model import Model
    from seemkit.result import Result

__all__ = ["Show", "Tile"]


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture of the sheet; with a result and its seconds if it is an answer."""

    title: str
    picture: Image.Image
    result: Result | None = None
    seconds: float = 0.0


class Show:
    """A photo that is shown step by step; it is encoded once, here.

    Args:
        model: that answers.
        pixels: the photo (H, W, 3).
        vocabulary: names for labels; by default those of the model, or everyday ones.
        say: told what is going on.

    Attributes:
        tiles: what the sheet shows.
        left_out: what it does not show, and why.
        encode_seconds: how long the encoder took.
    """

    def __init__(
        self,
        model: Model,
        pixels: NDArray[np.uint8],
        vocabulary: Sequence[str] | None = None,
        say: Callable[[str], object] = str,
    ) -> None:
        self.model = model
        self.pixels = pixels
        self.vocabulary = vocabulary or model.vocabulary or EVERYDAY
        self.tiles: list[Tile] = []
        self.left_out: list[LeftOut] = []
        self._say = say
        start = time.perf_counter()
        self.scene = model.encode(pixels)
        self.scene.fine[0, 0, 0].item()  # an accelerator is done only then
        self.encode_seconds = time.perf_counter() - start

    @property
    def answers(self) -> list[Tile]:
        """The tiles that show a result."""
        return [tile for tile in self.tiles if tile.result is not None]

    @property
    def round_seconds(self) -> float:
        """The median time of a round."""
        return median(tile.seconds for tile in self.answers)

    def run_known(self, photo: Photo) -> None:
        """Show what is asked of a known photo, then spatial types that its data does not know."""
        steps = list(known_steps(photo, self.pixels))
        shown = {name for step in steps if isinstance(step, Step) for name in step.types}
        results = [result for step in steps if (result := self._try(step)) is not None]
        mask = _first_mask(results)
        if mask is not None:
            for step in simulated_steps(mask, shown, np.random.default_rng(0)):
                self._try(step)

    def run_own(self, prompts: Sequence[Prompt]) -> None:
        """Show what prompts give, then what other types could have been given for the same object.

        Args:
            prompts: of the user; without any, a click in the middle.
        """
        height, width = self.scene.size
        middle = {"type": "point", "x": width / 2, "y": height / 2}
        first = tuple(prompts) or (read_prompt(middle),)
        start = Step("your prompts" if prompts else "a click in the middle", first)
        result = self.run(start)
        mask = _first_mask([result])
        if mask is None:
            self.left_out.append(LeftOut("other prompts", "the first gave no mask to follow"))
            return
        words = result.labels[0][0][0] if result.labels[0] else ""
        more = [
            *simulated_steps(mask, start.types, np.random.default_rng(0)),
            *(word_steps(words, start.types) if words else ()),
            *reference_step(self.pixels, mask, start.types),
        ]
        for step in more:
            self._try(step)
        own = [prompt for prompt in first if prompt.object == result.objects[0]]
        again = [p.model_copy(update={"object": own[0].object}) for p in correction(result.masks[0], own)]
        if again:
            self.run(Step(start.title, first, tuple(again)))

    def run(self, step: Step) -> Result:
        """Answer a step, as one round or as two with memory; returns the last result."""
        self._say(step.title)
        for prompt in step.prompts:
            self._show_other_photo(prompt)
        if not step.then:
            return self._answer(step.title, step.prompts)
        session = self.model.session(self.scene, vocabulary=self.vocabulary)
        rounds = ((f"round 1: {step.title}", step.prompts), ("round 2: a correcting click", step.then))
        for title, added in rounds:
            session.add(*added)
            start = time.perf_counter()
            result = session.result()
            self._add(title, result, session.prompts, time.perf_counter() - start)
        return result

    def sheet(self, heading: str) -> Image.Image:
        """The contact sheet of all tiles."""
        count = len(self.tiles)
        columns = min((5, 4, 3), key=lambda c: (-count % c, abs(c - 4)))
        return sheet([(tile.title, tile.picture) for tile in self.tiles], columns, heading=heading)

    def _try(self, step: Step | LeftOut) -> Result | None:
        """Run a step that the user did not ask for; if it cannot be answered it is left out."""
        if isinstance(step, LeftOut):
            self.left_out.append(step)
            return None
        try:
            return self.run(step)
        except SeemkitError as error:
            self.left_out.append(LeftOut(step.title, str(error)))
            return None

    def _answer(self, title: str, prompts: Sequence[Prompt]) -> Result:
        start = time.perf_counter()
        result = self.model.segment(self.scene, prompts, vocabulary=self.vocabulary)
        self._add(title, result, prompts, time.perf_counter() - start)
        return result

    def _add(self, title: str, result: Result, prompts: Sequence[Prompt], seconds: float) -> None:
        self.tiles.append(Tile(title, result.overlay(self.pixels, prompts=prompts), result, seconds))

    def _show_other_photo(self, prompt: Prompt) -> None:
        """A prompt that points into another photo is shown on that first."""
        image, regions = getattr(prompt, "image", None), getattr(prompt, "prompts", ())
        if isinstance(image, str | np.ndarray) and all(isinstance(r, SpatialPrompt) for r in regions):
            picture = draw_overlay(load_image(image), [], prompts=regions)
            self.tiles.append(Tile("where the reference points", picture))


def _first_mask(results: Sequence[Result]) -> NDArray[np.bool_] | None:
    """The first mask that is neither empty nor the whole photo."""
    masks = (np.asarray(mask, np.bool_) for result in results for mask in result.masks)
    return next((mask for mask in masks if mask.any() and not mask.all()), None)
