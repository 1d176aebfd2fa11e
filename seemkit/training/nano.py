"""The recipe of the bundled model: `python -m seemkit.training.nano --data DIR --out DIR`, in resumable stages.

Stage "regions" teaches points, boxes, scribbles, polygons, masks, references and memory at 192 pixels; stage
"words" adds texts, labels and everything mode at 224 pixels; "labels" leans on rare names. The image encoder keeps
its ImageNet weights.
"""

import argparse
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seemkit.assembly import load_assembly
from seemkit.components import TextEncoder
from seemkit.host import registry
from seemkit.network.network import Network
from seemkit.pipeline.build import build_network
from seemkit.prompting.prompt import SpatialPrompt
from seemkit.prompting.read import prompt_types
from seemkit.training.loop import Schedule, train
from seemkit.training.names import name_of_synset
from seemkit.training.objective import Objective, Weights
from seemkit.training.opinions import load_classifier, read_opinions
from seemkit.training.pictures import Picture, held_out, read_coco, read_shard
from seemkit.training.views import View
from seemkit.weights import save_weights

__all__ = ["STAGES", "Stage", "build", "main", "read_pictures"]

MEAN, STD = 127.0, 128.0


@dataclass(frozen=True)
class Stage:
    """One stage of the recipe."""

    name: str
    schedule: Schedule
    shares: tuple[tuple[str, float], ...]
    words: bool = False
    label: float = 0.5


STAGES = (
    Stage(
        "regions",
        Schedule(steps=700, size=192, rate=1e-3, complete_share=0.25),
        (("spatial", 0.8), ("reference", 0.2)),
    ),
    Stage(
        "words",
        Schedule(steps=1150, size=224, pictures=6, rate=1e-3, complete_share=0.4, seed=1),
        (("spatial", 0.55), ("reference", 0.15), ("text", 0.2), ("mixed", 0.1)),
        words=True,
    ),
    Stage(
        "labels",
        Schedule(steps=640, size=224, pictures=6, rate=5e-4, complete_share=0.5, seed=2),
        (("spatial", 0.6), ("reference", 0.1), ("text", 0.2), ("mixed", 0.1)),
        words=True,
        label=2.0,
    ),
)


def build() -> Network:
    """The network of the assembly `nano`, its image encoder with ImageNet weights."""
    network, _, _ = build_network(load_assembly("nano"), registry())
    state = network.image_encoder.state_dict()
    prefix = "trunk."
    weights = load_classifier().state_dict()
    network.image_encoder.load_state_dict({name: weights[name.removeprefix(prefix)] for name in state})
    tables = (*network.decoder.queries["object"].parameters(), network.decoder.level_embed)
    with torch.no_grad():
        for table in tables:
            table.mul_(0.5)
    return network


def read_pictures(data: Path, encoder: TextEncoder, opinions: Path | None = None) -> list[Picture]:
    """The training photos: DUTS-TR and the part of COCO that is not held out, with what the classifier saw."""
    pictures = [
        picture
        for shard in ("duts-tr-0.tar", "duts-tr-1.tar")
        for picture in read_shard(data / shard, name_of_synset)
    ]
    pictures += read_coco(data / "coco-mini.tar", keep=lambda image_id: not held_out(image_id))
    seen = read_opinions(opinions, encoder) if opinions is not None else {}
    return [
        replace(p, instances=tuple(replace(i, target=seen.get(i.key)) for i in p.instances)) for p in pictures
    ]


def normalise(views: Sequence[View]) -> Tensor:
    """Views to (B, 3, S, S): normalised as the assembly does, then zero outside of the picture."""
    images = torch.from_numpy(np.stack([view.image for view in views])).permute(0, 3, 1, 2).float()
    images = (images - MEAN) / STD
    for image, view in zip(images, views, strict=True):
        image[:, view.valid[0] :] = 0
        image[:, :, view.valid[1] :] = 0
    return images


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stages that are not finished, and write nano.safetensors."""
    parser = argparse.ArgumentParser(prog="python -m seemkit.training.nano", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints and logs")
    parser.add_argument("--opinions", type=Path, help="file of the classifier's opinions (training.opinions)")
    parser.add_argument("--stage", choices=[s.name for s in STAGES], help="run only this stage")
    parser.add_argument(
        "--start", type=Path, help="weights to start the stage from, in place of the last stage's"
    )
    parser.add_argument("--steps", type=int, help="length of the stage, in place of the recipe's")
    parser.add_argument("--threads", type=int, help="of torch, in place of its own choice")
    given = parser.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    network = build()
    pictures = read_pictures(given.data, network.text_encoder, given.opinions)  # type: ignore[arg-type]
    print(f"{len(pictures)} pictures, recipe {zlib.crc32(repr(STAGES).encode()):08x}", flush=True)
    spatial = [kind for kind in prompt_types().values() if issubclass(kind, SpatialPrompt)]
    coco = Counter(sorted(i.name for p in pictures if p.complete for i in p.instances if i.name))
    start: Path | None = given.start
    for stage in STAGES:
        folder = given.out / stage.name
        if given.stage in (None, stage.name):
            if start is not None and not (folder / "checkpoint.pt").exists():
                network.load_state_dict(torch.load(start, weights_only=True), strict=False)
            schedule = replace(stage.schedule, steps=given.steps) if given.steps else stage.schedule
            objective = Objective(
                network,
                spatial,
                names=coco if stage.words else None,
                shares=stage.shares,
                weights=Weights(label=stage.label),
            )
            train(network, objective, pictures, schedule, folder, normalise)
            start = folder / "weights.pt"
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True), strict=False)
    about = {"assembly": "nano", "recipe": "seemkit.training.nano", "license": "see docs/models/nano.md"}
    print(save_weights(network, given.out / "nano.safetensors", about, half=True))


if __name__ == "__main__":
    main()
