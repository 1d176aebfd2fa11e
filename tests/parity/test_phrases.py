"""Phrases through the public API, alone and with a click (v0_ground2, v1_ground, v1_ground2).

Numbers are those of the original's v1.0 code with pseudo-random weights. As published a click has no effect on a
phrase, and a phrase none on a click, so that records of both together are those of one of them alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from seemkit import Result
from seemkit.pipeline.model import Model
from seemkit.prompts import Mask, Text
from tests.parity.recorded import FLIPPED, MARGIN, excess
from tests.parity.requests import logits

Ask = Callable[..., Result]
BOTH = ["focalt_v0_ground2", "focalt_v1_ground2"]


@pytest.fixture(scope="module")
def models(golden_model: Callable[..., Model]) -> dict[str, Model]:
    """By version; the phrases of a request are one group of tokens, as in the original."""
    return {name: golden_model(f"seem-focalt-{name}", {"joint_phrases": True}) for name in ("v0", "v1")}


@pytest.mark.parametrize(
    ("case_name", "name", "image"),
    [
        *((case, name, "img_a") for case in BOTH for name in ("text_plain", "text_point_plain")),
        *(("focalt_v1_ground", f"single{k}", "img_a") for k in range(3)),
        ("focalt_v1_ground", "with_point", "img_a"),
        ("focalt_v1_ground", "joint", "img_a"),  # five phrases
        ("focalt_v1_ground", "pad_d", "img_d"),  # padded from 250 x 300
    ],
)
def test_phrases_are_answered_as_by_the_original(
    case_name: str,
    name: str,
    image: str,
    models: dict[str, Model],
    ask: Ask,
    golden: Callable[[str], Any],
) -> None:
    case, model = golden(case_name), models[case_name[7:9]]
    texts = case.meta[f"{name}/pred_gmasks"]["texts"]
    prompts = [Text(text=text, object=str(k + 1)) for k, text in enumerate(texts)]
    chosen = case.meta.get(f"{name}/matched_id", {"top1_margin": [1.0] * len(texts)})
    sure = np.array(chosen["top1_margin"]) > MARGIN
    assert sure.any()

    def gap(result: Result) -> float:
        found = masks_gap(case, name, sure, result, result.masks)
        return (
            max(found, excess(case, f"{name}/grounding_mask", enlarged(result, image)))
            if sure.all()
            else found
        )

    assert gap(ask(model, prompts, [], gap, image)) <= 1


@pytest.mark.parametrize("case_name", BOTH)
def test_a_phrase_with_a_click_is_wired_as_the_originals_rewiring(
    case_name: str,
    golden_model: Callable[..., Model],
    ask: Ask,
    golden: Callable[[str], Any],
    golden_inputs: Any,
) -> None:
    # the original grows the click by a pixel, and chooses by the phrase alone, which `shares` tells apart
    case, name = golden(case_name), "text_point_hooked"
    (text,) = case.meta[f"{name}/pred_gmasks"]["texts"]
    click = ndimage.binary_dilation(golden_inputs["point"], np.ones((3, 3)))
    model = golden_model(f"seem-focalt-{case_name[7:9]}")

    def gap(result: Result) -> float:
        best = int(np.argmax([shares["phrase"] for shares in result.shares]))
        found = masks_gap(case, name, np.array([True]), result, result.masks[best][None])
        return max(found, excess(case, f"{name}/grounding_mask", enlarged(result, "img_a")[best][None]))

    assert gap(ask(model, [Mask(mask=click), Text(text=text)], None, gap, select="all")) <= 1


@pytest.mark.parametrize("case_name", BOTH)
def test_a_click_with_a_phrase_is_answered_as_published_by_the_click(
    case_name: str,
    golden_model: Callable[..., Model],
    ask: Ask,
    golden: Callable[[str], Any],
    golden_inputs: Any,
) -> None:
    case, key = golden(case_name), "click_text_plain/prev_mask"
    legacy = {"queries": 3, "shared_points": True} if "_v1_" in case_name else {"drawn_points": True}
    model = golden_model(f"seem-focalt-{case_name[7:9]}", legacy)
    draws = case.draws("click_text_hooked")  # both wirings share a seed; those of one are recorded

    def gap(result: Result) -> float:
        return excess(case, key, logits(result))

    assert gap(ask(model, [Mask(mask=golden_inputs["point"])], draws, gap)) <= 1


def masks_gap(case: Any, name: str, sure: Any, result: Result, masks: Any) -> float:
    """The share of pixels that differ, of what is tolerated, over phrases whose choice is sure."""
    found = torch.from_numpy(np.array(masks))
    return float(case.disagreement(f"{name}/grounding_mask_bin", found, sure)) / FLIPPED


def enlarged(result: Result, image: str) -> Tensor:
    """Logits (N, H, W) of the image, which the recorded inputs have at the size that the network takes."""
    assert result.logits is not None
    height, width = result.size
    full = torch.nn.functional.interpolate(torch.tensor(result.logits)[None], scale_factor=4, mode="bilinear")
    return full[0, :, :height, :width]
