"""Views: the picture and its masks move together, draws have seeds of their own, and texts stay true."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from seemkit.data.sample import Sample, SampleObject
from seemkit.training.augment import Augment, mirror_text, texts_of
from seemkit.training.copy_paste import copy_paste
from seemkit.training.recipe.sections import AugmentSection
from seemkit.training.view import View
from seemkit.training.zoom import Zoom

NO_COLOUR = AugmentSection(zoom=(0.75, 1.4), flip=0.5, colour=0.0)


def sample_of(*masks: np.ndarray, names: tuple[str | None, ...] = (), **more: object) -> Sample:  # type: ignore[type-arg]
    """A picture that is grey but where its objects are: the k-th is 50 k + 100 bright."""
    image = np.full((*masks[0].shape, 3), 40, np.uint8)
    for k, mask in enumerate(masks):
        image[mask] = 50 * k + 100
    given = names or (None,) * len(masks)
    objects = tuple(SampleObject(mask, name) for mask, name in zip(masks, given, strict=True))
    return Sample("one", image, objects, size=masks[0].shape, **more)  # type: ignore[arg-type]


def blob(top: int, left: int, height: int, width: int, size: tuple[int, int] = (120, 160)) -> np.ndarray:  # type: ignore[type-arg]
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def test_masks_lie_where_the_picture_shows_their_objects() -> None:
    sample = sample_of(blob(20, 20, 40, 50), blob(70, 90, 40, 40))
    augment = Augment(NO_COLOUR, 96, 2)
    for seed in range(20):
        view = augment.view(sample, seed)
        assert view is not None
        for target in view.targets:
            bright = 50 * target.place + 100
            inside = view.image[target.mask].mean()
            assert abs(inside - bright) < 15, "edges are mixed with the ground"
            height, width = view.valid
            outside = view.image[:height, :width][~target.mask[:height, :width]]
            assert (np.abs(outside.astype(int) - bright) < 3).mean() < 0.02


def test_a_photo_for_a_closer_look_shows_the_same_so_many_times_as_large() -> None:
    sample = sample_of(blob(20, 20, 40, 50), blob(70, 90, 40, 40))
    options = replace_section(zoom=(0.6, 1.6), colour=0.4)
    for seed in range(20):
        near = Augment(options, 96, 2, nearness=2).view(sample, seed)
        plain, same = (Augment(options, 96, 2, nearness=k).view(sample, seed) for k in (0, 1))
        assert near is not None
        assert plain is not None
        assert same is not None
        assert plain.photo is None
        assert same.photo is not None
        assert np.array_equal(same.photo, same.image)
        assert near.photo is not None
        assert near.photo.shape == (192, 192, 3)
        assert near.valid == plain.valid
        height, width = near.valid
        means = near.photo.reshape(96, 2, 96, 2, 3).mean((1, 3))
        assert np.abs(means - near.image).max() <= 0.5 + 1e-6
        off = np.abs(near.image[:height, :width].astype(int) - plain.image[:height, :width])
        assert (off > 12).mean() < 0.06, "but for edges, which two ways of shrinking draw differently"
        for target, other in zip(near.targets, plain.targets, strict=True):
            assert np.array_equal(target.mask, other.mask)
            assert (
                abs(near.photo[target.mask.repeat(2, 0).repeat(2, 1)].mean() - near.image[target.mask].mean())
                < 3
            )


def test_the_same_seed_gives_the_same_view_and_leaves_torch_alone() -> None:
    sample = sample_of(blob(20, 20, 40, 50))
    augment = Augment(AugmentSection(), 96, 2)
    state = torch.random.get_rng_state()
    views = [augment.view(sample, seed) for seed in (3, 3, 4)]
    assert torch.equal(state, torch.random.get_rng_state())
    one, two, other = (view.image for view in views if view is not None)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_view_is_padded_right_and_bottom() -> None:
    augment = Augment(replace_section(zoom=(0.5, 0.5)), 96, 1)
    view = augment.view(sample_of(blob(20, 20, 40, 50)), 0)
    assert view is not None
    assert view.valid == (36, 48)
    assert not any(t.mask[36:].any() or t.mask[:, 48:].any() for t in view.targets)


def replace_section(**changes: object) -> AugmentSection:
    return AugmentSection(**{"flip": 0.0, "colour": 0.0, **changes})  # type: ignore[arg-type]


def test_the_other_view_shows_all_that_the_first_asks_for() -> None:
    sample = sample_of(blob(5, 5, 30, 30), blob(80, 120, 30, 30))
    augment = Augment(replace_section(zoom=(1.0, 2.5)), 96, 2)
    found = 0
    for seed in range(20):
        first = augment.view(sample, seed)
        assert first is not None
        second = augment.again(sample, first, seed + 100)
        if second is not None:
            found += 1
            assert [t.place for t in second.asked] == [t.place for t in first.asked]
    assert found >= 15


def test_few_objects_are_asked_for_twice_and_small_ones_not() -> None:
    speck, large = blob(10, 10, 2, 2), blob(50, 50, 40, 40)
    augment = Augment(replace_section(zoom=(1.0, 1.0)), 160, 3)
    view = augment.view(sample_of(speck, large), 0)
    assert view is not None
    assert [t.place for t in view.asked] == [1, 1, 1]
    alone = augment.view(sample_of(speck), 0)
    assert alone is not None, "an object that is small is better than none"


def test_stuff_and_crowds() -> None:
    thing, sky = blob(50, 50, 40, 40), blob(0, 0, 30, 160)
    sample = sample_of(thing, sky)
    objects = (sample.objects[0], replace(sample.objects[1], is_thing=False))
    augment = Augment(replace_section(zoom=(1.0, 1.0)), 160, 2, stuff=False)
    view = augment.view(replace(sample, objects=objects), 0)
    assert view is not None
    assert {t.place for t in view.asked} == {0}
    assert {t.place for t in view.targets} == {0, 1}, "everything mode learns it all the same"
    crowd = tuple(replace(each, is_crowd=True) for each in sample.objects)
    assert augment.view(replace(sample, objects=crowd), 0) is None


def test_a_picture_is_complete_only_if_all_objects_have_names() -> None:
    mask = blob(20, 20, 40, 50)
    augment = Augment(replace_section(), 96, 1)
    for names, complete in ((("cat",), True), ((None,), False)):
        view = augment.view(sample_of(mask, names=names, complete=True), 0)
        assert view is not None
        assert view.complete == complete


def test_names_refer_where_they_are_alone() -> None:
    mask = blob(0, 0, 9, 9)
    objects = [SampleObject(mask, name, phrases=phrases) for name, phrases in (
        ("dog", ("the dog on the left",)), ("dog", ()), ("cat", ()), (None, ("that",)),
    )]  # fmt: skip
    assert texts_of(objects) == [("the dog on the left",), (), ("cat",), ("that",)]


def test_mirrored_texts_swap_left_and_right() -> None:
    assert mirror_text("the Left dog, right of the leftover") == "the right dog, left of the leftover"
    sample = sample_of(blob(20, 20, 40, 50))
    sample = replace(sample, objects=(replace(sample.objects[0], phrases=("the left one",)),))
    texts = set()
    for seed in range(12):
        view = Augment(replace_section(flip=0.5), 96, 1).view(sample, seed)
        assert view is not None
        is_left = np.nonzero(view.targets[0].mask)[1].mean() < view.valid[1] / 2
        texts.add((is_left, view.targets[0].texts[0]))
    assert {text for _, text in texts} == {"the left one", "the right one"}


def test_zoom_keeps_a_pixel_of_the_focus() -> None:
    image = tv_tensors.Image(torch.zeros(3, 200, 300, dtype=torch.uint8))
    masks = tv_tensors.Mask(torch.zeros(2, 200, 300, dtype=torch.uint8))
    masks[0, :10, :10] = 1
    masks[1, 190:, 290:] = 1
    zoom = Zoom((64, 64), (3.0, 4.0))
    zoom.focus = [1]
    torch.manual_seed(0)
    for _ in range(10):
        _, seen = zoom(image, masks)
        assert seen[1].any()
        assert not seen[0].any()
        assert seen.shape == (2, 64, 64)


@pytest.mark.parametrize("seed", range(4))
def test_pasted_objects_lie_in_front(seed: int) -> None:
    below = sample_of(blob(0, 0, 120, 160), names=("wall",), complete=True)
    other = sample_of(blob(30, 40, 60, 60, (90, 120)), names=("cat",), complete=True)
    other = replace(other, image=np.where(other.objects[0].read_mask()[..., None], 250, 40).astype(np.uint8))
    made = copy_paste(below, other, seed)
    wall, cat = made.objects
    assert (wall.name, cat.name) == ("wall", "cat")
    assert not (wall.read_mask() & cat.read_mask()).any()
    assert np.array_equal(wall.read_mask() | cat.read_mask(), below.objects[0].read_mask())
    assert np.asarray(made.image)[cat.read_mask()].mean() > 230
    assert made.complete
    again = copy_paste(below, other, seed)
    assert np.array_equal(np.asarray(again.image), np.asarray(made.image))


def test_small_pasted_objects_lie_anywhere_and_are_as_small_as_asked() -> None:
    below = sample_of(blob(0, 0, 120, 160), names=("wall",))
    other = sample_of(blob(30, 40, 60, 60, (90, 120)), names=("cat",))
    middles = []
    for seed in range(40):
        cat = copy_paste(below, other, seed, sizes=(0.3, 0.4)).objects[1].read_mask()
        assert cat.sum() < (60 * 0.4 * 120 / 90 + 2) ** 2
        middles.append(np.argwhere(cat).mean(0))
    assert (np.ptp(middles, axis=0) > np.array([60, 80])).all()


def test_nothing_is_pasted_where_there_is_nothing() -> None:
    below = sample_of(blob(0, 0, 20, 20), names=("wall",))
    assert copy_paste(below, replace(below, objects=()), 0) is below


def test_a_view_is_a_plain_value() -> None:
    import pickle

    view = Augment(AugmentSection(), 96, 1).view(sample_of(blob(20, 20, 40, 50)), 0)
    again = pickle.loads(pickle.dumps(view))  # noqa: S301 - our own
    assert isinstance(again, View)


def test_what_is_ignored_moves_with_the_picture_and_crowds_are() -> None:
    sample = sample_of(blob(20, 20, 40, 50), blob(70, 90, 40, 40))
    crowd = replace(sample.objects[1], is_crowd=True)
    border = blob(20, 70, 40, 8)
    sample = replace(sample, objects=(sample.objects[0], crowd), ignore=border)
    view = Augment(replace_section(zoom=(1.0, 1.0)), 160, 1).view(sample, 0)
    assert view is not None
    assert view.ignored is not None
    expected = np.zeros((160, 160), bool)
    expected[:120] = border | crowd.read_mask()
    np.testing.assert_array_equal(view.ignored, expected)
    assert Augment(replace_section(), 160, 1).view(sample_of(blob(20, 20, 40, 50)), 0).ignored is None  # type: ignore[union-attr]
