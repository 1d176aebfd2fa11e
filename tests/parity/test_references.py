"""What a region of another image becomes, against the original: its anchor, with the recorded draws (*_refimg).

How v0 answers with it is tested through the public API; v1 fails there.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from seemkit import Draws
from seemkit.pipeline.model import Model
from seemkit.prompts import Mask
from seemkit.scene import Scene


@pytest.mark.parametrize(("version", "option"), [("v0", "drawn_points"), ("v1", "shared_points")])
@torch.no_grad()
def test_the_anchor_of_a_region_of_another_image_is_that_of_the_original(
    version: str,
    option: str,
    golden_model: Callable[..., Model],
    golden_encoded: Callable[[str], Scene],
    golden: Callable[[str], Any],
    golden_inputs: Any,
) -> None:
    case = golden(f"focalt_{version}_refimg")
    draws = Draws(case.draws("tokens"))
    context = golden_model(f"seem-focalt-{version}", {option: True})._context(golden_encoded("img_a"), draws)
    encoded = context.reference(golden_inputs["img_c"], [Mask(mask=golden_inputs["ref_mask"])])
    draws.finish()
    (anchor,) = encoded.answers
    assert anchor.vector is not None
    assert case.compare("tokens/spatial_query_pos", anchor.vector[None, None]).max_abs < 1e-4
