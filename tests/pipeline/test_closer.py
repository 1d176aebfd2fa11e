"""A closer look for names: who gets it, that it is taken once, and that a saved scene can take it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seemkit import Model, Scene, load
from seemkit.errors import SceneError
from seemkit.prompts import Box, Point, Text
from tests.looking import ENLARGED, Looks, look_closer

CLICK, WORDS = Point(x=20, y=20, object="a"), Text(text="red thing", object="b")
NAMES = ("red thing", "green thing", "sky")


@pytest.fixture
def model(new_model: Callable[..., Model]) -> Model:
    return new_model("nano")


@pytest.fixture
def looks(model: Model) -> Looks:
    torch.nn.init.normal_(model.network.heads.seen.weight)  # type: ignore[union-attr, arg-type]
    return look_closer(model.network)


def test_answers_take_one_for_names_that_are_given_and_all_share_it(
    model: Model, looks: Looks, photo: Any
) -> None:
    scene = model.encode(photo)
    assert scene.photo is not None
    assert scene.photo.shape == (3, *(ENLARGED * side for side in scene.grid.size))
    model.segment(scene, [CLICK, Box(x1=3, y1=5, x2=30, y2=40)])
    assert looks.count == 0
    model.segment(scene, [CLICK], vocabulary=NAMES)
    model.segment(scene, [WORDS])
    model.segment(scene, [WORDS, CLICK])
    model.everything(scene, vocabulary=NAMES)
    assert looks.count == 1
    model.segment(model.encode(photo), [WORDS])
    assert looks.count == 2, "another scene"


def test_it_changes_what_is_asked_for_by_names_alone(model: Model, looks: Looks, photo: Any) -> None:
    scene = model.encode(photo)

    def states(*prompts: Any) -> dict[str, Any]:
        result = model.segment(scene, list(prompts), vocabulary=NAMES)
        return dict(zip(result.objects, result.logits, strict=True))

    alone, both = states(CLICK)["a"], states(CLICK, WORDS)
    np.testing.assert_allclose(both["a"], alone, atol=1e-4)
    seen = both["b"]
    with torch.no_grad():
        model.network.pixel_decoder.meaning.closer[0].mixed.weight.zero_()  # type: ignore[union-attr, index]
    scene = model.encode(photo)
    assert np.abs(states(WORDS)["b"] - seen).max() > 0.01
    np.testing.assert_allclose(states(CLICK)["a"], alone, atol=1e-4)


def test_labels_of_a_click_do_not_hang_on_words_beside_it(model: Model, looks: Looks, photo: Any) -> None:
    scene = model.encode(photo)
    alone = model.segment(scene, [CLICK], vocabulary=NAMES).labels[0]
    beside = model.segment(scene, [WORDS, CLICK], vocabulary=NAMES)
    there = beside.labels[list(beside.objects).index("a")]
    assert [name for name, _ in alone] == [name for name, _ in there]
    np.testing.assert_allclose([p for _, p in alone], [p for _, p in there], atol=1e-5)


def test_labels_of_a_click_by_given_names_are_read_from_it(model: Model, looks: Looks, photo: Any) -> None:
    scene = model.encode(photo)
    with_it = model.segment(scene, [CLICK], vocabulary=NAMES)
    without = model.segment(replace(scene, photo=None), [CLICK], vocabulary=NAMES)  # as older scenes are
    np.testing.assert_array_equal(with_it.logits, without.logits)
    chances = [dict(result.labels[0]) for result in (with_it, without)]
    assert max(abs(chances[0][name] - chances[1][name]) for name in NAMES) > 1e-3


def test_of_frames_the_first_alone_gets_one(model: Model, looks: Looks, photo: Any) -> None:
    results = list(model.track([photo] * 3, {"a": CLICK}, vocabulary=NAMES))
    assert [len(result.labels[0]) for result in results] == [3, 3, 3]
    assert looks.count == 1


def test_a_saved_scene_gives_the_same(model: Model, looks: Looks, photo: Any, tmp_path: Path) -> None:
    scene = model.encode(photo)
    loaded = Scene.load(scene.save(tmp_path / "photo.scene"))
    first, second = (model.segment(each, [WORDS]).logits for each in (scene, loaded))
    np.testing.assert_allclose(first, second, atol=1e-4)
    assert scene.photo is not None
    for unfit in (None, scene.photo[:, ::2, ::2]):
        with pytest.raises(
            SceneError, match=r"lacks the photo of .* that names are read from; encode the image again"
        ):
            model.segment(replace(scene, photo=unfit), [WORDS])


def test_it_sees_pixels_that_the_input_has_lost(model: Model, looks: Looks) -> None:
    seen: list[torch.Tensor] = []
    object.__setattr__(
        model.network.image_encoder, "closer", lambda image: seen.append(image) or Looks()(image)
    )
    turns = np.indices((2 * 64, 2 * 96)).sum(0) % 2  # grey, once they are halved
    fine = (255 * turns).astype(np.uint8)
    model.preprocess = replace(model.preprocess, short=None, long=96)
    scene = model.encode(np.stack([fine] * 3, -1))
    assert scene.grid.size == (64, 96)
    model.segment(scene, [WORDS])
    assert seen[0].shape == (1, 3, 2 * scene.padded[0], 2 * scene.padded[1])
    assert seen[0][..., : 2 * 64, : 2 * 96].std() > 0.9


def test_a_backbone_that_cannot_leaves_it_out(assembly: Callable[..., dict[str, Any]], photo: Any) -> None:
    plain = assembly("nano")
    plain["pixel_decoder"] = {**plain["pixel_decoder"], "closer": 2}
    model = load(plain, weights=None)
    assert not model.network.nearness
    assert model.encode(photo).photo is None
    assert np.isfinite(model.segment(photo, [WORDS]).logits).all()


@torch.no_grad()
def test_the_encoder_of_nano_sees_the_image_as_large_as_it_is() -> None:
    from seemkit_backbones.timm import Timm

    options = Timm.Options(model="mobile_sam_lite0")
    shape = Timm.declare(options)
    assert shape.closer == (112, 320)
    assert Timm.declare(Timm.Options(model="mobile_sam")).closer == ()
    backbone: Any = Timm.build(options).eval()
    image = torch.randn(1, 3, 64, 96)
    assert [tuple(x.shape) for x in backbone.closer(image)] == [(1, 112, 4, 6), (1, 320, 2, 3)]
