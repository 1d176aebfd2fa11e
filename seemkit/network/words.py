"""Where words point: a mask term that is high where what is seen means what is said, and which masks fit it.

Cosines of a text and of what each cell means are the open-vocabulary segmentation of dense models (Ghiasi et al.,
OpenSeg, ECCV 2022). As a term of every candidate's mask they tell a small decoder where to look; it draws the outline.
"""

import torch
from torch import Tensor, nn

from seemkit.network.precision import at_least_single, full_precision
from seemkit.network.resampling import resize_features

__all__ = ["Words"]

APART = 2
"""Places where a text is seen most are more cells apart than this."""


class Words(nn.Module):
    """logit = gain (cos - share max cos) + offset, at stride 16, brought to stride 4.

    A mask fits by how much higher the cosines are inside than outside: a part of an object is as high inside as all of
    it and leaves the rest outside, and what takes in more of the picture is lower inside. And it fits by how sure it is
    of itself, as masks are ranked by Mask2Former (Cheng et al., CVPR 2022).
    """

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))
        self.share = nn.Parameter(torch.tensor(0.5))
        self.offset = nn.Parameter(torch.tensor(-1.0))
        self.fit = nn.Parameter(torch.tensor(20.0))
        self.sure = nn.Parameter(torch.tensor(4.0))

    def forward(self, meanings: Tensor, said: Tensor, present: Tensor, size: tuple[int, int]) -> Tensor:
        """Logits to add to every candidate's mask.

        Args:
            meanings: (B, D, h, w) what cells mean, in the joint space of texts and class embeddings.
            said: (N, D) of N = B * n objects, scene by scene.
            present: (N,) bool, whether an object has words.
            size: height and width of the result.

        Returns:
            (N, height, width), 0 for objects without words.
        """
        cosine = cosines(meanings, said)
        highest = cosine.flatten(1).amax(1)[:, None, None]
        logits = self.gain * (cosine - self.share * highest) + self.offset
        return resize_features(logits[:, None], size)[:, 0] * present[:, None, None]

    def fits(self, meanings: Tensor, said: Tensor, present: Tensor, masks: Tensor) -> Tensor:
        """Logits to add to the similarities of candidates with a text.

        Args:
            meanings: (B, D, h, w) what cells mean.
            said: (N, D) of N = B * n objects, scene by scene.
            present: (N,) bool, whether an object has words.
            masks: (N, Q, H, W) logits of the candidates, at any stride.

        Returns:
            (N, Q), 0 for objects without words.
        """
        size = (masks.shape[-2], masks.shape[-1])
        cosine = resize_features(cosines(meanings, said)[:, None], size).flatten(2).mT  # N x HW x 1
        inside = at_least_single(masks).sigmoid().flatten(2)
        with full_precision(masks.device):
            within, beyond = ((x @ cosine)[..., 0] / x.sum(-1).clamp_min(1e-6) for x in (inside, 1 - inside))
        confidence = inside.square().sum(-1) / inside.sum(-1).clamp_min(1e-6)
        logits = self.fit * (within - beyond) + self.sure * confidence.clamp_min(1e-4).log()
        return logits * present[:, None]

    @staticmethod
    def peaks(
        meanings: Tensor, said: Tensor, share: Tensor, count: int = 1, within: Tensor | None = None
    ) -> Tensor:
        """Where a text is seen most: middles of the cells with the highest cosines, (N, K, 2) as (x, y) in [0, 1).

        The first is the highest of all, each further one the highest of those that are more than `APART` cells from the
        ones before; where none is left, those come again.

        Args:
            meanings: (B, D, h, w) what cells mean.
            said: (N, D) of N = B * n objects, scene by scene.
            share: (N, 2) how much of the padded input is picture, as (x, y) in (0, 1].
            count: K.
            within: (N, h, w) bool, the cells that count; None for all.
        """
        cosine = cosines(meanings, said)
        h, w = cosine.shape[-2:]
        across, down = (torch.arange(k, device=said.device) for k in (w, h))
        beyond = (across / w >= share[:, :1])[:, None] | (down / h >= share[:, 1:])[..., None]
        if within is not None:
            beyond = beyond | ~within
        cosine = cosine.masked_fill(beyond, -torch.inf)
        places = []
        for _ in range(count):
            index = cosine.flatten(1).argmax(1)
            column, row = index % w, index // w
            places.append(torch.stack(((column + 0.5) / w, (row + 0.5) / h), -1).to(share.dtype))
            near = ((across - column[:, None]).abs() <= APART)[:, None]
            near = near & ((down - row[:, None]).abs() <= APART)[..., None]
            cosine = torch.where(near, cosine - 4, cosine)
        return torch.minimum(torch.stack(places, 1), share[:, None] * (1 - 1e-3))


def cosines(meanings: Tensor, said: Tensor) -> Tensor:
    """(N, h, w) of texts (N, D) with what the cells (B, D, h, w) of their scenes mean, N = B * n."""
    b, d, h, w = meanings.shape
    unit = nn.functional.normalize(at_least_single(meanings), dim=1, eps=1e-3).flatten(2)
    words = nn.functional.normalize(at_least_single(said), dim=-1).view(b, -1, d)
    with full_precision(unit.device):  # what they are multiplied with is large
        return (words @ unit).view(-1, h, w)
