"""Names of data sets as directions to learn: embedded once by a frozen text encoder, in one drawn sentence a step."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seemkit.network.network import Network
from seemkit.pipeline.vocabulary import BACKGROUND, sentences_of
from seemkit.vocabulary import SLOT

__all__ = ["NameTables", "log_shares"]


class NameTables:
    """The names of each data set, with "background" last.

    Args:
        network: has the text encoder.
        names: of each data set; empty where its objects have none.
        counts: how often each name occurs, against which labels are balanced; None for no balance.
    """

    def __init__(
        self,
        network: Network,
        names: Sequence[Sequence[str]],
        counts: Sequence[Sequence[int]] | None = None,
    ) -> None:
        self.network = network
        self.names = [tuple(each) for each in names]
        self._place = [{name: k for k, name in enumerate(each)} for each in self.names]
        self._shares = [log_shares(each) for each in counts] if counts is not None else None
        self._tables: dict[int, Tensor] = {}

    def place(self, source: int, name: str | None) -> int | None:
        """The number of a name of a data set; None if it is not one of its names."""
        return self._place[source].get(name) if name is not None else None

    def prior(self, source: int, device: torch.device) -> Tensor:
        """(K,) what is added to the logits of the names while training: rare ones are not drowned.

        Source: Menon et al., Long-tail learning via logit adjustment, ICLR 2021.
        """
        if self._shares is None:
            return torch.zeros(len(self.names[source]), device=device)
        return self._shares[source].to(device)

    def embed(self, source: int, seed: Sequence[int]) -> Tensor:
        """(K + 1, D) unit vectors of the names of a data set, each in one of the text encoder's sentences.

        Args:
            source: number of the data set.
            seed: draws the sentence of each name.
        """
        names = (*self.names[source], BACKGROUND)
        templates = sentences_of(self.network, None)
        drawn = np.random.default_rng(seed).integers(len(templates), size=len(names))
        if self._learns:
            sentences = [templates[k].replace(SLOT, name) for k, name in zip(drawn, names, strict=True)]
            return self._encode(sentences)
        if source not in self._tables:
            with torch.no_grad():
                every = [template.replace(SLOT, name) for name in names for template in templates]
                self._tables[source] = self._encode(every).view(len(names), len(templates), -1)
        table = self._tables[source]
        return table[torch.arange(len(names)), torch.from_numpy(drawn)]

    @property
    def _learns(self) -> bool:
        """Whether the text encoder itself is trained; its temperature is not part of an embedding."""
        return any(
            p.requires_grad
            for name, p in self.network.text_encoder.named_parameters()
            if name != "logit_scale"
        )

    def _encode(self, sentences: Sequence[str]) -> Tensor:
        return nn.functional.normalize(self.network.embed_texts(sentences), dim=-1)


def log_shares(counts: Sequence[int]) -> Tensor:
    """(K,) logarithm of each name's share of all occurrences, one added to each."""
    share = torch.tensor([float(count) + 1 for count in counts])
    return (share / share.sum()).log() if len(share) else share
