"""Sheets of predictions: the same few pictures again and again, what is true beside what is answered."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seemkit.imaging.overlay import Layer, draw_overlay
from seemkit.imaging.palette import colour
from seemkit.imaging.sheet import sheet
from seemkit.training.measure import play
from seemkit.training.objective import Objective
from seemkit.training.view import View

__all__ = ["draw_gallery"]

CLICKS = (1, 3)
"""Answers after so many clicks are shown."""


def draw_gallery(objective: Objective, views: Sequence[View], heading: str) -> Image.Image:
    """One row for each view: its objects, and the answers after one click and after three."""
    network = objective.network
    was = network.training
    network.eval()
    try:
        tiles = [tile for view in views for tile in _row(objective, view)]
    finally:
        network.train(was)
    return sheet(tiles, 1 + len(CLICKS), tile=240, heading=heading)


def _row(objective: Objective, view: View) -> list[tuple[str, Image.Image]]:
    height, width = view.valid
    photo = view.image[:height, :width]
    truth = [view.targets[index].mask for index in dict.fromkeys(view.chosen)]
    tiles = [(view.key, _draw(photo, truth))]
    for turn, seen in enumerate(play(objective, view, max(CLICKS)), 1):
        if turn in CLICKS:
            tiles.append((f"{turn} click{'s' * (turn > 1)}", _draw(photo, seen.masks)))
    return tiles


def _draw(photo: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> Image.Image:
    height, width = photo.shape[:2]
    layers = [Layer(mask[:height, :width], colour(place)) for place, mask in enumerate(masks)]
    return draw_overlay(photo, layers, labels=False)
