"""The reference path of an image gives the levels and the mask features that the fast path gives parts of."""

from typing import Any

import pytest
import torch

from seemkit.benchmark.reference_features import reference_features
from seemkit.network import folded_merge
from seemkit.network.resampling import resize_features

DEFORM = {"use": "deform", "dim": 32, "encoder_layers": 1, "heads": 2, "ffn": 64, "groups": 8}


@pytest.mark.parametrize("slots", [{}, {"pixel_decoder": DEFORM}], ids=["fpn", "deform"])
def test_both_paths_see_the_same(
    new_model: Any, slots: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folded_merge, "CELLS", 0)  # so that the rewrite is taken at this size too
    network = new_model("seem_v1", **slots).network
    image = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        levels, features = reference_features(network, image)
        found = network.encode(image)
        small = network.mask_features(found.fine).resized([(8, 12), (4, 6), (2, 3)])
    assert features.shape == (1, 32, 16, 24)
    for ours, theirs in zip(found.levels, levels, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    for part in small:
        torch.testing.assert_close(part, resize_features(features, part.shape[-2:]), atol=1e-5, rtol=1e-4)
