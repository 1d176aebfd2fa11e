"""What names are read from, fitted alone: linear maps of a frozen encoder's channels, on views that are encoded once.

A step of the whole objective decodes and draws masks, and of a few hundred photos with names it sees each a few times.
Which channels mean which name is decided by linear maps alone, and those need no decoder: true masks say where what is.
So each view goes through the image encoder once, a step takes as long as a few matrix products, and many channels are
left out at random, since there are more of them than photos. Sources: a linear probe (Alain and Bengio, ICLR 2017
workshop), for cells as in OpenSeg (Ghiasi et al., ECCV 2022).

``python -m seemkit.training.fit_names --data DIR WEIGHTS OUT.safetensors`` learns from the pictures with names that the
recipe `nano-outlines` is trained on.
"""

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seemkit.data.dataset import IndexedDataset
from seemkit.errors import SeemkitError
from seemkit.imaging.preprocess import Preprocess
from seemkit.network.meaning import Closer, Meaning, mean_cells
from seemkit.network.network import Network
from seemkit.network.words import cosines
from seemkit.training.augment import Augment
from seemkit.training.batch import normalise
from seemkit.training.closer import look_closer
from seemkit.training.name_tables import NameTables
from seemkit.training.recipe import Recipe, load_recipe
from seemkit.training.recipe.sections import AugmentSection
from seemkit.training.sources import open_sources
from seemkit.training.start import build_start, weights_file
from seemkit.training.view import View
from seemkit.weights import read_weights, write_weights

__all__ = ["Fit", "Known", "fit_file", "fit_names", "is_fitted", "look_at", "score_names"]

TEMPERATURE = 20.0
"""Of the cosines of what lies under a mask with all names."""
SLOPE, LEVEL = 12.0, 0.35
"""A cell shows a name if their cosine is above the level; the slope makes a logit of the difference."""
RARE = 3.0
"""Cells of a name weigh so much more than the many others."""
BATCH = 12


@dataclass(frozen=True)
class Fit:
    """How names are fitted.

    Attributes:
        steps: of 12 views each.
        rate: peak learning rate of the maps of a closer look; a quarter of it for all else.
        left_out: share of the channels that are left out for each view anew.
        decay: weight decay.
        seed: of everything that is drawn.
    """

    steps: int = 1200
    rate: float = 0.004
    left_out: float = 0.6
    decay: float = 0.1
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Known:
    """A view that was encoded, and what it shows.

    Attributes:
        maps: of the encoder at strides 16 and 32 and then of a closer look, (C_i, h_i, w_i) float16.
        covers: (n, h, w) float16, what share of each cell at stride 16 each object covers.
        names: (n,) their numbers.
    """

    maps: tuple[Tensor, ...]
    covers: Tensor
    names: Tensor


def fit_names(
    network: Network, views: Sequence[Known], names: Tensor, fit: Fit, say: Callable[[str], None] = print
) -> None:
    """Fit `pixel_decoder.meaning` and `heads.seen` in place; nothing else moves.

    Args:
        network: the network, whose pixel decoder makes a map for names.
        views: what is learned from.
        names: (K, D) unit vectors of the names.
        fit: how.
        say: is told what the loss is.
    """
    meaning, seen = parts_of(network)
    network.requires_grad_(False)
    nearer = [cast(Closer, look).mixed.weight.requires_grad_(True) for look in meaning.closer]
    others = [*meaning.middle.parameters(), *meaning.coarse.parameters(), *seen.parameters()]
    for parameter in others:
        parameter.requires_grad_(True)
    groups = [{"params": nearer, "share": 1.0}, {"params": others, "share": 0.25}]
    optimiser = torch.optim.AdamW([each for each in groups if each["params"]], weight_decay=fit.decay)
    rng = np.random.default_rng(fit.seed)
    generator = torch.Generator().manual_seed(fit.seed)
    with torch.enable_grad():
        for step in range(fit.steps):
            for group in optimiser.param_groups:
                group["lr"] = fit.rate * group["share"] * (1 + math.cos(math.pi * step / fit.steps)) / 2
            some = [views[int(k)] for k in rng.integers(len(views), size=min(BATCH, len(views)))]
            loss = loss_of(network, some, names, fit.left_out, generator)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if (step + 1) % 200 == 0:
                say(f"step {step + 1} of {fit.steps}: loss {loss.item():.3f}")
    network.requires_grad_(False)


