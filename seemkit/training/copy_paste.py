"""Objects of one picture pasted on another: Ghiasi et al., Simple Copy-Paste, CVPR 2021."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision import tv_tensors

from seemkit.data.mask_source import read_mask
from seemkit.data.sample import Sample, SampleObject
from seemkit.training.zoom import Zoom

__all__ = ["copy_paste"]


def copy_paste(
    onto: Sample,
    other: Sample,
    seed: int,
    smallest: int = 24,
    sizes: tuple[float, float] = (0.5, 1.5),
) -> Sample:
    """`onto` with some of the things of `other` in front of it; both are loaded.

    What they cover is no longer part of what was there; an object of fewer than `smallest` pixels after that is gone.
    Phrases go, for what referred to one object may now refer to two.

    Args:
        onto: what is pasted on.
        other: what is copied from, brought to so many times the size of `onto` as is drawn, and put anywhere on it.
        seed: of what is drawn.
        smallest: in pixels.
        sizes: between which the size is drawn.
    """
    rng = np.random.default_rng(seed)
    things = [each for each in other.objects if each.is_thing and not each.is_crowd]
    chosen = [each for each in things if rng.random() < 0.5] or things[:1]
    if not chosen:
        return onto
    below = np.asarray(onto.image)
    height, width = below.shape[:2]
    zoom = Zoom((height, width), sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        image = tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(other.image)).permute(2, 0, 1))
        masks = tv_tensors.Mask(
            torch.from_numpy(np.stack([each.read_mask() for each in chosen]).view(np.uint8))
        )
        placed, moved = zoom(image, masks)
    shift = [
        int(rng.integers(room - size + 1)) for room, size in zip((height, width), zoom.valid, strict=True)
    ]
    placed, moved = (x.roll(shift, (-2, -1)) for x in (placed, moved))  # from the corner to anywhere
    stack = moved.numpy().astype(bool)
    pasted = [replace(each, mask=mask, phrases=()) for each, mask in zip(chosen, stack, strict=True)]
    pasted = [each for each in pasted if each.read_mask().sum() >= smallest]
    if not pasted:
        return onto
    front = np.any(np.stack([each.read_mask() for each in pasted]), axis=0)
    pixels = np.where(front[..., None], placed.permute(1, 2, 0).numpy(), below)
    behind = [_uncovered(each, front) for each in onto.objects]
    left = [each for each in behind if each.read_mask().sum() >= smallest]
    return replace(
        onto,
        image=pixels,
        objects=(*left, *pasted),
        ignore=None if onto.ignore is None else read_mask(onto.ignore) & ~front,
        complete=onto.complete and other.complete,
    )


def _uncovered(each: SampleObject, front: NDArray[np.bool_]) -> SampleObject:
    return replace(each, mask=each.read_mask() & ~front, phrases=(), box=None, area=None)
