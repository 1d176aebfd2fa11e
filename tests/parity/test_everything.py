"""Everything mode through the public API against the original's post-processing (case v1_pano2).

Its class embeddings are well separated pseudo-random ones, for those of real names are too alike with random
weights; they stand in for the text encoder. Numbers are those of the v1.0 code.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit.pipeline.everything import Thresholds, decode_everything
from seemkit.pipeline.model import Model
from seemkit.pipeline.semantic import semantic_bands
from seemkit.scene import Scene
from tests.parity.recorded import FLIPPED, assert_close

THINGS, NAMES = 80, tuple(f"class {k}" for k in range(133))
ROLLED = 40
"""By so many places the case `stuff` moves the embeddings, so that its segments are of stuff."""

Setting = tuple[Model, Scene, Thresholds]


@pytest.fixture(params=["img_a", "img_d"])
def image(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["default", "mid", "low_x1.5", "stuff"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def setting(
    image: str,
    name: str,
    golden_model: Callable[..., Model],
    golden_encoded: Callable[[str], Scene],
    golden: Callable[[str], Any],
) -> Setting:
    """The model with the recorded class embeddings, the scene at the recorded output size, the thresholds."""
    case = golden("focalt_v1_pano2")
    vocabulary = case.tensor("class_text_embeddings")
    if name == "stuff":
        vocabulary = vocabulary.roll(ROLLED, dims=0)
    model = copy(golden_model("seem-focalt-v1"))
    model._embed = lambda _, **__: vocabulary  # type: ignore[method-assign]
    scene = golden_encoded(image)
    meta = case.meta[f"{image}/{name}/panoptic_seg"]
    height, width = meta["shape"]
    scene = replace(scene, grid=scene.grid._replace(image=(height, width)), image=None)
    limits = meta["thresholds"]
    return model, scene, Thresholds(limits["object_mask_threshold"], limits["overlap_threshold"])


def test_panoptic_segments_are_those_of_the_original(
    setting: Setting, image: str, name: str, golden: Callable[[str], Any]
) -> None:
    case, (model, scene, limits) = golden("focalt_v1_pano2"), setting
    stuff = NAMES[THINGS:]
    result = model.everything(scene, vocabulary=NAMES, stuff=stuff, thresholds=limits)
    assert result.segments is not None
    key = f"{image}/{name}/panoptic_seg"
    ids = torch.from_numpy(result.segments.ids.copy())
    assert case.disagreement(key, ids) <= FLIPPED
    expected = case.meta[key]["segments_info"]
    found = [(s["id"], s["thing"], NAMES.index(s["label"])) for s in result.segments.info]
    assert found == [(s["id"], s["isthing"], s["category_id"]) for s in expected]


def test_instances_are_those_of_the_original(
    setting: Setting, image: str, name: str, golden: Callable[[str], Any]
) -> None:
    case, (model, scene, limits) = golden("focalt_v1_pano2"), setting
    stuff = NAMES[THINGS:]
    result = model.everything(scene, vocabulary=NAMES, task="instance", stuff=stuff, thresholds=limits)
    scores: NDArray[np.float32] = case[f"{image}/{name}/inst_scores"]
    theirs = np.argsort(-scores, kind="stable")
    areas, classes = (case[f"{image}/{name}/inst_{what}"][theirs] for what in ("area", "classes"))
    theirs = theirs[areas > 0]  # the original keeps instances without a pixel, seemkit drops them
    classes = classes[areas > 0]
    assert len(result) == len(theirs)
    np.testing.assert_allclose(result.scores, scores[theirs], atol=1e-3)
    masks = case[f"{image}/{name}/inst_masks_top8"]
    clear = np.append(-np.diff(scores[theirs]) > 1e-4, True)
    clear[1:] &= clear[:-1]  # where two scores are alike their order is a matter of rounding
    for k in range(len(theirs)):
        if clear[k]:
            assert NAMES.index(result.labels[k][0][0]) == classes[k]
        if clear[k] and k < len(masks):
            assert np.mean(result.masks[k] != masks[k]) <= FLIPPED


def test_semantic_planes_are_those_of_the_original(
    setting: Setting, image: str, name: str, golden: Callable[[str], Any]
) -> None:
    # a result keeps the name that wins each pixel, so the planes that it is of are compared
    case, (model, scene, _) = golden("focalt_v1_pano2"), setting
    with torch.inference_mode():
        rows = decode_everything(model.network, model.prepare(scene), model._embed(()))
        planes = torch.cat([*semantic_bands(rows, scene.grid, scene.padded)], 1)
    assert_close(case, f"{image}/{name}/sem_seg", planes)
    result = model.everything(scene, vocabulary=NAMES, task="semantic")
    np.testing.assert_array_equal(result.semantic, planes.argmax(0))


@pytest.mark.parametrize("name", ["default"])
def test_class_logits_are_those_of_the_original(
    setting: Setting, image: str, golden: Callable[[str], Any]
) -> None:
    case, (model, scene, _) = golden("focalt_v1_pano2"), setting
    with torch.inference_mode():
        rows = decode_everything(model.network, model.prepare(scene), model._embed(()))
    key = f"{image}/pred_logits"
    # probabilities leave out what all classes of a query have in common
    common = case.tensor(key).logsumexp(-1, keepdim=True)
    assert_close(case, key, rows.probabilities.log()[None] + common)
