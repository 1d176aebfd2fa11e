"""SEEM v1 through the public API, its random draws replayed (v1_spatial, v1_inter).

Numbers are those of its v1.0 code with pseudo-random weights. All that it draws is behind legacy options, and
`Model.replaying` takes it from the record.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seemkit import Draws, Result, SeemkitError
from seemkit.pipeline.model import Model
from seemkit.prompts import Mask
from seemkit.scene import Scene
from tests.parity.recorded import FLIPPED, LOGITS, MARGIN, excess
from tests.parity.requests import logits, masks_of, prompts_of, second_round

LEGACY = {"queries": 3, "shared_points": True, "drawn_memory": True, "joint_phrases": True}
CASES = ["point", "point_neg", "box", "box_edge", "scribble", "polygon", "multi"]

Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def model(golden_model: Callable[..., Model]) -> Model:
    return golden_model("seem-focalt-v1", LEGACY)


@pytest.mark.parametrize("name", CASES)
def test_regions_are_answered_as_by_the_original_with_its_draws(
    name: str, model: Model, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v1_spatial")
    prompts = prompts_of(case.meta[f"{name}/prev_mask"]["prompt"], golden_inputs)
    key = f"{name}/prev_mask"
    draws = case.draws(name)
    result = ask(model, prompts, draws, lambda r: excess(case, key, logits(r)))
    check_best(case, key, logits(result), case.tensor(f"{name}/select_logits")[0])

    count = 3  # every candidate, ranked as the record ranks them
    result = ask(model, prompts, draws, lambda r: gap_of_all(case, name, r), select="all")
    assert len(result) == count * len({p.object for p in prompts})
    assert gap_of_all(case, name, result) <= 1


@pytest.mark.parametrize("name", CASES)
def test_the_second_round_draws_the_owners_of_its_memory(
    name: str, model: Model, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    assert second_round(golden("focalt_v1_spatial"), name, model, ask, golden_inputs) <= 1


@pytest.mark.parametrize(("name", "objects"), [("one", 1), ("three", 3)])
def test_four_rounds_hand_on_their_own_masks(
    name: str, objects: int, model: Model, ask: Ask, golden: Callable[[str], Any]
) -> None:
    case = golden("focalt_v1_inter")
    draws = case.draws(name)
    memory: dict[str, Tensor] = {}
    for k in range(4):
        positive, negative = (case[f"{name}/r{k}/{sign}_mask_in"][0] for sign in ("pos", "neg"))
        count = 4 * (1 + bool(negative.any())) + 1 + (9 if k else 0)
        mine, draws = draws[:count], draws[count:]
        key = f"{name}/r{k}/prev_mask"
        prompts = masks_of(positive, negative)
        result = ask(model, prompts, mine, lambda r, key=key: excess(case, key, logits(r)), memory=memory)
        assert excess(case, key, logits(result)) <= 1
        assert case.disagreement(f"{name}/r{k}/prev_mask_bin", logits(result) > 0) <= FLIPPED
        memory = {str(n + 1): logits(result)[0, n] for n in range(objects)}
    assert not draws


def test_turned_bits_do_not_excuse_another_answer(
    model: Model, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    # one of the drawn queries is another than in the record: no four bits near zero make up for that
    case = golden("focalt_v1_spatial")
    prompts = prompts_of(case.meta["point/prev_mask"]["prompt"], golden_inputs)
    *points, queries = case.draws("point")
    best = int(case.tensor("point/select_logits")[0, :, 0].argmax())
    others = np.where(np.arange(len(queries)) == best, (queries + 1) % 101, queries)

    def gap(result: Result) -> float:
        return excess(case, "point/prev_mask", logits(result))

    assert gap(ask(model, prompts, [*points, others], gap)) > 10
    assert gap(ask(model, prompts, [*points, queries], gap)) <= 1


def test_a_record_of_another_request_is_refused(model: Model, golden_encoded: Callable[[str], Scene]) -> None:
    pixel = np.zeros((256, 320), bool)
    pixel[100, 100] = True
    with pytest.raises(SeemkitError, match="another request"), model.replaying(Draws([[0, 1]])) as replayed:
        replayed.segment(golden_encoded("img_a"), [Mask(mask=pixel)])


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
