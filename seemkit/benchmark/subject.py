"""What is measured: a model, one photo, and how often each path runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seemkit.benchmark.flops import count_flops
from seemkit.benchmark.machine import load_average
from seemkit.benchmark.reference_features import reference_features
from seemkit.benchmark.report import Case, Figure, Measured
from seemkit.benchmark.timing import WARMUP, interleave

if TYPE_CHECKING:
    from seemkit.network.network import Network
    from seemkit.network.prepared import PreparedScene
    from seemkit.pipeline.model import Model
    from seemkit.scene import Scene

__all__ = ["Path", "Subject", "make_photo"]


class Path(NamedTuple):
    """One way to compute something: what to run, and what it does in a few words."""

    run: Callable[[], object]
    about: str = ""


@dataclass
class Subject:
    """One model on one photo.

    Attributes:
        model: the model.
        pixels: (H, W, 3) uint8, which the network takes without resizing it.
        repeats: runs of each path that count.
        count: whether floating-point operations are counted, in one more run of each path.
        say: is told what goes on.
        asked: side of the photo in pixels, if one was asked for.
    """

    model: Model
    pixels: NDArray[np.uint8]
    repeats: int = 5
    count: bool = True
    say: Callable[[str], None] = field(default=lambda _: None)
    asked: int | None = None

    @property
    def network(self) -> Network:
        """The weights."""
        return self.model.network

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.device

    @cached_property
    def scene(self) -> Scene:
        """The photo, encoded."""
        self.say("encoding the photo")
        return self.model.encode(self.pixels)

    @cached_property
    def image(self) -> Tensor:
        """The input of the network (1, 3, H, W)."""
        preprocess = self.model.preprocess
        tensor = preprocess.normalise(preprocess.resize(self.pixels))
        return tensor[None].to(self.network.decoder.level_embed)

    @cached_property
    def prepared(self) -> PreparedScene:
        """What the decoder makes of the scene."""
        return self.model.prepare(self.scene)

    @cached_property
    def reference(self) -> tuple[tuple[Tensor, ...], Tensor]:
        """Levels and whole mask features by the reference path."""
        self.say("encoding the photo by the reference path")
        with torch.no_grad():
            return reference_features(self.network, self.image)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the padded input."""
        height, width = self.image.shape[-2:]
        return height, width

    def case(
        self,
        group: str,
        name: str,
        about: str,
        paths: Mapping[str, Path],
        *,
        repeats: int | None = None,
        warmup: int = WARMUP,
        count: bool | None = None,
        notes: list[str] | None = None,
        figures: list[Figure] | None = None,
    ) -> Case:
        """Time paths side by side, without gradients.

        Args:
            group: the word of the command.
            name: of the case.
            about: what is computed, in a sentence.
            paths: by name.
            repeats: at most so many, where a path takes long.
            warmup: runs of each path before the clock counts.
            count: whether floating-point operations are counted; as the subject says by default.
            notes: what a reader has to know.
            figures: numbers that are no times.
        """
        self.say(f"{group}: {name}")
        times = self.repeats if repeats is None else min(repeats, self.repeats)
        with torch.no_grad():
            counted: dict[str, int | None] = dict.fromkeys(paths)
            if self.count if count is None else count:  # this run warms up as well
                counted = {key: count_flops(path.run) for key, path in paths.items()}
            seconds = interleave(
                {key: path.run for key, path in paths.items()},
                repeats=times,
                warmup=warmup,
                device=self.device,
            )
        measured = [
            Measured(name=key, about=path.about, seconds=seconds[key], flops=counted[key] or None)
            for key, path in paths.items()
        ]
        return Case(
            group=group,
            name=name,
            about=about,
            paths=measured,
            notes=notes or [],
            figures=figures or [],
            load=load_average(),
        )


def make_photo(size: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of smooth shapes and fine texture, the same every time."""
    height, width = size
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32) / max(height, width)
    picture = np.zeros((height, width, 3), np.float32)
    for _ in range(12):
        cx, cy, radius = random.random(3) * (1, 1, 0.3) + (0, 0, 0.03)
        beyond = ((x - cx) ** 2 + (y - cy) ** 2 - radius**2) * 900
        inside = 1 / (1 + np.exp(np.minimum(beyond, 80)))  # of the float32 range
        picture += inside[..., None] * (random.random(3) - 0.5)
    picture += 0.1 * np.sin(x * 251 + y * 97)[..., None] + random.normal(0, 0.03, picture.shape)
    return np.asarray(np.clip((picture + 0.5) * 255, 0, 255), np.uint8)
