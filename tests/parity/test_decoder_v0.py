"""The mask decoder against the original's: regions, rounds and phrases (v0_spatial, v0_inter, *_ground*).

Numbers are those of its v1.0 code with pseudo-random weights. Where it drew points at random, its recorded
draws are replayed. The decoder is called with rows; how prompts become rows is tested elsewhere.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from seemkit.network.decoder import Decoded
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.network.presets import PRESETS
from seemkit.network.rows import RowBatch
from seemkit.network.sampler import PointBatch, RegionTokens
from tests.parity.recorded import MARGIN, assert_close, excess, margin

SPATIAL = ["point", "point_neg", "box", "box_edge", "scribble", "polygon"]

Masks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answer:
    """Every candidate that N objects get."""

    decoded: Decoded
    tokens: RegionTokens
    scores: Tensor  # N x Q
    masks: Tensor  # N x Q x h x w


@pytest.fixture(scope="module")
def ask_region(
    golden_network: Network,
    golden_scene: Callable[[str], PreparedScene],
    replay_points: Callable[..., Any],
    settle: Callable[..., Any],
) -> Callable[..., Answer]:
    """Decode regions of img_a as v0 does: all queries copied for each object, one object a batch entry."""

    @torch.inference_mode()
    def ask(
        positive: Masks,
        negative: Masks,
        draws: Sequence[NDArray[Any]],
        gap: Callable[[Answer], float],
    ) -> Answer:
        scene = golden_scene("img_a")
        n = len(positive)
        tokens = golden_network.prompts.region(scene, replay_points(positive, negative, draws))
        rows = [
            queries(golden_network, n),
            RowBatch("region", tokens.content, tokens.position, tokens.padding),
        ]

        def run(watched: PreparedScene) -> Answer:
            decoded = golden_network.decoder(watched, rows, golden_network.heads)
            scores = torch.einsum("nqc,nc->nq", decoded.mask_embeddings, tokens.anchor)
            return Answer(decoded, tokens, scores, scene.mask_features.dot(decoded.mask_embeddings))

        return settle(scene, run, gap)

    return ask


@pytest.fixture(scope="module")
def click(
    golden_inputs: Any, replay_points: Callable[..., list[PointBatch]]
) -> Callable[..., list[PointBatch]]:
    """The recorded click, a square of 3 pixels; evaluation with text grows it by one more on each side."""

    def make(grown: int = 0) -> list[PointBatch]:
        point = golden_inputs["point"][None]
        for _ in range(grown):
            point = functional.max_pool2d(torch.from_numpy(point).float(), 3, 1, 1).numpy() > 0
        return replay_points(point, np.zeros_like(point), [])

    return make


@pytest.mark.parametrize("name", SPATIAL)
def test_a_region_is_answered_as_by_the_original(
    name: str, ask_region: Callable[..., Answer], golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v0_spatial")
    positive, negative = prompt_masks(case, name, golden_inputs)

    def gap(answer: Answer) -> float:
        embeddings = excess(case, f"{name}/pred_smaskembs", answer.decoded.mask_embeddings)
        return max(embeddings, excess(case, f"{name}/pred_smasks", answer.masks))

    answer = ask_region(positive, negative, case.draws(name), gap)

    assert_close(case, f"{name}/pred_pspatials", answer.tokens.anchor[None], limit=1e-4)
    assert_close(case, f"{name}/pred_smaskembs", answer.decoded.mask_embeddings)
    assert_close(case, f"{name}/pred_smasks", answer.masks)
    expected = case.tensor(f"{name}/select_logits")[0, :, 0]
    # scores sum 512 products, so their error grows with their own size (std about 20)
    torch.testing.assert_close(answer.scores[0], expected, atol=5e-3, rtol=1e-3)
    if margin(expected) > MARGIN:
        assert answer.scores[0].argmax() == expected.argmax()


@pytest.mark.parametrize(
    ("case_name", "name", "image"),
    [
        ("focalt_v0_ground2", "text_plain", "img_a"),
        ("focalt_v0_ground2", "text_point_plain", "img_a"),  # the published wiring keeps the point out
        ("focalt_v1_ground2", "text_plain", "img_a"),
        ("focalt_v1_ground2", "text_point_plain", "img_a"),
        ("focalt_v1_ground", "with_point", "img_a"),
        ("focalt_v1_ground", "single0", "img_a"),
        ("focalt_v1_ground", "single1", "img_a"),
        ("focalt_v1_ground", "single2", "img_a"),
        ("focalt_v1_ground", "joint", "img_a"),  # five phrases in one token group
        ("focalt_v1_ground", "pad_d", "img_d"),  # padded from 250 x 300
    ],
)
@torch.inference_mode()
def test_phrases_are_answered_as_by_the_original(
    case_name: str,
    name: str,
    image: str,
    golden_network: Network,
    golden_scene: Callable[[str], PreparedScene],
    golden: Callable[[str], Any],
) -> None:
    case, scene = golden(case_name), golden_scene(image)
    tokens, embeddings = encode(golden_network, case.meta[f"{name}/pred_gmasks"]["texts"])
    rows = [queries(golden_network, 1), RowBatch("phrase", tokens, tokens)]
    decoded = golden_network.decoder(scene, rows, golden_network.heads)
    check_phrases(case, name, golden_network, scene, decoded, embeddings)


@pytest.mark.parametrize("case_name", ["focalt_v0_ground2", "focalt_v1_ground2"])
@torch.inference_mode()
def test_a_phrase_and_a_point_for_one_object_are_wired_as_the_originals_rewiring(
    case_name: str,
    golden_network: Network,
    golden_scene: Callable[[str], PreparedScene],
    golden: Callable[[str], Any],
    click: Callable[..., list[PointBatch]],
) -> None:
    case, scene = golden(case_name), golden_scene("img_a")
    tokens, embeddings = encode(golden_network, case.meta["text_point_hooked/pred_gmasks"]["texts"])
    region = region_rows(golden_network, scene, click(grown=1))
    rows = [queries(golden_network, 1), RowBatch("phrase", tokens, tokens), region]
    decoded = golden_network.decoder(scene, rows, golden_network.heads)
    check_phrases(case, "text_point_hooked", golden_network, scene, decoded, embeddings)


@pytest.mark.parametrize("case_name", ["focalt_v0_ground2", "focalt_v1_ground2"])
@pytest.mark.parametrize("hooked", [False, True], ids=["plain", "hooked"])
@torch.inference_mode()
def test_rules_are_data_two_sets_of_queries_in_one_call(
    case_name: str,
    hooked: bool,
    golden_network: Network,
    golden_scene: Callable[[str], PreparedScene],
    golden: Callable[[str], Any],
    click: Callable[..., list[PointBatch]],
    settle: Callable[..., Any],
) -> None:
    # the original runs spatial and grounding queries side by side; text reads the grounding ones only
    case, scene = golden(case_name), golden_scene("img_a")
    tokens, _ = encode(golden_network, ["person"])
    region = region_rows(golden_network, scene, click())
    grounding = replace(queries(golden_network, 1), role="grounding")
    rules = {
        "query": frozenset({"query", "region", "phrase"} if hooked else {"query", "region"}),
        "grounding": frozenset({"grounding", "phrase"}),
        "phrase": frozenset({"grounding", "phrase"}),
        "region": frozenset({"region"}),
    }
    key = f"click_text_{'hooked' if hooked else 'plain'}/prev_mask"
    own = queries(golden_network, 1)
    if (
        "_v1_" in case_name
    ):  # which draws three of them, last, and the same for both wirings: they share a seed
        *_, drawn = case.draws("click_text_hooked")
        content, position = (x[drawn.tolist()][None] for x in golden_network.decoder.object_queries())
        own = RowBatch("query", content, position)
    rows = [own, grounding, RowBatch("phrase", tokens, tokens), region]
    anchor = golden_network.prompts.region(scene, click()).anchor

    def run(watched: PreparedScene) -> tuple[Tensor, Tensor]:
        with rewired(golden_network, rules):
            decoded = golden_network.decoder(watched, rows, golden_network.heads)
        spatial = decoded.mask_embeddings[:, : own.length]
        scores = (spatial @ anchor[0])[0]
        return scores, scene.mask_features.dot(spatial[:, scores.argmax()][:, None])

    scores, mask = settle(scene, run, lambda found: excess(case, key, found[1]))
    assert margin(scores) > MARGIN
    assert_close(case, key, mask)


def check_phrases(
    case: Any, name: str, network: Network, scene: PreparedScene, decoded: Decoded, embeddings: Tensor
) -> None:
    """Candidates, scores, and which candidate each phrase chooses."""
    masks = scene.mask_features.dot(decoded.mask_embeddings)
    classes = network.heads.class_embedding(decoded.queries)
    assert_close(case, f"{name}/pred_gmasks", masks)
    assert_close(case, f"{name}/pred_gtexts", classes)
    unit = functional.normalize(embeddings, dim=1)
    cosines = functional.normalize(classes[0], dim=1) @ unit.T
    scores = network.class_scale(limit=100.0) * cosines  # Q x phrases
    if f"{name}/out_prob" in case:
        assert_close(case, f"{name}/out_prob", scores)
    sure = torch.tensor([margin(column) > MARGIN for column in scores.T])
    chosen = scores.argmax(0)
    if f"{name}/matched_id" in case:
        assert torch.equal(chosen[sure], case.tensor(f"{name}/matched_id")[sure])


def queries(network: Network, n: int) -> RowBatch:
    content, position = network.decoder.object_queries()
    return RowBatch("query", repeat(content, n), repeat(position, n))


def repeat(x: Tensor, n: int) -> Tensor:
    return x.expand(n, *x.shape)


def encode(network: Network, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Tokens of all texts in one row (1, T, C), and their embeddings."""
    phrases = network.text_encoder.encode(texts)  # type: ignore[operator]
    return torch.cat([p.tokens for p in phrases])[None], torch.stack([p.embedding for p in phrases])


def region_rows(network: Network, scene: PreparedScene, points: list[PointBatch]) -> RowBatch:
    tokens = network.prompts.region(scene, points)
    return RowBatch("region", tokens.content, tokens.position, tokens.padding)


@contextmanager
def rewired(network: Network, rules: dict[str, frozenset[str]]) -> Iterator[None]:
    """Give the decoder other rules for a while."""
    crosses = frozenset({"query", "grounding"})
    network.decoder.preset = replace(PRESETS["seem_v0"], rules=rules, crosses=crosses)
    try:
        yield
    finally:
        network.decoder.preset = PRESETS["seem_v0"]


def prompt_masks(case: Any, name: str, inputs: Any) -> tuple[Masks, Masks]:
    """Positive and negative pixels (1, H, W) of a recorded prompt."""
    prompt = case.meta[f"{name}/prev_mask"]["prompt"]
    (positive,) = prompt["pos"]
    blank = np.zeros_like(inputs[positive])
    negative = inputs[prompt["neg"][0]] if prompt["neg"] else blank
    return inputs[positive][None], negative[None]
