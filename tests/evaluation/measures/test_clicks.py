"""Clicks as a measure: which prompts come first, what is drawn, and the figures, on a model whose answers are known."""

import re
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


def test_types_can_be_given_together_and_then_clicked(made_up: Any, tools: Any) -> None:
    model = made_up(stuck)
    measure = Clicks(first=("box", "box+scribble+text"), rounds=4, shown=(1,))
    outcome = measure.evaluate(tools.ask(model, tools.make_sample((tools.rectangle(10, 10, 30, 40), "cat"))))
    assert outcome is not None
    asked = [[p.type_name() for p in prompts] for prompts in model.asked]
    assert asked[4:6] == [["box", "scribble", "text"], ["box", "scribble", "text", "point"]]
    assert model.asked[0][0] == model.asked[4][0], "the same box"
    assert model.asked[4][2].text == "cat"
    made = tools.tally_of(measure, outcome.record)
    values = tools.values(made)
    assert values["4-NoC@85 from box"] == 4
    assert values["4-NoC@85 from box + scribble + text"] == 2
    assert {f.protocol for f in made.figures if "text" in f.name} == {
        "one simulated box and one simulated scribble and the class or phrase as text, then RITM clicks, at most 4, "
        "session with memory"
    }
    assert [curve.label for curve in made.curves] == ["box", "box + scribble + text"]


def test_pairs_are_those_of_all_spatial_types() -> None:
    names = Clicks(first="pairs")._first()
    assert {"point+box", "box+point"} & set(names)
    kinds = {kind for name in names for kind in name.split("+")}
    assert kinds >= SPATIAL
    assert len(names) == len(kinds) * (len(kinds) - 1) / 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"first": ("box+boxx",)}, "did you mean 'box'"),
        ({"first": ("box+click",)}, "no prompt type 'click' can be simulated"),
        ({"first": ("clik",)}, "did you mean 'click'"),
        ({"first": ()}, "it names no prompt type"),
        (
            {"first": ("box+point",), "then": "same"},
            "then is 'same', but box+point are several types; take 'click'",
        ),
    ],
)
def test_what_cannot_be_given_first_is_said(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(says)):
        Clicks(**options)


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
        Clicks(first=("reference",))
