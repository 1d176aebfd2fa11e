"""A region of another image as prompt, and plain object queries with a vocabulary, against the original."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.rows import RowBatch


@torch.inference_mode()
def test_tokens_of_another_image_are_read_as_by_the_original(
    golden_network: Network,
    golden_scene: Callable[[str], PreparedScene],
    golden: Callable[[str], Any],
    golden_inputs: Any,
    replay_points: Callable[..., Any],
) -> None:
    case = golden("focalt_v0_refimg")
    positive = golden_inputs["ref_mask"][None]
    draws = case.draws("tokens")
    there, here = golden_scene("img_c"), golden_scene("img_a")
    tokens = golden_network.prompts.region(there, replay_points(positive, np.zeros_like(positive), draws))
    assert case.compare("tokens/spatial_query_pos", tokens.anchor[None]).max_abs < 1e-4

    content, position = golden_network.decoder.object_queries()
    rows = [
        RowBatch("query", content[None], position[None]),
        RowBatch("reference", tokens.content, tokens.position, tokens.padding),
    ]
    decoded = golden_network.decoder(here, rows, golden_network.heads)
    scores = decoded.mask_embeddings[0] @ tokens.anchor[0]
    best, second = scores.topk(2).values
    assert best - second > 0.05
    mask = here.mask_features.dot(decoded.mask_embeddings[:, scores.argmax()][:, None])
    gap = case.compare("prev_mask", mask)
    assert gap.max_abs < 5e-3
    assert gap.rms < 5e-4


@pytest.mark.parametrize("image", ["img_a", "img_d"])
@torch.inference_mode()
def test_class_logits_of_the_object_queries_are_those_of_the_original(
    image: str,
    golden_network: Network,
    golden_scene: Callable[[str], PreparedScene],
    golden: Callable[[str], Any],
) -> None:
    case = golden("focalt_v1_pano2")
    content, position = golden_network.decoder.object_queries()
    rows = [RowBatch("query", content[None], position[None])]
    decoded = golden_network.decoder(golden_scene(image), rows, golden_network.heads)
    classes = golden_network.heads.class_embedding(decoded.queries)
    logits = golden_network.class_logits(classes, case.tensor("class_text_embeddings"))
    gap = case.compare(f"{image}/pred_logits", logits)
    assert gap.max_abs < 5e-3
    assert gap.rms < 5e-4
