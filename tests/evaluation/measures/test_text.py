"""Class names and phrases as text: who is asked for, what counts, and the baseline."""

from typing import Any

import numpy as np
import pytest

from seemkit.data.sample import SampleObject
from seemkit.evaluation.measures.text import Text


@pytest.fixture
def street(tools: Any) -> Any:
    """A large dog, a small cat, two birds and floor."""
    box = tools.rectangle
    return tools.make_sample(
        (box(0, 0, 20, 30), "dog"),
        (box(25, 0, 33, 8), "cat"),
        (box(25, 20, 30, 30), "bird"),
        (box(25, 40, 30, 50), "bird"),
        (box(35, 0, 40, 60), "floor-other-merged"),
    )


def answer_dog(tools: Any) -> Any:
    return lambda image, prompts: tools.rectangle(0, 0, 20, 30)


def test_thing_classes_that_occur_once_are_asked_for_together(made_up: Any, tools: Any, street: Any) -> None:
    model = made_up(answer_dog(tools))
    Text().evaluate(tools.ask(model, street))
    (asked,) = model.asked
    assert sorted(p.text for p in asked) == ["cat", "dog"]
    assert len({p.object for p in asked}) == 2


def test_figures_stand_beside_always_choosing_the_largest_thing(
    made_up: Any, tools: Any, street: Any
) -> None:
    everything = made_up(lambda image, prompts: np.ones(image.shape[:2], bool))
    measure = Text()
    outcome = measure.evaluate(tools.ask(everything, street))
    assert outcome is not None
    made = tools.tally_of(measure, outcome.record)
    figures = {figure.name: figure for figure in made.figures}
    # the whole photo has 2400 pixels: IoU 600 / 2400 with the dog, 64 / 2400 with the cat
    assert figures["mIoU"].value == pytest.approx((600 + 64) / 2 / 2400)
    assert figures["cIoU"].value == pytest.approx((600 + 64) / 4800)
    assert figures["AP50"].value == 0.0
    # the largest thing is the dog: right once of twice
    assert (figures["AP50"].baseline, figures["AP50"].count) == (0.5, 2)
    assert figures["cIoU"].baseline == pytest.approx(600 / (600 + 664))
    assert figures["AP50"].interval is not None
    assert figures["AP50"].interval[0] == 0.0
    assert figures["AP50"].paired is not None
    assert (figures["AP50"].paired.better, figures["AP50"].paired.worse) == (0, 1)


def test_phrases_are_asked_as_they_are_and_may_be_several(made_up: Any, tools: Any) -> None:
    dog = SampleObject(tools.rectangle(0, 0, 20, 30), "dog", phrases=("the brown dog", "a dog on the left"))
    model = made_up(answer_dog(tools))
    assert Text(ask="phrases").evaluate(tools.ask(model, tools.make_sample(dog))) is not None
    assert [p.text for p in model.asked[0]] == ["the brown dog"]
    Text(ask="phrases", each=5).evaluate(tools.ask(model, tools.make_sample(dog)))
    assert [p.text for p in model.asked[1]] == ["the brown dog", "a dog on the left"]


def test_a_picture_without_a_question_is_nothing_and_a_set_without_names_lacks_them(
    made_up: Any, tools: Any
) -> None:
    asked = tools.ask(made_up(), tools.make_sample(tools.rectangle(0, 0, 9, 9)), categories=())
    assert Text(ask="phrases").evaluate(asked) is None
    assert Text().lacks(asked.info) == "names of classes"
    assert Text(ask="phrases").lacks(asked.info) is None


def test_the_worst_phrase_can_be_drawn(made_up: Any, tools: Any, street: Any) -> None:
    outcome = Text().evaluate(tools.ask(made_up(answer_dog(tools)), street))
    assert outcome is not None
    assert outcome.picture is not None
    assert (outcome.score, outcome.picture().width > 900) == (0.0, True)


def test_a_picture_of_stuff_alone_has_no_name_to_ask_for(made_up: Any, tools: Any) -> None:
    stuff = tools.make_sample((tools.rectangle(35, 0, 40, 60), "floor-other-merged"))
    assert Text().evaluate(tools.ask(made_up(), stuff)) is None
