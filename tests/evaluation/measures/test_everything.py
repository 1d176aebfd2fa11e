"""Everything mode against annotations: PQ, mask AP and mIoU on answers that are known in advance."""

from typing import Any

import numpy as np
import pytest

from seemkit.data.sample import SampleObject
from seemkit.evaluation.measures.instance import Instance
from seemkit.evaluation.measures.panoptic import Panoptic
from seemkit.evaluation.measures.semantic import Semantic
from seemkit.result import Result, Segments


@pytest.fixture
def room(tools: Any) -> Any:
    """A dog and a cat on a floor, and a crowd of cats."""
    box = tools.rectangle
    return tools.make_sample(
        (box(0, 0, 20, 30), "dog"),
        (box(0, 30, 20, 50), "cat"),
        (box(20, 0, 40, 60), "floor-other-merged"),
        SampleObject(box(0, 50, 20, 60), "cat", is_crowd=True),
        panoptic=True,
    )


def result(masks: Any, names: Any, task: str, scores: Any = None, **more: Any) -> Result:
    chances = scores or [0.9] * len(names)
    labels = tuple(((name, chance),) for name, chance in zip(names, chances, strict=True))
    image = np.zeros((40, 60, 3), np.uint8)
    return Result(
        np.stack(masks), np.array(chances, np.float32), labels=labels, task=task, image=image, **more
    )


def panoptic(*found: Any) -> Any:
    """Segments from (mask, name) pairs."""
    ids = np.zeros((40, 60), np.int32)
    info = []
    for number, (mask, name) in enumerate(found, start=1):
        ids[mask] = number
        thing = name != "floor"
        info.append({"id": number, "label": name, "score": 0.9, "thing": thing, "area": int(mask.sum())})
    masks, names = [mask for mask, _ in found], [name for _, name in found]
    return lambda image: result(masks, names, "panoptic", segments=Segments(ids, tuple(info)))


def test_pq_is_over_classes_asked_for_by_plain_names(made_up: Any, tools: Any, room: Any) -> None:
    box = tools.rectangle
    answer = panoptic(
        (box(0, 0, 20, 24), "dog"),  # IoU 480 / 600 = 0.8
        (box(0, 50, 20, 60), "cat"),  # in the crowd: counts neither way
        (box(20, 0, 40, 60), "floor"),
    )
    model = made_up(everything_answer=answer)
    measure = Panoptic(score=0.4)
    outcome = measure.evaluate(tools.ask(model, room))
    assert outcome is not None
    ((asked,),) = model.asked
    assert asked["vocabulary"] == ["dog", "cat", "floor"]
    assert asked["stuff"] == ["floor"]
    assert asked["thresholds"].score == 0.4
    made = tools.tally_of(measure, outcome.record)
    values = tools.values(made)
    assert values["PQ things"] == pytest.approx((0.8 + 0) / 2)
    assert values["PQ stuff"] == pytest.approx(1.0)
    assert values["PQ"] == pytest.approx((0.8 + 0 + 1) / 3)
    assert "score 0.4, overlap 0.8" in made.figures[0].protocol
    notes = {figure.name: figure.note for figure in made.figures}
    assert (notes["PQ"], notes["PQ stuff"]) == ("mean over 3 classes", "mean over 1 class")
    assert outcome.picture is not None
    assert outcome.picture().width > 900


def test_mask_ap_takes_things_by_score_and_leaves_crowds(made_up: Any, tools: Any, room: Any) -> None:
    box = tools.rectangle
    masks = [box(0, 0, 20, 30), box(0, 50, 20, 60), box(30, 0, 40, 9)]
    answer = result(masks, ["dog", "cat", "cat"], "instance", [0.9, 0.8, 0.7])
    model = made_up(everything_answer=lambda image: answer)
    measure = Instance()
    outcome = measure.evaluate(tools.ask(model, room))
    assert outcome is not None
    values = tools.values(tools.tally_of(measure, outcome.record))
    # the dog is found, the cat is not; the mask on the crowd is excused, the third is spurious
    assert values["AP"] == pytest.approx(0.5)
    assert model.asked[0][0]["thresholds"].instances == 100
    assert outcome.picture is not None
    assert outcome.picture().width > 900


def test_miou_counts_pixels_of_every_class(made_up: Any, tools: Any, room: Any) -> None:
    plane = np.full((40, 60), 2)
    plane[:20, :30] = 0  # the dog, all of it; the rest is called floor
    names = ("dog", "cat", "floor")
    answer = result([plane == 0, plane == 2], ["dog", "floor"], "semantic", semantic=plane, vocabulary=names)
    measure = Semantic()
    outcome = measure.evaluate(tools.ask(made_up(everything_answer=lambda image: answer), room))
    assert outcome is not None
    made = tools.tally_of(measure, outcome.record)
    values = tools.values(made)
    # dog 600 / 600, cat 0 of 600, floor 1200 of 1800
    assert values["mIoU"] == pytest.approx((1 + 0 + 1200 / 1800) / 3)
    assert values["pixel accuracy"] == pytest.approx(1800 / 2400)
    assert made.figures[1].baseline == pytest.approx(1200 / 2400)
    assert [figure.protocol for figure in made.figures] == [
        "mean IoU over 3 of 3 names that occur",
        "share of the pixels of a class that are given it, 3 names",
    ]
    assert outcome.picture is not None
    assert outcome.picture().width > 900


def test_what_a_data_set_would_need_is_said(made_up: Any, tools: Any, room: Any) -> None:
    plain = tools.ask(made_up(), room, panoptic=False, complete=False).info
    assert Panoptic().lacks(plain) == "panoptic annotations with names of classes"
    assert Semantic().lacks(plain) == "a class at each pixel"
    assert Instance().lacks(plain) == "pictures in which every object of its classes is marked"
    assert Panoptic().lacks(tools.ask(made_up(), room).info) is None


def test_an_empty_picture_is_kept_without_a_score(made_up: Any, tools: Any) -> None:
    nothing = Result(np.zeros((0, 40, 60), bool), np.zeros(0, np.float32))
    outcome = Instance().evaluate(
        tools.ask(made_up(everything_answer=lambda image: nothing), tools.make_sample())
    )
    assert outcome is not None
    assert outcome.score is None
    assert np.isnan(tools.values(tools.tally_of(Instance(), outcome.record))["AP"])
