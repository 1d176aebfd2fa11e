"""The data set `folder`: which files make a sample, what the numbers of masks mean, and what is left out."""

import pickle

import numpy as np
import pytest
from PIL import Image

from seemkit import api


@pytest.fixture
def write(tmp_path):
    """Writes images from arrays below a folder, and gives the folder."""

    def write(**files: np.ndarray):
        for name, pixels in files.items():
            path = tmp_path / name.replace("__", "/").replace("_jpg", ".jpg").replace("_png", ".png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        return tmp_path

    return write


PHOTO = np.zeros((4, 6, 3), np.uint8)
LEVELS = np.array([[0, 64, 65, 192, 193, 255]] * 4, np.uint8)


def opened(path, **options):
    return api.open_dataset({"use": "folder", "path": str(path), **options})


def test_levels_of_one_object_are_object_ignored_or_background(write):
    found = opened(write(images__a_jpg=PHOTO, masks__a_png=LEVELS), category="cat", license="CC0")
    (sample,) = found.loaded()
    assert sample.key == "a"
    assert sample.objects[0].name == "cat"
    assert sample.objects[0].mask[0].tolist() == [False, False, False, False, True, True]
    assert sample.ignore[0].tolist() == [False, False, True, True, False, False]
    assert found.info.names == ("cat",)
    assert found.info.license == "CC0"
    assert not found.info.panoptic


def test_levels_may_be_moved_and_a_mask_of_0_and_1_is_one_of_0_and_255(write):
    path = write(
        images__a_jpg=PHOTO,
        masks__a_png=LEVELS,
        images__b_jpg=PHOTO,
        masks__b_png=(LEVELS > 192).astype(np.uint8),
    )
    first, second = opened(path, object_above=100, ignore_above=100)
    assert first.objects[0].read_mask()[0].tolist() == [False, False, False, True, True, True]
    assert first.ignore is None
    assert second.objects[0].read_mask()[0].tolist() == [False, False, False, False, True, True]


@pytest.mark.parametrize(
    ("levels", "options", "said"),
    [
        ([0], {}, "its levels are 0, expected some above 192"),
        ([0, 2], {}, "its levels are 0, 2, expected some above 192; are these ids? (masks: ids)"),
        ([0, 100], {}, "its levels are 0, 100, expected some above 192"),
        ([0, 1, 2, 3, 4, 9], {"ignore_above": 5}, "its levels are from 0 to 9, expected some above 192"),
        ([0], {"masks": "ids"}, "its numbers are 0"),
        ([0, 5], {"masks": "ids", "ignore_id": 5}, "its numbers are 0, 5; 5 is ignored"),
    ],
)
def test_a_mask_that_marks_nothing_is_reported_with_what_it_holds(write, levels, options, said):
    found = opened(
        write(images__a_jpg=PHOTO, masks__a_png=np.resize(levels, (4, 6)).astype(np.uint8)), **options
    )
    (sample,) = found
    assert sample.objects == ()
    assert found.faults == (api.DataFault("a", f"the mask holds no object: {said}"),)


def test_in_a_video_an_object_may_be_out_of_sight(write):
    found = opened(write(images__a_jpg=PHOTO, masks__a_png=LEVELS * 0), video=True)
    assert [sample.objects for sample in found] == [()]
    assert found.faults == ()


def test_each_number_is_an_object(write):
    ids = np.array([[0, 7, 7, 300, 5, 0]] * 4, np.uint16)
    (sample,) = opened(
        write(images__a_jpg=PHOTO, masks__a_png=ids), masks="ids", ignore_id=5, category="cell"
    )
    assert [each.key for each in sample.objects] == ["7", "300"]
    assert [int(each.read_mask().sum()) for each in sample.objects] == [8, 4]
    assert {each.name for each in sample.objects} == {"cell"}
    assert int(sample.read_ignore().sum()) == 4


def test_numbers_may_be_places_in_the_names(write):
    path = write(
        images__a_jpg=PHOTO,
        masks__a_png=np.array([[0, 1, 1, 1, 255, 255]] * 4, np.uint8),
        images__b_jpg=PHOTO,
        masks__b_png=np.array([[0, 2, 0, 0, 0, 0]] * 4, np.uint8),
    )
    found = opened(path, masks="classes", names=["sky", "bird"], stuff=["sky"], ignore_id=255)
    (sample,) = found
    assert [(o.name, o.is_thing) for o in sample.objects] == [("sky", False), ("bird", True)]
    assert sample.panoptic
    assert sample.complete
    assert [(c.name, c.is_thing, c.id) for c in found.info.categories] == [
        ("sky", False, 0),
        ("bird", True, 1),
    ]
    assert found.faults == (api.DataFault("b", "the mask holds 2, but 'names' has 2, from 0 to 1"),)


def test_masks_may_lie_beside_the_images_with_a_suffix(write):
    path = write(a_png=PHOTO, a_mask_png=LEVELS, sub__b_jpg=PHOTO, sub__b_mask_png=LEVELS)
    found = opened(path, images=".", masks_in=".", suffix="_mask")
    assert [sample.key for sample in found] == ["a", "sub/b"]
    assert found.faults == ()


def test_frames_of_a_video_carry_its_name(write):
    path = write(images__00_jpg=PHOTO, masks__00_png=LEVELS)
    assert next(iter(opened(path, video=True))).sequence == path.name


def test_what_lacks_its_other_half_or_is_damaged_is_kept_among_the_faults(write):
    path = write(
        images__a_jpg=PHOTO, masks__a_png=LEVELS, images__b_jpg=PHOTO, masks__c_png=LEVELS,
        images__d_jpg=PHOTO, images__e_jpg=PHOTO, masks__e_png=LEVELS[:2],
    )  # fmt: skip
    (path / "masks/d.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (path / "images/.hidden.jpg").write_bytes(b"")
    found = opened(path)
    assert len(found) == 5
    assert [sample.key for sample in found.loaded()] == ["a"]
    causes = {fault.key: fault.cause for fault in found.faults}
    assert sorted(causes) == ["b", "c", "d", "e"]
    assert "b.jpg' has no mask" in causes["b"]
    assert "c.png' has no image" in causes["c"]
    assert "d.png' is a damaged or truncated PNG file" in causes["d"]
    assert "is 6 x 2, the picture 6 x 4" in causes["e"]


def test_it_pickles(write):
    found = opened(write(images__a_jpg=PHOTO, masks__a_png=LEVELS))
    assert [s.key for s in pickle.loads(pickle.dumps(found))] == ["a"]  # noqa: S301


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"images": "pictures"}, r"there is no folder .*pictures"),
        ({"images": "empty"}, r"there is no image in .*empty"),
        ({"masks": "classes"}, "'masks: classes' needs 'names'"),
        (
            {"masks": "classes", "names": ["a"], "stuff": ["b"]},
            "'stuff' holds 'b', which is none of the names",
        ),
        ({"object_above": 10}, "'ignore_above' is over 'object_above'"),
        ({"mask": "ids"}, "'folder' has no option 'mask'; did you mean 'masks'"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(write, options, says):
    path = write(images__a_jpg=PHOTO, masks__a_png=LEVELS)
    (path / "empty").mkdir()
    with pytest.raises(ValueError, match=says):
        opened(path, **options)
