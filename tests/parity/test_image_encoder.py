"""Focal-T and the FPN pixel decoder against the original network; numbers from its v1.0 code (case v1_feat).

The case holds three images: img_a, img_d (padded from 250 x 300) and img_b (512 x 512).
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seemkit.network.network import Network
from seemkit.network.pixel_decoder import FPNPixelDecoder
from seemkit.pipeline.model import Model
from seemkit.scene import Scene
from seemkit_backbones.focal import FocalNet

TOLERANCE = 1e-4  # the original against itself (threads, oneDNN, float64): 3e-5
IMAGES = ["img_a", "img_d", "img_b"]


@pytest.fixture(scope="module")
def model(golden_model: Callable[..., Model]) -> Model:
    return golden_model("seem-focalt-v1")


@pytest.mark.parametrize("name", IMAGES)
@torch.no_grad()
def test_a_scene_has_the_features_of_the_original(
    name: str, model: Model, golden_encoded: Callable[[str], Scene], golden: Callable[[str], Any]
) -> None:
    case, scene = golden("focalt_v1_feat"), golden_encoded(name)
    for k, level in enumerate(scene.levels):
        assert case.compare(f"{name}/multi_scale_{k}", level[None]).max_abs < TOLERANCE
    whole = model.prepare(scene).mask_features.whole
    assert case.compare(f"{name}/mask_features", whole).max_abs < TOLERANCE


@pytest.mark.parametrize("name", IMAGES)
@torch.inference_mode()
def test_stages_that_a_scene_does_not_keep_are_those_of_the_original(
    name: str,
    golden_network: Network,
    golden: Callable[[str], Any],
    golden_image: Callable[[str], Tensor],
) -> None:
    case, image = golden("focalt_v1_feat"), golden_image(name)
    assert case.compare(f"{name}/input", image).max_abs < 1e-5
    assert isinstance(golden_network.image_encoder, FocalNet)
    features = golden_network.image_encoder(image)
    for stage, feature in enumerate(features):
        assert case.compare(f"{name}/res{stage + 2}", feature).max_abs < TOLERANCE
    decoder = golden_network.pixel_decoder
    assert isinstance(decoder, FPNPixelDecoder)
    encoded = decoder.encode(decoder.in_proj(features[3]))
    assert case.compare(f"{name}/transformer_encoder_features", encoded).max_abs < TOLERANCE
