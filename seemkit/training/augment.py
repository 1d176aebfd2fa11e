"""Random views of samples: zoom, crop, mirror and colour by torchvision's transforms, with seeds of their own."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision import tv_tensors
from torchvision.transforms import v2

from seemkit.data.sample import Sample, SampleObject
from seemkit.training.recipe.sections import AugmentSection
from seemkit.training.view import Target, View
from seemkit.training.zoom import Zoom

__all__ = ["Augment", "mirror_text", "texts_of"]

TRIES = 8
"""So often a view is drawn until it shows an object that is large enough."""
_SIDES = {"left": "right", "right": "left"}


class Augment:
    """Makes views of samples.

    Args:
        options: how.
        size: S, side of the canvas in pixels.
        count: n, how many objects of a view are asked for.
        stuff: whether stuff is asked for too.
        nearness: k, how many times as large as the canvas a closer look wants the picture; 0 for none.
    """

    def __init__(
        self, options: AugmentSection, size: int, count: int, *, stuff: bool = True, nearness: int = 0
    ) -> None:
        self.options = options
        self.size = size
        self.count = count
        self.stuff = stuff
        self.nearness = nearness
        amount, times = options.colour, max(nearness, 1)
        self.zoom = Zoom((size, size), options.zoom, times)
        self.still = Zoom((size, size), (1.0, 1.0), times)
        jitter = v2.ColorJitter(brightness=amount, contrast=amount, saturation=amount)
        self.colour = v2.RandomApply([jitter], p=options.coloured if amount else 0.0)

    def view(self, sample: Sample, seed: int, source: int = 0) -> View | None:
        """A view of a loaded sample; None if it has no object that can be seen. The same seed, the same view."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._view(sample, np.random.default_rng(seed), source, None)

    def again(self, sample: Sample, first: View, seed: int) -> View | None:
        """Another view of the same sample that shows all objects that `first` asks for; None if none was drawn."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            wanted = [target.place for target in first.asked]
            return self._view(sample, np.random.default_rng(seed), first.source, wanted)

    def _view(
        self, sample: Sample, rng: np.random.Generator, source: int, wanted: Sequence[int] | None
    ) -> View | None:
        objects = [(place, each) for place, each in enumerate(sample.objects) if not each.is_crowd]
        stacked = np.stack([_array(each) for _, each in objects]) if objects else np.zeros((0, 1, 1), bool)
        image = tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(sample.image)).permute(2, 0, 1))
        asked = [
            k
            for k, (place, each) in enumerate(objects)
            if (place in wanted if wanted is not None else self.stuff or each.is_thing) and stacked[k].any()
        ]
        if not asked:
            return None
        ignore = _ignored(sample)
        layers = stacked if ignore is None else np.concatenate((stacked, ignore[None]))
        masks = tv_tensors.Mask(torch.from_numpy(layers.astype(np.uint8)))
        smallest = self.options.smallest
        for attempt in range(2 * TRIES):
            zoom = self.zoom if attempt % TRIES < TRIES - 1 else self.still
            smallest = smallest if attempt < TRIES else 1
            zoom.focus = asked
            zoomed, seen = zoom(image, masks)
            shown = _areas(seen)
            visible = [k for k in asked if shown[k] >= smallest]
            if visible and (wanted is None or len(visible) == len(asked)):
                break
        else:
            return None
        mirrored = rng.random() < self.options.flip
        height, width = zoom.valid
        pixels = self.colour(zoomed).permute(1, 2, 0).numpy().copy()
        stack = seen.numpy().astype(bool)
        if mirrored:
            bottom, right = zoom.times * height, zoom.times * width
            pixels[:bottom, :right] = pixels[:bottom, :right][:, ::-1].copy()
            stack[:, :height, :width] = stack[:, :height, :width][:, :, ::-1].copy()
        kept = [
            k for k in range(len(objects)) if shown[k] >= (smallest if k in asked else self.options.smallest)
        ]
        texts = texts_of([each for _, each in objects])
        targets = tuple(
            Target(
                stack[k],
                objects[k][0],
                objects[k][1].name,
                tuple(map(mirror_text, texts[k])) if mirrored else texts[k],
                objects[k][1].key,
            )
            for k in kept
        )
        if wanted is None:
            order = [int(k) for k in rng.permutation([kept.index(k) for k in visible])]
            chosen = tuple(order[i % len(order)] for i in range(self.count))
        else:
            at = {target.place: index for index, target in enumerate(targets)}
            chosen = tuple(at[place] for place in wanted)
        complete = sample.complete and all(target.name is not None for target in targets)
        blank = None if ignore is None else stack[-1]
        photo = pixels if self.nearness else None
        image = _shrunk(pixels, zoom.times)
        return View(image, (height, width), targets, chosen, source, complete, sample.key, blank, photo)


def texts_of(objects: Sequence[SampleObject]) -> list[tuple[str, ...]]:
    """What refers to each object alone: its phrases, and its name if no other object has it."""
    names = Counter(each.name for each in objects)
    return [
        (*each.phrases, *((each.name,) if each.name is not None and names[each.name] == 1 else ()))
        for each in objects
    ]


def mirror_text(text: str) -> str:
    """The text for the mirrored picture: left and right change places."""
    return re.sub(r"\b(left|right)\b", lambda found: _SIDES[found[0].lower()], text, flags=re.IGNORECASE)


def _shrunk(pixels: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """Pixels (k S, k S, 3) to the means (S, S, 3) of k x k of them."""
    if times == 1:
        return pixels
    side = pixels.shape[0] // times
    means = pixels.reshape(side, times, side, times, 3).mean((1, 3), dtype=np.float32)
    shrunk: NDArray[np.uint8] = (means + 0.5).astype(np.uint8)
    return shrunk


def _array(each: SampleObject) -> NDArray[np.bool_]:
    assert isinstance(each.mask, np.ndarray), "the sample is loaded"
    return each.mask


def _ignored(sample: Sample) -> NDArray[np.bool_] | None:
    """Pixels that count neither way: those that the data set says, and its crowds."""
    given = [each.read_mask() for each in sample.objects if each.is_crowd]
    said = sample.read_ignore()
    if said is not None:
        given.append(said)
    return np.any(np.stack(given), axis=0) if given else None


def _areas(masks: Any) -> list[int]:
    found: list[int] = masks.flatten(1).sum(1, dtype=torch.int64).tolist()
    return found
