"""The image encoder of MobileSAM at any size, alone or beside a classifier, as architectures that timm knows.

Zhang et al., "Faster Segment Anything", 2023 (https://github.com/ChaoningZhang/MobileSAM): TinyViT-5M (Wu et al.,
ECCV 2022) whose last stage stays at stride 16, distilled from the image encoder of Segment Anything.
"""

from collections.abc import Sequence
from typing import Any, cast

import timm
import torch
from timm.layers import BatchNormAct2d
from timm.models import FeatureInfo, generate_default_cfgs, register_model
from timm.models.tiny_vit import Attention, ConvNorm, TinyVit, TinyVitBlock
from torch import Tensor, nn
from torch.nn import functional

from seemkit_backbones.resize import resize

__all__ = ["mobile_sam", "mobile_sam_lite0"]

default_cfgs = generate_default_cfgs(
    {name: {"input_size": (3, 224, 224), "num_classes": 0} for name in ("mobile_sam", "mobile_sam_lite0")}
)
CHANNELS = (64, 128, 160, 320)
"""Of TinyViT-5M's four stages."""
LITE = (112, 320)
"""Of EfficientNet-Lite0's maps at strides 16 and 32."""
SHARE = 0.75
"""Size of the classifier's input as a share of the encoder's: what a thing is shows in fewer pixels than its edge."""
CELL = 32
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
LITE_MEAN, LITE_STD = 127.0, 128.0


@register_model  # type: ignore[untyped-decorator]
def mobile_sam(pretrained: bool = False, **options: Any) -> nn.Module:
    """MobileSAM's encoder: 64, 128, 480 and 320 channels; at stride 16 its last two stages, at stride 32 the last."""
    return MobileSamMaps(None, **features_only("mobile_sam", pretrained, options))


@register_model  # type: ignore[untyped-decorator]
def mobile_sam_lite0(pretrained: bool = False, **options: Any) -> nn.Module:
    """The same with EfficientNet-Lite0's coarse maps stacked on, since what segments anything hardly knows names."""
    return MobileSamMaps("tf_efficientnet_lite0", **features_only("mobile_sam_lite0", pretrained, options))


