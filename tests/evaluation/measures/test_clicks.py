"""Clicks as a measure: which prompts come first, what is drawn, and the figures, on a model whose answers are known."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from seemkit.evaluation.measures.clicks import Clicks

SPATIAL = {"box", "mask", "point", "polygon", "scribble"}


def stuck(image: np.ndarray, prompts: Any) -> np.ndarray:
    """87 % of a 20 x 30 object from the fourth prompt on, half of it before."""
    mask = np.zeros(image.shape[:2], bool)
    mask[10:30, 25 if len(prompts) < 4 else 14 : 40] = True
    return mask


@pytest.fixture
def sample(tools: Any) -> Any:
    return tools.make_sample(tools.rectangle(10, 10, 30, 40))


def test_noc_and_mean_iou_are_over_objects(made_up: Any, tools: Any, sample: Any) -> None:
    measure = Clicks()
    outcome = measure.evaluate(tools.ask(made_up(stuck), sample))
    assert outcome is not None
    made = tools.tally_of(measure, outcome.record, outcome.record)
    values = tools.values(made)
    assert (values["NoC@80"], values["NoC@85"], values["NoC@90"]) == (4, 4, 20)
    assert (values["mIoU@3"], values["mIoU@5"]) == (pytest.approx(0.5), pytest.approx(26 / 30))
    assert (values["never@85"], values["never@90"]) == (0.0, 1.0)
    assert {f.count for f in made.figures} == {2}
    assert {f.protocol for f in made.figures} == {"RITM clicks, at most 20, session with memory"}
    (curve,) = made.curves
    assert curve.values[:4] == pytest.approx((0.5, 0.5, 0.5, 26 / 30))


def test_every_spatial_type_has_a_curve(made_up: Any, tools: Any, sample: Any) -> None:
    measure = Clicks(first="every", rounds=2, shown=(1, 2))
    outcome = measure.evaluate(tools.ask(made_up(stuck), sample))
    assert outcome is not None
    made = tools.tally_of(measure, outcome.record)
    assert {curve.label for curve in made.curves} >= SPATIAL
    assert "mIoU@1 from box" in tools.values(made)
    assert "2-NoC@85 from box" in tools.values(made)
    box = next(f for f in made.figures if f.name == "mIoU@1 from box")
    assert box.protocol == "one simulated box, then RITM clicks, at most 2, session with memory"


def test_corrections_of_the_same_type_are_simulated_on_the_error(
    made_up: Any, tools: Any, sample: Any
) -> None:
    model = made_up(lambda image, prompts: tools.rectangle(10, 10, 30, 20) | tools.rectangle(0, 50, 5, 55))
    Clicks(first=("box",), then="same", rounds=3).evaluate(tools.ask(model, sample))
    first, second, third = model.asked[-1]
    assert {p.type_name() for p in (first, second, third)} == {"box"}
    # what is missed is (20, 10) to (40, 30), deeper than the wrong square
    assert (second.include, 18 <= second.x1 <= 22, 38 <= second.x2 <= 42) == (True, True, True)


def test_a_jittered_hand_draws_other_clicks_each_time(made_up: Any, tools: Any, sample: Any) -> None:
    def clicks(**options: Any) -> list[tuple[float, float]]:
        model = made_up(stuck)
        Clicks(rounds=1, **options).evaluate(tools.ask(model, sample))
        return [(p.x, p.y) for prompts in model.asked for p in prompts]

    assert len(set(clicks(repeats=3))) == 1
    assert len(set(clicks(jitter=0.8, repeats=6))) > 3
    assert clicks(jitter=0.8, repeats=6) == clicks(jitter=0.8, repeats=6)


def test_repeats_count_objects_once(made_up: Any, tools: Any, sample: Any) -> None:
    measure = Clicks(repeats=3, jitter=0.5)
    outcome = measure.evaluate(tools.ask(made_up(stuck), sample))
    assert outcome is not None
    figure = tools.tally_of(measure, outcome.record).figures[0]
    assert figure.count == 1
    assert "jitter 0.5 of the depth, 3 draws an object" in figure.protocol


def test_small_objects_are_left_out_and_a_picture_without_any_is_nothing(
    made_up: Any, tools: Any, sample: Any
) -> None:
    assert Clicks(smallest=601).evaluate(tools.ask(made_up(stuck), sample)) is None
    assert Clicks().evaluate(tools.ask(made_up(stuck), tools.make_sample())) is None


def test_the_worst_case_can_be_drawn(made_up: Any, tools: Any, sample: Any) -> None:
    outcome = Clicks(rounds=2).evaluate(tools.ask(made_up(stuck), sample))
    assert outcome is not None
    assert outcome.picture is not None
    assert outcome.score == pytest.approx(0.5)
    assert outcome.picture().width > 900


def test_a_type_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean 'polygon'"):
        Clicks(first=("poligon",))
    with pytest.raises(ValidationError, match="can be simulated"):
        Clicks(first=("text",))
