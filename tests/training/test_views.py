"""Random views: image and masks move together, and the same generator state gives the same view."""

import numpy as np
import pytest

from seemkit.training.pictures import Instance, Picture
from seemkit.training.views import View, random_view


def picture(height: int = 90, width: int = 140) -> Picture:
    """Two squares of saturated colour on black: red, then green."""
    image = np.zeros((height, width, 3), np.uint8)
    instances = []
    for n, (y, x) in enumerate(((10, 20), (45, 80))):
        mask = np.zeros((height, width), bool)
        mask[y : y + 35, x : x + 40] = True
        image[mask] = np.eye(3, dtype=np.uint8)[n] * 255
        instances.append(Instance(np.packbits(mask), None, str(n)))
    return Picture(image, tuple(instances), "p")


def look(seed: int, **options: bool) -> View:
    return random_view(picture(), 96, 2, np.random.default_rng(seed), **options)


@pytest.mark.parametrize("seed", range(25))
def test_masks_lie_where_their_colour_is(seed: int) -> None:
    view = look(seed)
    for mask, index in zip(view.masks, view.chosen, strict=True):
        bright = view.image[..., index].astype(int) - view.image.min(-1) > 60
        assert (mask & bright).sum() / (mask | bright).sum() > 0.85  # edges are interpolated


@pytest.mark.parametrize("seed", range(25))
def test_nothing_lies_outside_of_the_valid_area_and_no_mask_is_empty(seed: int) -> None:
    view = look(seed)
    height, width = view.valid
    assert view.image.shape == (96, 96, 3)
    assert view.masks.shape == (2, 96, 96)
    assert view.masks.any((1, 2)).all()
    assert not view.masks[:, height:].any()
    assert not view.masks[:, :, width:].any()


def test_the_same_seed_gives_the_same_view_and_another_one_does_not() -> None:
    one, same, other = look(3), look(3), look(4)
    assert np.array_equal(one.image, same.image)
    assert np.array_equal(one.masks, same.masks)
    assert not np.array_equal(one.image, other.image)


def test_every_object_is_given_once_when_all_are_asked_for() -> None:
    for seed in range(10):
        chosen = look(seed, every=True).chosen
        assert len(set(chosen)) == len(chosen) >= 1


def test_an_object_too_small_to_survive_becomes_the_pixel_it_lies_in() -> None:
    mask = np.zeros((900, 1400), bool)
    mask[300, 700] = True
    speck = Picture(np.zeros((900, 1400, 3), np.uint8), (Instance(np.packbits(mask), None, "s"),), "p")
    for seed in range(5):
        view = random_view(speck, 96, 2, np.random.default_rng(seed))
        assert view.masks.sum((1, 2)).tolist() == [1, 1]


def test_all_that_can_be_seen_of_a_complete_picture_is_given_too() -> None:
    plain = picture()
    whole = Picture(plain.image, plain.instances, "p", complete=True)
    view = random_view(whole, 96, 1, np.random.default_rng(0))
    assert look(0).visible is None
    assert view.visible is not None
    assert len(view.visible) == len(view.visible_index)
    at = view.visible_index.index(view.chosen[0])
    assert np.array_equal(view.visible[at], view.masks[0])
