"""The loss of where words point: the term of a name against all that a picture has of it.

Without it words learn where to point from the masks that they lead to alone. Source: the grounding of OpenSeg (Ghiasi
et al., ECCV 2022), here with masks of a data set in place of captions.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.training.view import View

__all__ = ["pointing_losses"]


def pointing_losses(
    network: Network,
    scene: PreparedScene,
    views: Sequence[View],
    found: Sequence[Sequence[tuple[int, int]]],
    embedded: Mapping[int, Tensor],
    weight: float,
) -> Tensor:
    """The sum over all names of all views of cross entropy and dice, times `weight`.

    Cells weigh by the share of their pixels that count: not the padding, crowds, and what a data set says to ignore.

    Args:
        network: the network; words have to point.
        scene: B scenes.
        views: B views, all complete.
        found: of each view (index of a target, number of its name), as `objects_of` gives them.
        embedded: (K + 1, D) unit vectors of the names of each data set.
        weight: of the sum.
    """
    names = [sorted({number for _, number in each}) for each in found]
    longest = max(map(len, names), default=0)
    device = network.device
    total = torch.zeros((), device=device)
    if not longest:
        return total
    said = torch.zeros(len(views), longest, network.dims.text, device=device)
    present = torch.zeros(len(views), longest, dtype=torch.bool, device=device)
    side = views[0].image.shape[0]
    truth = np.zeros((len(views), longest, side, side), bool)
    counted = np.stack([view.counted for view in views])[:, None]  # B x 1 x S x S
    for i, (view, own, numbers) in enumerate(zip(views, found, names, strict=True)):
        said[i, : len(numbers)] = embedded[view.source][numbers]
        present[i, : len(numbers)] = True
        for k, number in own:
            truth[i, numbers.index(number)] |= view.targets[k].mask
    logits = network.words_point(scene, (said.flatten(0, 1), present.flatten()))
    if logits is None:
        return total
    h, w = logits.shape[-2:]
    shares, counts = (
        functional.adaptive_avg_pool2d(torch.from_numpy(x).to(device).float(), (h, w)).flatten(2)
        for x in (truth & counted, counted)
    )
    wanted = (shares / counts.clamp_min(1e-6)).flatten(0, 1)  # of the pixels of a cell that count
    heavy = counts.expand(-1, longest, -1).flatten(0, 1)
    flat, there = logits.float().flatten(1), present.flatten()
    cross = functional.binary_cross_entropy_with_logits(flat, wanted, reduction="none")
    bce = (heavy * cross).sum(1) / heavy.sum(1).clamp_min(1e-6)
    chance, wanted = heavy * flat.sigmoid(), heavy * wanted
    dice = 1 - (2 * (chance * wanted).sum(1) + 1) / (chance.sum(1) + wanted.sum(1) + 1)
    return weight * ((bce + dice) * there).sum()
