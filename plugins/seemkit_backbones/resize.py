"""Maps and images of a backbone to another size."""

from torch import Tensor
from torch.nn import functional

__all__ = ["resize"]


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, H, W) to another size, bilinearly; what has it already is given back."""
    if x.shape[-2:] == size:
        return x
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
