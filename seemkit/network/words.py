"""Where words point: a mask term that is high where what is seen means what is said.

Cosines of a text and of what each cell means are the open-vocabulary segmentation of dense models (Ghiasi et al.,
OpenSeg, ECCV 2022). As a term of every candidate's mask they tell a small decoder where to look; it draws the outline.
"""

import torch
from torch import Tensor, nn

from seemkit.network.resampling import resize_features

__all__ = ["Words"]


class Words(nn.Module):
    """logit = gain (cos - share max cos) + offset, at stride 16, brought to stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))
        self.share = nn.Parameter(torch.tensor(0.5))
        self.offset = nn.Parameter(torch.tensor(-1.0))

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
        b, d, h, w = meanings.shape
        unit = nn.functional.normalize(meanings, dim=1, eps=1e-3).flatten(2)
        words = nn.functional.normalize(said, dim=-1).view(b, -1, d)
        cosine = (words @ unit).view(-1, h, w)
        highest = cosine.flatten(1).amax(1)[:, None, None]
        logits = self.gain * (cosine - self.share * highest) + self.offset
        return resize_features(logits[:, None], size)[:, 0] * present[:, None, None]
