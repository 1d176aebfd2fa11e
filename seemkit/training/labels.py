"""The loss of labels: class embeddings of prompted objects, towards their names or towards what they look like."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seemkit.network.network import Network
from seemkit.training.cell import Cell
from seemkit.training.name_tables import NameTables

__all__ = ["label_losses"]

OPINION = 2.0
"""Weight of an opinion, 1 - cosine, beside the cross entropy of a name."""


def label_losses(
    network: Network,
    classes: Tensor,
    cells: Sequence[Cell],
    sources: Sequence[int],
    tables: NameTables,
    opinions: Mapping[str, NDArray[np.float32]],
    seed: Sequence[int],
    weight: float,
) -> Tensor:
    """The summed loss of N cells, times `weight`.

    Args:
        network: has the temperature.
        classes: (N, D) class embeddings of the rows that the cells were matched with.
        cells: N objects.
        sources: the data set of each.
        tables: names by data set.
        opinions: (D,) unit directions by key, for objects without a name.
        seed: draws the sentences of the names.
        weight: of the sum.
    """
    device = classes.device
    total = torch.zeros((), device=device)
    numbered = [tables.place(source, cell.target.name) for cell, source in zip(cells, sources, strict=True)]
    for source in sorted(set(sources)):
        own = [i for i, number in enumerate(numbered) if number is not None and sources[i] == source]
        if not own:
            continue
        names = tables.embed(source, [*seed, source])[:-1]  # K x D
        truth = torch.tensor([numbered[i] for i in own], device=device)
        logits = network.class_logits(classes[own], names) + tables.prior(source, device)
        total = total + nn.functional.cross_entropy(logits, truth, reduction="sum")
    aimed = [i for i, cell in enumerate(cells) if numbered[i] is None and cell.target.key in opinions]
    if aimed:
        towards = torch.from_numpy(np.stack([opinions[cells[i].target.key] for i in aimed])).to(classes)
        unit = nn.functional.normalize(classes[aimed], dim=-1)
        total = total + OPINION * (1 - (unit * towards).sum(-1)).sum()
    return weight * total
