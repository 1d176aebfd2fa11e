"""Labels: which masks are named, and what counts as right."""

from typing import Any

import pytest

from seemkit.evaluation.measures.labels import Labels


def test_true_masks_and_masks_of_a_click_are_named_among_all_things(made_up: Any, tools: Any) -> None:
    dog, cat = (tools.rectangle(0, 0, 20, 30), "dog"), (tools.rectangle(20, 0, 40, 30), "cat")
    model = made_up(lambda image, prompts: dog[0], label="dog")
    measure = Labels()
    outcome = measure.evaluate(tools.ask(model, tools.make_sample(dog, cat)))
    assert outcome is not None
    assert [prompts[0].type_name() for prompts in model.asked] == ["mask", "point", "mask", "point"]
    made = tools.tally_of(measure, outcome.record, outcome.record, outcome.record)
    assert tools.values(made) == {"top-1 on true masks": 0.5, "top-1 on masks of one simulated point": 0.5}
    figure = made.figures[0]
    assert (figure.count, figure.baseline) == (6, 0.5)
    assert figure.protocol == "top-1 over 2 names, objects of at least 400 pixels"
    assert figure.interval is not None
    assert figure.baseline_name == "always the commonest name, 'dog'"
    # right for each dog, as is always saying that
    assert figure.paired is not None
    assert (figure.paired.better, figure.paired.worse) == (0, 0)
    assert outcome.picture is not None
    assert outcome.picture().width > 900


def test_small_objects_and_stuff_are_not_named(made_up: Any, tools: Any) -> None:
    small = (tools.rectangle(0, 0, 19, 21), "dog")
    floor = (tools.rectangle(20, 0, 40, 60), "floor-other-merged")
    assert Labels().evaluate(tools.ask(made_up(), tools.make_sample(small, floor))) is None


def test_a_set_without_names_lacks_them_and_a_wrong_type_is_refused(made_up: Any, tools: Any) -> None:
    asked = tools.ask(made_up(), tools.make_sample(), categories=())
    assert Labels().lacks(asked.info) == "names of classes"
    with pytest.raises(ValueError, match="did you mean 'box'"):
        Labels(masks=("bxo",))
