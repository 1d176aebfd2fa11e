"""What an ImageNet classifier thinks of the objects in training pictures, as directions in the text space.

The opinion teaches labels where nobody wrote a name. EfficientNet-Lite0 sees the crop of an object with its
surroundings dimmed (two to five points better than grey ones on COCO objects); the text vectors of the ten
names that it finds most likely, weighted by probability, make a target for the class embedding.

``python -m seemkit.training.opinions --data DIR OUT.npz`` runs the classifier on what the recipe `nano-words` is
trained on.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from seemkit.components import TextEncoder
from seemkit.data.sample import Sample
from seemkit.training.packaged import load_classifier
from seemkit.training.recipe import load_recipe
from seemkit.training.sources import open_sources

__all__ = ["Opinions", "class_names", "class_vectors", "classify", "masked_crop", "read_opinions"]

SIZE = 224
SMALLEST = 400
"""An object of fewer pixels gets no opinion."""
TOP = 10


@dataclass(frozen=True, eq=False)
class Opinions:
    """What the classifier said of n objects.

    Attributes:
        keys: of the instances.
        classes: (n, 10) indices of ImageNet classes, most likely first.
        probabilities: (n, 10) of these classes.
    """

    keys: tuple[str, ...]
    classes: NDArray[np.int16]
    probabilities: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write an npz."""
        np.savez(path, keys=self.keys, classes=self.classes, probabilities=self.probabilities)

    @classmethod
    def load(cls, path: Path) -> "Opinions":
        """Read what `save` wrote."""
        with np.load(path) as file:
            keys = tuple(str(key) for key in file["keys"])
            return cls(keys, file["classes"].astype(np.int16), file["probabilities"].astype(np.float32))

    def targets(self, vectors: Tensor) -> dict[str, NDArray[np.float32]]:
        """Unit vectors (D,) by key, from the vectors (1000, D) of the classes."""
        chosen = vectors[torch.from_numpy(self.classes.astype(np.int64))]  # n x 10 x D
        mixed = (torch.from_numpy(self.probabilities)[..., None] * chosen).sum(1)
        rows = functional.normalize(mixed, dim=1).numpy()
        return dict(zip(self.keys, rows, strict=True))

    def names(self, least: float) -> dict[str, str]:
        """What is most likely, in words, by the key of the objects where it is at least so likely."""
        first = self.probabilities[:, 0] >= least
        called = class_names()
        chosen = zip(self.keys, self.classes[:, 0], first, strict=True)
        return {key: called[int(index)][0] for key, index, sure in chosen if sure}


def read_opinions(path: Path, encoder: TextEncoder) -> dict[str, NDArray[np.float32]]:
    """Unit vectors (D,) in the encoder's space by instance key, from a file of opinions."""
    return Opinions.load(path).targets(class_vectors(encoder))


@torch.no_grad()
def class_vectors(encoder: TextEncoder) -> Tensor:
    """(1000, D) unit vectors of the ImageNet classes, each the mean over its synonyms."""
    vectors = []
    for synonyms in class_names():
        phrases = encoder.encode(synonyms)
        each = functional.normalize(torch.stack([phrase.embedding for phrase in phrases]), dim=1)
        vectors.append(functional.normalize(each.mean(0), dim=0))
    return torch.stack(vectors)


def class_names() -> list[list[str]]:
    """The synonyms of each of the 1000 ImageNet classes."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    names = [info.index_to_description(index).split(",") for index in range(info.num_classes())]
    return [[name.strip() for name in synonyms] for synonyms in names]


def masked_crop(
    image: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    *,
    margin: float = 0.1,
    keep: float = 0.3,
    size: int = SIZE,
) -> NDArray[np.uint8]:
    """The square around an object, (size, size, 3), its surroundings faded towards grey.

    Args:
        image: (H, W, 3) RGB.
        mask: (H, W), not empty.
        margin: added on each side, as a share of the longer side of the object's box.
        keep: how much of the surroundings is left, from 0 (grey) to 1.
        size: of the result, in pixels.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    side = max(round(max(bottom - top, right - left) * (1 + 2 * margin)), 1)
    y, x = round((top + bottom - side) / 2), round((left + right - side) / 2)
    y0, x0 = max(y, 0), max(x, 0)
    part = image[y0 : y + side, x0 : x + side]
    chosen = mask[y0 : y + side, x0 : x + side, None]
    faded = (part * keep + 127 * (1 - keep)).astype(np.uint8)
    square = np.full((side, side, 3), 127, np.uint8)
    square[y0 - y : y0 - y + part.shape[0], x0 - x : x0 - x + part.shape[1]] = np.where(chosen, part, faded)
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))


@torch.no_grad()
def classify(
    samples: Iterable[Sample], model: nn.Module, *, batch: int = 32, say: Callable[[str], None] = print
) -> Opinions:
    """Run the classifier on every object of at least 400 pixels that nobody named."""
    keys: list[str] = []
    classes: list[Tensor] = []
    probabilities: list[Tensor] = []
    for group in _batches(samples, batch):
        x = torch.from_numpy(np.stack([crop for _, crop in group])).permute(0, 3, 1, 2).float()
        x = (x - 127) / 128
        top = model(x).softmax(1).topk(TOP, dim=1)
        keys += [key for key, _ in group]
        classes.append(top.indices)
        probabilities.append(top.values)
        if len(classes) % 20 == 0:
            say(f"{len(keys)} objects")
    return Opinions(
        tuple(keys), torch.cat(classes).numpy().astype(np.int16), torch.cat(probabilities).float().numpy()
    )


def _batches(samples: Iterable[Sample], size: int) -> Iterator[list[tuple[str, NDArray[np.uint8]]]]:
    group = []
    for sample in samples:
        unnamed = [each for each in sample.objects if each.name is None]
        if not unnamed:
            continue
        image = sample.read_image()
        for each in unnamed:
            mask = each.read_mask()
            if mask.sum() >= SMALLEST:
                group.append((each.key, masked_crop(image, mask)))
            if len(group) == size:
                yield group
                group = []
    if group:
        yield group


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the opinions on the training photos."""
    parser = argparse.ArgumentParser(prog="python -m seemkit.training.opinions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--recipe", default="nano-words", help="recipe whose data sets are looked at")
    parser.add_argument("out", type=Path, help="npz to write")
    given = parser.parse_args(arguments)
    sources = open_sources(load_recipe(given.recipe, data=given.data))
    samples = (sample for source in sources for sample in source.train.loaded())
    classify(samples, load_classifier()).save(given.out)


if __name__ == "__main__":
    main()
