"""The recipe of the published training, on made pictures in the layout of COCO, with a decoder of a few weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from seemkit.training.recipe import load_recipe
from seemkit.training.sources import open_sources
from seemkit.training.train import train

THING, STUFF = 70_000, 300


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Four pictures with panoptic segments, LVIS masks and phrases, named as the recipe names them."""
    root = tmp_path / "coco"
    for name in ("annotations", "train2017", "panoptic_train2017"):
        (root / name).mkdir(parents=True)
    images, panoptic, lvis, phrases = [], [], [], []
    for number in range(4):
        ids = np.full((64, 96), STUFF, np.int32)
        top, left = 8 + 4 * number, 10 + 9 * number
        ids[top : top + 24, left : left + 30] = THING
        encoded = np.stack([ids >> shift & 255 for shift in (0, 8, 16)], -1).astype(np.uint8)
        name = f"{number:012d}"
        Image.fromarray(encoded).save(root / "panoptic_train2017" / f"{name}.png")
        photo = np.where((ids == THING)[..., None], (200, 60, 60), (90, 110, 160)).astype(np.uint8)
        Image.fromarray(photo).save(root / "train2017" / f"{name}.jpg")
        box = [left, top, 30, 24]
        corners = [[left, top, left + 30, top, left + 30, top + 22, left, top + 22]]
        images.append({"id": number, "file_name": f"{name}.jpg", "height": 64, "width": 96})
        parts = [{"id": THING, "category_id": 1, "bbox": box}, {"id": STUFF, "category_id": 2}]
        panoptic.append({"image_id": number, "file_name": f"{name}.png", "segments_info": parts})
        lvis.append({"image_id": number, "bbox": box, "segmentation": corners})
        sentences = [{"raw": "the red box"}, {"raw": "box on the left"}]
        phrases.append({"id": number, "image_id": number, "segmentation": corners, "sentences": sentences})
    categories = [{"id": 1, "name": "box", "isthing": 1}, {"id": 2, "name": "sky", "isthing": 0}]
    files = {
        "panoptic_train2017_filtrefgumdval_filtvlp": {"annotations": panoptic, "categories": categories},
        "coco_train2017_filtrefgumdval_lvis": {"annotations": lvis},
        "grounding_train2017_filtrefgumdval_filtvlp": {"annotations": phrases},
    }
    for name, data in files.items():
        (root / "annotations" / f"{name}.json").write_text(json.dumps({"images": images, **data}))
    return root


SMALL: dict[str, Any] = {
    "model.weights": "none", "data.size": 64, "data.objects": 3, "objective.points": {"matching": 100, "loss": 60},
    "run.steps": 3, "run.batch": 4, "run.precision": "float32", "run.workers": 0, "run.pictures": 0, "run.log": 1,
    "run.tensorboard": False, "run.device": "cpu", "data.augment.smallest": 1,
}  # fmt: skip


def test_it_reads_cocos_layout_and_learns_from_all_groups(
    coco: Path, tmp_path: Path, assembly: Callable[..., dict[str, Any]], one_thread: None
) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump({"seemkit": 1, **assembly("seem_v1")}))
    recipe = load_recipe("seem", {**SMALL, "model.assembly": str(path)}, data=coco)
    panoptic, phrases = open_sources(recipe)
    thing = panoptic.train.read(panoptic.train.keys[0]).loaded().objects[0]
    assert thing.read_mask().sum() == 30 * 22, "LVIS's mask, two rows smaller than the segment"
    assert phrases.train.read(phrases.train.keys[0]).objects[0].phrases == ("the red box", "box on the left")
    trained = train(recipe, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    seen = {name for line in lines for name, value in line.items() if value}
    assert {"visual_choice", "text_choice", "object_name", "object_bce"} <= seen
    assert not any(name.startswith("label") for name in seen)
    assert trained.outcome.faults == ()

    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    moved = {name.partition(".")[0] for name in state["average"]}
    assert moved == {"decoder", "heads", "prompts"}, (
        "encoders, with the temperature, and pixel decoder are frozen"
    )
