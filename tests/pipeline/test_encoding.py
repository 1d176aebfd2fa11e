"""Scenes: encoded once, the same in a batch, prepared once, references too."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from seemkit import Model, Scene
from seemkit.errors import SceneError
from seemkit.prompts import Point, Reference

CLICK = Point(x=20, y=20)


@pytest.fixture
def model(new_model: Callable[..., Model]) -> Model:
    return new_model()


def test_a_second_image_changes_nothing_beyond_rounding(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    photos = [new_photo(72, 96, seed) for seed in range(3)]
    together = model.encode_many(photos)
    for photo, scene in zip(photos, together, strict=True):
        alone = model.encode(photo)
        for a, b in zip((*alone.levels, alone.fine), (*scene.levels, scene.fine), strict=True):
            torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
        assert scene.fingerprint == alone.fingerprint
        one, two = (np.asarray(model.segment(s, CLICK).logits) for s in (alone, scene))
        assert np.abs(one - two).max() < 5e-3


def test_images_of_many_sizes_come_back_in_order(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    sizes = [(72, 96), (50, 60), (72, 96), (96, 40), (50, 60), (50, 60)]
    photos = [new_photo(*size, seed) for seed, size in enumerate(sizes)]
    scenes = model.encode_many(photos, batch=2)
    assert [scene.size for scene in scenes] == sizes
    assert model.encodes == len(sizes)
    assert [s.fingerprint for s in scenes] == [model.encode(p).fingerprint for p in photos]


def test_scenes_among_images_are_given_back_as_they_are(model: Model, photo: NDArray[np.uint8]) -> None:
    scene = model.encode(photo)
    before = model.encodes
    both = model.encode_many([scene, photo])
    assert both[0] is scene
    assert model.encode(scene) is scene
    assert model.encodes == before + 1
    assert model.encode_many([]) == []


def test_a_scene_of_another_encoder_is_refused(
    model: Model, new_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    for other in (new_model(seed=1), new_model(preprocess={"short": 60, "long": 128})):
        with pytest.raises(SceneError, match="was made by another encoder or preprocessing"):
            model.segment(other.encode(photo), CLICK)


def test_a_scene_does_for_every_decoder_behind_the_same_encoder(
    model: Model, new_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    other = new_model("nano", seed=1, pixel_decoder={"use": "fpn", **model.assembly.pixel_decoder.options()})
    for part in ("image_encoder", "pixel_decoder"):
        getattr(other.network, part).load_state_dict(getattr(model.network, part).state_dict())
    assert other.encoder_fingerprint == model.encoder_fingerprint
    assert other.fingerprint != model.fingerprint
    assert len(other.segment(model.encode(photo), CLICK)) == 1


def test_the_work_of_the_decoder_on_a_scene_is_done_once(
    model: Model, photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    prepare = model.network.decoder.prepare

    def counted(*given: Any) -> Any:
        made.append(1)
        return prepare(*given)

    monkeypatch.setattr(model.network.decoder, "prepare", counted)
    scene = model.encode(photo)
    for _ in range(5):
        model.segment(scene, CLICK)
    assert len(made) == 1


def test_what_was_prepared_falls_when_weights_change(model: Model, photo: NDArray[np.uint8]) -> None:
    scene = model.encode(photo)
    before = model.segment(scene, CLICK)
    with torch.no_grad():
        model.network.decoder.level_embed.add_(1)
    after = model.segment(scene, CLICK)
    assert not np.array_equal(before.logits, after.logits)
    with torch.no_grad():
        model.network.decoder.level_embed.sub_(1)
    np.testing.assert_allclose(model.segment(scene, CLICK).logits, before.logits, atol=1e-4)


def test_a_scene_is_refused_once_the_encoder_has_changed(model: Model, photo: NDArray[np.uint8]) -> None:
    scene = model.encode(photo)
    for tensor in (
        next(model.network.image_encoder.parameters()),
        next(model.network.image_encoder.buffers()),
    ):
        model.segment(scene, CLICK)
        with torch.no_grad():
            tensor.add_(1)
        with pytest.raises(SceneError):
            model.segment(scene, CLICK)
        scene = model.encode(photo)


def test_an_image_answers_the_same_bits_whatever_was_prepared_before(
    new_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    # a scene of a batch has the fingerprint of one encoded alone, but may differ by rounding
    alone = new_model().segment(photo, CLICK)
    model = new_model()
    scene = model.encode(photo)
    rounded = replace(scene, fine=scene.fine * (1 + 1e-4))
    assert rounded.fingerprint == scene.fingerprint
    assert not np.array_equal(model.segment(rounded, CLICK).logits, alone.logits)
    assert np.array_equal(model.segment(scene, CLICK).logits, alone.logits)


def test_a_reference_image_is_encoded_once(
    model: Model, photo: NDArray[np.uint8], new_photo: Callable[..., NDArray[np.uint8]], tmp_path: Any
) -> None:
    scene = model.encode(photo)
    other = new_photo(50, 60, 5)
    Image.fromarray(other).save(tmp_path / "other.png")
    before = model.encodes
    results = [
        model.segment(scene, Reference(image=image, prompts=[CLICK]))
        for image in (other, other.copy(), str(tmp_path / "other.png"), other)
    ]
    assert model.encodes == before + 1
    assert len({np.asarray(r.logits).tobytes() for r in results}) == 1


def test_a_path_a_picture_and_an_array_are_one_image(
    model: Model, photo: NDArray[np.uint8], tmp_path: Any
) -> None:
    Image.fromarray(photo).save(tmp_path / "photo.png")
    given = (photo, Image.fromarray(photo), tmp_path / "photo.png", (tmp_path / "photo.png").read_bytes())
    assert len({model.encode(image).fingerprint for image in given}) == 1


def test_maps_of_an_image_that_is_not_square_lie_right(
    model: Model, new_photo: Callable[..., NDArray[np.uint8]]
) -> None:
    scene = model.encode(new_photo(50, 100, 1))  # short 64, long 128: 64 x 128
    assert scene.grid.size == (64, 128)
    assert scene.padded == (64, 128)
    assert [tuple(x.shape) for x in scene.levels] == [(32, 2, 4), (32, 4, 8), (32, 8, 16)]
    assert tuple(scene.fine.shape) == (32, 16, 32)


def test_a_model_says_what_it_is(model: Model, photo: NDArray[np.uint8]) -> None:
    assert repr(model) == "Model(tiny-seem-v1, 2.1 M parameters, cpu)"
    assert repr(model.encode(photo)).startswith("Scene(96 x 72 pixels, fingerprint ")


def test_encoding_leaves_no_gradient(model: Model, photo: NDArray[np.uint8]) -> None:
    scene: Scene = model.encode(photo)
    assert not scene.fine.requires_grad
