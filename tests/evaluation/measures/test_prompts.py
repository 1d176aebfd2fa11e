"""One simulated prompt of each type, alone and together: draws depend on photo and type only."""

from typing import Any

import numpy as np
import pytest

from seemkit.evaluation.measures.prompts import Prompts

TYPES = {"mIoU point", "mIoU box", "mIoU scribble", "mIoU polygon", "mIoU mask"}


def run(made_up: Any, tools: Any, measure: Prompts, *objects: Any, seed: int = 0, key: str = "a") -> Any:
    """The figures, and what was asked, of a model that finds half of a 20 x 30 object by one type, all by two."""

    def answer(image: np.ndarray, prompts: Any) -> np.ndarray:
        return tools.rectangle(10, 10, 30, 40 if len(prompts) > 1 else 25)

    model = made_up(answer)
    outcome = measure.evaluate(tools.ask(model, tools.make_sample(*objects, key=key), seed))
    return tools.tally_of(measure, *([outcome.record] if outcome else [])), model.asked


def test_every_type_that_can_be_simulated_has_a_figure(made_up: Any, tools: Any) -> None:
    made, _ = run(made_up, tools, Prompts(), tools.rectangle(10, 10, 30, 40))
    assert tools.values(made).keys() >= TYPES
    assert {(f.value, f.count, f.protocol) for f in made.figures} == {(0.5, 1, "one simulated prompt")}


def test_pairs_stand_beside_the_better_of_the_two_alone(made_up: Any, tools: Any) -> None:
    made, _ = run(made_up, tools, Prompts(combinations="pairs"), (tools.rectangle(10, 10, 30, 40), "dog"))
    pair = next(f for f in made.figures if f.name == "mIoU point + text")
    assert (pair.value, pair.baseline, pair.baseline_name) == (1.0, 0.5, "point alone, same objects")
    assert "the class or phrase as text" in pair.protocol
    assert "mIoU box + point" in tools.values(made)


def test_an_object_without_a_name_is_not_asked_for_by_text(made_up: Any, tools: Any) -> None:
    measure = Prompts(combinations=(("point", "text"),))
    made, _ = run(made_up, tools, measure, tools.rectangle(10, 10, 30, 40))
    assert tools.values(made) == {"mIoU point": 0.5}


def test_a_phrase_comes_before_the_class_and_classes_lose_their_endings(made_up: Any, tools: Any) -> None:
    measure = Prompts(combinations=(("text",),))
    _, asked = run(made_up, tools, measure, (tools.rectangle(10, 10, 30, 40), "floor-other-merged"))
    assert [p.text for (p,) in asked] == ["floor"]


def test_draws_depend_on_the_photo_the_type_and_the_seed(made_up: Any, tools: Any) -> None:
    mask = tools.rectangle(10, 10, 30, 40)
    _, one = run(made_up, tools, Prompts(), mask)
    _, same = run(made_up, tools, Prompts(), mask)
    _, seed = run(made_up, tools, Prompts(), mask, seed=1)
    _, other = run(made_up, tools, Prompts(), mask, key="b")
    assert one == same
    assert one != seed
    assert one != other


def test_several_draws_are_averaged_and_the_object_counts_once(made_up: Any, tools: Any) -> None:
    measure = Prompts(combinations=(("point",),), draws=4)
    made, asked = run(made_up, tools, measure, tools.rectangle(10, 10, 30, 40))
    assert len(asked) == 4
    assert len({(p.x, p.y) for (p,) in asked}) > 1
    (figure,) = made.figures
    assert (figure.count, figure.protocol) == (1, "one simulated prompt, 4 draws an object")


def test_the_worst_case_can_be_drawn(made_up: Any, tools: Any) -> None:
    model = made_up(lambda image, prompts: tools.rectangle(0, 0, 5, 5))
    outcome = Prompts().evaluate(tools.ask(model, tools.make_sample(tools.rectangle(10, 10, 30, 40))))
    assert outcome is not None
    assert outcome.picture is not None
    assert (outcome.score, outcome.picture().width > 900) == (pytest.approx(0.0), True)


def test_stuff_is_left_out_if_asked(made_up: Any, tools: Any) -> None:
    measure = Prompts(combinations=(("box",),), things=True)
    dog, floor = (
        (tools.rectangle(10, 10, 30, 40), "dog"),
        (tools.rectangle(30, 0, 40, 60), "floor-other-merged"),
    )
    made, asked = run(made_up, tools, measure, dog, floor)
    assert (made.figures[0].count, len(asked)) == (1, 1)
