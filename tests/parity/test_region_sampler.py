"""The region sampler alone, on the synthetic features of cases v0_sampler and v1_sampler; their draws are replayed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit.geometry.grid import Grid
from seemkit.geometry.region import Region
from seemkit.network.legacy import Draws, Legacy
from seemkit.network.mask_features import MaskFeatures
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.pipeline.legacy import draw_points
from seemkit.scene import Scene

PROMPTS = {  # the case names its prompts like the inputs that it takes
    "point": ("point", None),
    "point_neg": ("points3", "neg2"),
    "box": ("box", None),
    "polygon_neg": ("polygon", "neg2"),
}


@pytest.fixture(scope="module")
def scene(golden_fill: Callable[..., Tensor], golden_network: Network) -> PreparedScene:
    def features(name: str, *shape: int) -> Tensor:
        return golden_fill(f"sampler/{name}", shape) * float(np.sqrt(np.prod(shape[1:])))

    levels = [features(f"ms{i}", 1, 512, 8 << i, 10 << i) for i in range(3)]
    with torch.inference_mode():
        return golden_network.decoder.prepare(levels, MaskFeatures(features("mask_features", 1, 512, 64, 80)))


@pytest.mark.parametrize("name", list(PROMPTS))
@torch.inference_mode()
def test_tokens_and_anchor_are_those_of_the_original(
    name: str,
    scene: PreparedScene,
    golden_network: Network,
    golden: Callable[[str], Any],
    golden_inputs: Any,
    replay_points: Callable[..., Any],
) -> None:
    case = golden("focalt_v0_sampler")
    include, exclude = PROMPTS[name]
    positive = golden_inputs[include][None]
    negative = golden_inputs[exclude][None] if exclude else np.zeros_like(positive)
    tokens = golden_network.prompts.region(scene, replay_points(positive, negative, case.draws(name)))
    assert case.compare(f"{name}/spatial_query_pos", tokens.anchor[None]).max_abs < 1e-4
    for level, content in enumerate(tokens.content):
        assert case.compare(f"{name}/src_spatial_queries_{level}", content.transpose(0, 1)).max_abs < 1e-4
        assert case.disagreement(f"{name}/src_spatial_maskings_{level}", tokens.padding) == 0
        assert torch.equal(tokens.position[level], content)


V1 = {**PROMPTS, "multi": (("point", "polygon", "scribble"), ("neg2", None, None))}


@pytest.mark.parametrize("name", list(V1))
@torch.inference_mode()
def test_objects_share_their_points_as_in_the_original_v1(
    name: str, scene: PreparedScene, golden_network: Network, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v1_sampler")
    include, exclude = V1[name] if name == "multi" else ((V1[name][0],), (V1[name][1],))
    regions = [
        [Region(golden_inputs[n], include=sign) for n, sign in ((yes, True), (no, False)) if n is not None]
        for yes, no in zip(include, exclude, strict=True)
    ]
    record = Draws(case.draws(name))
    legacy = Legacy(shared_points=True)
    frame = Scene(scene.levels, scene.levels[0], Grid(256, 320, (256, 320)), (256, 320), "", "")
    batches = draw_points(frame, scene, regions, legacy, record)
    record.finish()
    tokens = golden_network.prompts.region(scene, batches)
    assert case.compare(f"{name}/spatial_query_pos", tokens.anchor[:, None]).max_abs < 1e-4
    for level, (content, batch) in enumerate(zip(tokens.content, batches, strict=False)):
        signs = [content[~batch.padding & (batch.negative == sign)] for sign in (False, True)]
        found = torch.cat(signs)[:, None]  # the original lists positives of all objects first
        assert case.compare(f"{name}/src_spatial_queries_{level}", found).max_abs < 1e-4