def loss_of(
    network: Network, views: Sequence[Known], names: Tensor, left_out: float, generator: torch.Generator
) -> Tensor:
    """Cross entropy of what lies under true masks and of where names are seen, of either look."""
    channels = sum(len(x) for x in views[0].maps)
    kept = (torch.rand(len(views), channels, generator=generator) >= left_out).float() / (1 - left_out)
    truth = torch.cat([view.names for view in views])
    total = torch.zeros(())
    for read in looks(network, views, kept):
        unit = functional.normalize(under_masks(network, read, views), dim=-1)
        total = total + functional.cross_entropy(TEMPERATURE * unit @ names.T, truth)
    for view, cells in zip(views, network.heads.meanings(read), strict=True):  # by the closest look
        here = sorted(set(view.names.tolist()))
        wanted = torch.stack([view.covers[view.names == k].float().amax(0) for k in here])
        logits = SLOPE * (cosines(cells[None], names[here]) - LEVEL)
        pointed = functional.binary_cross_entropy_with_logits(logits, wanted, pos_weight=torch.tensor(RARE))
        total = total + pointed / (2 * len(views))
    return total


@torch.no_grad()
def score_names(network: Network, views: Sequence[Known], names: Tensor) -> dict[str, float]:
    """How often the nearest name is right under true masks, by either look, and how often a name is seen most on one.

    Only names that one object of a view has count for the last.
    """
    right: dict[str, list[float]] = {"first look": [], "closest look": [], "seen most": []}
    for view in views:
        found = list(looks(network, [view], None))
        for what, read in zip(("first look", "closest look"), (found[0], found[-1]), strict=True):
            unit = functional.normalize(under_masks(network, read, [view]), dim=-1)
            right[what] += ((unit @ names.T).argmax(-1) == view.names).float().tolist()
        counts = view.names.bincount()
        cosine = cosines(network.heads.meanings(found[-1]), names[view.names]).flatten(1)
        covered = view.covers.float().flatten(1)
        on = covered.gather(1, cosine.argmax(1, keepdim=True))[:, 0] >= covered.amax(1).clamp(max=0.5)
        right["seen most"] += on[counts[view.names] == 1].float().tolist()
    return {what: float(np.mean(values)) if values else math.nan for what, values in right.items()}


@torch.no_grad()
def look_at(
    network: Network, preprocess: Preprocess, views: Iterable[View], tables: NameTables
) -> Iterator[Known]:
    """Encode views one by one; those that show nothing with a name are left out."""
    parts_of(network)
    for view in views:
        numbered = [(x.mask, tables.place(view.source, x.name)) for x in view.targets]
        own = [(mask, number) for mask, number in numbered if number is not None]
        if not own:
            continue
        maps = list(network.image_encoder(normalise([view], preprocess, network.device))[2:])
        cells = (maps[0].shape[-2], maps[0].shape[-1])
        maps += [mean_cells(x, cells) for x in look_closer(network, preprocess, [view])]
        masks = torch.from_numpy(np.stack([mask for mask, _ in own]))[:, None].float()
        covers = functional.adaptive_avg_pool2d(masks, cells)[:, 0]
        yield Known(
            tuple(x[0].half() for x in maps), covers.half(), torch.tensor([number for _, number in own])
        )


def looks(network: Network, views: Sequence[Known], kept: Tensor | None) -> Iterator[Tensor]:
    """(B, M, h, w) what names are read from, by the first look and, where there is one, by the closer one."""
    meaning, _ = parts_of(network)
    maps = [torch.stack([view.maps[k] for view in views]).float() for k in range(len(views[0].maps))]
    first = maps[0].shape[1] + maps[1].shape[1]
    read = meaning(maps[0], maps[1], None if kept is None else kept[:, :first])
    yield read
    if meaning.nearness:
        yield meaning.refine(read, maps[2:], None if kept is None else kept[:, first:])


def under_masks(network: Network, read: Tensor, views: Sequence[Known]) -> Tensor:
    """(sum of n, D) what the mean under each true mask of B views means."""
    means = []
    for view, x in zip(views, read, strict=True):
        covers = view.covers.float().flatten(1)
        means.append(covers @ x.flatten(1).T / covers.sum(1, keepdim=True).clamp_min(1e-3))
    found: Tensor = parts_of(network)[1](torch.cat(means))
    return found


def parts_of(network: Network) -> tuple[Meaning, torch.nn.Linear]:
    """The map that names are read from, and how it is brought to the space of texts.

    Raises:
        SeemkitError: the network has none.
    """
    meaning, seen = getattr(network.pixel_decoder, "meaning", None), network.heads.seen
    if not isinstance(meaning, Meaning) or seen is None:
        raise SeemkitError(
            "the network has no map that names are read from; set pixel_decoder.meaning", path="pixel_decoder"
        )
    return meaning, seen


