"""Focal-T and the FPN pixel decoder against the original network; numbers from its v1.0 code (case v1_feat).

The case holds three images: img_a, img_d (padded from 250 x 300) and img_b (512 x 512).
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seemkit.components import PixelFeatures
from seemkit.network.pixel_decoder import FPN, FPNPixelDecoder
from seemkit_backbones.focal import Focal

KEYS = "seem_focalt_unicl_lang_v1"
TOLERANCE = 1e-4  # the original against itself (threads, oneDNN, float64): 3e-5


@pytest.fixture(scope="module")
def backbone(golden_state_dict: Callable[..., dict[str, Tensor]]) -> nn.Module:
    network = Focal.build(Focal.Options()).eval()
    network.load_state_dict(golden_state_dict(KEYS, part="image_encoder."))
    return network


@pytest.fixture(scope="module")
def pixel_decoder(golden_state_dict: Callable[..., dict[str, Tensor]]) -> FPNPixelDecoder:
    network = FPN.build(FPN.Options(), Focal.declare(Focal.Options())).eval()
    network.load_state_dict(golden_state_dict(KEYS, part="pixel_decoder."))
    return network


@pytest.mark.parametrize("name", ["img_a", "img_d", "img_b"])
@torch.inference_mode()
def test_features_are_those_of_the_original(
    name: str,
    backbone: nn.Module,
    pixel_decoder: FPNPixelDecoder,
    golden: Callable[[str], Any],
    golden_image: Callable[[str], Tensor],
) -> None:
    case = golden("focalt_v1_feat")
    image = golden_image(name)
    assert case.compare(f"{name}/input", image).max_abs < 1e-5

    features = backbone(image)
    for stage, feature in enumerate(features):
        assert case.compare(f"{name}/res{stage + 2}", feature).max_abs < TOLERANCE

    pixels: PixelFeatures = pixel_decoder(features)
    for k, level in enumerate(pixels.levels):
        assert case.compare(f"{name}/multi_scale_{k}", level).max_abs < TOLERANCE
    assert case.compare(f"{name}/mask_features", pixel_decoder.mask_proj(pixels.fine)).max_abs < TOLERANCE
    encoded = pixel_decoder.encode(pixel_decoder.in_proj(features[3]))
    assert case.compare(f"{name}/transformer_encoder_features", encoded).max_abs < TOLERANCE
