"""SEEM v0 through the public API, its random draws replayed (v0_spatial, v0_inter, v0_refimg).

Numbers are those of its v1.0 code with pseudo-random weights. It draws points above 512 of an object and sign.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from numpy.typing import NDArray
from torch import Tensor

from seemkit import Draws, Result, SeemkitError
from seemkit.pipeline.model import Model
from seemkit.prompts import Mask, Reference
from seemkit.scene import Scene
from tests.parity.recorded import FLIPPED, LOGITS, MARGIN, excess, margin
from tests.parity.requests import logits, masks_of, prompts_of, second_round

CASES = ["point", "point_neg", "box", "box_edge", "scribble", "polygon"]
LIMIT = 512

Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def model(golden_model: Callable[..., Model]) -> Model:
    return golden_model("seem-focalt-v0", {"drawn_points": True})


@pytest.mark.parametrize("name", CASES)
def test_regions_are_answered_as_by_the_original_with_its_draws(
    name: str, model: Model, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case, key = golden("focalt_v0_spatial"), f"{name}/prev_mask"
    assert margin(case.tensor(f"{name}/select_logits")[0, :, 0]) > MARGIN
    prompts = prompts_of(case.meta[key]["prompt"], golden_inputs)
    result = ask(model, prompts, case.draws(name), lambda r: excess(case, key, logits(r)))
    assert excess(case, key, logits(result)) <= 1
    assert flipped(case.tensor(key), logits(result)) <= FLIPPED


@pytest.mark.parametrize("name", CASES)
def test_the_second_round_reads_the_mask_of_the_first(
    name: str, model: Model, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    assert second_round(golden("focalt_v0_spatial"), name, model, ask, golden_inputs) <= 1


@pytest.mark.parametrize(("name", "objects"), [("one", 1), ("three", 3)])
def test_four_rounds_hand_on_their_own_masks(
    name: str, objects: int, model: Model, ask: Ask, golden: Callable[[str], Any]
) -> None:
    case = golden("focalt_v0_inter")
    draws, memory = case.draws(name), dict[str, Tensor]()
    for k in range(4):
        positive, negative = (case[f"{name}/r{k}/{sign}_mask_in"][:, 0] for sign in ("pos", "neg"))
        assert len(positive) == objects
        count = 4 * drawn(positive, negative)
        mine, draws = draws[:count], draws[count:]
        key = f"{name}/r{k}/prev_mask"

        def masks(result: Result) -> Tensor:
            return logits(result).transpose(0, 1)  # the original lays objects out side by side

        prompts = masks_of(positive, negative)
        result = ask(model, prompts, mine, lambda r, key=key: excess(case, key, masks(r)), memory=memory)
        assert excess(case, key, masks(result)) <= 1
        assert case.disagreement(f"{name}/r{k}/prev_mask_bin", masks(result) > 0) <= FLIPPED
        memory = {str(n + 1): masks(result)[n, 0] for n in range(objects)}
    assert not draws


def test_a_region_of_another_image_is_read_as_by_the_original(
    model: Model, ask: Ask, golden: Callable[[str], Any], golden_inputs: Any
) -> None:
    case = golden("focalt_v0_refimg")
    prompt = Reference(image=golden_inputs["img_c"], prompts=[Mask(mask=golden_inputs["ref_mask"])])
    result = ask(model, [prompt], case.draws("tokens"), lambda r: excess(case, "prev_mask", logits(r)))
    assert excess(case, "prev_mask", logits(result)) <= 1


def test_another_draw_of_a_region_of_another_image_is_another_answer(
    model: Model, golden: Callable[[str], Any], golden_inputs: Any, golden_encoded: Callable[[str], Scene]
) -> None:
    case, scene = golden("focalt_v0_refimg"), golden_encoded("img_a")
    prompt = Reference(image=golden_inputs["img_c"], prompts=[Mask(mask=golden_inputs["ref_mask"])])
    record = case.draws("tokens")
    with model.replaying(Draws([each[::-1] for each in record])) as replayed:
        other = logits(replayed.segment(scene, [prompt]))
    assert (other - case.tensor("prev_mask")).abs().max() > 10 * LOGITS
    with (
        pytest.raises(SeemkitError, match="1 recorded draws are left over after the 4"),
        model.replaying(Draws([*record, record[0]])) as replayed,
    ):
        replayed.segment(scene, [prompt])


def drawn(positive: Sequence[NDArray[Any]], negative: Sequence[NDArray[Any]]) -> int:
    """How many masks have more pixels than are taken without a draw."""
    return sum(int(mask.sum()) > LIMIT for mask in (*positive, *negative))


def flipped(expected: Tensor, actual: Tensor) -> float:
    """Share of the cells that are inside in one and outside in the other."""
    return ((expected > 0) != (actual > 0)).float().mean().item()
