"""Zoom, crop and place a picture on a canvas, as a transform of torchvision; masks stay smooth and keep an object.

Source: large-scale jittering with a fixed-size crop (Ghiasi et al., Simple Copy-Paste, CVPR 2021), cropped around an
object that is asked for.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

__all__ = ["Zoom"]

GREY = 128
"""What the canvas holds where the picture is not."""


class Zoom(v2.Transform):  # type: ignore[misc]
    """Resize by a drawn factor, crop what does not fit around an object, pad right and bottom.

    It draws from torch's generator, as all transforms of torchvision do.

    Attributes:
        valid: (height, width) of the picture on the canvas that came last.
        focus: which masks the next crop may be made around; None for any.

    Args:
        canvas: (height, width) of the result, in pixels.
        zoom: the longer side becomes between so many and so many times what just fits.
        times: pictures, not masks, come out so many times as large as that.
    """

    def __init__(self, canvas: tuple[int, int], zoom: tuple[float, float], times: int = 1) -> None:
        super().__init__()
        self.canvas = canvas
        self.zoom = zoom
        self.times = times
        self.valid = canvas
        self.focus: Sequence[int] | None = None

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the factor, and a pixel of a mask that the crop keeps."""
        height, width = flat_inputs[0].shape[-2:]
        masks = next((x for x in flat_inputs if isinstance(x, tv_tensors.Mask)), None)
        low, high = self.zoom
        factor = float(torch.empty(1).uniform_(low, high))
        scale = factor * min(self.canvas[0] / height, self.canvas[1] / width)
        if masks is not None and self.focus is not None:
            masks = masks[list(self.focus)]
        centre = _pixel_of(masks, height, width)
        window, size = [], []
        for length, room, middle in zip((height, width), self.canvas, centre, strict=True):
            span = min(max(round(room / scale), 1), length)
            begin = middle - float(torch.empty(1).uniform_(0.2, 0.8)) * span
            window.append((round(min(max(begin, 0), length - span)), span))
            size.append(min(max(round(span * scale), 1), room))
        self.valid = (size[0], size[1])
        return {"window": window, "size": size}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Crop, resize and pad an image or masks."""
        (top, height), (left, width) = params["window"]
        is_mask = isinstance(inpt, tv_tensors.Mask)
        x: Tensor = inpt.as_subclass(Tensor)
        if is_mask:
            x = x * 255  # resized as grey levels, so that edges stay smooth
        times = 1 if is_mask else self.times
        size, canvas = ([times * side for side in sides] for sides in (params["size"], self.canvas))
        part = v2.functional.resized_crop_image(x, top, left, height, width, size, antialias=True)
        right, bottom = canvas[1] - part.shape[-1], canvas[0] - part.shape[-2]
        fill = 0 if is_mask else GREY
        placed = v2.functional.pad_image(part, [0, 0, right, bottom], fill=fill)
        if is_mask:
            placed = (placed >= 128).to(torch.uint8)
        return tv_tensors.wrap(placed, like=inpt)


def _pixel_of(masks: Tensor | None, height: int, width: int) -> tuple[float, float]:
    """(row, column) of a drawn pixel of a drawn mask; the middle without any."""
    if masks is None or not len(masks):
        return height / 2, width / 2
    inside = masks[int(torch.randint(len(masks), (1,)))].nonzero()
    if not len(inside):
        return height / 2, width / 2
    row, column = inside[int(torch.randint(len(inside), (1,)))].tolist()
    return row + 0.5, column + 0.5
