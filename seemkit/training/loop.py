"""The training loop: seeded batches, an average of the weights, checkpoints by time, and resume."""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from seemkit.components import PixelFeatures
from seemkit.network.network import Network
from seemkit.training.objective import Objective
from seemkit.training.pictures import Picture
from seemkit.training.views import View, random_view

__all__ = ["Schedule", "train"]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: how many steps in all; the learning rate falls to a hundredth along a half cosine.
        size: S, side of the canvas in pixels.
        pictures: how many pictures a batch holds; each is seen in two views.
        objects: how many objects of each view are prompted.
        rate: peak learning rate of AdamW.
        backbone_rate: of the image encoder, as a share of it; 0 keeps the encoder frozen.
        decay: weight decay (not of norms, biases and embeddings).
        clip: largest norm of the gradient.
        average: decay of the exponential average of the weights.
        complete_share: share of steps drawn from pictures whose objects are all annotated.
        minutes: between two checkpoints.
        seed: of everything.
    """

    steps: int
    size: int = 192
    pictures: int = 8
    objects: int = 2
    rate: float = 1e-3
    backbone_rate: float = 0.0
    decay: float = 0.05
    clip: float = 1.0
    average: float = 0.998
    complete_share: float = 0.3
    minutes: float = 3.0
    seed: int = 0


def train(
    network: Network,
    objective: Objective,
    pictures: Sequence[Picture],
    schedule: Schedule,
    folder: Path,
    normalise: Callable[[Sequence[View]], Tensor],
    say: Callable[[str], None] = print,
) -> None:
    """Train until the schedule ends; a folder with a checkpoint is resumed with the same data order.

    Writes `checkpoint.pt` (everything), `weights.pt` (averaged weights) and `log.jsonl` into the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frozen = schedule.backbone_rate == 0
    network.train()
    network.text_encoder.requires_grad_(False)
    if isinstance(scale := network.text_encoder.logit_scale, nn.Parameter):
        scale.requires_grad_(True)
    network.image_encoder.requires_grad_(not frozen)
    network.image_encoder.eval()  # batch statistics stay those of ImageNet
    optimizer = torch.optim.AdamW(_groups(network, schedule), lr=schedule.rate, betas=(0.9, 0.99))
    average = {k: v.detach().clone() for k, v in network.state_dict().items() if v.is_floating_point()}
    first = _resume(folder / "checkpoint.pt", network, optimizer, average)
    saved = time.monotonic()
    began = time.monotonic()
    for step, views in _batches(pictures, schedule, first):
        rate = _rate(step, schedule)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        image = normalise(views)
        with torch.set_grad_enabled(not frozen):
            maps = network.image_encoder(image)
        features: PixelFeatures = network.pixel_decoder(maps)
        rng = np.random.default_rng([schedule.seed, step, 1])
        losses = objective(features, views, schedule.size, rng)
        total = torch.stack(list(losses.values())).sum()
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
        if torch.isfinite(norm):
            optimizer.step()
            _follow(average, network, min(schedule.average, (step + 1) / (step + 10)))
        else:
            say(f"step {step}: the gradient is not finite; the step is skipped")
        if step % 20 == 0:
            record = {k: round(float(v.detach()), 4) for k, v in losses.items()}
            record |= {
                "step": step,
                "rate": rate,
                "seconds": round((time.monotonic() - began) / (step + 1 - first), 3),
            }
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(record) + "\n")
            say(json.dumps(record))
        if time.monotonic() - saved >= 60 * schedule.minutes or step == schedule.steps - 1:
            _save(folder, step + 1, network, optimizer, average, schedule)
            saved = time.monotonic()


@torch.no_grad()
def _follow(average: dict[str, Tensor], network: Network, keep: float) -> None:
    for key, value in network.state_dict().items():
        if key in average:
            average[key].lerp_(value, 1 - keep)


def _groups(network: Network, schedule: Schedule) -> list[dict[str, object]]:
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            plain = parameter.ndim < 2 or name.endswith(("_embed", ".content", ".position"))
            groups.setdefault((plain, name.startswith("image_encoder.")), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": 0.0 if plain else schedule.decay,
            "share": schedule.backbone_rate if encoder else 1.0,
        }
        for (plain, encoder), parameters in groups.items()
    ]


def _rate(step: int, schedule: Schedule) -> float:
    warm = min((step + 1) / 100, 1.0)
    along = min(step / max(schedule.steps, 1), 1.0)
    return schedule.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * along)))


def _batches(pictures: Sequence[Picture], schedule: Schedule, first: int) -> Iterator[tuple[int, list[View]]]:
    complete = [p for p in pictures if p.complete]
    single = [p for p in pictures if not p.complete]

    def make(step: int) -> list[View]:
        rng = np.random.default_rng([schedule.seed, step, 0])
        pool = complete if complete and (rng.random() < schedule.complete_share or not single) else single
        chosen = [pool[int(i)] for i in rng.integers(len(pool), size=schedule.pictures)]
        seeds = rng.integers(2**62, size=len(chosen))
        views: list[list[View]] = [[], []]
        for picture, seed in zip(chosen, seeds, strict=True):
            draws = np.random.default_rng(int(seed))
            one = random_view(picture, schedule.size, schedule.objects, draws)
            only = Picture(
                picture.image, tuple(picture.instances[i] for i in dict.fromkeys(one.chosen)), picture.key
            )
            two = random_view(only, schedule.size, len(only.instances), draws)
            views[0].append(one)
            views[1].append(_match(one, two, picture))
        return views[0] + views[1]

    with ThreadPoolExecutor(2) as pool:
        ahead = [pool.submit(make, step) for step in range(first, min(first + 3, schedule.steps))]
        for step in range(first, schedule.steps):
            views = ahead.pop(0).result()
            if step + 3 < schedule.steps:
                ahead.append(pool.submit(make, step + 3))
            yield step, views


def _match(one: View, two: View, picture: Picture) -> View:
    """The second view with the first one's objects in the same order; the first if one is cropped away."""
    order = {index: i for i, index in enumerate(dict.fromkeys(one.chosen))}
    found = dict(zip(two.chosen, two.masks, strict=True))
    if any(order[index] not in found for index in one.chosen):
        return one
    masks = np.stack([found[order[index]] for index in one.chosen])
    return View(two.image, masks, one.chosen, two.valid, picture)


def _save(
    folder: Path,
    step: int,
    network: Network,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
    schedule: Schedule,
) -> None:
    state = {
        "step": step,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average,
        "schedule": asdict(schedule),
    }
    for name, value in (("checkpoint.pt", state), ("weights.pt", {**network.state_dict(), **average})):
        torch.save(value, folder / f"{name}.part")
        os.replace(folder / f"{name}.part", folder / name)


def _resume(
    path: Path, network: Network, optimizer: torch.optim.Optimizer, average: dict[str, Tensor]
) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    average.update(state["average"])
    return int(state["step"])