class MobileSamMaps(nn.Module):
    """Image (B, 3, H, W) to maps (B, C_i, H / s_i, W / s_i) at strides 4, 8, 16 and 32.

    Batch norms are folded into the convolutions before them, here and in the classifier, so convolutions have biases.

    Args:
        beside: the classifier, or none.
        out_indices: which of the four maps are given.
    """

    def __init__(self, beside: str | None, out_indices: Sequence[int] = (0, 1, 2, 3)) -> None:
        super().__init__()
        self.trunk = TinyVit(
            num_classes=0,
            embed_dims=CHANNELS,
            depths=(2, 2, 6, 2),
            num_heads=(2, 4, 5, 10),
            window_sizes=(7, 7, 14, 7),
        )
        del self.trunk.head
        # as published, the last stage keeps its grid
        self.trunk.stages[3].downsample.conv2.conv.stride = (1, 1)
        for stage in self.trunk.stages:
            for name, block in list(stage.blocks.named_children()):
                if isinstance(block, TinyVitBlock):
                    setattr(stage.blocks, name, WindowBlock(block))
        fold(self.trunk)
        self.beside = None if beside is None else Beside(beside)
        self.closer_channels = () if beside is None else LITE
        self.to(memory_format=torch.channels_last)  # a quarter to a third faster on a CPU
        fine, half, third, last = CHANNELS
        more = (0, 0) if beside is None else LITE
        widths = (fine, half, third + last + more[0], last + more[1])
        self.feature_info = FeatureInfo(
            [
                {"num_chs": width, "reduction": 4 * 2**k, "module": f"maps.{k}"}
                for k, width in enumerate(widths)
            ],
            tuple(out_indices),
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encode an image that is normalised by the ImageNet mean and standard deviation, sides multiples of 32."""
        image = image.contiguous(memory_format=torch.channels_last)
        x = self.trunk.patch_embed(image)
        maps: list[Tensor] = []
        for stage in self.trunk.stages:
            x = stage(x)
            maps.append(x)
        fine, half, third, last = maps
        coarse = [[third, last], [functional.avg_pool2d(last, 2)]]
        if self.beside is not None:
            for own, other in zip(coarse, self.beside(image), strict=True):
                own.append(resize(other, (own[0].shape[-2], own[0].shape[-1])))
        found = (fine, half, torch.cat(coarse[0], 1), torch.cat(coarse[1], 1))
        return [found[k].contiguous() for k in cast(Sequence[int], self.feature_info.out_indices)]

    def closer(self, image: Tensor) -> list[Tensor]:
        """The classifier's maps (B, 112, H / 16, W / 16) and (B, 320, H / 32, W / 32) of an image as large as it is."""
        assert self.beside is not None
        return self.beside.look(image.contiguous(memory_format=torch.channels_last), 1.0)


class Beside(nn.Module):
    """A classifier on the same image, smaller and normalised as it wants it, to its maps at strides 16 and 32."""

    scale: Tensor
    shift: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        self.trunk = timm.create_model(name, features_only=True, out_indices=(3, 4))
        fold(self.trunk)
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
        self.register_buffer("scale", std / LITE_STD, persistent=False)
        self.register_buffer("shift", (mean - LITE_MEAN) / LITE_STD, persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W), normalised by the ImageNet mean and standard deviation, to two maps (B, C, h, w)."""
        return self.look(image, SHARE)

    def look(self, image: Tensor, share: float) -> list[Tensor]:
        """The same for an input of another size, `share` times that of the image."""
        height, width = (max(round(side * share / CELL), 1) * CELL for side in image.shape[-2:])
        maps: list[Tensor] = self.trunk(resize(image, (height, width)) * self.scale + self.shift)
        return maps


class WindowBlock(nn.Module):
    """TinyViT's block, which computes nothing for the places that fill up windows at the border.

    A map of 20 x 20 cells takes 28 x 28 places in windows of 14. What an empty place is read as is the same for all.
    """

    def __init__(self, block: TinyVitBlock) -> None:
        super().__init__()
        self.attn = WindowAttention(block)
        self.local_conv = block.local_conv
        self.mlp = block.mlp

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        x = x + self.attn(x)
        b, h, w, c = x.shape
        x = self.local_conv(x.permute(0, 3, 1, 2)).reshape(b, c, h * w).transpose(1, 2)
        out: Tensor = (x + self.mlp(x)).view(b, h, w, c)
        return out


class WindowAttention(Attention):  # type: ignore[misc]
    """TinyViT's attention in windows; its biases have the form that fused attention on a CPU takes."""

    def __init__(self, block: TinyVitBlock) -> None:
        own = block.attn
        super().__init__(
            block.dim, own.key_dim, own.num_heads, attn_ratio=own.attn_ratio, resolution=own.resolution
        )

    def get_attention_biases(self, device: torch.device) -> Tensor:
        """(1, heads, N, N); without the first axis every step of the softmax is a pass of its own."""
        biases: Tensor = super().get_attention_biases(device)
        return biases[None]

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same; windows begin at the top left."""
        b, h, w, _ = x.shape
        side = self.resolution[0]
        down, across = -(-h // side), -(-w // side)
        read = self.qkv(self.norm(x))
        if (h, w) != (down * side, across * side):
            empty = self.qkv(self.norm.bias)  # as zeros are read
            full = empty.repeat(b, down * side, across * side, 1)
            full[:, :h, :w] = read
            read = full
        windows = read.view(b, down, side, across, side, self.num_heads, -1).permute(0, 1, 3, 5, 2, 4, 6)
        tokens = windows.reshape(b * down * across, self.num_heads, side * side, -1)
        query, key, value = tokens.split([self.key_dim, self.key_dim, self.val_dim], dim=-1)
        biases = self.get_attention_biases(x.device)
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=biases)
        found = found.view(b, down, across, self.num_heads, side, side, -1).permute(0, 1, 4, 2, 5, 3, 6)
        whole = found.reshape(b, down * side, across * side, self.out_dim)
        out: Tensor = self.proj(whole[:, :h, :w])
        return out


def fold(module: nn.Module) -> None:
    """Give every convolution that a batch norm follows a bias in its place, in a module that is newly built."""
    before: nn.Conv2d | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, ConvNorm):
            setattr(module, name, with_bias(child.conv))
        elif isinstance(child, nn.Conv2d):
            before = child
        elif isinstance(child, BatchNormAct2d) and before is not None:
            with_bias(before)
            setattr(module, name, child.act)
        else:
            fold(child)


def with_bias(conv: nn.Conv2d) -> nn.Conv2d:
    """The same convolution with a bias of zeros."""
    conv.bias = nn.Parameter(torch.zeros(conv.out_channels, device=conv.weight.device))
    return conv


def features_only(name: str, pretrained: bool, options: dict[str, Any]) -> dict[str, Any]:
    """What timm's `create_model` may ask of a model that gives feature maps and nothing else.

    Raises:
        RuntimeError: weights or a classifier are wanted; there are none.
        TypeError: another option, as any model of timm that does not know it.
    """
    if pretrained:
        raise RuntimeError(
            f"timm has no weights of {name}; seemkit takes them with model.encoder in a recipe"
        )
    if not options.pop("features_only", False):
        raise RuntimeError(f"{name} gives feature maps only; create it with features_only=True")
    known = {key: options.pop(key) for key in ("out_indices",) if key in options}
    left = [key for key, value in options.items() if value is not None]
    if left:
        raise TypeError(f"{name} has no option {left[0]!r}")
    return known
