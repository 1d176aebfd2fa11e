"""A second click pays for nothing that belongs to the image: counted, not timed."""

from typing import Any

import pytest

from seemkit.benchmark.flops import count_flops
from seemkit.benchmark.work import watch_work
from seemkit.network.mask_features import MaskFeatures
from seemkit.prompts import Point, Text


@pytest.mark.parametrize("preset", ["seem_v0", "seem_v1", "seem_demo", "nano"])
def test_the_second_click_does_no_per_image_work(new_model: Any, photo: Any, preset: str) -> None:
    model = new_model(preset)
    with watch_work(model) as first:
        session = model.session(photo)
        session.add(Point(x=30, y=20)).result()
    assert (first.encoder_runs, first.pixel_decoder_runs, first.scenes_prepared) == (1, 1, 1)
    with watch_work(model) as second:
        session.add(Point(x=50, y=30, include=False)).result()
    assert second.counts() == {
        "encoder runs": 0,
        "pixel decoder runs": 0,
        "scenes prepared": 0,
        "texts encoded": 0,
        "decoder runs": 1,
    }
    with watch_work(model) as third:
        session.result()
        model.segment(session.scene, Text(text="a dog"))
        model.segment(session.scene, Text(text="a dog"))
    assert (third.texts_encoded, third.decoder_runs) == (1, 2)


def test_the_mask_of_the_round_before_is_not_averaged_where_clicks_answer(
    new_model: Any, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its anchor would be a fallback for an object that has no other, and costs a pass over the finest map."""
    session = new_model().session(photo)
    session.add(Point(x=30, y=20)).result()
    monkeypatch.setattr(MaskFeatures, "mean_inside", lambda *_: pytest.fail("it was"))
    session.add(Point(x=50, y=30)).result()


def test_a_model_is_left_as_it_was(new_model: Any, photo: Any) -> None:
    model = new_model()
    before = [dict(module.__dict__) for module in model.network.modules()]
    with watch_work(model), watch_work(model) as inner:
        model.encode(photo)
    assert inner.encoder_runs == 1
    assert [set(module.__dict__) for module in model.network.modules()] == [set(each) for each in before]


def test_a_click_on_a_prepared_scene_needs_no_convolution_over_it(new_model: Any, photo: Any) -> None:
    """Operations of the second click are those of the first without encoding and preparing."""
    model = new_model()
    point = Point(x=30, y=20)
    whole = count_flops(lambda: model.segment(photo, point))
    scene = model.encode(photo)
    model.prepare(scene)
    click = count_flops(lambda: model.segment(scene, point))
    assert 0 < click < whole / 3