def fit_file(
    recipe: Recipe,
    weights: Path,
    out: Path,
    fit: Fit,
    *,
    size: int = 320,
    times: int = 5,
    say: Callable[[str], None] = print,
) -> Path:
    """Fit the names of a weights file on the pictures with names of a recipe; all else is written as it was.

    Args:
        recipe: its data, with its assembly; its model starts from these weights.
        weights: the file.
        out: the file to write.
        fit: how.
        size: side of the views, in pixels.
        times: views of each picture: one as it is, the others as they are drawn.
        say: is told how often names are right before and after, on what is held out.

    Raises:
        SeemkitError: not one of the recipe's data sets has names, or the network has no map that they are read from.
    """
    about, stored = read_weights(weights)
    sources, start = open_sources(recipe), build_start(recipe)
    network = start.network.eval().requires_grad_(False)
    tables = NameTables(network, [source.names for source in sources])
    named = [number for number, source in enumerate(sources) if source.names]
    if len(named) != 1:
        raise SeemkitError(
            f"{len(named)} data sets of the recipe {recipe.name!r} have names, expected one",
            path="data.sources",
        )
    still, drawn = AugmentSection(zoom=(1.0, 1.0), flip=0.0, colour=0.0), AugmentSection(zoom=(0.7, 1.3))

    def known(options: AugmentSection, count: int, *, held: bool) -> list[Known]:
        augment = Augment(options, size, 1, nearness=network.nearness)
        source = sources[named[0]]
        shown = _views(source.held if held else source.train, named[0], augment, count)
        return list(look_at(network, start.preprocess, shown, tables))

    held = known(still, 1, held=True)
    views = [*known(still, 1, held=False), *known(drawn, times - 1, held=False)]
    names = tables.embed(named[0], (0,))[:-1]
    say(f"{len(views)} views to learn from, {len(held)} held out")
    say(f"before: {_said(score_names(network, held, names))}")
    fit_names(network, views, names, fit, say)
    say(f"after: {_said(score_names(network, held, names))}")
    own = network.state_dict()
    moved = {name: own[name].to(x.dtype) for name, x in stored.items() if is_fitted(name)}
    record = {key: said for key, said in about.items() if key != "format"}
    record["recipe"] = f"{record.get('recipe', weights.name)}, names fitted"
    return write_weights(stored | moved, out, record)


def is_fitted(name: str) -> bool:
    """Whether a parameter of this name is one that is fitted."""
    return name.startswith(("pixel_decoder.meaning.", "heads.seen.")) and ".standard." not in name


def _views(dataset: IndexedDataset, source: int, augment: Augment, times: int) -> Iterator[View]:
    for place, key in enumerate(dataset.keys if times else ()):
        sample = dataset.read(key).loaded()
        for turn in range(times):
            view = augment.view(sample, times * place + turn, source)
            if view is not None:
                yield view


def _said(scores: dict[str, float]) -> str:
    return ", ".join(f"{what} {score:.3f}" for what, score in scores.items())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write weights whose names are fitted."""
    parser = argparse.ArgumentParser(prog="python -m seemkit.training.fit_names", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the data")
    parser.add_argument(
        "--recipe", default="nano-outlines", help="recipe whose pictures with names are taken"
    )
    parser.add_argument("--size", type=int, default=320, help="side of the views in pixels (320)")
    parser.add_argument("--views", type=int, default=5, help="of each picture (5)")
    parser.add_argument("--steps", type=int, default=Fit.steps, help=f"of {BATCH} views ({Fit.steps})")
    parser.add_argument(
        "--left-out", type=float, default=Fit.left_out, help="share of channels left out (0.6)"
    )
    parser.add_argument("--seed", type=int, default=Fit.seed, help="of what is drawn (0)")
    parser.add_argument("weights", type=Path, help="weights file or folder of a run to begin with")
    parser.add_argument("out", type=Path, help="weights file to write")
    given = parser.parse_args(arguments)
    weights = weights_file(given.weights)
    try:
        recipe = load_recipe(given.recipe, {"model.weights": str(weights.resolve())}, data=given.data)
        fit = Fit(steps=given.steps, left_out=given.left_out, seed=given.seed)
        print(f"wrote {fit_file(recipe, weights, given.out, fit, size=given.size, times=given.views)}")
    except SeemkitError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
