"""SEEM through the public API, its random draws replayed (v1_spatial, v1_inter, v1_ground, v1_ground2, v0_spatial).

Numbers are those of its v1.0 code with pseudo-random weights. All that it draws is behind legacy options, and
`Model.replaying` takes it from the record.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from seemkit import Draws, SeemkitError
from seemkit.pipeline.model import Model
from seemkit.prompting.prompt import Prompt
from seemkit.prompts import Mask, Text
from seemkit.result import Result
from seemkit.scene import Scene

LOGITS, RMS, FLIPPED, MARGIN = 5e-3, 5e-4, 1e-3, 0.05
LEGACY = {"queries": 3, "shared_points": True, "drawn_memory": True, "joint_phrases": True}
CASES = ["point", "point_neg", "box", "box_edge", "scribble", "polygon", "multi"]

Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def model(golden_model: Callable[..., Model]) -> Model:
    return golden_model("seem-focalt-v1", LEGACY)


@pytest.fixture(scope="module")
def ask(model: Model, golden_encoded: Callable[[str], Scene], settle: Callable[..., Any]) -> Ask:
    """Ask until the result is as recorded, turning bits that rounding decides; draws are replayed each time."""

    def run(
        prompts: Sequence[Prompt],
        draws: Sequence[Any],
        gap: Callable[[Result], float],
        image: str = "img_a",
        memory: Mapping[str, Tensor] | None = None,
        select: Any = "best",
        model: Model = model,
    ) -> Result:
        scene = golden_encoded(image)

        def once(watched: Any) -> Result:
            with model.replaying(Draws(draws)) as replayed:
                replayed._prepare = lambda _: watched  # type: ignore[method-assign]
                return replayed.segment(scene, prompts, memory=memory, select=select)

        found: Result = settle(model.prepare(scene), once, gap)
        return found

    return run


@pytest.mark.parametrize("name", CASES)
def test_regions_are_answered_as_by_the_original_with_its_draws(
    name: str, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v1_spatial")
    prompts = prompts_of(case.meta[f"{name}/prev_mask"]["prompt"], golden_inputs)
    key = f"{name}/prev_mask"
    draws = list(case.draws(name))
    result = ask(prompts, draws, lambda r: excess(case, key, logits(r)))
    check_best(case, key, logits(result), case.tensor(f"{name}/select_logits")[0])

    count = 3  # every candidate, ranked as the record ranks them
    result = ask(prompts, draws, lambda r: gap_of_all(case, name, r), select="all")
    assert len(result) == count * len({p.object for p in prompts})
    assert gap_of_all(case, name, result) <= 1


@pytest.mark.parametrize("name", CASES)
def test_the_second_round_draws_the_owners_of_its_memory(
    name: str, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v1_spatial")
    prompts = prompts_of(case.meta[f"{name}/prev_mask"]["prompt"], golden_inputs)
    previous = case.tensor(f"{name}/prev_mask")[0]
    key = f"{name}/round2_prev_mask"
    memory = {str(k + 1): mask for k, mask in enumerate(previous)}
    draws = list(case.draws(f"{name}/round2"))
    result = ask(prompts, draws, lambda r: excess(case, key, logits(r)), memory=memory)
    assert excess(case, key, logits(result)) <= 1


@pytest.mark.parametrize("name", ["box", "scribble", "polygon"])
def test_v0_draws_points_above_512(
    name: str, ask: Ask, golden_model: Callable[..., Model], golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v0_spatial")
    prompts = prompts_of(case.meta[f"{name}/prev_mask"]["prompt"], golden_inputs)
    key = f"{name}/prev_mask"
    v0 = golden_model("seem-focalt-v0", {"drawn_points": True})
    result = ask(prompts, list(case.draws(name)), lambda r: excess(case, key, logits(r)), model=v0)
    assert excess(case, key, logits(result)) <= 1


@pytest.mark.parametrize(("name", "objects"), [("one", 1), ("three", 3)])
def test_four_rounds_hand_on_their_own_masks(
    name: str, objects: int, ask: Ask, golden: Callable[[str], Any]
) -> None:
    case = golden("focalt_v1_inter")
    draws = list(case.draws(name))
    memory: dict[str, Tensor] = {}
    for k in range(4):
        positive, negative = (case[f"{name}/r{k}/{sign}_mask_in"][0] for sign in ("pos", "neg"))
        count = 4 * (1 + bool(negative.any())) + 1 + (9 if k else 0)
        mine, draws = draws[:count], draws[count:]
        key = f"{name}/r{k}/prev_mask"
        prompts = masks_of(positive, negative)
        result = ask(prompts, mine, lambda r, key=key: excess(case, key, logits(r)), memory=memory)
        assert excess(case, key, logits(result)) <= 1
        assert case.disagreement(f"{name}/r{k}/prev_mask_bin", logits(result) > 0) <= FLIPPED
        memory = {str(n + 1): logits(result)[0, n] for n in range(objects)}
    assert not draws


@pytest.mark.parametrize("name", ["single0", "single1", "single2", "joint", "pad_d"])
def test_phrases_are_answered_as_by_the_original(name: str, ask: Ask, golden: Callable[[str], Any]) -> None:
    # several phrases of one request share one group of tokens and one set of queries
    case = golden("focalt_v1_ground")
    texts = case.meta[f"{name}/pred_gmasks"]["texts"]
    prompts = [Text(text=text, object=str(k + 1)) for k, text in enumerate(texts)]
    expected = case.tensor(f"{name}/grounding_mask_bin").numpy()
    sure = np.array(case.meta[f"{name}/matched_id"]["top1_margin"]) > MARGIN
    image = "img_d" if name == "pad_d" else "img_a"

    def gap(result: Result) -> float:
        return float((result.masks != expected)[sure].mean()) / FLIPPED

    assert gap(ask(prompts, [], gap, image)) <= 1
    assert sure.any()


def test_a_phrase_with_a_click_is_wired_as_the_originals_rewiring(
    golden_model: Callable[..., Model],
    golden_encoded: Callable[[str], Scene],
    golden: Callable[[str], Any],
    golden_inputs: Any,
) -> None:
    # the original grows the click by a pixel, and chooses by the phrase alone, which `shares` tells apart
    case = golden("focalt_v1_ground2")
    (text,) = case.meta["text_point_hooked/pred_gmasks"]["texts"]
    click = ndimage.binary_dilation(golden_inputs["point"], np.ones((3, 3)))
    model = golden_model("seem-focalt-v1")
    result = model.segment(golden_encoded("img_a"), [Mask(mask=click), Text(text=text)], select="all")
    best = int(np.argmax([shares["phrase"] for shares in result.shares]))
    found = torch.from_numpy(result.masks[best][None].copy())
    assert case.disagreement("text_point_hooked/grounding_mask_bin", found) <= FLIPPED


def test_turned_bits_do_not_excuse_another_answer(
    ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    # one of the drawn queries is another than in the record: no four bits near zero make up for that
    case = golden("focalt_v1_spatial")
    prompts = prompts_of(case.meta["point/prev_mask"]["prompt"], golden_inputs)
    *points, queries = case.draws("point")
    best = int(case.tensor("point/select_logits")[0, :, 0].argmax())
    others = np.where(np.arange(len(queries)) == best, (queries + 1) % 101, queries)

    def gap(result: Result) -> float:
        return excess(case, "point/prev_mask", logits(result))

    assert gap(ask(prompts, [*points, others], gap)) > 10
    assert gap(ask(prompts, [*points, queries], gap)) <= 1


def test_a_record_of_another_request_is_refused(model: Model, golden_encoded: Callable[[str], Scene]) -> None:
    pixel = np.zeros((256, 320), bool)
    pixel[100, 100] = True
    with pytest.raises(SeemkitError, match="another request"), model.replaying(Draws([[0, 1]])) as replayed:
        replayed.segment(golden_encoded("img_a"), [Mask(mask=pixel)])


def prompts_of(prompt: Mapping[str, Any], inputs: Any) -> list[Prompt]:
    positive = [inputs[name] for name in prompt["pos"]]
    names = prompt["neg"] or [None] * len(positive)
    blank = np.zeros_like(positive[0])
    return masks_of(positive, [blank if name is None else inputs[name] for name in names])


def masks_of(positive: Sequence[Any], negative: Sequence[Any]) -> list[Prompt]:
    """Objects "1", "2", ... in the order of the record."""
    prompts: list[Prompt] = []
    for k, (include, exclude) in enumerate(zip(positive, negative, strict=True)):
        prompts.append(Mask(mask=include, object=str(k + 1)))
        if exclude.any():
            prompts.append(Mask(mask=exclude, object=str(k + 1), include=False))
    return prompts


def logits(result: Result) -> Tensor:
    """(1, N, h, w)."""
    assert result.logits is not None
    return torch.tensor(result.logits)[None]


def gap_of_all(case: Any, name: str, result: Result) -> float:
    """Every candidate's mask against the record, in the record's order."""
    scores = case.tensor(f"{name}/select_logits")[0]
    ours = logits(result)[0]
    ranked = torch.empty_like(ours)
    for k in range(len(ours) // 3):
        order = scores[3 * k : 3 * k + 3, k].argsort(descending=True, stable=True)
        ranked[3 * k + order] = ours[3 * k : 3 * k + 3]
    return excess(case, f"{name}/pred_smasks", ranked[None])


def check_best(case: Any, key: str, actual: Tensor, scores: Tensor) -> None:
    """Masks of the objects whose best candidate the record chose clearly."""
    expected = case.tensor(key)
    for k in range(expected.shape[1]):
        best, second = scores[3 * k : 3 * k + 3, k].topk(2).values.tolist()
        if best - second > MARGIN or best == second:
            gap = (actual[0, k] - expected[0, k]).abs()
            assert gap.max() < LOGITS
            assert ((actual[0, k] > 0) != (expected[0, k] > 0)).float().mean() <= FLIPPED
    assert excess(case, key, actual) <= 1


def excess(case: Any, key: str, actual: Tensor) -> float:
    """How far from the reference, as a share of what is tolerated."""
    gap = case.compare(key, actual)
    return max(gap.max_abs / LOGITS, gap.rms / RMS)
